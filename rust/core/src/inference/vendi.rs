//! Vendi score with its null. Level 4.
//!
//! The score describes one sample: its value is that of C and its null that of B; A takes no part. Gram
//! matrices of unit rows are made by group, and those of a half are sums over its groups. Where all
//! directions count alike the score is largest and its first derivative is zero: draw complementary halves,
//! which tell the two orders of the error apart.

use std::sync::Arc;

use rayon::prelude::*;

use super::{Estimate, Trio};
use crate::control::Control;
use crate::covariance::Groups;
use crate::error::{Error, Result};
use crate::vendi::{gram_of_subset, score, unit_rows, zero_row};

/// The Vendi scores of C and of B, of order `q`; or why there are none: a row is zero.
pub fn vendi_metrics(trio: &Trio<'_>, q: f64, control: &Control) -> Result<Result<Estimate>> {
    if q.is_nan() || q < 0.0 {
        return Err(Error::input("q").expected("a number of at least 0").got(q));
    }
    let samples = [(1, "reference"), (2, "candidate")];
    let rows = samples.map(|(sample, _)| trio.rows[sample].len() as u64);
    control.begin("similarities", rows.iter().sum());
    let mut groups = Vec::with_capacity(2);
    for (sample, name) in samples {
        let rows = &trio.rows[sample];
        let found = Groups::of(&unit_rows(rows), control)?;
        let whole = gram_of_subset(&found, &trio.subsets[sample], 0);
        if zero_row(rows, whole.as_ref(), control).is_some() {
            return Ok(Err(Error::input(name)
                .expected("rows with a direction")
                .problem("a row is zero and has no direction, so no cosine either")));
        }
        groups.push(found);
    }
    let count = trio.count();
    control.begin("spectra", count as u64);
    let (inner, subsets) = (control.clone(), trio.subsets.clone());
    let groups = Arc::new(groups);
    let found: Vec<[f64; 2]> = control.detached(move || {
        (0..count)
            .into_par_iter()
            .map(|subset| {
                inner.check()?;
                let of = |sample: usize| {
                    let gram = gram_of_subset(&groups[sample], &subsets[sample + 1], subset);
                    score(gram.as_ref(), q)
                };
                let scores = [of(0)?, of(1)?];
                inner.advance(1)?;
                Ok(scores)
            })
            .collect::<Result<_>>()
    })??;
    Ok(Ok(trio.estimate("vendi_score", None, |subset| (found[subset][1], found[subset][0]))))
}
