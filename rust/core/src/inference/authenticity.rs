//! Authenticity with its null. Level 4.
//!
//! Two searches prepare it: within A, the training data, and of B across it; one gives it for a candidate.

use std::sync::Arc;

use super::{
    A, Estimate, Found, Halves, Prepared, Replicates, check_smallest, estimate_on, parts_of,
};
use crate::control::Control;
use crate::coverage::authenticity::authentic_shares;
use crate::error::Result;
use crate::neighbors::Set;
use crate::neighbors::rarity::{Rarity, Sample};
use crate::rows::Rows;

/// How near rows of A are to each other, and the share of B that is no copy of them.
struct Training {
    replicates: Replicates,
    rarity: Arc<Rarity>,
    null: Estimate,
}

/// Prepares the share of a candidate that is no copy of A.
pub fn prepare(halves: &Halves<'_>, control: &Control) -> Result<Box<dyn Prepared>> {
    halves.check_smallest(2)?;
    let [a, b] = &halves.rows;
    let [of_a, of_b] = &halves.subsets;
    let h = a.len() as u64;
    control.begin("neighbours", 2 * h * h);
    let [set_a, set_b] = Set::together([a, b], control)?;
    let training = Sample::of(&set_a, of_a, 1, false, control)?;
    let shares = authentic_shares(&training, (&set_b, of_b), control)?;
    let null = estimate(&shares, halves.replicates);
    Ok(Box::new(Training { replicates: halves.replicates, rarity: training.rarity, null }))
}

fn estimate(shares: &[f64], replicates: Replicates) -> Estimate {
    estimate_on(replicates.halves(), "authenticity", None, |subset| shares[subset])
}

impl Prepared for Training {
    fn null(&self) -> Found {
        Ok(vec![self.null.clone()])
    }

    fn value(&self, a: &Rows<'_>, c: &Rows<'_>, control: &Control) -> Result<Found> {
        let of_c = parts_of(a, c, self.replicates)?;
        check_smallest(of_c.smallest(), 2, "candidate")?;
        let of_a = self.replicates.subsets(a.len(), A);
        control.begin("neighbours", a.len() as u64 * c.len() as u64);
        let [set_a, set_c] = Set::together([a, c], control)?;
        let rarity = Arc::clone(&self.rarity);
        let training = Sample { set: &set_a, subsets: &of_a, rarity };
        let shares = authentic_shares(&training, (&set_c, &of_c), control)?;
        Ok(Ok(vec![estimate(&shares, self.replicates)]))
    }
}
