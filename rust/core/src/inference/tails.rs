//! Directional tails with their null. Level 4.

use ndarray::{ArrayD, ArrayView2, ArrayView4};

use super::{Estimate, Found, Halves, Replicates, Summary, estimate_on, kept, parts_beside};
use crate::control::Control;
use crate::coverage::directional::{Thresholds, directions};
use crate::coverage::tail::check_levels;
use crate::error::Result;
use crate::rows::Rows;
use crate::subsets::Subsets;

const NAME: &str = "directional_tails";

/// Where the tails of A begin along each direction, and the share of B beyond.
pub struct Tails {
    replicates: Replicates,
    thresholds: Thresholds,
    null: Vec<Estimate>,
}

/// Prepares the mean over `count` directions of the share beyond A's quantiles, over `level`.
pub fn prepare(halves: &Halves<'_>, level: f64, count: usize, control: &Control) -> Result<Tails> {
    check_levels(&[level])?;
    let ([a, b], [of_a, of_b], replicates) = (&halves.rows, &halves.subsets, halves.replicates);
    let directions = directions(a, count, replicates.seed, control)?;
    let thresholds = Thresholds::of((a, of_a), directions, level, control)?;
    let mut prepared = Tails { replicates, thresholds, null: Vec::new() };
    prepared.null = prepared.estimates(b, of_b, control)?;
    Ok(prepared)
}

impl Tails {
    /// What was kept: directions and quantiles as [`Thresholds::numbers`] has them, and the null.
    pub fn restore(
        replicates: Replicates,
        level: f64,
        (directions, quantiles): (ArrayView2<'_, f64>, ArrayView4<'_, f64>),
        null: ArrayView2<'_, f64>,
    ) -> Result<Self> {
        let null = kept(&[(NAME, Some(level))], null, replicates)?;
        let thresholds = Thresholds::new(directions, quantiles, level)?;
        thresholds.check_subsets(1 + replicates.count)?;
        Ok(Self { replicates, thresholds, null })
    }

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
        Ok(vec![estimate_on(halves, NAME, Some(level), mean)])
    }
}

impl Summary for Tails {
    fn null(&self) -> Found {
        Ok(self.null.clone())
    }

    fn value(&self, c: &Rows<'_>, control: &Control) -> Result<Found> {
        let of_c = parts_beside(self.thresholds.columns(), c, self.replicates)?;
        Ok(Ok(self.estimates(c, &of_c, control)?))
    }

    fn state(&self) -> Vec<(&'static str, ArrayD<f64>)> {
        let (directions, quantiles) = self.thresholds.numbers();
        vec![("directions", directions.into_dyn()), ("quantiles", quantiles.into_dyn())]
    }
}
