//! Directional tails with their null. Level 4.

use super::{Estimate, Trio};
use crate::control::Control;
use crate::coverage::directional::{directions, tail_ratios};
use crate::coverage::tail::check_levels;
use crate::error::Result;

/// The mean over `count` directions of the share beyond A's quantiles, over `level`.
pub fn directional_metrics(
    trio: &Trio<'_>,
    level: f64,
    count: usize,
    seed: u64,
    control: &Control,
) -> Result<Vec<Estimate>> {
    check_levels(&[level])?;
    let [a, b, c] = &trio.rows;
    let [of_a, of_b, of_c] = &trio.subsets;
    let directions = directions(a, count, seed, control)?;
    let ratios = tail_ratios((a, of_a), &[(b, of_b), (c, of_c)], &directions, level, control)?;
    let mean = |sample: usize, subset: usize| {
        ratios[sample].iter().skip(subset).step_by(trio.count()).sum::<f64>() / count as f64
    };
    Ok(vec![
        trio.estimate("directional_tails", Some(level), |subset| {
            (mean(1, subset), mean(0, subset))
        }),
    ])
}
