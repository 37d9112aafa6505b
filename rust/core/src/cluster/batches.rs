//! Mini-batch k-means, for more rows than Lloyd's rounds can go through. Level 3.
//!
//! Each pass takes the rows in random order, some thousand at a time: all of a batch are assigned to their
//! nearest centres, then every row moves its centre towards itself, by one over the number of rows that the
//! centre has seen (Sculley 2010). In the end all rows are assigned once. Cost: O(n·k·d) time for each of
//! [`PASSES`] passes and for the last assignment, O(n + k·d) memory.

use super::{Centres, Clustering, nearest_of, seeds};
use crate::control::Control;
use crate::error::Result;
use crate::neighbors::{Frame, Set};
use crate::rows::Rows;
use crate::streams::Stream;

/// Times that every row is met.
const PASSES: u64 = 3;
/// The least rows of a batch, and of a batch for each cluster, so that coding the centres again for each
/// batch costs little.
const LEAST_ROWS: usize = 8192;
const ROWS_PER_CLUSTER: usize = 2;
/// Rows for each cluster that seeds are drawn from.
const SEEDED_PER_CLUSTER: usize = 8;

/// Finds centres by mini-batches and assigns all rows to them.
pub(super) fn follow(
    rows: &Rows<'_>,
    frame: Option<&Frame>,
    clusters: usize,
    seed: u64,
    control: &Control,
) -> Result<Clustering> {
    let n = rows.len();
    let sized = |per_cluster: usize| (per_cluster * clusters).clamp(LEAST_ROWS.min(n), n);
    let seeded = Stream::new(seed, "k-means sample", 0).sample(n, sized(SEEDED_PER_CLUSTER));
    let sample = rows.pick(&seeded);
    let set = Set::alone(&sample, frame, control)?;
    let mut centres = seeds::draw(&sample, &set, frame, clusters, seed, control)?;
    control.begin("k-means", (PASSES + 1) * (n * clusters) as u64);
    let mut seen = vec![0_u64; clusters];
    for pass in 0..PASSES {
        let order = Stream::new(seed, "k-means batches", pass).sample(n, n);
        for batch in order.chunks(sized(ROWS_PER_CLUSTER)) {
            let batch = rows.pick(batch);
            let set = Set::alone(&batch, frame, control)?;
            let nearest = nearest_of(&centres.rows()?, &set, frame, 1, None, control)?;
            let labels: Vec<usize> = nearest.into_iter().map(|entry| entry.index).collect();
            pull(&mut centres, &mut seen, &batch, &labels, control)?;
        }
    }
    let set = Set::alone(rows, frame, control)?;
    let nearest = centres.nearest(&set, frame, 1, control)?;
    let labels = nearest.into_iter().map(|entry| entry.index as u32).collect();
    Ok(Clustering { centres, labels })
}

/// Moves the centres of all rows towards them, in their order.
fn pull(
    centres: &mut Centres,
    seen: &mut [u64],
    rows: &Rows<'_>,
    labels: &[usize],
    control: &Control,
) -> Result<()> {
    let d = rows.columns();
    let mut row = vec![0.0; d];
    for (index, &label) in labels.iter().enumerate() {
        if index.is_multiple_of(1024) {
            control.check()?;
        }
        rows.read(index, &mut row);
        seen[label] += 1;
        let share = (seen[label] as f64).recip();
        for (centre, value) in centres.values[label * d..][..d].iter_mut().zip(&row) {
            *centre += (value - *centre) * share;
        }
    }
    Ok(())
}
