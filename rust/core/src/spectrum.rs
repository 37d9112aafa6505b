//! Spectrum of a sample: how its variance is spread over directions. Level 3.
//!
//! Eigenvalues λ of the covariance (ddof = 1); trace Σλ; log-determinant Σ ln λ; effective rank
//! exp(H(λ/Σλ)) (Roy & Vetterli 2007); participation ratio (Σλ)²/Σλ². Cost: O(n·d²) + O(min(n, d)³).

use crate::control::Control;
use crate::covariance::{Fit, Material, to_unit_scale};
use crate::error::Result;
use crate::rows::{Rows, check_rows};

/// How the variance of a sample is spread.
#[derive(Clone, Debug, PartialEq)]
pub struct Spectrum {
    /// Eigenvalues of the covariance, descending.
    pub eigenvalues: Vec<f64>,
    /// Their sum, the total variance.
    pub trace: f64,
    /// The sum of their logarithms; −∞ if one is 0.
    pub log_det: f64,
    /// The exponential of the entropy of their shares; 0 for a constant sample.
    pub effective_rank: f64,
    /// The square of their sum over the sum of their squares; 0 for a constant sample.
    pub participation_ratio: f64,
}

/// The spectrum of all rows.
pub fn spectrum(rows: &Rows<'_>, control: &Control) -> Result<Spectrum> {
    check_rows(rows, "embeddings", 2)?;
    control.begin("moments", rows.len() as u64);
    let material = Material::of(rows, control)?;
    control.detached(move || {
        let mut fit = [Fit::of(&material)];
        let unit = to_unit_scale(&mut fit);
        Spectrum::of(&fit[0], unit)
    })?
}

impl Spectrum {
    /// The spectrum of a fit in which 1 stands for the length `unit`.
    pub(crate) fn of(fit: &Fit, unit: f64) -> Result<Self> {
        let area = unit * unit;
        let eigenvalues: Vec<f64> =
            fit.eigenvalues()?.into_iter().map(|value| value * area).collect();
        let trace = fit.trace() * area;
        let shares = || eigenvalues.iter().filter(|&&value| value > 0.0).map(|value| value / trace);
        let spread = trace > 0.0;
        Ok(Self {
            log_det: eigenvalues.iter().map(|value| value.ln()).sum(),
            effective_rank: if spread {
                (-shares().map(|p| p * p.ln()).sum::<f64>()).exp()
            } else {
                0.0
            },
            participation_ratio: if spread {
                shares().map(|p| p * p).sum::<f64>().recip()
            } else {
                0.0
            },
            trace,
            eigenvalues,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, arr2};

    #[test]
    fn two_equal_directions_have_rank_two_and_few_rows_the_same_spectrum() {
        // Rows ± along two axes: covariance diag(2/3, 2/3) with ddof = 1.
        let data = arr2(&[[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]);
        let control = Control::with_threads(1);
        let found = spectrum(&Rows::from_f64(data.view()), &control).unwrap();
        assert!(
            (found.trace - 4.0 / 3.0).abs() < 1e-15 && (found.effective_rank - 2.0).abs() < 1e-14
        );
        assert!((found.log_det - 2.0 * (2.0_f64 / 3.0).ln()).abs() < 1e-14);
        // The same rows in a wider space take the other route.
        let mut wide = Array2::zeros((4, 9));
        for (place, value) in data.indexed_iter() {
            wide[[place.0, place.1 + 3]] = *value;
        }
        let wide = spectrum(&Rows::from_f64(wide.view()), &control).unwrap();
        assert!(
            (wide.participation_ratio - 2.0).abs() < 1e-14 && wide.log_det == f64::NEG_INFINITY
        );
        assert_eq!(wide.eigenvalues.len(), 9);
    }

    #[test]
    fn a_constant_sample_has_no_spread() {
        let data = Array2::from_elem((50, 3), 7.3);
        let found = spectrum(&Rows::from_f64(data.view()), &Control::with_threads(1)).unwrap();
        assert_eq!((found.trace, found.effective_rank, found.participation_ratio), (0.0, 0.0, 0.0));
    }
}
