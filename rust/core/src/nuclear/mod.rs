//! Nuclear norm: the sum of the singular values of a dense matrix. Level 2.
//!
//! Two-stage bidiagonalisation (Großer & Lang 1999). Blocks of Householder reflectors from both sides
//! reduce the matrix to an upper band of width [`WIDTH`], nearly all of it matrix products: that is here;
//! short reflectors chase the band down to a bidiagonal (`band`); bisection on Sturm counts of that gives
//! each value to ε times the largest (`bisection`). Only orthogonal transformations touch the matrix, so that no
//! small singular value loses the digits that a detour over M·Mᵀ would cost. Cost: 8/3·n³ flops of
//! products, 8·n²·[`WIDTH`] of chasing, ~50·n² of counting.
//!
//! Work is cut at fixed places, so that its bits do not depend on the number of threads.

// Code that is not inlined into a function compiled for an instruction set loses it.
#![allow(clippy::inline_always)]

mod band;
mod bisection;
mod reflector;

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use self::band::{Band, WIDTH};
use self::reflector::{reflect, reflector};
use crate::dense::{add_product, check_finite, for_each};
use crate::error::Result;

/// Columns of a piece of a product, enough for the speed of a large product.
const PIECE: usize = 128;

/// Sum of the singular values of `left`ᵀ·`right`.
pub(crate) fn nuclear_norm_of_product(
    left: MatRef<'_, f64>,
    right: MatRef<'_, f64>,
    par: Par,
) -> Result<f64> {
    let mut product = Mat::zeros(left.ncols(), right.ncols());
    if product.nrows() == 0 || product.ncols() == 0 {
        return Ok(0.0);
    }
    for_each(product.par_col_chunks_mut(PIECE).enumerate(), par, |(index, piece)| {
        let right = right.subcols(index * PIECE, piece.ncols());
        // A triangular factor begins with zeros.
        let zero = |&row: &usize| (0..right.ncols()).all(|column| right[(row, column)] == 0.0);
        let start = (0..right.nrows()).take_while(zero).count();
        let (left, right) = (left.split_at_row(start).1, right.split_at_row(start).1);
        add_product(piece, left.transpose(), right);
    });
    check_finite(product.as_ref())?;
    Ok(nuclear_norm(product, par))
}

/// The sum of the singular values of `matrix`, which is finite and neither huge nor tiny.
fn nuclear_norm(matrix: Mat<f64>, par: Par) -> f64 {
    let tall = matrix.nrows() >= matrix.ncols();
    let matrix = if tall { matrix } else { matrix.transpose().to_owned() };
    let mut band = reduce_to_band(matrix, par);
    band.chase();
    bisection::sum_of_values(&band.diagonals(), par)
}

/// An upper band that has the singular values of `matrix`, which has at least as many rows as columns.
fn reduce_to_band(mut matrix: Mat<f64>, par: Par) -> Band {
    let n = matrix.ncols();
    let mut band = Band::new(n);
    for start in (0..n).step_by(WIDTH) {
        let end = (start + WIDTH).min(n);
        let (_, mut rest) = matrix.as_mut().split_at_row_mut(start).1.split_at_col_mut(start);
        let (panel, mut right) = rest.as_mut().split_at_col_mut(end - start);
        let mut panel = panel.to_owned();
        let reflectors = Reflectors::of(&mut panel);
        for j in 0..panel.ncols() {
            for i in 0..=j {
                band.set(start + i, start + j, panel[(i, j)]);
            }
        }
        reflectors.apply_transposed(right.as_mut(), par);
        let (top, below) = right.split_at_row_mut(end - start);
        let mut panel = top.transpose().to_owned();
        let reflectors = Reflectors::of(&mut panel);
        for j in 0..panel.ncols() {
            for i in 0..(j + 1).min(panel.nrows()) {
                band.set(start + j, end + i, panel[(i, j)]);
            }
        }
        reflectors.apply_transposed(below.transpose_mut(), par);
    }
    band
}

/// The product Q = I − V·T·Vᵀ of Householder reflectors (Schreiber & Van Loan 1989).
struct Reflectors {
    vectors: Mat<f64>,
    triangle: Mat<f64>,
}

impl Reflectors {
    /// Those that make `panel` upper triangular, which it becomes.
    fn of(panel: &mut Mat<f64>) -> Self {
        let (rows, columns) = (panel.nrows(), panel.ncols());
        let count = rows.min(columns);
        let mut vectors = Mat::zeros(rows, count);
        let mut triangle = Mat::zeros(count, count);
        Arch::new().dispatch(Triangularise {
            panel,
            vectors: &mut vectors,
            triangle: &mut triangle,
        });
        let gram = product(vectors.transpose(), vectors.as_ref());
        for k in 1..count {
            // T grows by the column −τ·T·(Vᵀv).
            for i in 0..k {
                let sum: f64 = (i..k).map(|l| triangle[(i, l)] * gram[(l, k)]).sum();
                triangle[(i, k)] = -triangle[(k, k)] * sum;
            }
        }
        Self { vectors, triangle }
    }

    /// `matrix` ← Qᵀ·`matrix`.
    fn apply_transposed(&self, matrix: MatMut<'_, f64>, par: Par) {
        if matrix.ncols() == 0 || self.vectors.ncols() == 0 {
            return;
        }
        let vectors = self.vectors.as_ref();
        for_each(matrix.par_col_chunks_mut(PIECE), par, |mut piece| {
            let inner = product(vectors.transpose(), piece.as_ref());
            let inner = product(self.triangle.transpose(), inner.as_ref());
            matmul(piece.as_mut(), Accum::Add, vectors, inner.as_ref(), -1.0, Par::Seq);
        });
    }
}

/// `left`·`right` on this thread.
fn product(left: MatRef<'_, f64>, right: MatRef<'_, f64>) -> Mat<f64> {
    let mut product = Mat::zeros(left.nrows(), right.ncols());
    matmul(product.as_mut(), Accum::Replace, left, right, 1.0, Par::Seq);
    product
}

/// Makes a panel upper triangular and notes the reflectors that do it, with their τ on the diagonal.
struct Triangularise<'a> {
    panel: &'a mut Mat<f64>,
    vectors: &'a mut Mat<f64>,
    triangle: &'a mut Mat<f64>,
}

impl WithSimd for Triangularise<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for k in 0..self.vectors.ncols() {
            let vector = &mut self.vectors.col_as_slice_mut(k)[k..];
            vector.copy_from_slice(&self.panel.col_as_slice(k)[k..]);
            let (scale, head) = reflector(simd, vector);
            for j in k + 1..self.panel.ncols() {
                reflect(simd, &mut self.panel.col_as_slice_mut(j)[k..], vector, scale);
            }
            let column = &mut self.panel.col_as_slice_mut(k)[k..];
            column.fill(0.0);
            column[0] = head;
            self.triangle[(k, k)] = scale;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::Stream;

    fn normal(rows: usize, columns: usize, seed: u64) -> Mat<f64> {
        let mut stream = Stream::new(seed, "test", rows as u64);
        Mat::from_fn(rows, columns, |_, _| stream.normal())
    }

    /// Against faer's own decomposition; both are off by a few ε times the largest value, for each value.
    fn check(matrix: &Mat<f64>, name: &str) {
        faer::set_global_parallelism(Par::Seq);
        let values = matrix.singular_values().unwrap();
        let expected: f64 = values.iter().rev().sum();
        let largest = values.first().copied().unwrap_or(0.0);
        let found = nuclear_norm(matrix.clone(), Par::Seq);
        let (n, size) = (values.len() as f64, matrix.nrows().max(matrix.ncols()) as f64);
        let bound = f64::EPSILON * largest * n * size.sqrt();
        assert!((found - expected).abs() <= bound, "{name}: {found} {expected} {bound}");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let on_two = pool.install(|| nuclear_norm(matrix.clone(), Par::rayon(2)));
        assert_eq!(on_two.to_bits(), found.to_bits(), "{name} on two threads");
    }

    #[test]
    fn sums_match_a_decomposition_around_the_width_of_the_band() {
        for n in [1, 2, 31, 32, 33, 64, 65, 130, 300] {
            check(&normal(n, n, 1), "square");
            check(&normal(n + 37, n, 2), "tall");
            check(&normal(n, 2 * n + 1, 3), "wide");
        }
    }

    /// `values` as the singular values of a matrix, between orthogonal factors.
    fn with_values(values: &[f64], rows: usize, columns: usize) -> Mat<f64> {
        let diagonal = Mat::from_fn(rows, columns, |i, j| if i == j { values[i] } else { 0.0 });
        let (left, right) = (normal(rows, rows, 4), normal(columns, columns, 5));
        left.qr().compute_Q() * diagonal * right.qr().compute_Q()
    }

    #[test]
    fn sums_match_where_values_vanish_or_are_graded() {
        for n in [33, 64, 65, 130, 300] {
            check(&(normal(n, n / 2, 6) * normal(n / 2, n + 5, 7)), "half the rank");
            check(&Mat::zeros(n, n), "zero");
            check(&Mat::identity(n, n), "identity");
            let last = (n - 1) as f64;
            let graded: Vec<f64> = (0..n).map(|i| 10.0_f64.powf(-12.0 * i as f64 / last)).collect();
            check(&with_values(&graded, n, n), "graded");
            check(&with_values(&graded, n + 9, n), "graded and tall");
        }
    }

    #[test]
    fn a_power_of_two_scales_the_sum_to_the_bit() {
        for n in [33, 65, 130] {
            let matrix = normal(n, n, 8);
            let norm = nuclear_norm(matrix.clone(), Par::Seq);
            for exponent in [-300, -100, 100, 300] {
                let scale = 2.0_f64.powi(exponent);
                let scaled = nuclear_norm(&matrix * faer::Scale(scale), Par::Seq);
                assert_eq!(scaled.to_bits(), (norm * scale).to_bits(), "{n} rows, 2^{exponent}");
            }
        }
    }

    #[test]
    fn the_nuclear_norm_of_a_square_is_its_trace() {
        let root = Mat::from_fn(5, 4, |i, j| ((i * 5 + j * 3) % 7) as f64 - 2.0);
        let norm = nuclear_norm_of_product(root.as_ref(), root.as_ref(), Par::Seq).unwrap();
        assert!((norm - root.squared_norm_l2()).abs() <= 1e-12 * norm);
    }
}
