//! Copies: rows of a candidate that are rows of a reference. Level 3.
//!
//! A row is an *exact* copy if its values equal those of a reference row, whatever type they are stored as, −0
//! being 0: just the rows at distance 0. It is a *normalised* copy if both, divided by their lengths, are at
//! distance 0 but for rounding: within t = 4u + (d + 8)·2⁻⁵², with u = 2⁻¹¹ if either sample holds `f16`, else
//! u = 2⁻²⁴, since wider values mostly were `f32` once; dividing and rounding either side takes 2u of it. An exact
//! copy is a normalised one.
//!
//! Exact ones are looked up by a 64-bit hash of their values and compared with what they hit. Normalised ones are
//! looked up along one random direction: rows within t of each other have projections within t, so that those
//! of the reference in an interval, few of sorted ones, are all that need to be measured. A zero row has no
//! direction, and copies zero rows alone.
//!
//! Cost: O((n + m)·(d + log n)) time but for the rows that share a projection without being copies, 32 bytes
//! for each row of the reference.

use rayon::prelude::*;

use crate::control::Control;
use crate::error::Result;
use crate::hashes::hash_of_values;
use crate::rows::{Rows, check_pair};
use crate::streams::Stream;
use crate::units::unit_rows;

/// Copies among the rows of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copies {
    /// Rows that equal a reference row.
    pub exact: usize,
    /// Rows that do after both are divided by their lengths; exact ones are among them.
    pub normalised: usize,
}

/// Rows between two looks at the caller's wish to stop.
const BLOCK: usize = 1024;

/// Counts the rows of `candidate` that are copies of rows of `reference`.
pub fn copies(reference: &Rows<'_>, candidate: &Rows<'_>, control: &Control) -> Result<Copies> {
    check_pair(reference, "reference", candidate, "candidate")?;
    control.begin("copies", (reference.len() + candidate.len()) as u64);
    let originals = Originals::of(reference, candidate, control)?;
    let blocks: Result<Vec<Copies>> = in_blocks(candidate, control, |range| {
        let mut found = Copies { exact: 0, normalised: 0 };
        let mut look = Look::new(&originals);
        for row in range {
            control.check()?;
            let exact = look.is_exact(candidate, row);
            found.exact += usize::from(exact);
            found.normalised += usize::from(exact || look.is_normalised(row));
        }
        Ok(found)
    });
    let add = |sum: Copies, of: &Copies| Copies {
        exact: sum.exact + of.exact,
        normalised: sum.normalised + of.normalised,
    };
    Ok(blocks?.iter().fold(Copies { exact: 0, normalised: 0 }, add))
}

/// The rows of a reference, by hash and by projection.
struct Originals<'a> {
    rows: &'a Rows<'a>,
    units: [Rows<'a>; 2],
    direction: Vec<f64>,
    hashes: Vec<(u64, usize)>,
    projections: Vec<(f64, usize)>,
    /// How far apart the units of a row and of its copy may be, and how much further their projections.
    tolerance: f64,
    rounding: f64,
}

impl<'a> Originals<'a> {
    fn of(reference: &'a Rows<'a>, candidate: &'a Rows<'a>, control: &Control) -> Result<Self> {
        let columns = reference.columns();
        let digits = reference.fewest_digits().min(candidate.fewest_digits());
        let digits = digits.min(f32::MANTISSA_DIGITS);
        let mut stream = Stream::new(0, "copies", 0);
        let mut direction: Vec<f64> = (0..columns).map(|_| stream.normal()).collect();
        let length = direction.iter().map(|value| value * value).sum::<f64>().sqrt();
        direction.iter_mut().for_each(|value| *value /= length);
        let rounding = (columns + 8) as f64 * f64::EPSILON;
        let tolerance = 4.0 * 0.5_f64.powi(digits.cast_signed()) + rounding;
        let units = [unit_rows(reference), unit_rows(candidate)];
        let blocks: Result<Vec<(Vec<_>, Vec<_>)>> = in_blocks(reference, control, |range| {
            let (mut row, mut bytes) = (vec![0.0; columns], Vec::new());
            let of = |index: usize| {
                reference.read(index, &mut row);
                let hash = hash_of_values(&row, &mut bytes);
                units[0].read(index, &mut row);
                ((hash, index), (dot(&direction, &row), index))
            };
            Ok(range.map(of).unzip())
        });
        let (mut hashes, mut projections) = (Vec::new(), Vec::new());
        for (of_hashes, of_projections) in blocks? {
            hashes.extend(of_hashes);
            projections.extend(of_projections);
        }
        control.run(|| {
            hashes.par_sort_unstable();
            projections.par_sort_unstable_by(|a: &(f64, usize), b| {
                a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
            });
        });
        control.check()?;
        Ok(Self { rows: reference, units, direction, hashes, projections, tolerance, rounding })
    }
}

/// Looks up one row of the candidate after the other.
struct Look<'a> {
    originals: &'a Originals<'a>,
    row: Vec<f64>,
    other: Vec<f64>,
    bytes: Vec<u8>,
}

impl<'a> Look<'a> {
    fn new(originals: &'a Originals<'a>) -> Self {
        let zeros = || vec![0.0; originals.rows.columns()];
        Self { originals, row: zeros(), other: zeros(), bytes: Vec::new() }
    }

    fn is_exact(&mut self, candidate: &Rows<'_>, row: usize) -> bool {
        let Originals { rows, hashes, .. } = self.originals;
        candidate.read(row, &mut self.row);
        let hash = hash_of_values(&self.row, &mut self.bytes);
        let first = hashes.partition_point(|entry| entry.0 < hash);
        hashes[first..].iter().take_while(|entry| entry.0 == hash).any(|&(_, index)| {
            rows.read(index, &mut self.other);
            self.row == self.other
        })
    }

    fn is_normalised(&mut self, row: usize) -> bool {
        let Originals { units, direction, projections, tolerance, rounding, .. } = self.originals;
        units[1].read(row, &mut self.row);
        let (at, reach) = (dot(direction, &self.row), tolerance + rounding);
        let first = projections.partition_point(|entry| entry.0 < at - reach);
        projections[first..].iter().take_while(|entry| entry.0 <= at + reach).any(|&(_, index)| {
            units[0].read(index, &mut self.other);
            let apart = self.row.iter().zip(&self.other).map(|(a, b)| (a - b) * (a - b));
            apart.sum::<f64>() <= tolerance * tolerance
        })
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// What `of` makes of each block of rows, in order.
fn in_blocks<T: Send>(
    rows: &Rows<'_>,
    control: &Control,
    of: impl Fn(std::ops::Range<usize>) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let n = rows.len();
    let of_block = |block: usize| {
        let range = block * BLOCK..((block + 1) * BLOCK).min(n);
        let found = of(range.clone())?;
        control.advance(range.len() as u64)?;
        Ok(found)
    };
    control.run(|| (0..n.div_ceil(BLOCK)).into_par_iter().map(of_block).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::rows::Chunk;
    use ndarray::{Array2, array};
    use std::sync::Arc;

    fn found(x: &Rows<'_>, y: &Rows<'_>) -> (usize, usize) {
        let of = |threads| copies(x, y, &Control::with_threads(threads)).unwrap();
        assert_eq!(of(1), of(3));
        (of(1).exact, of(1).normalised)
    }

    #[test]
    fn copies_of_both_kinds_are_counted() {
        let x = array![[1.0, 2.0], [0.0, 3.0], [5.0, 5.0], [0.0, 0.0]];
        // A copy with another sign of zero, a copy twice, one of another length, three that are none, a zero row.
        let y = array![
            [-0.0, 3.0],
            [1.0, 2.0],
            [1.0, 2.0],
            [10.0, 20.0],
            [-1.0, -2.0],
            [1.0, 2.000_01],
            [2.0, 1.0],
            [0.0, -0.0],
        ];
        let (x, y) = (Rows::from_f64(x.view()), Rows::from_f64(y.view()));
        assert_eq!(found(&x, &y), (4, 5));
        let y = array![[0.0, 0.0]];
        let y = Rows::from_f64(y.view());
        let x = array![[1.0, 2.0]];
        assert_eq!(found(&Rows::from_f64(x.view()), &y), (0, 0));
    }

    #[test]
    fn rows_that_were_normalised_in_their_own_type_are_normalised_copies() {
        let mut stream = Stream::new(47, "test", 0);
        for columns in [8, 300] {
            let x = Array2::from_shape_simple_fn((3000, columns), || 3.0 + stream.normal());
            let rows = Rows::from_f64(x.view());
            let units = {
                let mut all = Array2::zeros(x.raw_dim());
                let units = unit_rows(&rows);
                for (index, mut row) in all.rows_mut().into_iter().enumerate() {
                    units.read(index, row.as_slice_mut().unwrap());
                }
                all
            };
            let single = units.mapv(|value| value as f32);
            let chunk: Arc<dyn Chunk + '_> = Arc::new(single.view());
            assert_eq!(found(&rows, &Rows::new(vec![chunk]).unwrap()), (0, 3000));
            let half = units.mapv(half::f16::from_f64);
            let chunk: Arc<dyn Chunk + '_> = Arc::new(half.view());
            assert_eq!(found(&rows, &Rows::new(vec![chunk]).unwrap()).1, 3000);
            let thrice = &x * 3.0;
            assert_eq!(found(&rows, &Rows::from_f64(thrice.view())), (0, 3000));
            let fresh = Array2::from_shape_simple_fn((3000, columns), || 3.0 + stream.normal());
            assert_eq!(found(&rows, &Rows::from_f64(fresh.view())), (0, 0));
        }
    }

    #[test]
    fn types_are_compared_by_value_and_a_cancelled_call_stops() {
        let x = array![[0.5_f32, 0.1], [0.25, 2.0]];
        let chunk: Arc<dyn Chunk + '_> = Arc::new(x.view());
        let x = Rows::new(vec![chunk]).unwrap();
        let y = array![[0.5, 0.1], [0.25, 2.0], [0.5, f64::from(0.1_f32)]];
        let y = Rows::from_f64(y.view());
        // 0.1 rounded to f32 is another number, in nearly the same direction.
        assert_eq!(found(&x, &y), (2, 3));
        let control = Control::with_threads(1);
        control.cancel();
        assert_eq!(copies(&x, &y, &control), Err(Error::Cancelled));
    }
}
