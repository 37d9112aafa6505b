//! Fréchet distance. Level 3.
//!
//! ‖μ_X − μ_Y‖² + tr(Σ_X + Σ_Y − 2(Σ_XΣ_Y)^{1/2}) (Dowson & Landau 1982; Heusel et al. 2017), covariances
//! with ddof = 1. With factors Σ = F·Fᵀ the last trace is the sum of the singular values of F_Xᵀ·F_Y:
//! never complex, and without the loss that a square root of small eigenvalues brings. With n ≤ d rows
//! the centred data themselves are the factor. Cost: O(n·d²) + O(min(n, d)³) time, O(d²) memory.

use faer::{Mat, Par};
use ndarray::{ArrayView1, ArrayView2};

use crate::control::Control;
use crate::covariance::{Factored, Fit, Material, to_unit_scale};
use crate::error::{Error, Result};
use crate::gaussians::Gaussians;
use crate::nuclear::nuclear_norm_of_product;
use crate::rows::{Rows, check_columns, check_pair, check_rows};

/// Fréchet distance between two samples.
pub fn frechet_distance(
    reference: &Rows<'_>,
    candidate: &Rows<'_>,
    control: &Control,
) -> Result<f64> {
    check_pair(reference, "reference", candidate, "candidate")?;
    check_rows(reference, "reference", 2)?;
    check_rows(candidate, "candidate", 2)?;
    control.begin("moments", (reference.len() + candidate.len()) as u64);
    let (x, y) = (Material::of(reference, control)?, Material::of(candidate, control)?);
    let par = Par::rayon(control.threads());
    control.detached(move || distance(&mut [Fit::of(&x), Fit::of(&y)], par))?
}

/// Fréchet distance of a sample to the first of some Gaussians, those of a reference.
pub fn frechet_distance_to(
    reference: &Gaussians,
    candidate: &Rows<'_>,
    control: &Control,
) -> Result<f64> {
    check_columns(candidate, "candidate", reference.columns())?;
    check_rows(candidate, "candidate", 2)?;
    reference.check_count(1)?;
    control.begin("moments", candidate.len() as u64);
    let (x, y) = (reference.fit(0), Material::of(candidate, control)?);
    let par = Par::rayon(control.threads());
    control.detached(move || distance(&mut [x, Fit::of(&y)], par))?
}

/// A mean and a covariance, of which the lower triangle is read.
pub type Gaussian<'a> = (ArrayView1<'a, f64>, ArrayView2<'a, f64>);

/// Fréchet distance between two Gaussians.
pub fn frechet_of_moments(
    reference: Gaussian<'_>,
    candidate: Gaussian<'_>,
    control: &Control,
) -> Result<f64> {
    let d = reference.0.len();
    for (name, (mean, covariance)) in [("reference", reference), ("candidate", candidate)] {
        if (mean.len(), covariance.dim()) != (d, (d, d)) {
            return Err(Error::dimension(name)
                .expected(format_args!("{d} means and {d} x {d} covariances"))
                .got(format_args!("{} and {:?}", mean.len(), covariance.dim())));
        }
    }
    let fit = |(mean, covariance): Gaussian<'_>| {
        Fit::of_covariance(mean.to_vec(), Mat::from_fn(d, d, |i, j| covariance[(i, j)]))
    };
    let mut fits = [fit(reference), fit(candidate)];
    let par = Par::rayon(control.threads());
    control.detached(move || distance(&mut fits, par))?
}

/// Fréchet distance between two fits, at whatever scale.
fn distance(fits: &mut [Fit; 2], par: Par) -> Result<f64> {
    let unit = to_unit_scale(fits);
    Ok(distance_of(&fits[0], &fits[1], par)? * unit * unit)
}

/// Fréchet distance of two fits, both factors at once where `par` allows.
pub(crate) fn distance_of(first: &Fit, second: &Fit, par: Par) -> Result<f64> {
    let (first, second) = rayon::join(|| first.factored(), || second.factored());
    distance_by_factors(&first?, &second?, par)
}

/// Fréchet distance of two fits with their factors at hand.
pub(crate) fn distance_by_factors(first: &Factored, second: &Factored, par: Par) -> Result<f64> {
    let shift: f64 = first.mean.iter().zip(&second.mean).map(|(a, b)| (a - b) * (a - b)).sum();
    let cross = nuclear_norm_of_product(first.factor.as_ref(), second.factor.as_ref(), par)?;
    // Zero or more by definition; rounding may end just below.
    Ok((shift + first.trace + second.trace - 2.0 * cross).max(0.0))
}
