//! A kernel as a function of what a tile holds: inner products and squared distances. Level 3.

use tailwatch_kernels::{Isa, distances, gaussians};

use super::expansion::Expansion;
use super::frame::Frame;
use super::kernel::Kernel;

/// A kernel of scaled, centred rows.
pub(crate) enum Form {
    Polynomial { expansion: Expansion, gamma: f64, scaled: f64 },
    Gaussian { rate: f64 },
    Distance { scale: f64 },
}

/// What the polynomial kernel needs of the rows on the left; empty for others.
pub(crate) struct Side {
    /// u = γ⟨μ, x−μ⟩ of each row.
    along: Vec<f64>,
    /// What u makes of the expansion.
    coefficients: Vec<f64>,
}

impl Form {
    pub(crate) fn of(kernel: Kernel, frame: &Frame) -> Self {
        let scale = frame.scale();
        match kernel {
            Kernel::Polynomial { degree, gamma, coef0 } => Self::Polynomial {
                expansion: Expansion::about(degree, gamma * frame.origin_norm() + coef0),
                gamma,
                scaled: gamma / scale / scale,
            },
            Kernel::Gaussian { bandwidth } => {
                let scaled = bandwidth * scale;
                Self::Gaussian { rate: (2.0 * scaled * scaled).recip() }
            }
            Kernel::Distance => Self::Distance { scale: scale.recip() },
        }
    }

    /// Whether squared distances are asked for.
    pub(crate) fn is_of_distances(&self) -> bool {
        !matches!(self, Self::Polynomial { .. })
    }

    /// γ⟨μ, x−μ⟩, from ⟨μ, x−μ⟩ of rows; zeros if that is not asked for.
    pub(crate) fn along(&self, along: &[f64]) -> Vec<f64> {
        let gamma = if let Self::Polynomial { gamma, .. } = self { *gamma } else { 0.0 };
        along.iter().map(|along| gamma * along).collect()
    }

    /// The left side, from ⟨μ, x−μ⟩ of its rows.
    pub(crate) fn side(&self, along: &[f64]) -> Side {
        let along = self.along(along);
        let coefficients = match self {
            Self::Polynomial { expansion, .. } => expansion.coefficients(&along),
            _ => Vec::new(),
        };
        Side { along, coefficients }
    }

    /// Writes the values of a tile, whose rows begin at `first` of the left side and whose columns have
    /// γ⟨μ, y−μ⟩ = `v`.
    pub(crate) fn values(
        &self,
        isa: Isa,
        (products, squared): (&[f64], &[f64]),
        (side, first): (&Side, usize),
        v: &[f64],
        out: &mut [f64],
    ) {
        match self {
            Self::Gaussian { rate } => gaussians(isa, squared, *rate, out),
            Self::Distance { scale } => distances(isa, squared, *scale, out),
            Self::Polynomial { expansion, scaled, .. } => {
                let rows = products.chunks_exact(v.len()).zip(out.chunks_exact_mut(v.len()));
                for (row, (products, out)) in (first..).zip(rows) {
                    let row = (row, side.along[row], &side.coefficients[..]);
                    expansion.second_differences(isa, products, *scaled, row, v, out);
                }
            }
        }
    }

    /// The kernel of rows with themselves, from ⟨x, x⟩ and ⟨μ, x−μ⟩ of each.
    pub(crate) fn diagonal(&self, isa: Isa, norms: &[f64], along: &[f64]) -> Vec<f64> {
        match self {
            Self::Gaussian { .. } => vec![1.0; norms.len()],
            Self::Distance { .. } => vec![0.0; norms.len()],
            Self::Polynomial { .. } => {
                let side = self.side(along);
                let mut values = vec![0.0; norms.len()];
                for (row, value) in values.iter_mut().enumerate() {
                    let (norm, v) = (&norms[row..=row], &side.along[row..=row]);
                    self.values(isa, (norm, &[]), (&side, row), v, std::slice::from_mut(value));
                }
                values
            }
        }
    }
}
