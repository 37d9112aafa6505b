//! Sliced Wasserstein distance with its null. Level 4.

use super::{
    A, Estimate, Found, Halves, Prepared, Replicates, check_smallest, estimate_on, parts_of,
};
use crate::control::Control;
use crate::divergence::projection::random_directions;
use crate::divergence::sliced::subset_costs;
use crate::error::Result;
use crate::rows::Rows;

/// The directions, and `SW_p^p` of A and B along them.
struct Sliced {
    replicates: Replicates,
    directions: Vec<f64>,
    p: f64,
    null: Estimate,
}

/// Prepares `SW_p^p` along `projections` random directions.
///
/// The power, not the distance: it is a mean over directions, and where the samples have one distribution its
/// error is of second order, which complementary halves tell apart. The distance is its root.
pub fn prepare(
    halves: &Halves<'_>,
    p: f64,
    projections: usize,
    control: &Control,
) -> Result<Box<dyn Prepared>> {
    halves.check_smallest(1)?;
    let ([a, b], [of_a, of_b], replicates) = (&halves.rows, &halves.subsets, halves.replicates);
    let directions = random_directions(a.columns(), projections, replicates.seed, control)?;
    let costs = subset_costs((a, of_a), (b, of_b), &directions, p, control)?;
    let null = estimate(&costs, replicates);
    Ok(Box::new(Sliced { replicates, directions, p, null }))
}

fn estimate(costs: &[f64], replicates: Replicates) -> Estimate {
    estimate_on(replicates.halves(), "sliced_wasserstein", None, |subset| costs[subset])
}

impl Prepared for Sliced {
    fn null(&self) -> Found {
        Ok(vec![self.null.clone()])
    }

    fn value(&self, a: &Rows<'_>, c: &Rows<'_>, control: &Control) -> Result<Found> {
        let of_c = parts_of(a, c, self.replicates)?;
        check_smallest(of_c.smallest(), 1, "candidate")?;
        let of_a = self.replicates.subsets(a.len(), A);
        let costs = subset_costs((a, &of_a), (c, &of_c), &self.directions, self.p, control)?;
        Ok(Ok(vec![estimate(&costs, self.replicates)]))
    }
}
