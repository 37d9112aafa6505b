//! Squared MMD and energy distance with their nulls and closed variances. Level 4.
//!
//! The variance of the two-sample U-statistic has a first-order part, the variance of the projections
//! g(x) = 2(mean k(x, ·) within − mean k(x, ·) across), and a second-order part
//! V₂ = 2E k̃²(x,x')/n(n−1) + 2E k̃²(y,y')/m(m−1) + 4E k̃²(x,y)/nm with k̃ the doubly centred kernel
//! (Hoeffding's decomposition). Projections and k̃ are those of the fit k(xᵢ,xⱼ) = μ + αᵢ + αⱼ + k̃ᵢⱼ by least
//! squares over pairs of different rows, which is U-centring (Székely and Rizzo, 2014): unbiased, and the same
//! whatever depends on one row alone and is added to the kernel, such as the origin of distances. A and B have
//! the same distribution, so for the null the first-order part is zero and V₂ is its variance. The first-order
//! part grows in proportion to the distance: along an eigenfunction of the kernel with eigenvalue λ, where the
//! means of the samples differ by δ, the distance
//! is λδ² and the first-order variance 4λ·λδ²(1/n + 1/m). What a unit of distance adds, the slope, has two
//! estimates. V_projections, the variance of the means of g, over the V-statistic: both are sums over
//! eigenfunctions, of λ²δ² and of λδ² with δ as it was sampled, never negative, but of the sampling error as
//! much as of the distance. And, of the distance alone, (V_projections − 2V₂) over the U-statistic, as the
//! error puts 2V₂ into V_projections on average: noisy at a small distance z√V₂, with a variance as z⁻². They
//! are weighted by their precision, as 9 to z².
//! Cost: three and a half products of h × h pairs, whatever the number of kernels.

use super::Trio;
use crate::control::Control;
use crate::divergence::frame::Frame;
use crate::divergence::kernel::{Kernel, check_kernels, overflow};
use crate::divergence::pairs::{PairSums, pair_sums};
use crate::error::{Error, Result};
use crate::rows::Rows;

/// The distance, in standard deviations of one that is zero, from which on its own slope counts for more than
/// that of the sampling error.
const CLEAR: f64 = 3.0;

/// A statistic, its null and their sampling variances.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KernelEstimate {
    /// MMD²(A, C).
    pub value: f64,
    /// MMD²(A, B).
    pub null: f64,
    /// Variance of the value, were its distance zero.
    pub value_variance: f64,
    /// Variance of the null.
    pub null_variance: f64,
    /// Variance of value − null, which share A, were its distance zero.
    pub difference_variance: f64,
    /// What a unit of distance adds to the variance of the value and of the difference.
    pub slope: f64,
}

/// Unbiased squared MMD with each kernel of C and of B against A, from one pass over the pairs. A kernel
/// whose values overflow fails alone.
pub fn kernel_metrics(
    trio: &Trio<'_>,
    kernels: &[Kernel],
    control: &Control,
) -> Result<Vec<Result<KernelEstimate>>> {
    let [a, b, c] = &trio.rows;
    let least = trio.rows.iter().map(Rows::len).min().unwrap_or(0);
    if least < 4 {
        return Err(Error::input("reference").expected("at least 4 rows in each half").got(least));
    }
    check_kernels(kernels)?;
    control.begin("kernels", 5 * (a.len() * a.len()) as u64);
    let frame = Frame::of(&[a, b, c], control)?;
    let sums = |x: &Rows<'_>, y: Option<&Rows<'_>>| pair_sums(x, y, kernels, &frame, control);
    let within = [sums(a, None)?, sums(b, None)?, sums(c, None)?];
    let across = [sums(a, Some(b))?, sums(a, Some(c))?];
    let estimate = |(index, &kernel): (usize, &Kernel)| {
        let within = within.each_ref().map(|sums| Within::of(&sums[index]));
        let across = across.each_ref().map(|sums| Across::of(&sums[index]));
        estimate(&within, &across).ok_or_else(|| overflow(kernel))
    };
    Ok(kernels.iter().enumerate().map(estimate).collect())
}

/// The estimate of one kernel from A, B, C within and A with B and C; none if it overflows.
fn estimate(within: &[Within; 3], across: &[Across; 2]) -> Option<KernelEstimate> {
    let [of_a, of_b, of_c] = within;
    let [with_b, with_c] = across;
    let second = |x: &Within, y: &Within, across: &Across| {
        x.second_order() + y.second_order() + across.second_order()
    };
    let value_variance = second(of_a, of_c, with_c);
    let value = statistic(of_a, of_c, with_c);
    let null = statistic(of_a, of_b, with_b);
    let slope = slope(of_a, of_c, with_c, value, value_variance);
    // A maximum hides what is not a number, so a variance alone does not tell.
    if ![value, null, value_variance, slope].into_iter().all(f64::is_finite) {
        return None;
    }
    let null_variance = second(of_a, of_b, with_b);
    // In the difference the within-A term cancels.
    let difference_variance = second(of_b, of_c, with_b) + with_c.second_order();
    Some(KernelEstimate { value, null, value_variance, null_variance, difference_variance, slope })
}

/// The U-statistic.
fn statistic(of_x: &Within, of_y: &Within, across: &Across) -> f64 {
    of_x.mean + of_y.mean - 2.0 * mean(&across.rows)
}

/// The first-order variance that a unit of the distance has.
fn slope(of_x: &Within, of_y: &Within, across: &Across, value: f64, second_order: f64) -> f64 {
    let from_x = combine(&of_x.effects, &across.rows, 2.0);
    let from_y = combine(&of_y.effects, &across.columns, 2.0);
    let projections =
        variance(&from_x) / from_x.len() as f64 + variance(&from_y) / from_y.len() as f64;
    if projections == 0.0 {
        return 0.0;
    }
    let as_sampled = projections / (value + of_x.diagonal_excess() + of_y.diagonal_excess());
    let spread = second_order.sqrt();
    if value <= 0.0 {
        return as_sampled;
    }
    let of_distance = (projections - 2.0 * second_order).max(0.0) / value;
    // Of z² and 9, without squares that overflow.
    let ratio = CLEAR * spread / value;
    let weight = 1.0 / (1.0 + ratio * ratio);
    as_sampled + weight * (of_distance - as_sampled)
}

/// `scale` · (x − y).
fn combine(x: &[f64], y: &[f64], scale: f64) -> Vec<f64> {
    x.iter().zip(y).map(|(a, b)| scale * (a - b)).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn squares(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum()
}

/// With ddof = 1.
fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>()
        / (values.len() as f64 - 1.0)
}

/// A sample paired with itself.
struct Within {
    /// Mean over pairs of different rows, μ.
    mean: f64,
    /// α.
    effects: Vec<f64>,
    centred_squares: f64,
    /// Mean of the kernel of a row with itself.
    diagonal: f64,
}

impl Within {
    fn of(sums: &PairSums) -> Self {
        let n = sums.rows.len() as f64;
        let pairs = n * (n - 1.0);
        let mean = self::mean(&sums.rows) / (n - 1.0);
        let effect = |sum: &f64| (sum - (n - 1.0) * mean) / (n - 2.0);
        let effects: Vec<f64> = sums.rows.iter().map(effect).collect();
        let fitted = pairs * mean * mean + 2.0 * (n - 2.0) * squares(&effects);
        let centred_squares = (sums.squares - fitted).max(0.0) / (n * (n - 3.0));
        Self { mean, effects, centred_squares, diagonal: self::mean(&sums.diagonal) }
    }

    /// By how much the mean over all pairs exceeds that over pairs of different rows.
    fn diagonal_excess(&self) -> f64 {
        (self.diagonal - self.mean) / self.effects.len() as f64
    }

    fn second_order(&self) -> f64 {
        let n = self.effects.len() as f64;
        2.0 * self.centred_squares / (n * (n - 1.0))
    }
}

/// Two samples paired with each other.
struct Across {
    /// Per row of the first sample, the mean over the second.
    rows: Vec<f64>,
    /// Per row of the second sample, the mean over the first.
    columns: Vec<f64>,
    centred_squares: f64,
}

impl Across {
    fn of(sums: &PairSums) -> Self {
        let (n, m) = (sums.rows.len() as f64, sums.columns.len() as f64);
        let rows: Vec<f64> = sums.rows.iter().map(|sum| sum / m).collect();
        let columns: Vec<f64> = sums.columns.iter().map(|sum| sum / n).collect();
        let mean = mean(&rows);
        let effects = m * (n - 1.0) * variance(&rows) + n * (m - 1.0) * variance(&columns);
        let fitted = n * m * mean * mean + effects;
        let centred_squares = (sums.squares - fitted).max(0.0) / ((n - 1.0) * (m - 1.0));
        Self { rows, columns, centred_squares }
    }

    fn second_order(&self) -> f64 {
        4.0 * self.centred_squares / (self.rows.len() as f64 * self.columns.len() as f64)
    }
}
