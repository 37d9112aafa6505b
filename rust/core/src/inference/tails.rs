//! Directional tails with their null. Level 4.

use super::{Estimate, Found, Halves, Prepared, Replicates, estimate_on, parts_of};
use crate::control::Control;
use crate::coverage::directional::{Thresholds, directions};
use crate::coverage::tail::check_levels;
use crate::error::Result;
use crate::rows::Rows;
use crate::subsets::Subsets;

/// Where the tails of A begin along each direction, and the share of B beyond.
struct Tails {
    replicates: Replicates,
    thresholds: Thresholds,
    null: Vec<Estimate>,
}

/// Prepares the mean over `count` directions of the share beyond A's quantiles, over `level`.
pub fn prepare(
    halves: &Halves<'_>,
    level: f64,
    count: usize,
    control: &Control,
) -> Result<Box<dyn Prepared>> {
    check_levels(&[level])?;
    let ([a, b], [of_a, of_b], replicates) = (&halves.rows, &halves.subsets, halves.replicates);
    let directions = directions(a, count, replicates.seed, control)?;
    let thresholds = Thresholds::of((a, of_a), directions, level, control)?;
    let mut prepared = Tails { replicates, thresholds, null: Vec::new() };
    prepared.null = prepared.estimates(b, of_b, control)?;
    Ok(Box::new(prepared))
}

impl Tails {
    fn estimates(
        &self,
        rows: &Rows<'_>,
        subsets: &Subsets,
        control: &Control,
    ) -> Result<Vec<Estimate>> {
        let ratios = self.thresholds.ratios(rows, subsets, control)?;
        let (level, count) = (self.thresholds.level(), self.thresholds.directions());
        let mean = |subset: usize| {
            ratios.iter().skip(subset).step_by(subsets.count()).sum::<f64>() / count as f64
        };
        let halves = self.replicates.halves();
        Ok(vec![estimate_on(halves, "directional_tails", Some(level), mean)])
    }
}

impl Prepared for Tails {
    fn null(&self) -> Found {
        Ok(self.null.clone())
    }

    fn value(&self, a: &Rows<'_>, c: &Rows<'_>, control: &Control) -> Result<Found> {
        let of_c = parts_of(a, c, self.replicates)?;
        Ok(Ok(self.estimates(c, &of_c, control)?))
    }
}
