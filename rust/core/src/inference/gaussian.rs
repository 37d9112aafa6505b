//! Metrics of first and second moments with their nulls. Level 4.

use std::sync::Arc;

use faer::Par;
use rayon::prelude::*;

use super::{Estimate, Trio};
use crate::control::Control;
use crate::covariance::{Fit, Groups, to_unit_scale};
use crate::divergence::frechet::distance_by_factors;
use crate::error::{Error, Result};
use crate::spectrum::Spectrum;

/// Fréchet distance, total variance, effective rank and participation ratio.
///
/// The last three describe one sample: their value is that of C and their null that of B. All of them can
/// sit where their first derivative is zero (no difference, all directions equal), where a half-sample
/// varies by more than the whole: draw complementary halves, which tell the two orders apart.
pub fn gaussian_metrics(trio: &Trio<'_>, control: &Control) -> Result<Vec<Estimate>> {
    if trio.smallest() < 2 {
        return Err(Error::input("reference")
            .expected("at least 2 rows in each half-sample")
            .got(trio.smallest()));
    }
    control.begin("moments", trio.rows.iter().map(|rows| rows.len() as u64).sum());
    let groups: Vec<Groups> =
        trio.rows.iter().map(|rows| Groups::of(rows, control)).collect::<Result<_>>()?;
    let (groups, subsets) = (Arc::new(groups), trio.subsets.clone());
    let count = trio.count();
    control.begin("spectra", count as u64);
    let inner = control.clone();
    let found: Vec<Moment> = control.detached(move || {
        (0..count)
            .into_par_iter()
            .map(|subset| {
                inner.check()?;
                let mut fits = [0, 1, 2].map(|i| Fit::of_subset(&groups[i], &subsets[i], subset));
                let unit = to_unit_scale(&mut fits);
                let [a, b, c] = fits;
                let (of_a, of_b, of_c) = (a.factor()?, b.factor()?, c.factor()?);
                let moment = Moment {
                    frechet: [(&b, &of_b), (&c, &of_c)]
                        .map(|(fit, factor)| {
                            distance_by_factors(
                                (&a, of_a.as_ref()),
                                (fit, factor.as_ref()),
                                Par::Seq,
                            )
                        })
                        .into_iter()
                        .map(|distance| Ok(distance? * unit * unit))
                        .collect::<Result<Vec<_>>>()?,
                    spectrum: [Spectrum::of(&b, unit)?, Spectrum::of(&c, unit)?],
                };
                inner.advance(1)?;
                Ok(moment)
            })
            .collect::<Result<_>>()
    })??;
    let unary = |metric, of: fn(&Spectrum) -> f64| {
        trio.estimate(metric, None, |s| (of(&found[s].spectrum[1]), of(&found[s].spectrum[0])))
    };
    Ok(vec![
        trio.estimate("frechet_distance", None, |s| (found[s].frechet[1], found[s].frechet[0])),
        unary("total_variance", |spectrum| spectrum.trace),
        unary("effective_rank", |spectrum| spectrum.effective_rank),
        unary("participation_ratio", |spectrum| spectrum.participation_ratio),
    ])
}

/// Of one subset, B first and C second.
struct Moment {
    frechet: Vec<f64>,
    spectrum: [Spectrum; 2],
}
