//! A signed block-Hadamard rotation: an isometry that spreads heavy coordinates over many.
//!
//! Signs are flipped, then the first B values go through a Walsh–Hadamard transform scaled by 1/√B,
//! B the largest power of two within the row; where B is less than the row, the last B values follow,
//! flipped again, so that every coordinate is mixed and no transform undoes the other. Each step is
//! orthogonal, and so is the whole: distances stay what they are, up to rounding of a few ε·‖x‖. In
//! place; cost: 2·B·log₂B additions.

use crate::Isa;
#[cfg(target_arch = "x86_64")]
use crate::lanes::{Avx2, Avx512};
use crate::lanes::{LANES, Lanes, Portable};

/// Rotates `row` in place; every instruction set gives the same bits.
///
/// # Panics
/// If there are fewer signs than values, or the processor lacks `isa`.
pub fn rotate(isa: Isa, signs: &[f64], row: &mut [f64]) {
    assert!(signs.len() >= row.len(), "{} signs for {} values", signs.len(), row.len());
    assert!(isa.is_available(), "this processor has no {isa}");
    match isa {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has AVX2.
        Isa::Avx2 | Isa::AvxVnni => unsafe { rotate_avx2(signs, row) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has AVX-512F.
        Isa::Avx512 => unsafe { rotate_avx512(signs, row) },
        // SAFETY: portable lanes need nothing.
        _ => unsafe { rotate_by::<Portable>(signs, row) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn rotate_avx2(signs: &[f64], row: &mut [f64]) {
    // SAFETY: compiled with AVX2; the caller vouches for the processor.
    unsafe { rotate_by::<Avx2>(signs, row) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn rotate_avx512(signs: &[f64], row: &mut [f64]) {
    // SAFETY: compiled with AVX-512F; the caller vouches for the processor.
    unsafe { rotate_by::<Avx512>(signs, row) }
}

/// # Safety
/// As [`Lanes`].
#[inline(always)]
unsafe fn rotate_by<V: Lanes>(signs: &[f64], row: &mut [f64]) {
    if row.is_empty() {
        return;
    }
    // SAFETY: the caller's promise is passed on.
    unsafe {
        flip(row, signs.iter());
        let block = 1 << row.len().ilog2();
        hadamard::<V>(&mut row[..block]);
        let rest = row.len() - block;
        if rest > 0 {
            flip(row, signs[..row.len()].iter().rev());
            hadamard::<V>(&mut row[rest..]);
        }
    }
}

#[inline(always)]
fn flip<'a>(row: &mut [f64], signs: impl Iterator<Item = &'a f64>) {
    for (value, sign) in row.iter_mut().zip(signs) {
        *value *= sign;
    }
}

/// The Walsh–Hadamard transform of a power of two of values, scaled to be orthogonal.
///
/// # Safety
/// As [`Lanes`].
#[inline(always)]
unsafe fn hadamard<V: Lanes>(values: &mut [f64]) {
    let scale = (values.len() as f64).sqrt().recip();
    let (vectors, rest) = values.as_chunks_mut::<LANES>();
    for vector in &mut *vectors {
        let vector = vector.as_mut_ptr();
        // SAFETY: a chunk holds eight values; the caller's promise is passed on.
        unsafe {
            V::load(vector).butterfly::<1>().butterfly::<2>().butterfly::<4>().store(vector);
        }
    }
    let mut half = 1;
    while half < vectors.len() {
        for pair in vectors.chunks_exact_mut(2 * half) {
            let (left, right) = pair.split_at_mut(half);
            for (left, right) in left.iter_mut().zip(right) {
                // SAFETY: as above.
                unsafe {
                    let (a, b) = (V::load(left.as_ptr()), V::load(right.as_ptr()));
                    a.add(b).store(left.as_mut_ptr());
                    a.sub(b).store(right.as_mut_ptr());
                }
            }
        }
        half *= 2;
    }
    // Fewer values than lanes are their own rest.
    let mut half = 1;
    while half < rest.len() {
        for pair in rest.chunks_exact_mut(2 * half) {
            let (left, right) = pair.split_at_mut(half);
            for (a, b) in left.iter_mut().zip(right) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half *= 2;
    }
    values.iter_mut().for_each(|value| *value *= scale);
}

#[cfg(test)]
mod tests {
    use super::rotate;
    use crate::Isa;

    #[test]
    fn distances_stay_and_a_heavy_coordinate_is_spread() {
        let mut state = 1_u64;
        let mut sign = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            if state >> 63 == 0 { 1.0 } else { -1.0 }
        };
        let signs: Vec<f64> = (0..768).map(|_| sign()).collect();
        for count in [1, 2, 3, 64, 100, 768] {
            let mut x: Vec<f64> = (0..count).map(|i| (i % 7) as f64 - 3.0).collect();
            let mut y = vec![0.5; count];
            let square = |x: &[f64], y: &[f64]| -> f64 {
                x.iter().zip(y).map(|(a, b)| (a - b) * (a - b)).sum()
            };
            let before = square(&x, &y);
            rotate(Isa::best(), &signs, &mut x);
            rotate(Isa::best(), &signs, &mut y);
            assert!((square(&x, &y) - before).abs() <= 1e-13 * before, "{count}");
        }
        let mut heavy = vec![0.0; 768];
        heavy[300] = 1.0;
        rotate(Isa::best(), &signs, &mut heavy);
        assert!(heavy.iter().all(|x| x.abs() <= 0.2));
    }

    #[test]
    fn every_instruction_set_gives_the_bits_of_the_definition() {
        let signs: Vec<f64> =
            (0..800).map(|i| if i * 7919 % 11 < 5 { -1.0 } else { 1.0 }).collect();
        for count in [1_usize, 2, 3, 4, 7, 8, 9, 16, 63, 100, 384, 768] {
            let row: Vec<f64> = (0..count).map(|i| ((i * 31 % 17) as f64 - 8.0) / 3.0).collect();
            let mut expected = row.clone();
            let block = 1 << count.ilog2();
            let transform = |values: &mut [f64], signs: &[f64]| {
                let flipped: Vec<f64> = values.iter().zip(signs).map(|(x, s)| x * s).collect();
                values.copy_from_slice(&flipped);
            };
            let plain = |values: &mut [f64]| {
                let mut half = 1;
                while half < values.len() {
                    for i in (0..values.len()).filter(|i| i & half == 0) {
                        let (a, b) = (values[i], values[i + half]);
                        (values[i], values[i + half]) = (a + b, a - b);
                    }
                    half *= 2;
                }
                let scale = (values.len() as f64).sqrt().recip();
                values.iter_mut().for_each(|value| *value *= scale);
            };
            transform(&mut expected, &signs);
            plain(&mut expected[..block]);
            if count > block {
                let reversed: Vec<f64> = signs[..count].iter().rev().copied().collect();
                transform(&mut expected, &reversed);
                plain(&mut expected[count - block..]);
            }
            for isa in Isa::available() {
                let mut out = row.clone();
                rotate(isa, &signs, &mut out);
                assert_eq!(out, expected, "{isa} {count}");
            }
        }
    }
}
