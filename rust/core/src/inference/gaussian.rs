//! Metrics of first and second moments with their nulls. Level 4.

use std::sync::Arc;

use faer::Par;
use rayon::prelude::*;

use super::{Estimate, Found, Halves, Prepared, Replicates, check_smallest, estimate_on, parts_of};
use crate::control::Control;
use crate::covariance::{Anchor, Fit, Groups};
use crate::divergence::frechet::distance_by_factors;
use crate::error::Result;
use crate::rows::Rows;
use crate::spectrum::Spectrum;
use crate::subsets::Subsets;

/// The Gaussians fitted to A, and the metrics of B.
struct Moments {
    replicates: Replicates,
    anchors: Arc<Anchors>,
    null: Vec<Estimate>,
}

/// The Gaussian fitted to each subset of A.
enum Anchors {
    /// Of many rows: decomposed once.
    Factored(Vec<Anchor>),
    /// Of few rows, which are a factor as they are.
    Data(Groups, Subsets),
}

/// Prepares Fréchet distance, total variance, effective rank and participation ratio.
///
/// The last three describe one sample: their value is that of C and their null that of B. All of them can
/// sit where their first derivative is zero (no difference, all directions equal), where a half-sample
/// varies by more than the whole: draw complementary halves, which tell the two orders apart.
pub fn prepare(halves: &Halves<'_>, control: &Control) -> Result<Box<dyn Prepared>> {
    halves.check_smallest(2)?;
    let ([a, b], [of_a, of_b], replicates) = (&halves.rows, &halves.subsets, halves.replicates);
    control.begin("moments", (a.len() + b.len()) as u64);
    let anchors = Arc::new(Anchors::of(Groups::of(a, control)?, of_a, control)?);
    let mut prepared = Moments { replicates, anchors, null: Vec::new() };
    prepared.null = prepared.estimates(Groups::of(b, control)?, of_b.clone(), control)?;
    Ok(Box::new(prepared))
}

impl Anchors {
    fn of(groups: Groups, subsets: &Subsets, control: &Control) -> Result<Self> {
        let (subsets, inner) = (subsets.clone(), control.clone());
        if matches!(groups, Groups::Data(_)) {
            return Ok(Self::Data(groups, subsets));
        }
        let found: Result<Vec<Anchor>> = control.detached(move || {
            let of = |subset| {
                inner.check()?;
                Anchor::of(Fit::of_subset(&groups, &subsets, subset))
            };
            (0..subsets.count()).into_par_iter().map(of).collect()
        })?;
        Ok(Self::Factored(found?))
    }

    /// The Fréchet distance of one subset of A to the fit of another sample, and the spectrum of that.
    fn meet(&self, mut other: Fit, subset: usize) -> Result<(f64, Spectrum)> {
        let made;
        let anchor = match self {
            Self::Factored(anchors) => &anchors[subset],
            Self::Data(groups, subsets) => {
                made = Anchor::of(Fit::of_subset(groups, subsets, subset))?;
                &made
            }
        };
        let (anchor, unit) = anchor.together(&mut other);
        let distance = distance_by_factors(&anchor, &other.factored()?, Par::Seq)?;
        Ok((distance * unit * unit, Spectrum::of(&other, unit)?))
    }
}

impl Moments {
    /// The metrics of the sample that `groups` are of.
    fn estimates(
        &self,
        groups: Groups,
        subsets: Subsets,
        control: &Control,
    ) -> Result<Vec<Estimate>> {
        let (count, inner) = (subsets.count(), control.clone());
        let anchors = Arc::clone(&self.anchors);
        control.begin("spectra", count as u64);
        let found: Vec<(f64, Spectrum)> = control.detached(move || {
            let of = |subset| {
                inner.check()?;
                let found = anchors.meet(Fit::of_subset(&groups, &subsets, subset), subset)?;
                inner.advance(1)?;
                Ok(found)
            };
            (0..count).into_par_iter().map(of).collect::<Result<_>>()
        })??;
        let halves = self.replicates.halves();
        let estimate = |metric, of: fn(&(f64, Spectrum)) -> f64| {
            estimate_on(halves.clone(), metric, None, |subset| of(&found[subset]))
        };
        Ok(vec![
            estimate("frechet_distance", |found| found.0),
            estimate("total_variance", |found| found.1.trace),
            estimate("effective_rank", |found| found.1.effective_rank),
            estimate("participation_ratio", |found| found.1.participation_ratio),
        ])
    }
}

impl Prepared for Moments {
    fn null(&self) -> Found {
        Ok(self.null.clone())
    }

    fn value(&self, a: &Rows<'_>, c: &Rows<'_>, control: &Control) -> Result<Found> {
        let of_c = parts_of(a, c, self.replicates)?;
        check_smallest(of_c.smallest(), 2, "candidate")?;
        control.begin("moments", c.len() as u64);
        Ok(Ok(self.estimates(Groups::of(c, control)?, of_c, control)?))
    }
}
