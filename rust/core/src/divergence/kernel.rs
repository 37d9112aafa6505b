//! Kernel mean embeddings: squared MMD and energy distance. Level 3.
//!
//! MMD² = mean k(x, x') + mean k(y, y') − 2 mean k(x, y) (Gretton et al. 2012). As a U-statistic the
//! within means leave the diagonal out; as a V-statistic they keep it. The energy distance
//! 2E‖x−y‖ − E‖x−x'‖ − E‖y−y'‖ (Székely & Rizzo 2013) is the same with k = −‖x−y‖.
//!
//! | kernel | k(x, y) |
//! |---|---|
//! | polynomial | (γ⟨x, y⟩ + c)^degree |
//! | Gaussian | exp(−‖x−y‖²/2σ²) |
//! | distance | −‖x−y‖ |
//!
//! The polynomial and the distance are summed without their large parts, which cancel in MMD² (`expansion`,
//! `form`); distances come from inner products of centred rows and are measured directly where those cancel (`pairs`, with
//! the bounds). Several kernels share one pass over the pairs. Cost: (n² + m²)/2 + n·m inner products of d
//! columns, O(n + m) memory.

use super::frame::Frame;
use super::pairs::{PairSums, pair_sums};
use crate::control::Control;
use crate::error::{Error, Result};
use crate::rows::{Rows, check_pair, check_rows};

/// The largest degree: what a row makes of the expansion grows as its square.
pub const MOST_DEGREE: u32 = 64;

/// A kernel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kernel {
    /// (γ⟨x, y⟩ + c)^degree.
    Polynomial {
        /// The exponent, from 1.
        degree: u32,
        /// The factor of the inner product.
        gamma: f64,
        /// The constant c.
        coef0: f64,
    },
    /// exp(−‖x−y‖²/2σ²).
    Gaussian {
        /// The bandwidth σ.
        bandwidth: f64,
    },
    /// −‖x−y‖, whose MMD² is the energy distance.
    Distance,
}

impl Kernel {
    fn check(self) -> Result<()> {
        match self {
            Self::Polynomial { degree, .. } if !(1..=MOST_DEGREE).contains(&degree) => {
                Err(Error::input("degree").expected(format_args!("1 to {MOST_DEGREE}")).got(degree))
            }
            Self::Polynomial { gamma, .. } if !(gamma > 0.0 && gamma.is_finite()) => {
                Err(Error::input("gamma").expected("a positive number").got(gamma))
            }
            Self::Polynomial { coef0, .. } if !coef0.is_finite() => {
                Err(Error::input("coef0").expected("a finite number").got(coef0))
            }
            Self::Gaussian { bandwidth } if !(bandwidth > 0.0 && bandwidth.is_finite()) => {
                Err(Error::input("bandwidth")
                    .expected("a positive number")
                    .got(format_args!("{bandwidth} (are all rows equal?)")))
            }
            _ => Ok(()),
        }
    }
}

/// Squared MMD between two samples.
pub fn mmd(
    reference: &Rows<'_>,
    candidate: &Rows<'_>,
    kernel: Kernel,
    unbiased: bool,
    control: &Control,
) -> Result<f64> {
    let mut found = several(reference, candidate, &[kernel], unbiased, control)?;
    found.pop().unwrap_or_else(|| Err(overflow(kernel)))
}

/// Squared MMD between two samples with each of several kernels, from one pass over the pairs. A kernel
/// whose values overflow fails alone.
pub fn several(
    reference: &Rows<'_>,
    candidate: &Rows<'_>,
    kernels: &[Kernel],
    unbiased: bool,
    control: &Control,
) -> Result<Vec<Result<f64>>> {
    check_pair(reference, "reference", candidate, "candidate")?;
    let least = if unbiased { 2 } else { 1 };
    check_rows(reference, "reference", least)?;
    check_rows(candidate, "candidate", least)?;
    let sums = TwoSampleSums::of(reference, candidate, kernels, control)?;
    Ok((0..kernels.len()).map(|index| sums.value(index, unbiased)).collect())
}

/// Sums of kernels over the pairs within and across two samples.
pub(crate) struct TwoSampleSums<'a> {
    kernels: &'a [Kernel],
    pub(crate) within_x: Vec<PairSums>,
    pub(crate) within_y: Vec<PairSums>,
    pub(crate) across: Vec<PairSums>,
}

impl<'a> TwoSampleSums<'a> {
    /// The sums, in one pass for all kernels.
    pub(crate) fn of(
        reference: &Rows<'_>,
        candidate: &Rows<'_>,
        kernels: &'a [Kernel],
        control: &Control,
    ) -> Result<Self> {
        check_kernels(kernels)?;
        let (n, m) = (reference.len(), candidate.len());
        control.begin("kernels", (n * n + m * m + n * m) as u64);
        let frame = Frame::of(&[reference, candidate], control)?;
        let across = pair_sums(reference, Some(candidate), kernels, &frame, control)?;
        let within_x = pair_sums(reference, None, kernels, &frame, control)?;
        let within_y = pair_sums(candidate, None, kernels, &frame, control)?;
        Ok(Self { kernels, within_x, within_y, across })
    }

    /// Squared MMD with a kernel, or that it overflows.
    pub(crate) fn value(&self, index: usize, unbiased: bool) -> Result<f64> {
        let within = |sums: &PairSums| {
            let count = sums.rows.len() as f64;
            if unbiased {
                sums.total() / (count * (count - 1.0))
            } else {
                (sums.total() + sums.diagonal.iter().sum::<f64>()) / (count * count)
            }
        };
        let (x, y) = (&self.within_x[index], &self.within_y[index]);
        let across = self.across[index].total() / (x.rows.len() as f64 * y.rows.len() as f64);
        let value = within(x) + within(y) - 2.0 * across;
        if value.is_finite() { Ok(value) } else { Err(overflow(self.kernels[index])) }
    }
}

/// Fails at the first kernel whose parameters are no kernel's.
pub(crate) fn check_kernels(kernels: &[Kernel]) -> Result<()> {
    kernels.iter().try_for_each(|kernel| kernel.check())
}

/// What is said of a kernel whose values are too large to be summed.
pub(crate) fn overflow(kernel: Kernel) -> Error {
    let name = match kernel {
        Kernel::Polynomial { .. } => "polynomial",
        Kernel::Gaussian { .. } => "Gaussian",
        Kernel::Distance => "distance",
    };
    Error::numerical(format_args!("{name} kernel"))
        .problem("values overflow")
        .hint("rescale the data, or leave this metric out")
}
