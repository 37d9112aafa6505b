//! A signed block-Hadamard rotation: an isometry that spreads heavy coordinates over many.
//!
//! The signs of the first B values are flipped, then they go through a Walsh–Hadamard transform scaled by
//! 1/√B, B the largest power of two within the row; where B is less than the row, the last B values follow,
//! flipped in their turn, so that every coordinate is mixed and no transform undoes the other. Each step is
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
    let block = 1 << row.len().ilog2();
    let rest = row.len() - block;
    // SAFETY: the caller's promise is passed on.
    unsafe {
        hadamard::<V>(&signs[..block], &mut row[..block]);
        if rest > 0 {
            hadamard::<V>(&signs[..block], &mut row[rest..]);
        }
    }
}

/// Flips signs and scales, so that what follows is orthogonal: the Walsh–Hadamard transform of a power of two
/// of values, near ones first.
///
/// # Safety
/// As [`Lanes`].
#[inline(always)]
unsafe fn hadamard<V: Lanes>(signs: &[f64], values: &mut [f64]) {
    let scale = (values.len() as f64).sqrt().recip();
    for (value, sign) in values.iter_mut().zip(signs) {
        *value *= sign * scale;
    }
    let (vectors, rest) = values.as_chunks_mut::<LANES>();
    // Eight vectors at once: three steps for one way through memory.
    // SAFETY: the caller's promise is passed on.
    unsafe {
        let mut half = match vectors.len() {
            0 | 1 => steps::<V, 1, true>(vectors, 1),
            2 => steps::<V, 2, true>(vectors, 1),
            4 => steps::<V, 4, true>(vectors, 1),
            _ => steps::<V, 8, true>(vectors, 1),
        };
        while half < vectors.len() {
            half *= match vectors.len() / half {
                2 => steps::<V, 2, false>(vectors, half),
                4 => steps::<V, 4, false>(vectors, half),
                _ => steps::<V, 8, false>(vectors, half),
            };
        }
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
}

/// Takes vectors that are `half`, 2·`half` and so on apart from (a, b) to (a + b, a − b), `TALL` of them together;
/// with `LANES_TOO` the lanes of each before. Returns `TALL`.
///
/// # Safety
/// As [`Lanes`].
#[inline(always)]
#[allow(clippy::needless_range_loop)] // closures and iterators lose the instruction set
unsafe fn steps<V: Lanes, const TALL: usize, const LANES_TOO: bool>(
    vectors: &mut [[f64; LANES]],
    half: usize,
) -> usize {
    for group in vectors.chunks_exact_mut(TALL * half) {
        for first in 0..half {
            // SAFETY: an array holds eight values; the caller's promise is passed on.
            unsafe {
                let mut stand = [V::zero(); TALL];
                for place in 0..TALL {
                    stand[place] = V::load(group[first + place * half].as_ptr());
                    if LANES_TOO {
                        let lanes = stand[place].butterfly::<1>().butterfly::<2>();
                        stand[place] = lanes.butterfly::<4>();
                    }
                }
                let mut apart = 1;
                while apart < TALL {
                    for place in 0..TALL {
                        if place & apart == 0 {
                            let (a, b) = (stand[place], stand[place + apart]);
                            (stand[place], stand[place + apart]) = (a.add(b), a.sub(b));
                        }
                    }
                    apart *= 2;
                }
                for place in 0..TALL {
                    stand[place].store(group[first + place * half].as_mut_ptr());
                }
            }
        }
    }
    TALL
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
            let transform = |values: &mut [f64]| {
                let scale = (values.len() as f64).sqrt().recip();
                values.iter_mut().zip(&signs).for_each(|(value, sign)| *value *= sign * scale);
                let mut half = 1;
                while half < values.len() {
                    for i in (0..values.len()).filter(|i| i & half == 0) {
                        let (a, b) = (values[i], values[i + half]);
                        (values[i], values[i + half]) = (a + b, a - b);
                    }
                    half *= 2;
                }
            };
            transform(&mut expected[..block]);
            if count > block {
                transform(&mut expected[count - block..]);
            }
            for isa in Isa::available() {
                let mut out = row.clone();
                rotate(isa, &signs, &mut out);
                assert_eq!(out, expected, "{isa} {count}");
            }
        }
    }
}
