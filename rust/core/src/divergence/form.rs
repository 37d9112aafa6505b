//! A kernel as a function of what a tile holds: inner products and squared distances. Level 3.
//!
//! What depends on one row of a pair cancels in MMD² and in the variances of its projections, and is left out
//! where it is large. Of the polynomial that is in `expansion`. Of the distance it is the length of each centred
//! row: ‖x‖ + ‖y‖ − ‖x−y‖ is at most twice the shorter of both, so that a far row leaves the digits of the
//! others. It is computed as it stands where the rows are near, else as 2(‖x‖‖y‖ + ⟨x, y⟩) over the sum of the
//! three.

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

/// What a kernel needs of the rows on the left.
pub(crate) struct Side {
    /// Of the polynomial u = γ⟨μ, x−μ⟩ of each row, of the distance its length.
    each: Vec<f64>,
    /// What u makes of the expansion; else empty.
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

    /// What the kernel takes of each row by itself, from ‖x−μ‖² and ⟨μ, x−μ⟩ of rows: γ⟨μ, x−μ⟩ or ‖x−μ‖;
    /// zeros if it takes nothing.
    pub(crate) fn each(&self, norms: &[f64], along: &[f64]) -> Vec<f64> {
        match self {
            Self::Polynomial { gamma, .. } => along.iter().map(|along| gamma * along).collect(),
            Self::Distance { .. } => norms.iter().map(|norm| norm.sqrt()).collect(),
            Self::Gaussian { .. } => vec![0.0; norms.len()],
        }
    }

    /// The left side, from ‖x−μ‖² and ⟨μ, x−μ⟩ of its rows.
    pub(crate) fn side(&self, norms: &[f64], along: &[f64]) -> Side {
        let each = self.each(norms, along);
        let coefficients = match self {
            Self::Polynomial { expansion, .. } => expansion.coefficients(&each),
            _ => Vec::new(),
        };
        Side { each, coefficients }
    }

    /// Writes the values of a tile, whose rows begin at `first` of the left side and whose columns have `v` by
    /// themselves.
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
            Self::Distance { scale } => {
                distances(isa, squared, 1.0, out);
                let rows = products.chunks_exact(v.len()).zip(out.chunks_exact_mut(v.len()));
                for ((products, out), length) in rows.zip(&side.each[first..]) {
                    for ((out, product), other) in out.iter_mut().zip(products).zip(v) {
                        *out = scale * shortfall(*length, *other, *product, -*out);
                    }
                }
            }
            Self::Polynomial { expansion, scaled, .. } => {
                let rows = products.chunks_exact(v.len()).zip(out.chunks_exact_mut(v.len()));
                for (row, (products, out)) in (first..).zip(rows) {
                    let row = (row, side.each[row], &side.coefficients[..]);
                    expansion.second_differences(isa, products, *scaled, row, v, out);
                }
            }
        }
    }

    /// The kernel of rows with themselves, from ⟨x, x⟩ and ⟨μ, x−μ⟩ of each.
    pub(crate) fn diagonal(&self, isa: Isa, norms: &[f64], along: &[f64]) -> Vec<f64> {
        match self {
            Self::Gaussian { .. } => vec![1.0; norms.len()],
            Self::Distance { scale } => {
                norms.iter().map(|norm| 2.0 * scale * norm.sqrt()).collect()
            }
            Self::Polynomial { .. } => {
                let side = self.side(norms, along);
                let mut values = vec![0.0; norms.len()];
                for (row, value) in values.iter_mut().enumerate() {
                    let (norm, v) = (&norms[row..=row], &side.each[row..=row]);
                    self.values(isa, (norm, &[]), (&side, row), v, std::slice::from_mut(value));
                }
                values
            }
        }
    }
}

/// ‖x‖ + ‖y‖ − ‖x−y‖ from the three lengths and ⟨x, y⟩.
#[inline]
fn shortfall(x: f64, y: f64, product: f64, apart: f64) -> f64 {
    let sum = x + y;
    let near = sum - apart;
    let far = 2.0 * (x * y + product) / (sum + apart);
    // Of far rows the difference cancels, of copies the product is no better than its rounding.
    if 2.0 * apart > sum { far } else { near }
}
