//! Nuclear norm: the sum of the singular values of a dense matrix. Level 2.
//!
//! Two-stage bidiagonalisation (Großer & Lang 1999). Blocks of Householder reflectors from both sides
//! reduce the matrix to an upper band of width [`WIDTH`], nearly all of it matrix products; short
//! reflectors chase the band down to a bidiagonal; bisection on Sturm counts of that (Fernando 1998)
//! gives each value to ε times the largest. Only orthogonal transformations touch the matrix, so that no
//! small singular value loses the digits that a detour over M·Mᵀ would cost. Cost: 8/3·n³ flops of
//! products, 8·n²·[`WIDTH`] of chasing, ~50·n² of counting.
//!
//! Work is cut at fixed places, so that its bits do not depend on the number of threads.

// Code that is not inlined into a function compiled for an instruction set loses it.
#![allow(clippy::inline_always)]

mod bisection;

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use pulp::{Arch, Simd, WithSimd};

use crate::dense::for_each;

/// Superdiagonals of the band: wide enough for products, narrow enough for the chase.
const WIDTH: usize = 32;
/// Vectors of a sum in flight, to hide the latency of the additions.
const VECTORS: usize = 4;
/// Columns of a piece of a product, enough for the speed of a large product.
const PIECE: usize = 128;

/// The sum of the singular values of `matrix`, which is finite and neither huge nor tiny.
pub(crate) fn nuclear_norm(matrix: Mat<f64>, par: Par) -> f64 {
    let tall = matrix.nrows() >= matrix.ncols();
    let matrix = if tall { matrix } else { matrix.transpose().to_owned() };
    let mut band = reduce_to_band(matrix, par);
    Arch::new().dispatch(Chase(&mut band));
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

/// Turns `vector` x into the v with v₀ = 1 for which (I − τ·v·vᵀ)·x = β·e₀; returns τ and β.
#[inline(always)]
fn reflector<S: Simd>(simd: S, vector: &mut [f64]) -> (f64, f64) {
    let head = vector[0];
    let tail = dot(simd, &vector[1..], &vector[1..]);
    vector[0] = 1.0;
    if tail == 0.0 {
        return (0.0, head);
    }
    let target = -(head * head + tail).sqrt().copysign(head);
    let scale = (head - target).recip();
    for value in &mut vector[1..] {
        *value *= scale;
    }
    ((target - head) / target, target)
}

/// `values` ← (I − τ·v·vᵀ)·`values`.
#[inline(always)]
fn reflect<S: Simd>(simd: S, values: &mut [f64], vector: &[f64], scale: f64) {
    let factor = -scale * dot(simd, values, vector);
    add_scaled(simd, values, vector, factor);
}

/// `sum` += `scale` · `values`.
#[inline(always)]
fn add_scaled<S: Simd>(simd: S, sum: &mut [f64], values: &[f64], scale: f64) {
    let (slots, slots_rest) = S::as_mut_simd_f64s(sum);
    let (values, values_rest) = S::as_simd_f64s(values);
    let factor = simd.splat_f64s(scale);
    for (slot, &value) in slots.iter_mut().zip(values) {
        *slot = simd.mul_add_f64s(factor, value, *slot);
    }
    for (slot, value) in slots_rest.iter_mut().zip(values_rest) {
        *slot += scale * value;
    }
}

/// Σ aᵢ·bᵢ.
#[inline(always)]
fn dot<S: Simd>(simd: S, a: &[f64], b: &[f64]) -> f64 {
    let (a, a_rest) = S::as_simd_f64s(a);
    let (b, b_rest) = S::as_simd_f64s(b);
    let (a, a_odd) = a.as_chunks::<VECTORS>();
    let (b, b_odd) = b.as_chunks::<VECTORS>();
    let mut sums = [simd.splat_f64s(0.0); VECTORS];
    for (a, b) in a.iter().zip(b) {
        for (sum, (&a, &b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum = simd.mul_add_f64s(a, b, *sum);
        }
    }
    for (sum, (&a, &b)) in sums.iter_mut().zip(a_odd.iter().zip(b_odd)) {
        *sum = simd.mul_add_f64s(a, b, *sum);
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    let [a, b, c, d] = sums;
    simd.reduce_sum_f64s(simd.add_f64s(simd.add_f64s(a, b), simd.add_f64s(c, d))) + rest
}

/// An upper band with room for what the chase puts around it, by columns.
struct Band {
    size: usize,
    values: Vec<f64>,
}

/// Column `j` holds the rows from `j − ABOVE` to `j + WIDTH`.
const ABOVE: usize = 2 * WIDTH;
const COLUMN: usize = ABOVE + WIDTH + 1;

impl Band {
    fn new(size: usize) -> Self {
        Self { size, values: vec![0.0; size * COLUMN] }
    }

    fn set(&mut self, row: usize, column: usize, value: f64) {
        self.values[Self::place(row, column)] = value;
    }

    #[inline(always)]
    fn place(row: usize, column: usize) -> usize {
        column * COLUMN + row + ABOVE - column
    }

    /// `length` rows of a column.
    #[inline(always)]
    fn part(&mut self, row: usize, column: usize, length: usize) -> &mut [f64] {
        let place = Self::place(row, column);
        &mut self.values[place..place + length]
    }

    /// Clears row `source` in the columns after `start` and before `end`.
    #[inline(always)]
    fn clear_row<S: Simd>(&mut self, simd: S, source: usize, start: usize, end: usize) {
        let count = end - start;
        let mut vector = [0.0; WIDTH];
        let vector = &mut vector[..count];
        for (k, value) in vector.iter_mut().enumerate() {
            *value = std::mem::take(&mut self.values[Self::place(source, start + k)]);
        }
        let (scale, head) = reflector(simd, vector);
        self.set(source, start, head);
        if scale == 0.0 {
            return;
        }
        let length = end - (source + 1);
        let mut sums = [0.0; 2 * WIDTH];
        let sums = &mut sums[..length];
        for (k, weight) in vector.iter().enumerate() {
            add_scaled(simd, sums, self.part(source + 1, start + k, length), *weight);
        }
        for (k, weight) in vector.iter().enumerate() {
            add_scaled(simd, self.part(source + 1, start + k, length), sums, -scale * weight);
        }
    }

    /// Clears column `start` in the rows after `start` and before `end`.
    #[inline(always)]
    fn clear_column<S: Simd>(&mut self, simd: S, start: usize, end: usize) {
        let count = end - start;
        let mut vector = [0.0; WIDTH];
        let vector = &mut vector[..count];
        let column = self.part(start, start, count);
        vector.copy_from_slice(column);
        let (scale, head) = reflector(simd, vector);
        column.fill(0.0);
        column[0] = head;
        if scale == 0.0 {
            return;
        }
        for column in start + 1..(end + WIDTH).min(self.size) {
            reflect(simd, self.part(start, column, count), vector, scale);
        }
    }

    /// The diagonal and the superdiagonal.
    fn diagonals(&self) -> Vec<(f64, f64)> {
        let at = |row: usize, column: usize| self.values[Self::place(row, column)];
        let above = |i: usize| if i + 1 < self.size { at(i, i + 1) } else { 0.0 };
        (0..self.size).map(|i| (at(i, i), above(i))).collect()
    }
}

/// Makes a band bidiagonal: row by row, each reflector from the right clears a row and fills a block
/// below the diagonal, and one from the left clears that block's first column and fills the row of the
/// next.
struct Chase<'a>(&'a mut Band);

impl WithSimd for Chase<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self(band) = self;
        for row in 0..band.size {
            let (mut source, mut start) = (row, row + 1);
            while start < band.size {
                let end = (start + WIDTH).min(band.size);
                band.clear_row(simd, source, start, end);
                band.clear_column(simd, start, end);
                (source, start) = (start, end);
            }
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
        for n in [1, 2, 31, 32, 33, 64, 65, 130, 200] {
            check(&normal(n, n, 1), "square");
            check(&normal(n + 37, n, 2), "tall");
            check(&normal(n, 2 * n + 1, 3), "wide");
        }
    }

    #[test]
    fn sums_match_where_values_vanish_or_are_graded() {
        for n in [40, 130] {
            check(&(normal(n, n / 2, 4) * normal(n / 2, n, 5)), "half the rank");
            check(&Mat::zeros(n, n), "zero");
            check(&Mat::identity(n, n), "identity");
            let graded = Mat::from_fn(n, n, |i, j| {
                if i == j { 10.0_f64.powf(-12.0 * i as f64 / n as f64) } else { 0.0 }
            });
            let turned = normal(n, n, 6).qr().compute_Q();
            check(&(&turned * &graded * turned.transpose()), "graded");
        }
    }
}
