//! Nearest-neighbour divergence with its null. Level 4.
//!
//! Four searches give the divergence in every subset: of B and of C, within themselves and across A.

use super::{Estimate, Trio};
use crate::control::Control;
use crate::divergence::knn::Spacings;
use crate::error::{Error, Result};

/// KL(C ‖ A) and KL(B ‖ A) with `dimension` for d; or why there are none: A has atoms on which rows of the
/// other lie. Where the other has atoms and A has none, the divergence is infinite.
pub fn divergence_metrics(
    trio: &Trio<'_>,
    dimension: f64,
    k: usize,
    control: &Control,
) -> Result<Result<Estimate>> {
    if k == 0 || k >= trio.smallest() {
        return Err(Error::input("k")
            .expected(format_args!(
                "1 to {} (half-samples have {} rows)",
                trio.smallest().saturating_sub(1),
                trio.smallest()
            ))
            .got(k));
    }
    let h = trio.rows[0].len() as u64;
    control.begin("neighbours", 4 * h * h);
    let sets = trio.sets(control)?;
    let subsets = &trio.subsets;
    let mut spacings = Vec::with_capacity(2);
    for (sample, name) in [(1, "reference"), (2, "candidate")] {
        let (anchor, other) = ((&sets[0], &subsets[0]), (&sets[sample], &subsets[sample]));
        let found = Spacings::of(anchor, other, k, control)?;
        if found.atom().is_some() {
            return Ok(Err(Error::input(name)
                .expected(format_args!("fewer than k = {k} rows of the reference equal to a row"))
                .problem(format_args!(
                    "a row equals {k} or more rows of the reference (k = {k}), where the reference has \
                     no density"
                ))));
        }
        spacings.push(found);
    }
    let of = |sample: usize, subset| spacings[sample].divergence(dimension, subset);
    Ok(Ok(trio.estimate("knn_divergence", None, |subset| (of(1, subset), of(0, subset)))))
}
