//! Authenticity with its null. Level 4.
//!
//! Three searches give the share in every subset: within A, the training data, and of B and of C across it.

use super::{Estimate, Trio};
use crate::control::Control;
use crate::coverage::authenticity::authentic_shares;
use crate::error::{Error, Result};
use crate::neighbors::rarity::Sample;

/// The share of C and of B that is no copy of A.
pub fn authenticity_metrics(trio: &Trio<'_>, control: &Control) -> Result<Vec<Estimate>> {
    if trio.smallest() < 2 {
        return Err(Error::input("reference")
            .expected("at least 2 rows in each half-sample")
            .got(trio.smallest()));
    }
    let h = trio.rows[0].len() as u64;
    control.begin("neighbours", 3 * h * h);
    let sets = trio.sets(control)?;
    let subsets = &trio.subsets;
    let training = Sample::of(&sets[0], &subsets[0], 1, false, control)?;
    let share =
        |sample: usize| authentic_shares(&training, (&sets[sample], &subsets[sample]), control);
    let (of_b, of_c) = (share(1)?, share(2)?);
    Ok(vec![trio.estimate("authenticity", None, |subset| (of_c[subset], of_b[subset]))])
}
