//! Sliced Wasserstein distance with its null. Level 4.

use super::{Estimate, Trio};
use crate::control::Control;
use crate::divergence::projection::random_directions;
use crate::divergence::sliced::subset_costs;
use crate::error::{Error, Result};

/// SW_p^p along `projections` random directions.
///
/// The power, not the distance: it is a mean over directions, and where the samples have one distribution its
/// error is of second order, which complementary halves tell apart. The distance is its root.
pub fn sliced_metrics(
    trio: &Trio<'_>,
    p: f64,
    projections: usize,
    seed: u64,
    control: &Control,
) -> Result<Vec<Estimate>> {
    if trio.smallest() == 0 {
        return Err(Error::input("reference")
            .expected("at least 1 row in each half-sample")
            .got(0));
    }
    let [a, b, c] = &trio.rows;
    let [of_a, of_b, of_c] = &trio.subsets;
    let directions = random_directions(a.columns(), projections, seed, control)?;
    let costs = subset_costs((a, of_a), &[(b, of_b), (c, of_c)], &directions, p, control)?;
    Ok(vec![
        trio.estimate("sliced_wasserstein", None, |subset| (costs[1][subset], costs[0][subset])),
    ])
}
