//! How much of a candidate is no copy of the training data. Level 3.
//!
//! A candidate row y is authentic iff its distance to its nearest training row x∗ exceeds that of x∗ to its
//! nearest other training row (Alaa et al. 2022). Equally near training rows count in equal parts, so that
//! their order decides nothing: y is authentic by the share of them that it is farther from. Cost:
//! O((n² + nm)·d) time, O(n + m) memory.

use rayon::prelude::*;

use crate::control::Control;
use crate::error::Result;
use crate::neighbors::rarity::{Sample, depth, measured};
use crate::neighbors::{Entry, Nearest, Set, nearest_across};
use crate::rows::{Rows, check_pair, check_rows};
use crate::subsets::{Subsets, bits};

/// The share of `candidate` that is authentic with respect to `training`.
pub fn authenticity(training: &Rows<'_>, candidate: &Rows<'_>, control: &Control) -> Result<f64> {
    check_pair(training, "training", candidate, "candidate")?;
    check_rows(training, "training", 2)?;
    let (n, m) = (training.len() as u64, candidate.len() as u64);
    control.begin("neighbours", n * n + n * m);
    let (of_x, of_y) = (Subsets::whole(training.len()), Subsets::whole(candidate.len()));
    let [set_x, set_y] = Set::together([training, candidate], control)?;
    let anchor = Sample::of(&set_x, &of_x, 1, false, control)?;
    Ok(authentic_shares(&anchor, (&set_y, &of_y), control)?[0])
}

/// The share of the candidate that is authentic, in each subset of candidate and training rows; `training`
/// knows the nearest other row of each.
pub(crate) fn authentic_shares(
    training: &Sample<'_>,
    candidate: (&Set<'_>, &Subsets),
    control: &Control,
) -> Result<Vec<f64>> {
    let ((set, subsets), base) = (candidate, training.set.rows());
    let depth = depth(EQUALLY_NEAR, subsets.count()).min(base.len());
    let lists = nearest_across(set, training.set, depth, control)?;
    let of_block = |lists: &Nearest| {
        control.check()?;
        let mut tally = Tally { training, authentic: vec![0; subsets.count()] };
        for row in lists.queries() {
            let missing = tally.count(lists.list(row), depth == base.len(), subsets.mask(row));
            if missing != 0 {
                let all = measured(set.rows(), row, base, false, control)?;
                tally.count(all.list(row), true, missing);
            }
        }
        Ok(tally.authentic)
    };
    let blocks: Result<Vec<Vec<u128>>> = control.run(|| lists.par_iter().map(of_block).collect());
    let blocks = blocks?;
    let share = |subset: usize| {
        let authentic: u128 = blocks.iter().map(|block| block[subset]).sum();
        authentic as f64 / ROW as f64 / subsets.size(subset) as f64
    };
    Ok((0..subsets.count()).map(share).collect())
}

/// Equally near training rows that a list has room for; where there are more, all rows are measured.
const EQUALLY_NEAR: usize = 8;

/// What a whole row counts. Parts of rows are counted in integers, whose sum has no order.
const ROW: u128 = 1 << 64;

/// Authentic rows of a block, by subset.
struct Tally<'a> {
    training: &'a Sample<'a>,
    authentic: Vec<u128>,
}

impl Tally<'_> {
    /// Looks for the nearest training rows of each subset of `mask` among `near`, nearest first, and counts
    /// the share of them that the row is authentic by; returns the subsets of which some may be missing,
    /// none if `complete`.
    fn count(&mut self, near: &[Entry], complete: bool, mask: u64) -> u64 {
        let (mut missing, mut seen) = (mask, 0);
        for group in near.chunk_by(|a, b| a.squared == b.squared) {
            seen += group.len();
            // Of a copy nothing is authentic, however many rows there are that it copies.
            let all_here = complete || seen < near.len() || group[0].squared == 0.0;
            if !all_here {
                break;
            }
            let found = missing & group.iter().fold(0, |found, entry| found | self.mask(entry));
            for subset in bits(found) {
                let of_subset = || group.iter().filter(|entry| self.mask(entry) >> subset & 1 == 1);
                let farther =
                    |entry: &&Entry| entry.squared > self.training.radius(entry.index, subset);
                let (nearest, beyond) =
                    (of_subset().count() as u128, of_subset().filter(farther).count() as u128);
                self.authentic[subset] += beyond * ROW / nearest;
            }
            missing &= !found;
            if missing == 0 {
                break;
            }
        }
        missing
    }

    /// The subsets that a training row belongs to.
    fn mask(&self, entry: &Entry) -> u64 {
        self.training.subsets.mask(entry.index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::Stream;
    use ndarray::{Array2, Axis, Slice};

    #[test]
    fn every_subset_has_the_authenticity_of_its_rows() {
        let control = Control::with_threads(2);
        let mut stream = Stream::new(29, "test", 0);
        for columns in [2, 20] {
            let x = Array2::from_shape_simple_fn((150, columns), || stream.normal());
            // Some candidates are close to training rows.
            let mut y = x.slice_axis(Axis(0), Slice::from(..130)).to_owned();
            y.indexed_iter_mut().for_each(|((row, _), value)| {
                *value += stream.normal() * (row % 13) as f64 / 13.0;
            });
            let (rows_x, rows_y) = (Rows::from_f64(x.view()), Rows::from_f64(y.view()));
            let (of_x, of_y) = (Subsets::halves(150, 9, 1, 0), Subsets::halves(130, 9, 1, 1));
            let [set_x, set_y] = Set::together([&rows_x, &rows_y], &control).unwrap();
            let anchor = Sample::of(&set_x, &of_x, 1, false, &control).unwrap();
            let shares = authentic_shares(&anchor, (&set_y, &of_y), &control).unwrap();
            assert!(shares[0] > 0.05 && shares[0] < 0.95, "{shares:?}");
            for (subset, &share) in shares.iter().enumerate() {
                let part = |data: &Array2<f64>, subsets: &Subsets| {
                    data.select(Axis(0), &subsets.members(subset).collect::<Vec<_>>())
                };
                let (x, y) = (part(&x, &of_x), part(&y, &of_y));
                let (x, y) = (Rows::from_f64(x.view()), Rows::from_f64(y.view()));
                assert_eq!(authenticity(&x, &y, &control), Ok(share));
            }
        }
    }

    #[test]
    fn a_ring_that_runs_out_is_measured() {
        // All of the 60 nearest training rows are in the same group, of which half of the halves know.
        let control = Control::with_threads(1);
        let x = Array2::from_shape_fn((2048, 1), |(row, _)| {
            if row % 32 == 0 { row as f64 * 1e-6 } else { 10.0 + (row * row) as f64 }
        });
        let y = Array2::from_elem((64, 1), -1.0);
        let (rows_x, rows_y) = (Rows::from_f64(x.view()), Rows::from_f64(y.view()));
        let (of_x, of_y) = (Subsets::halves(2048, 30, 3, 0), Subsets::halves(64, 30, 3, 1));
        let [set_x, set_y] = Set::together([&rows_x, &rows_y], &control).unwrap();
        let anchor = Sample::of(&set_x, &of_x, 1, false, &control).unwrap();
        let shares = authentic_shares(&anchor, (&set_y, &of_y), &control).unwrap();
        assert!(shares.iter().all(|share| [0.0, 1.0].contains(share)), "{shares:?}");
    }
}
