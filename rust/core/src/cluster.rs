//! k-means. Level 3.
//!
//! Lloyd's algorithm from k-means++ seeds (Arthur & Vassilvitskii 2007), distances as everywhere
//! Σ(x−y)² in `f64`, ties to the lower cluster. A cluster that loses all its rows keeps its centre.
//! Cost: O(n·k·d) time for each of at most [`ROUNDS`] rounds, O(n + k·d) memory.

use ndarray::ArrayView2;
use rayon::prelude::*;

use crate::control::Control;
use crate::error::{Error, Result};
use crate::moments::add_scaled;
use crate::neighbors::{Frame, Nearest, Set, nearest_across};
use crate::rows::{Rows, check_rows};
use crate::streams::Stream;

/// Rounds after which an assignment that still changes is taken as it is.
pub const ROUNDS: usize = 50;

/// Cluster centres, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Centres {
    /// `count` rows of `columns` numbers.
    pub values: Vec<f64>,
    /// Numbers in a row.
    pub columns: usize,
}

impl Centres {
    /// Number of clusters.
    #[must_use]
    pub fn count(&self) -> usize {
        self.values.len() / self.columns
    }

    /// The cluster of each row: its nearest centre.
    pub fn assign(&self, rows: &Rows<'_>, control: &Control) -> Result<Vec<u32>> {
        if self.columns != rows.columns() {
            return Err(Error::Dimension(format!(
                "rows: expected {} columns as in centres, got {}",
                self.columns,
                rows.columns()
            )));
        }
        check_rows(rows, "rows", 1)?;
        let frame = Frame::of(rows, control);
        self.assign_set(&Set::alone(rows, frame.as_ref(), control)?, frame.as_ref(), control)
    }

    /// The same for rows that are coded already.
    fn assign_set(
        &self,
        rows: &Set<'_>,
        frame: Option<&Frame>,
        control: &Control,
    ) -> Result<Vec<u32>> {
        let shape = (self.count(), self.columns);
        let view = ArrayView2::from_shape(shape, &self.values)
            .map_err(|_| Error::Dimension("centres: not a whole number of rows".into()))?;
        let base = Rows::from_f64(view);
        let found = nearest_across(rows, &Set::alone(&base, frame, control)?, 1, control)?;
        let entries = found.into_iter().flat_map(Nearest::into_entries);
        Ok(entries.map(|entry| entry.index as u32).collect())
    }
}

/// Finds `clusters` centres of `rows`.
pub fn k_means(rows: &Rows<'_>, clusters: usize, seed: u64, control: &Control) -> Result<Centres> {
    check_rows(rows, "reference", 2)?;
    if clusters == 0 || clusters > rows.len() {
        return Err(Error::Input(format!(
            "clusters: expected 1 to {} (the rows of the reference), got {clusters}",
            rows.len()
        )));
    }
    let (n, d) = (rows.len(), rows.columns());
    control.begin("k-means", (n * clusters * ROUNDS) as u64);
    let mut centres = Centres { values: seeds(rows, clusters, seed, control)?, columns: d };
    let mut labels = Vec::new();
    let frame = Frame::of(rows, control);
    let set = Set::alone(rows, frame.as_ref(), control)?;
    for _ in 0..ROUNDS {
        let next = centres.assign_set(&set, frame.as_ref(), control)?;
        if next == labels {
            break;
        }
        labels = next;
        recentre(&mut centres, rows, &labels, control)?;
    }
    Ok(centres)
}

/// k-means++: each seed is a row drawn with probability proportional to its squared distance from the
/// seeds before it.
fn seeds(rows: &Rows<'_>, clusters: usize, seed: u64, control: &Control) -> Result<Vec<f64>> {
    const BLOCK: usize = 1024;
    let (n, d) = (rows.len(), rows.columns());
    let mut stream = Stream::new(seed, "k-means", 0);
    let mut squared = vec![f64::INFINITY; n];
    let mut values = vec![0.0; clusters * d];
    let mut chosen = stream.below(n as u64) as usize;
    for centre in values.chunks_exact_mut(d) {
        rows.read(chosen, centre);
        let centre = &*centre;
        control.run(|| {
            squared.par_chunks_mut(BLOCK).enumerate().try_for_each(|(block, squared)| {
                control.check()?;
                let mut row = vec![0.0; d];
                for (offset, slot) in squared.iter_mut().enumerate() {
                    rows.read(block * BLOCK + offset, &mut row);
                    let to_centre: f64 =
                        row.iter().zip(centre).map(|(a, b)| (a - b) * (a - b)).sum();
                    *slot = slot.min(to_centre);
                }
                Ok(())
            })
        })?;
        let total: f64 = squared.iter().sum();
        // All rows are seeds already: any row will do.
        chosen = if total > 0.0 { weighted(&squared, stream.uniform() * total) } else { 0 };
    }
    Ok(values)
}

/// The first row at which the running sum of weights passes `target`.
fn weighted(weights: &[f64], target: f64) -> usize {
    let mut sum = 0.0;
    let passed = weights.iter().position(|weight| {
        sum += weight;
        sum > target
    });
    passed.unwrap_or_else(|| weights.iter().rposition(|&weight| weight > 0.0).unwrap_or(0))
}

fn recentre(
    centres: &mut Centres,
    rows: &Rows<'_>,
    labels: &[u32],
    control: &Control,
) -> Result<()> {
    let d = centres.columns;
    let mut counts = vec![0_u64; centres.count()];
    let mut sums = vec![0.0; centres.values.len()];
    let mut row = vec![0.0; d];
    // In row order on one thread: the sums do not depend on threads, and assigning costs far more.
    for (index, &label) in labels.iter().enumerate() {
        if index.is_multiple_of(4096) {
            control.check()?;
        }
        rows.read(index, &mut row);
        add_scaled(&mut sums[label as usize * d..][..d], &row, 1.0);
        counts[label as usize] += 1;
    }
    let means = sums.chunks_exact(d).zip(&counts);
    for (centre, (sum, &count)) in centres.values.chunks_exact_mut(d).zip(means) {
        if count > 0 {
            for (slot, value) in centre.iter_mut().zip(sum) {
                *slot = value / count as f64;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn well_separated_groups_are_found_whatever_the_seed_and_threads() {
        let mut stream = Stream::new(4, "test", 0);
        let data = Array2::from_shape_fn((300, 2), |(i, j)| {
            let place = [[0.0, 0.0], [50.0, 0.0], [0.0, 50.0]][i % 3][j];
            place + stream.normal()
        });
        let rows = Rows::from_f64(data.view());
        for seed in 0..5 {
            let control = Control::with_threads(2);
            let centres = k_means(&rows, 3, seed, &control).unwrap();
            assert_eq!(centres, k_means(&rows, 3, seed, &Control::with_threads(1)).unwrap());
            let labels = centres.assign(&rows, &control).unwrap();
            assert!((0..300).all(|i| labels[i] == labels[i % 3]));
            assert!(labels[0] != labels[1] && labels[1] != labels[2] && labels[0] != labels[2]);
        }
    }

    #[test]
    fn more_clusters_than_different_rows_is_no_trouble() {
        let data = Array2::<f64>::zeros((5, 2));
        let rows = Rows::from_f64(data.view());
        let control = Control::with_threads(1);
        let centres = k_means(&rows, 4, 0, &control).unwrap();
        assert_eq!(centres.assign(&rows, &control).unwrap(), [0; 5]);
        assert!(k_means(&rows, 6, 0, &control).is_err());
    }
}
