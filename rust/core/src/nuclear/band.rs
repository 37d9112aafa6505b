//! From an upper band to a bidiagonal by bulge chasing (Großer & Lang 1999). Level 2.
//!
//! Cost: 8·n²·[`WIDTH`] flops in blocks of [`WIDTH`]², all in cache; n·(3·[`WIDTH`] + 1) numbers.

// Code that is not inlined into a function compiled for an instruction set loses it.
#![allow(clippy::inline_always)]

use pulp::{Arch, Simd, WithSimd};

use super::reflector::{add_scaled, reflect, reflector};

/// Superdiagonals of the band: wide enough for products, narrow enough for the chase.
pub(super) const WIDTH: usize = 32;

/// An upper band with room for what the chase puts around it, by columns.
pub(super) struct Band {
    size: usize,
    values: Vec<f64>,
}

/// Column `j` holds the rows from `j − ABOVE` to `j + WIDTH`.
const ABOVE: usize = 2 * WIDTH;
const COLUMN: usize = ABOVE + WIDTH + 1;

impl Band {
    pub(super) fn new(size: usize) -> Self {
        Self { size, values: vec![0.0; size * COLUMN] }
    }

    pub(super) fn set(&mut self, row: usize, column: usize, value: f64) {
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

    /// Makes it bidiagonal with the same singular values.
    pub(super) fn chase(&mut self) {
        Arch::new().dispatch(Chase(self));
    }

    /// The diagonal and the superdiagonal.
    pub(super) fn diagonals(&self) -> Vec<(f64, f64)> {
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
