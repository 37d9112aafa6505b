//! Gram tiles: inner products of a few rows with a few others, ⟨x, y⟩ = `x @ y.T`, by fused
//! multiply-adds.
//!
//! Panels hold their rows interleaved, column by column: the left one [`Shape::left`] rows, the right
//! one [`Shape::right`]. A tile of pairs stays in registers while both panels stream past it from the
//! second-level cache: 14 × 2 registers on AVX-512, 6 × 2 on AVX2 with FMA.
//!
//! | rows | products, sums over [`RUN`] columns and over four runs | totals | error of a pair |
//! |---|---|---|---|
//! | `f32` | `f32`, u = 2⁻²⁴ | `f64` | ≤ 68u·Σ\|xy\| |
//! | `f64` | `f64`, u = 2⁻⁵³ | `f64` | ≤ (68 + d/256)u·Σ\|xy\| |
//!
//! These are worst cases; roundings of either sign leave some 4u/√d of √(Σx²·Σy²). Columns are added in
//! order, one sum for each pair, so a value depends on its two rows alone: not on their order, the tile or
//! the thread, and not on whether AVX2 or AVX-512 computed it. Where there is no fused instruction the
//! products are rounded too, which changes bits within one u more.

use crate::Isa;
#[cfg(target_arch = "x86_64")]
use crate::registers::{F32x8, F32x16, F64x4, F64x8};
use crate::registers::{Plain, Register};

/// Columns whose products are summed in one chain.
pub const RUN: usize = 64;
/// Runs whose sums are added up before they are widened.
const GROUP: usize = 4;

/// Rows of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Rows of a left panel.
    pub left: usize,
    /// Rows of a right panel, a multiple of [`crate::LANES`].
    pub right: usize,
}

/// A scalar that rows are multiplied in: `f32` or `f64`.
pub trait Real: Copy + Default + Send + Sync + sealed::Tiled {
    /// Rounds to nearest.
    fn narrow(value: f64) -> Self;
    /// Exact.
    fn widen(self) -> f64;
}

impl Real for f32 {
    #[inline]
    fn narrow(value: f64) -> Self {
        value as Self
    }
    #[inline]
    fn widen(self) -> f64 {
        f64::from(self)
    }
}

impl Real for f64 {
    #[inline]
    fn narrow(value: f64) -> Self {
        value
    }
    #[inline]
    fn widen(self) -> f64 {
        self
    }
}

/// The shape of tiles of `T` on `isa`.
///
/// # Panics
/// If the processor lacks `isa`.
#[must_use]
pub fn shape<T: Real>(isa: Isa) -> Shape {
    let (left, right) = match fused(isa) {
        Isa::Avx2 => T::AVX2,
        Isa::Avx512 => T::AVX512,
        _ => T::PLAIN,
    };
    Shape { left, right }
}

/// Writes a row to place `index` of a panel of `width` rows.
///
/// # Panics
/// If the panel is not `width` rows as long as `row`, or has no place `index`.
pub fn interleave<T: Real>(row: &[T], index: usize, width: usize, panel: &mut [T]) {
    assert!(index < width && panel.len() == row.len() * width, "panel size");
    for (column, &value) in panel.chunks_exact_mut(width).zip(row) {
        column[index] = value;
    }
}

/// Writes ⟨x, y⟩ of `left` row `i` and `right` row `j` to `out[i * shape.right + j]`.
///
/// # Panics
/// If a panel is not [`shape`] rows of `depth` values, `out` has another length than the tile, or the
/// processor lacks `isa`.
pub fn inner_products<T: Real>(isa: Isa, left: &[T], right: &[T], depth: usize, out: &mut [f64]) {
    out.fill(0.0);
    add_inner_products(isa, left, right, depth, out);
}

/// Adds ⟨x, y⟩ of `left` row `i` and `right` row `j` to `out[i * shape.right + j]`, which for rows that come in
/// pieces is the same as [`inner_products`] of the whole if all pieces but the last are of 256 columns.
///
/// # Panics
/// As [`inner_products`].
pub fn add_inner_products<T: Real>(
    isa: Isa,
    left: &[T],
    right: &[T],
    depth: usize,
    out: &mut [f64],
) {
    let shape = shape::<T>(isa);
    assert_eq!(left.len(), shape.left * depth, "left panel");
    assert_eq!(right.len(), shape.right * depth, "right panel");
    assert_eq!(out.len(), shape.left * shape.right, "output size");
    // SAFETY: the panels and the output were measured above, and `fused` names an instruction set
    // that the processor has.
    unsafe { T::tile(fused(isa), left.as_ptr(), right.as_ptr(), depth, out) }
}

/// The instruction set whose fused operations `isa` stands for: one of AVX-512, AVX2 (which counts only
/// together with FMA) and the portable one.
///
/// # Panics
/// If the processor lacks `isa`.
pub(crate) fn fused(isa: Isa) -> Isa {
    assert!(isa.is_available(), "this processor has no {isa}");
    match isa {
        Isa::Avx512 | Isa::Amx => Isa::Avx512,
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 | Isa::AvxVnni if std::arch::is_x86_feature_detected!("fma") => Isa::Avx2,
        _ => Isa::Portable,
    }
}

mod sealed {
    use crate::Isa;

    /// The tiles of a scalar.
    pub trait Tiled: Sized {
        const PLAIN: (usize, usize);
        const AVX2: (usize, usize);
        const AVX512: (usize, usize);

        /// # Safety
        /// The processor has `isa`, and FMA if it is AVX2; the panels and the output have the sizes
        /// of its tile and `depth`.
        unsafe fn tile(
            isa: Isa,
            left: *const Self,
            right: *const Self,
            depth: usize,
            out: &mut [f64],
        );
    }
}

macro_rules! tiled {
    ($scalar:ty, $plain:ty, $m:literal x $n:literal, $avx2:ident, $avx512:ident) => {
        impl sealed::Tiled for $scalar {
            const PLAIN: (usize, usize) = ($m, $n * <$plain>::LANES);
            #[cfg(target_arch = "x86_64")]
            const AVX2: (usize, usize) = (6, 2 * $avx2::LANES);
            #[cfg(target_arch = "x86_64")]
            const AVX512: (usize, usize) = (14, 2 * $avx512::LANES);
            #[cfg(not(target_arch = "x86_64"))]
            const AVX2: (usize, usize) = Self::PLAIN;
            #[cfg(not(target_arch = "x86_64"))]
            const AVX512: (usize, usize) = Self::PLAIN;

            unsafe fn tile(
                isa: Isa,
                left: *const Self,
                right: *const Self,
                depth: usize,
                out: &mut [f64],
            ) {
                #[cfg(target_arch = "x86_64")]
                #[target_feature(enable = "avx2,fma")]
                unsafe fn avx2(
                    x: *const $scalar,
                    y: *const $scalar,
                    depth: usize,
                    out: &mut [f64],
                ) {
                    // SAFETY: compiled with AVX2 and FMA; the caller vouches for the rest.
                    unsafe { tile::<$avx2, 6, 2>(x, y, depth, out) }
                }
                #[cfg(target_arch = "x86_64")]
                #[target_feature(enable = "avx512f")]
                unsafe fn avx512(
                    x: *const $scalar,
                    y: *const $scalar,
                    depth: usize,
                    out: &mut [f64],
                ) {
                    // SAFETY: compiled with AVX-512F; the caller vouches for the rest.
                    unsafe { tile::<$avx512, 14, 2>(x, y, depth, out) }
                }
                // SAFETY: the caller vouches for the processor and the sizes.
                unsafe {
                    match isa {
                        #[cfg(target_arch = "x86_64")]
                        Isa::Avx2 => avx2(left, right, depth, out),
                        #[cfg(target_arch = "x86_64")]
                        Isa::Avx512 => avx512(left, right, depth, out),
                        _ => tile::<$plain, $m, $n>(left, right, depth, out),
                    }
                }
            }
        }
    };
}

tiled!(f32, Plain<f32, 4>, 4 x 2, F32x8, F32x16);
tiled!(f64, Plain<f64, 2>, 2 x 4, F64x4, F64x8);

/// The most pairs of a tile.
const MOST: usize = 14 * 32;

/// Registers stored here stay within cache lines.
#[repr(align(64))]
struct Aligned<T>([T; MOST]);

/// # Safety
/// As [`Register`]; the panels hold `M` and `N` registers' lanes of `depth` values; `out`, to which the
/// products are added, holds the tile.
#[inline(always)]
#[allow(clippy::needless_range_loop)] // see the comment on index loops below
unsafe fn tile<R: Register<Scalar: Real>, const M: usize, const N: usize>(
    left: *const R::Scalar,
    right: *const R::Scalar,
    depth: usize,
    out: &mut [f64],
) {
    let width = N * R::LANES;
    assert!(out.len() == M * width && out.len() <= MOST, "output size");
    // Sums go through memory to be widened: a loop over the registers themselves would keep them there.
    let mut parts = Aligned([R::Scalar::default(); MOST]);
    let (mut x, mut y) = (left, right);
    let mut rest = depth;
    while rest > 0 {
        for group in 0..GROUP.min(rest.div_ceil(RUN)) {
            let run = rest.min(RUN);
            rest -= run;
            // SAFETY: `depth` steps in all, each of M and `width` values; `parts` holds a tile.
            unsafe {
                let mut sums = [[R::zero(); N]; M];
                // Plain index loops: iterators and closures keep the sums in memory or lose the
                // instruction set.
                for _ in 0..run {
                    let mut columns = [R::zero(); N];
                    for n in 0..N {
                        columns[n] = R::load(y.add(n * R::LANES));
                    }
                    for m in 0..M {
                        let row = R::splat(*x.add(m));
                        for n in 0..N {
                            sums[m][n] = sums[m][n].multiply_add(row, columns[n]);
                        }
                    }
                    x = x.add(M);
                    y = y.add(width);
                }
                let parts = parts.0.as_mut_ptr();
                for m in 0..M {
                    for n in 0..N {
                        let part = parts.add(m * width + n * R::LANES);
                        let sum = sums[m][n];
                        if group == 0 { sum } else { R::load(part).add(sum) }.store(part);
                    }
                }
            }
        }
        for (total, part) in out.iter_mut().zip(&parts.0) {
            *total += part.widen();
        }
    }
}

#[cfg(test)]
mod tests;
