//! Vendi score with its null. Level 4.
//!
//! The score describes one sample: its value is that of C and its null that of B; A takes no part. Gram
//! matrices of unit rows are made by group, and those of a half are sums over its groups. Where all
//! directions count alike the score is largest and its first derivative is zero: draw complementary halves,
//! which tell the two orders of the error apart.

use ndarray::{ArrayD, ArrayView2};
use rayon::prelude::*;

use super::{Found, Halves, Replicates, Summary, estimate_on, kept, parts_beside};
use crate::control::Control;
use crate::covariance::Groups;
use crate::error::{Error, Result};
use crate::rows::Rows;
use crate::subsets::Subsets;
use crate::units::unit_rows;
use crate::vendi::{gram_of_subset, score, zero_row};

const NAME: &str = "vendi_score";

/// The score of B.
pub struct Score {
    replicates: Replicates,
    columns: usize,
    q: f64,
    null: Found,
}

/// Prepares the Vendi score of order `q`. There is none where a row is zero.
pub fn prepare(halves: &Halves<'_>, q: f64, control: &Control) -> Result<Score> {
    check_order(q)?;
    let ([_, b], [_, of_b], replicates) = (&halves.rows, &halves.subsets, halves.replicates);
    let mut prepared = Score { replicates, columns: b.columns(), q, null: Ok(Vec::new()) };
    prepared.null = prepared.found("reference", b, of_b.clone(), control)?;
    Ok(prepared)
}

fn check_order(q: f64) -> Result<()> {
    if q >= 0.0 {
        return Ok(());
    }
    Err(Error::input("q").expected("a number of at least 0").got(q))
}

fn without_direction(name: &str) -> Error {
    Error::input(name)
        .expected("rows with a direction")
        .problem("a row is zero and has no direction, so no cosine either")
}

impl Score {
    /// What was kept: the null, if there was one.
    pub fn restore(
        replicates: Replicates,
        columns: usize,
        q: f64,
        null: Option<ArrayView2<'_, f64>>,
    ) -> Result<Self> {
        check_order(q)?;
        let null = match null {
            Some(null) => Ok(kept(&[(NAME, None)], null, replicates)?),
            None => Err(without_direction("reference")),
        };
        Ok(Self { replicates, columns, q, null })
    }

    fn found(
        &self,
        name: &str,
        rows: &Rows<'_>,
        subsets: Subsets,
        control: &Control,
    ) -> Result<Found> {
        control.begin("similarities", rows.len() as u64);
        let groups = Groups::of(&unit_rows(rows), control)?;
        let whole = gram_of_subset(&groups, &subsets, 0);
        if zero_row(rows, whole.as_ref(), control).is_some() {
            return Ok(Err(without_direction(name)));
        }
        let (count, q, inner) = (subsets.count(), self.q, control.clone());
        control.begin("spectra", count as u64);
        let scores: Vec<f64> = control.detached(move || {
            (0..count)
                .into_par_iter()
                .map(|subset| {
                    inner.check()?;
                    let score = score(gram_of_subset(&groups, &subsets, subset).as_ref(), q)?;
                    inner.advance(1)?;
                    Ok(score)
                })
                .collect::<Result<_>>()
        })??;
        let of = |subset: usize| scores[subset];
        Ok(Ok(vec![estimate_on(self.replicates.halves(), NAME, None, of)]))
    }
}

impl Summary for Score {
    fn null(&self) -> Found {
        self.null.clone()
    }

    fn value(&self, c: &Rows<'_>, control: &Control) -> Result<Found> {
        let of_c = parts_beside(self.columns, c, self.replicates)?;
        self.found("candidate", c, of_c, control)
    }

    fn state(&self) -> Vec<(&'static str, ArrayD<f64>)> {
        Vec::new()
    }
}
