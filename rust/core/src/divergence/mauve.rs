//! MAUVE of two samples. Level 3.
//!
//! The pooled rows, reference first, are clustered by k-means, and the area under the divergence frontier of
//! the two histograms of clusters is taken (`frontier`). Cost: that of k-means (`cluster`).

use super::frontier::Frontier;
use crate::cluster::k_means;
use crate::control::Control;
use crate::error::Result;
use crate::rows::{Rows, check_pair};

/// How many rows of each sample are in each cluster of the pooled rows.
pub fn cluster_counts(
    reference: &Rows<'_>,
    candidate: &Rows<'_>,
    clusters: usize,
    seed: u64,
    control: &Control,
) -> Result<[Vec<u64>; 2]> {
    check_pair(reference, "reference", candidate, "candidate")?;
    let pooled = reference.followed_by(candidate);
    let labels = k_means(&pooled, "pooled sample", clusters, seed, control)?.labels;
    let (of_reference, of_candidate) = labels.split_at(reference.len());
    Ok([of_reference, of_candidate].map(|labels| {
        let mut counts = vec![0; clusters];
        labels.iter().for_each(|&label| counts[label as usize] += 1);
        counts
    }))
}

/// MAUVE of two samples.
pub fn mauve(
    reference: &Rows<'_>,
    candidate: &Rows<'_>,
    clusters: usize,
    frontier: &Frontier,
    seed: u64,
    control: &Control,
) -> Result<f64> {
    frontier.check()?;
    let [p, q] = cluster_counts(reference, candidate, clusters, seed, control)?;
    frontier.area(&p, &q, control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::Stream;
    use ndarray::Array2;

    #[test]
    fn counts_are_of_the_rows_of_each_sample() {
        let mut stream = Stream::new(1, "test", 0);
        let mut sample = |rows: usize, of_first: usize| {
            Array2::from_shape_fn((rows, 3), |(i, j)| {
                if i < of_first && j == 0 { 100.0 } else { stream.normal() }
            })
        };
        let data = [sample(40, 10), sample(30, 30)];
        let [x, y] = data.each_ref().map(|data| Rows::from_f64(data.view()));
        let control = Control::with_threads(2);
        let mut counts = cluster_counts(&x, &y, 2, 3, &control).unwrap();
        if counts[0][0] != 10 {
            counts.iter_mut().for_each(|counts| counts.reverse());
        }
        assert_eq!(counts, [[10, 30], [30, 0]]);
        let frontier = Frontier { scaling: 5.0, points: 25, smoothing: 0.0 };
        let found = mauve(&x, &y, 2, &frontier, 3, &control).unwrap();
        assert!((found - frontier.area(&[10, 30], &[30, 0], &control).unwrap()).abs() < 1e-14);
        assert_eq!(
            mauve(&x, &y, 71, &frontier, 3, &control).unwrap_err().to_string(),
            "clusters: expected 1 to 70 (the rows of the pooled sample), got 71"
        );
    }
}
