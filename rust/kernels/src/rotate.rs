//! A signed block-Hadamard rotation: an isometry that spreads heavy coordinates over many.
//!
//! The signs of the first B values are flipped, then they go through a Walsh–Hadamard transform scaled by
//! 1/√B, B the largest power of two within the row; where B is less than the row, the last B values follow,
//! flipped in their turn, so that every coordinate is mixed and no transform undoes the other. Each step is
//! orthogonal, and so is the whole: distances stay what they are, up to a rounding of half a unit in the last
//! place of the row's length for each of the 2·(log₂B + 2) steps. In place, sixteen rows at once; cost:
//! 2·B·log₂B additions a row.

use crate::Isa;
use crate::into_panel::Column;
#[cfg(target_arch = "x86_64")]
use crate::registers::{F32x8, F32x16};
use crate::registers::{Plain, Register};
use crate::tile8::PANEL;

/// Rotates the rows of `panel` in place; every instruction set gives the same bits.
///
/// # Panics
/// If there are fewer signs than columns, or the processor lacks `isa`.
pub fn rotate(isa: Isa, signs: &[f32], panel: &mut [Column]) {
    assert!(signs.len() >= panel.len(), "{} signs for {} columns", signs.len(), panel.len());
    assert!(isa.is_available(), "this processor has no {isa}");
    match isa.vectors() {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has AVX2.
        Isa::Avx2 | Isa::AvxVnni => unsafe { rotate_avx2(signs, panel) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has AVX-512F.
        Isa::Avx512 => unsafe { rotate_avx512(signs, panel) },
        // SAFETY: plain Rust needs nothing.
        _ => unsafe { rotate_by::<Plain<f32, 4>>(signs, panel) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn rotate_avx2(signs: &[f32], panel: &mut [Column]) {
    // SAFETY: compiled with AVX2, and nothing here fuses products; the caller vouches for the processor.
    unsafe { rotate_by::<F32x8>(signs, panel) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn rotate_avx512(signs: &[f32], panel: &mut [Column]) {
    // SAFETY: compiled with AVX-512F; the caller vouches for the processor.
    unsafe { rotate_by::<F32x16>(signs, panel) }
}

/// # Safety
/// As [`Register`].
#[inline(always)]
unsafe fn rotate_by<R: Register<Scalar = f32>>(signs: &[f32], panel: &mut [Column]) {
    if panel.is_empty() {
        return;
    }
    let block = 1 << panel.len().ilog2();
    let rest = panel.len() - block;
    // SAFETY: the caller's promise is passed on.
    unsafe {
        hadamard::<R>(&signs[..block], &mut panel[..block]);
        if rest > 0 {
            hadamard::<R>(&signs[..block], &mut panel[rest..]);
        }
    }
}

/// Flips signs and scales, so that what follows is orthogonal: the Walsh–Hadamard transform of a power of two
/// of columns, near ones first.
///
/// # Safety
/// As [`Register`].
#[inline(always)]
unsafe fn hadamard<R: Register<Scalar = f32>>(signs: &[f32], columns: &mut [Column]) {
    let count = columns.len();
    let scale = (1.0 / (count as f64).sqrt()) as f32;
    for (column, sign) in columns.iter_mut().zip(signs) {
        for lane in (0..PANEL).step_by(R::LANES) {
            // SAFETY: a register's lanes from `lane` on lie within a column; the caller's promise is passed on.
            unsafe {
                let place = column.as_mut_ptr().add(lane);
                R::load(place).mul(R::splat(sign * scale)).store(place);
            }
        }
    }
    // Eight columns at once: three steps for one way through memory.
    let mut half = 1;
    while half < count {
        // SAFETY: the caller's promise is passed on.
        half *= unsafe {
            match count / half {
                2 => steps::<R, 2>(columns, half),
                4 => steps::<R, 4>(columns, half),
                _ => steps::<R, 8>(columns, half),
            }
        };
    }
}

/// Takes columns that are `half`, 2·`half` and so on apart from (a, b) to (a + b, a − b), `TALL` of them
/// together. Returns `TALL`.
///
/// # Safety
/// As [`Register`].
#[inline(always)]
#[allow(clippy::needless_range_loop)] // closures and iterators lose the instruction set
unsafe fn steps<R: Register<Scalar = f32>, const TALL: usize>(
    columns: &mut [Column],
    half: usize,
) -> usize {
    for group in columns.chunks_exact_mut(TALL * half) {
        for first in 0..half {
            for lane in (0..PANEL).step_by(R::LANES) {
                // SAFETY: a register's lanes from `lane` on lie within a column; the caller's promise is
                // passed on.
                unsafe {
                    let mut stand = [R::zero(); TALL];
                    for place in 0..TALL {
                        stand[place] = R::load(group[first + place * half].as_ptr().add(lane));
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
                        stand[place].store(group[first + place * half].as_mut_ptr().add(lane));
                    }
                }
            }
        }
    }
    TALL
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signs(count: usize) -> Vec<f32> {
        (0..count).map(|i| if i * 7919 % 11 < 5 { -1.0 } else { 1.0 }).collect()
    }

    /// A panel whose row in a lane is `value(lane, column)`.
    fn panel(columns: usize, value: impl Fn(usize, usize) -> f32) -> Vec<Column> {
        (0..columns).map(|j| std::array::from_fn(|lane| value(lane, j))).collect()
    }

    #[test]
    fn distances_stay_and_a_heavy_coordinate_is_spread() {
        for count in [1, 2, 3, 64, 100, 768] {
            let before = panel(count, |lane, j| ((j * (lane + 3)) % 7) as f32 - 3.0);
            let mut after = before.clone();
            rotate(Isa::best(), &signs(count), &mut after);
            let square = |panel: &[Column], a: usize, b: usize| -> f64 {
                panel.iter().map(|c| (f64::from(c[a]) - f64::from(c[b])).powi(2)).sum()
            };
            for lane in 1..PANEL {
                let (then, now) = (square(&before, 0, lane), square(&after, 0, lane));
                assert!((now - then).abs() <= 1e-5 * then + 1e-9, "{count}: {now} for {then}");
            }
        }
        let mut state = 1_u64;
        let mut sign = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            if state >> 63 == 0 { 1.0 } else { -1.0 }
        };
        let signs: Vec<f32> = (0..768).map(|_| sign()).collect();
        let mut heavy = panel(768, |_, j| if j == 300 { 1.0 } else { 0.0 });
        rotate(Isa::best(), &signs, &mut heavy);
        assert!(heavy.iter().flatten().all(|x| x.abs() <= 0.2));
    }

    #[test]
    fn every_instruction_set_gives_the_bits_of_the_definition() {
        for count in [1_usize, 2, 3, 4, 7, 8, 9, 16, 63, 100, 384, 768] {
            let before = panel(count, |lane, j| ((j * 31 + lane * 5) % 17) as f32 / 3.0 - 2.7);
            let signs = signs(count);
            let mut expected = before.clone();
            let block = 1 << count.ilog2();
            let transform = |columns: &mut [Column], lane: usize| {
                let scale = (1.0 / (columns.len() as f64).sqrt()) as f32;
                columns.iter_mut().zip(&signs).for_each(|(c, sign)| c[lane] *= sign * scale);
                let mut half = 1;
                while half < columns.len() {
                    for i in (0..columns.len()).filter(|i| i & half == 0) {
                        let (a, b) = (columns[i][lane], columns[i + half][lane]);
                        (columns[i][lane], columns[i + half][lane]) = (a + b, a - b);
                    }
                    half *= 2;
                }
            };
            for lane in 0..PANEL {
                transform(&mut expected[..block], lane);
                if count > block {
                    transform(&mut expected[count - block..], lane);
                }
            }
            for isa in Isa::available() {
                let mut out = before.clone();
                rotate(isa, &signs, &mut out);
                assert_eq!(out, expected, "{isa} {count}");
            }
        }
    }
}
