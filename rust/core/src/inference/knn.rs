//! Nearest-neighbour divergence with its null. Level 4.
//!
//! Two searches prepare it, of B within itself and across A; two give it for a candidate.

use super::{A, Estimate, Found, Halves, Prepared, Replicates, check_k, estimate_on, parts_of};
use crate::control::Control;
use crate::divergence::knn::Spacings;
use crate::error::{Error, Result};
use crate::neighbors::Set;
use crate::rows::Rows;
use crate::subsets::Subsets;

/// KL(B ‖ A), and how it is computed.
struct Divergence {
    replicates: Replicates,
    dimension: f64,
    k: usize,
    null: Found,
}

/// Prepares KL(C ‖ A) with `dimension` for d. There is none where A has atoms on which rows of the other lie;
/// where the other has atoms and A has none, the divergence is infinite.
pub fn prepare(
    halves: &Halves<'_>,
    dimension: f64,
    k: usize,
    control: &Control,
) -> Result<Box<dyn Prepared>> {
    halves.check_k(k)?;
    let ([a, b], [of_a, of_b], replicates) = (&halves.rows, &halves.subsets, halves.replicates);
    let mut prepared = Divergence { replicates, dimension, k, null: Ok(Vec::new()) };
    prepared.null = prepared.found("reference", (a, of_a), (b, of_b), control)?;
    Ok(Box::new(prepared))
}

impl Divergence {
    fn found(
        &self,
        name: &str,
        (a, of_a): (&Rows<'_>, &Subsets),
        (other, of_other): (&Rows<'_>, &Subsets),
        control: &Control,
    ) -> Result<Found> {
        let Self { replicates, dimension, k, .. } = *self;
        let (n, m) = (a.len() as u64, other.len() as u64);
        control.begin("neighbours", m * m + n * m);
        let [set_a, set_other] = Set::together([a, other], control)?;
        let spacings = Spacings::of((&set_a, of_a), (&set_other, of_other), k, control)?;
        if spacings.atom().is_some() {
            return Ok(Err(Error::input(name)
                .expected(format_args!("fewer than k = {k} rows of the reference equal to a row"))
                .problem(format_args!(
                    "a row equals {k} or more rows of the reference (k = {k}), where the reference has \
                     no density"
                ))));
        }
        let of = |subset| spacings.divergence(dimension, subset);
        let estimate: Estimate = estimate_on(replicates.halves(), "knn_divergence", None, of);
        Ok(Ok(vec![estimate]))
    }
}

impl Prepared for Divergence {
    fn null(&self) -> Found {
        self.null.clone()
    }

    fn value(&self, a: &Rows<'_>, c: &Rows<'_>, control: &Control) -> Result<Found> {
        let of_c = parts_of(a, c, self.replicates)?;
        check_k(of_c.smallest(), self.k)?;
        let of_a = self.replicates.subsets(a.len(), A);
        self.found("candidate", (a, &of_a), (c, &of_c), control)
    }
}
