//! Metrics of first and second moments with their nulls. Level 4.
//!
//! Total variance, effective rank and participation ratio describe one sample: their value is that of C and
//! their null that of B. Of A they need a number, the total variance of each part, which fixes the unit in which
//! spectra are decomposed; the Fréchet distance needs the Gaussian of each part.

use std::sync::Arc;

use faer::Par;
use ndarray::{Array1, ArrayD, ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;

use super::{
    A, Estimate, Found, Halves, Replicates, Summary, check_smallest, estimate_on, kept,
    parts_beside,
};
use crate::control::Control;
use crate::covariance::{Anchor, Fit, Groups, beside, trace_of};
use crate::divergence::frechet::distance_by_factors;
use crate::error::Result;
use crate::gaussians::Gaussians;
use crate::rows::Rows;
use crate::spectrum::Spectrum;
use crate::subsets::Subsets;

/// The Gaussians fitted to A, and the metrics of B.
pub struct Moments {
    replicates: Replicates,
    columns: usize,
    anchors: Arc<Anchors>,
    null: Vec<Estimate>,
}

/// The Gaussian fitted to each subset of A.
enum Anchors {
    /// Of many rows: decomposed once.
    Factored(Vec<Anchor>),
    /// Of few rows, which are a factor as they are.
    Data(Groups, Subsets),
    /// The total variances alone: no distance is asked for.
    Traces(Vec<f64>),
}

/// The Fréchet distance of a sample, if asked for, and its spectrum.
type Measured = (f64, Spectrum);

const DISTANCE: &str = "frechet_distance";
/// What a metric takes of it.
type Reading = fn(&Measured) -> f64;

const OF_SPECTRUM: [(&str, Reading); 3] = [
    ("total_variance", |found| found.1.trace),
    ("effective_rank", |found| found.1.effective_rank),
    ("participation_ratio", |found| found.1.participation_ratio),
];

/// Prepares total variance, effective rank and participation ratio, before them the Fréchet distance where
/// `distance` asks for it.
///
/// All of them can sit where their first derivative is zero (no difference, all directions equal), where a
/// half-sample varies by more than the whole: draw complementary halves, which tell the two orders apart.
pub fn prepare(halves: &Halves<'_>, distance: bool, control: &Control) -> Result<Moments> {
    halves.check_smallest(2)?;
    let ([a, b], [of_a, of_b], replicates) = (&halves.rows, &halves.subsets, halves.replicates);
    control.begin("moments", (a.len() + b.len()) as u64);
    let anchors = Anchors::of(Groups::of(a, control)?, of_a.clone(), distance, control)?;
    let (anchors, columns) = (Arc::new(anchors), a.columns());
    let mut prepared = Moments { replicates, columns, anchors, null: Vec::new() };
    prepared.null = prepared.estimates(Groups::of(b, control)?, of_b.clone(), control)?;
    Ok(prepared)
}

/// The Gaussian of each subset of A: what [`Moments::restore`] takes where a distance is asked for.
pub fn gaussians_of_halves(
    a: &Rows<'_>,
    replicates: Replicates,
    control: &Control,
) -> Result<Gaussians> {
    replicates.check()?;
    Gaussians::of_subsets(a, &replicates.subsets(a.len(), A), control)
}

impl Anchors {
    fn of(groups: Groups, subsets: Subsets, distance: bool, control: &Control) -> Result<Self> {
        if distance && matches!(groups, Groups::Data(_)) {
            return Ok(Self::Data(groups, subsets));
        }
        let count = subsets.count();
        let fit = move |subset: usize| Fit::of_subset(&groups, &subsets, subset);
        Self::of_fits(count, fit, distance, control)
    }

    fn of_fits(
        count: usize,
        fit: impl Fn(usize) -> Fit + Send + Sync + 'static,
        distance: bool,
        control: &Control,
    ) -> Result<Self> {
        let inner = control.clone();
        control.detached(move || {
            let subsets = (0..count).into_par_iter();
            if distance {
                let anchor = |subset| inner.check().and_then(|()| Anchor::of(fit(subset)));
                return Ok(Self::Factored(subsets.map(anchor).collect::<Result<_>>()?));
            }
            let trace = |subset| inner.check().map(|()| trace_of(fit(subset)));
            Ok(Self::Traces(subsets.map(trace).collect::<Result<_>>()?))
        })?
    }

    /// The Fréchet distance of one subset of A to the fit of another sample, NaN if there is none, and the
    /// spectrum of that.
    fn meet(&self, mut other: Fit, subset: usize) -> Result<Measured> {
        let made;
        let anchor = match self {
            Self::Factored(anchors) => &anchors[subset],
            Self::Data(groups, subsets) => {
                made = Anchor::of(Fit::of_subset(groups, subsets, subset))?;
                &made
            }
            Self::Traces(traces) => {
                let unit = beside(traces[subset], &mut other);
                return Ok((f64::NAN, Spectrum::of(&other, unit)?));
            }
        };
        let (anchor, unit) = anchor.together(&mut other);
        let distance = distance_by_factors(&anchor, &other.factored()?, Par::Seq)?;
        Ok((distance * unit * unit, Spectrum::of(&other, unit)?))
    }
}

impl Moments {
    /// What was kept with a distance: the Gaussians of A, and the null.
    pub fn restore(
        replicates: Replicates,
        gaussians: Gaussians,
        null: ArrayView2<'_, f64>,
        control: &Control,
    ) -> Result<Self> {
        let names = names(true);
        let null = kept(&names, null, replicates)?;
        let (count, columns) = (1 + replicates.count, gaussians.columns());
        gaussians.check_count(count)?;
        let fit = move |subset: usize| gaussians.fit(subset);
        let anchors = Arc::new(Anchors::of_fits(count, fit, true, control)?);
        Ok(Self { replicates, columns, anchors, null })
    }

    /// What was kept without a distance: the total variances of A, and the null.
    pub fn restore_spectra(
        replicates: Replicates,
        columns: usize,
        traces: ArrayView1<'_, f64>,
        null: ArrayView2<'_, f64>,
    ) -> Result<Self> {
        let null = kept(&names(false), null, replicates)?;
        // As many as the parts that the null is of.
        let traces = kept(&[("total_variance", None)], traces.insert_axis(Axis(0)), replicates)?;
        let anchors = Arc::new(Anchors::Traces(traces[0].values.clone()));
        Ok(Self { replicates, columns, anchors, null })
    }

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
        let found: Vec<Measured> = control.detached(move || {
            let of = |subset| {
                inner.check()?;
                let found = anchors.meet(Fit::of_subset(&groups, &subsets, subset), subset)?;
                inner.advance(1)?;
                Ok(found)
            };
            (0..count).into_par_iter().map(of).collect::<Result<_>>()
        })??;
        let halves = self.replicates.halves();
        let estimate = |metric, of: Reading| {
            estimate_on(halves.clone(), metric, None, |subset| of(&found[subset]))
        };
        let distance = matches!(self.anchors.as_ref(), Anchors::Factored(_) | Anchors::Data(..));
        let distance = distance.then(|| estimate(DISTANCE, |found| found.0));
        let spectra = OF_SPECTRUM.into_iter().map(|(metric, of)| estimate(metric, of));
        Ok(distance.into_iter().chain(spectra).collect())
    }
}

/// The metrics, in the order of the null.
fn names(distance: bool) -> Vec<(&'static str, Option<f64>)> {
    let spectra = OF_SPECTRUM.into_iter().map(|(metric, _)| metric);
    distance.then_some(DISTANCE).into_iter().chain(spectra).map(|metric| (metric, None)).collect()
}

impl Summary for Moments {
    fn null(&self) -> Found {
        Ok(self.null.clone())
    }

    fn value(&self, c: &Rows<'_>, control: &Control) -> Result<Found> {
        let of_c = parts_beside(self.columns, c, self.replicates)?;
        check_smallest(of_c.smallest(), 2, "candidate")?;
        control.begin("moments", c.len() as u64);
        Ok(Ok(self.estimates(Groups::of(c, control)?, of_c, control)?))
    }

    /// The total variances; of a distance the factors would be twice the numbers of [`gaussians_of_halves`].
    fn state(&self) -> Vec<(&'static str, ArrayD<f64>)> {
        match self.anchors.as_ref() {
            Anchors::Traces(traces) => {
                vec![("traces", Array1::from_vec(traces.clone()).into_dyn())]
            }
            Anchors::Factored(_) | Anchors::Data(..) => Vec::new(),
        }
    }
}
