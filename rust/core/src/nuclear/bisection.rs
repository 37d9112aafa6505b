//! The sum of the singular values of a bidiagonal, by bisection on Sturm counts (Fernando 1998). Level 2.
//!
//! The number of values below x is the number of negative pivots of BᵀB − x²I. Each value is halved down
//! to ε times a bound on the largest, many at a time in vectors. Cost: 53 counts of n steps for each.

use faer::Par;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::dense::for_each;

/// Singular values that are bisected at a time.
const TOGETHER: usize = 32;
/// Vectors of them in flight, to hide the latency of the divisions.
const VECTORS: usize = 4;
/// Halvings of an interval: the bits of a mantissa.
const HALVINGS: usize = 53;

/// The sum of the singular values of the bidiagonal with these (diagonal, superdiagonal).
pub(super) fn sum_of_values(diagonals: &[(f64, f64)], par: Par) -> f64 {
    let row = diagonals.iter().map(|(d, e)| d.abs() + e.abs()).fold(0.0, f64::max);
    let shifted = diagonals.iter().skip(1).zip(diagonals);
    let column = shifted.map(|((d, _), (_, e))| d.abs() + e.abs()).fold(0.0, f64::max);
    // No singular value is larger.
    let bound = row.max(column);
    if bound == 0.0 {
        return 0.0;
    }
    let square = |x: f64| (x / bound) * (x / bound);
    let squares: Vec<(f64, f64)> = diagonals.iter().map(|&(d, e)| (square(d), square(e))).collect();
    let mut values = vec![0.0; squares.len()];
    for_each(values.par_chunks_mut(TOGETHER).enumerate(), par, |(index, values)| {
        let first = index * TOGETHER;
        Arch::new().dispatch(Bisect { squares: &squares, first, values });
    });
    // Smallest first: the order that loses least.
    bound * values.iter().sum::<f64>()
}

/// Writes the singular values of which the first has `first` below it; all are between 0 and 1.
struct Bisect<'a> {
    squares: &'a [(f64, f64)],
    first: usize,
    values: &'a mut [f64],
}

impl WithSimd for Bisect<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let mut ranks = [0.0; TOGETHER];
        for (lane, rank) in ranks.iter_mut().enumerate() {
            *rank = (self.first + lane) as f64;
        }
        let mut found = [0.0; TOGETHER];
        let (ranks, _) = S::as_simd_f64s(&ranks);
        let (slots, _) = S::as_mut_simd_f64s(&mut found);
        for (ranks, slots) in ranks.chunks(VECTORS).zip(slots.chunks_mut(VECTORS)) {
            let mut group = [simd.splat_f64s(f64::INFINITY); VECTORS];
            group[..ranks.len()].copy_from_slice(ranks);
            slots.copy_from_slice(&bisect(simd, self.squares, &group)[..slots.len()]);
        }
        let count = self.values.len();
        self.values.copy_from_slice(&found[..count]);
    }
}

/// The values that have `ranks` others below them.
#[inline(always)]
fn bisect<S: Simd>(
    simd: S,
    squares: &[(f64, f64)],
    ranks: &[S::f64s; VECTORS],
) -> [S::f64s; VECTORS] {
    /// Stands for a pivot of 0.
    const TINY: f64 = 1e-290;
    let [zero, one, tiny, stand_in] = [0.0, 1.0, TINY, -TINY].map(|x| simd.splat_f64s(x));
    let mut low = [zero; VECTORS];
    let mut width = 1.0;
    for _ in 0..HALVINGS {
        width *= 0.5;
        let middle = low.map(|low| simd.add_f64s(low, simd.splat_f64s(width)));
        let shift = middle.map(|x| simd.mul_f64s(x, x));
        let mut rest = shift.map(|s| simd.neg_f64s(s));
        let mut below = [zero; VECTORS];
        for &(d, e) in squares {
            let (d, e) = (simd.splat_f64s(d), simd.splat_f64s(e));
            for v in 0..VECTORS {
                let pivot = simd.add_f64s(d, rest[v]);
                let vanishes = simd.less_than_f64s(simd.abs_f64s(pivot), tiny);
                let pivot = simd.select_f64s(vanishes, stand_in, pivot);
                let negative = simd.less_than_f64s(pivot, zero);
                below[v] = simd.add_f64s(below[v], simd.select_f64s(negative, one, zero));
                let ratio = simd.div_f64s(e, pivot);
                rest[v] = simd.sub_f64s(simd.mul_f64s(rest[v], ratio), shift[v]);
            }
        }
        for v in 0..VECTORS {
            let at_least = simd.less_than_or_equal_f64s(below[v], ranks[v]);
            low[v] = simd.select_f64s(at_least, middle[v], low[v]);
        }
    }
    // The middle of what is left; a value that never left 0 is one.
    low.map(|low| {
        let middle = simd.add_f64s(low, simd.splat_f64s(0.5 * width));
        simd.select_f64s(simd.less_than_f64s(zero, low), middle, zero)
    })
}
