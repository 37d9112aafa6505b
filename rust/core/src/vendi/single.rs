//! UᵀU/n of unit rows U in `f32` tiles with `f64` totals. Level 3.
//!
//! The columns of U are what the tiles of `tailwatch_kernels::add_inner_products` call rows, and rows are what
//! they sum over, [`BLOCK`] at a time; sums of blocks are `f64`, in the order of the rows. So neither threads
//! nor chunks show in a bit.
//!
//! Values of U are rounded to `f32` (u = 2⁻²⁴), and a tile is within 68u·Σ|xy| of its products, so that an
//! element differs from that of UᵀU/n by at most 71u·(|U|ᵀ|U|/n)ᵢⱼ, and as the trace of that is 1, all of
//! them by at most 71u in the Frobenius norm; divided by their own trace, by ε = 142u = 8.5·10⁻⁶. So
//!
//! | order | the logarithm of the score differs by at most |
//! |---|---|
//! | 1 | t·ln(d−1) − t·ln t − (1−t)·ln(1−t), t = ε√d/2 (Audenaert 2007) |
//! | q ≥ 2 | −q/(q−1)·ln(1−r), r = ε·score^(1−1/q), as ‖λ‖_q moves by no more than ‖λ‖₂ |
//!
//! or 0.002 and, of a score of d, 0.0005, for 768 columns. These are worst cases: roundings of either
//! sign cancel over rows, and leave some 10⁻⁹, or 10⁻⁶ where most eigenvalues are 0. Between 0 and 1, where small eigenvalues count much, and
//! between 1 and 2 there is no such bound, and rows are multiplied as `f64`.
//!
//! Cost: O(n·d²) time, half of it for symmetry; d² numbers and 8·[`BLOCK`]·d of packed rows.

use faer::Mat;
use rayon::prelude::*;
use tailwatch_kernels::{Real, Shape, add_inner_products, shape};

use crate::control::Control;
use crate::error::Result;
use crate::rows::Rows;

/// Rows that a tile sums over at a time: those of one right panel fit the first-level cache.
const BLOCK: usize = 256;
/// Blocks that are packed before they are multiplied, so that threads meet seldom.
const STRIPE: usize = 4;
/// The fewest columns and rows that are multiplied as `f32`: of fewer, products are not what takes the time.
const LEAST_COLUMNS: usize = 64;
const LEAST_ROWS: usize = 1024;

/// Whether a score of order `q` of these rows goes through `f32`: their values have no more digits.
pub(super) fn is_enough(rows: &Rows<'_>, q: f64) -> bool {
    (q == 1.0 || q >= 2.0)
        && rows.digits() <= f32::MANTISSA_DIGITS
        && rows.columns() >= LEAST_COLUMNS
        && rows.len() >= LEAST_ROWS.max(rows.columns() + 1)
}

/// The lower triangle of UᵀU/n of the rows `units` of length 1, or the first that has length 0.
pub(super) fn gram(
    units: &Rows<'_>,
    control: &Control,
) -> Result<std::result::Result<Mat<f64>, usize>> {
    let (n, d) = (units.len(), units.columns());
    let shape = shape::<f32>(control.isa());
    let mut strips: Vec<Strip> =
        (0..d).step_by(shape.right).map(|j| Strip::at(j, d, shape)).collect();
    let mut blocks: Vec<Panels> = (0..STRIPE).map(|_| Panels::new(d, shape)).collect();
    for first in (0..n).step_by(STRIPE * BLOCK) {
        let starts: Vec<usize> = (first..n.min(first + STRIPE * BLOCK)).step_by(BLOCK).collect();
        let blocks = &mut blocks[..starts.len()];
        control.run(|| {
            let both = blocks.par_iter_mut().zip(&starts);
            both.for_each(|(block, &start)| block.pack(units, start..n.min(start + BLOCK)));
        });
        if let Some(row) = blocks.iter().find_map(|block| block.zero_row) {
            return Ok(Err(row));
        }
        let blocks = &*blocks;
        control.run(|| {
            // The longest first.
            strips.par_iter_mut().with_max_len(1).for_each(|strip| {
                blocks.iter().for_each(|block| strip.add(block, control));
            });
        });
        control.advance(blocks.iter().map(|block| block.rows as u64).sum())?;
    }
    let share = (n as f64).recip();
    Ok(Ok(Mat::from_fn(d, d, |i, j| {
        if i >= j { strips[j / shape.right].value(i, j) * share } else { 0.0 }
    })))
}

/// Some rows, packed twice: in panels of as many columns as a tile has on its left and on its right.
struct Panels {
    shape: Shape,
    rows: usize,
    left: Vec<f32>,
    right: Vec<f32>,
    zero_row: Option<usize>,
}

impl Panels {
    fn new(columns: usize, shape: Shape) -> Self {
        let padded = |width: usize| vec![0.0; columns.next_multiple_of(width) * BLOCK];
        let (left, right) = (padded(shape.left), padded(shape.right));
        Self { shape, rows: 0, left, right, zero_row: None }
    }

    fn pack(&mut self, units: &Rows<'_>, rows: std::ops::Range<usize>) {
        let Shape { left, right } = self.shape;
        self.rows = rows.len();
        self.zero_row = None;
        let mut unit = vec![0.0; units.columns()];
        let mut narrow = vec![0.0_f32; units.columns()];
        for (place, row) in rows.enumerate() {
            units.read(row, &mut unit);
            let mut any = false;
            for (narrow, &value) in narrow.iter_mut().zip(&unit) {
                any |= value != 0.0;
                *narrow = f32::narrow(value);
            }
            if !any {
                self.zero_row = self.zero_row.or(Some(row));
            }
            for (width, panels) in [(left, &mut self.left), (right, &mut self.right)] {
                let panels = panels.chunks_exact_mut(width * self.rows);
                for (panel, values) in panels.zip(narrow.chunks(width)) {
                    panel[place * width..][..values.len()].copy_from_slice(values);
                }
            }
        }
    }

    fn left(&self, panel: usize) -> &[f32] {
        let length = self.shape.left * self.rows;
        &self.left[panel * length..][..length]
    }

    fn right(&self, panel: usize) -> &[f32] {
        let length = self.shape.right * self.rows;
        &self.right[panel * length..][..length]
    }
}

/// The tiles of one right panel that reach the lower triangle, summed over the rows so far.
struct Strip {
    shape: Shape,
    panel: usize,
    first: usize,
    sums: Vec<f64>,
}

impl Strip {
    /// The strip of the columns from `column` on.
    fn at(column: usize, columns: usize, shape: Shape) -> Self {
        let (first, size) = (column / shape.left, shape.left * shape.right);
        let tiles = columns.div_ceil(shape.left) - first;
        Self { shape, panel: column / shape.right, first, sums: vec![0.0; tiles * size] }
    }

    fn add(&mut self, block: &Panels, control: &Control) {
        let right = block.right(self.panel);
        let tile = self.shape.left * self.shape.right;
        for (place, sums) in self.sums.chunks_exact_mut(tile).enumerate() {
            let left = block.left(self.first + place);
            add_inner_products(control.isa(), left, right, block.rows, sums);
        }
    }

    /// Element (i, j) of UᵀU, of this strip's column j ≤ i.
    fn value(&self, i: usize, j: usize) -> f64 {
        let Shape { left, right } = self.shape;
        let tile = i / left - self.first;
        self.sums[(tile * left + i % left) * right + j % right]
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ndarray::Array2;
    use tailwatch_kernels::Isa;

    use super::super::{of_moments, score, vendi_score};
    use super::*;
    use crate::moments::Moments;
    use crate::streams::Stream;
    use crate::units::unit_rows;

    /// Columns of unequal spread about means that are not 0, or of rank 3.
    fn data(n: usize, d: usize, low_rank: bool, seed: u64) -> Array2<f32> {
        let mut stream = Stream::new(seed, "test", 0);
        if low_rank {
            let left = Array2::from_shape_simple_fn((n, 3), || stream.normal());
            let right = Array2::from_shape_simple_fn((3, d), || stream.normal());
            return left.dot(&right).mapv(|value| value as f32);
        }
        Array2::from_shape_fn((n, d), |(_, j)| {
            let spread = 1.0 / (1.0 + j as f64 / 8.0);
            (spread * stream.normal() + if j % 5 == 0 { 0.3 } else { 0.0 }) as f32
        })
    }

    /// By how much at most the logarithm of a score differs, as the module says.
    fn largest_error(q: f64, score: f64, columns: usize) -> f64 {
        let epsilon = 142.0 / f64::from(1_u32 << 24);
        let d = columns as f64;
        if q == 1.0 {
            let t = epsilon * d.sqrt() / 2.0;
            return t * (d - 1.0).ln() - t * t.ln() - (1.0 - t) * (1.0 - t).ln();
        }
        let share = if q.is_infinite() { 1.0 } else { 1.0 - q.recip() };
        -(1.0 - epsilon * score.powf(share)).ln() / share
    }

    #[test]
    fn scores_keep_their_bound_and_are_far_better_on_every_isa() {
        for (n, d, low_rank) in
            [(1024, 64, false), (1500, 65, false), (2111, 300, false), (1300, 97, true)]
        {
            let data = data(n, d, low_rank, d as u64);
            let rows = Rows::new(vec![Arc::new(data.view())]).unwrap();
            let exact =
                of_moments(&Moments::of(&unit_rows(&rows), &Control::with_threads(1)).unwrap());
            for isa in Isa::available() {
                let control = Control::with_threads(2).with_isa(isa);
                for q in [1.0, 2.0, 5.0, f64::INFINITY] {
                    assert!(is_enough(&rows, q));
                    let expected = score(exact.as_ref(), q).unwrap();
                    let found = vendi_score(&rows, q, None, &control).unwrap();
                    let error = (found / expected).ln().abs();
                    let what = format!("{isa} {n} {d} {q}: {error:e}");
                    assert!(error <= largest_error(q, expected, d), "{what}");
                    // Of an eigenvalue 0, what is left counts as −λ·ln λ.
                    assert!(error <= if low_rank { 5e-6 } else { 2e-8 }, "{what}");
                }
            }
        }
    }

    #[test]
    fn few_rows_few_columns_double_precision_and_small_orders_are_not_rounded() {
        let single = data(2000, 64, false, 1);
        let double = single.mapv(f64::from);
        let rows = Rows::new(vec![Arc::new(single.view())]).unwrap();
        let wide = Rows::from_f64(double.view());
        let control = Control::with_threads(2);
        for q in [0.0, 0.5, 1.5] {
            assert!(!is_enough(&rows, q));
            let scores = [&rows, &wide].map(|rows| vendi_score(rows, q, None, &control).unwrap());
            assert_eq!(scores[0], scores[1]);
        }
        assert!(!is_enough(&wide, 1.0));
        let few: Vec<usize> = (0..1000).collect();
        assert!(!is_enough(&rows.pick(&few), 1.0));
    }

    #[test]
    fn neither_threads_nor_chunks_show() {
        let data = data(2100, 130, false, 2);
        let rows = Rows::new(vec![Arc::new(data.view())]).unwrap();
        let (upper, lower) = data.view().split_at(ndarray::Axis(0), 777);
        let pieces = Rows::new(vec![Arc::new(upper), Arc::new(lower)]).unwrap();
        let expected = vendi_score(&rows, 1.0, None, &Control::with_threads(1)).unwrap();
        for threads in 1..=3 {
            for rows in [&rows, &pieces] {
                let found = vendi_score(rows, 1.0, None, &Control::with_threads(threads)).unwrap();
                assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn the_first_row_of_zeros_is_named_and_cancelling_stops() {
        let mut data = data(2100, 64, false, 3);
        data.row_mut(2050).fill(0.0);
        data.row_mut(2099).fill(0.0);
        let rows = Rows::new(vec![Arc::new(data.view())]).unwrap();
        let control = Control::with_threads(2);
        let error = vendi_score(&rows, 1.0, None, &control).unwrap_err().to_string();
        assert!(error.starts_with("embeddings: row 2050 is zero"), "{error}");
        control.cancel();
        assert_eq!(vendi_score(&rows, 1.0, None, &control), Err(crate::error::Error::Cancelled));
    }
}
