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
//!
//! Copies within a sample are no draws: pairs of them are replaced by what the fit has for them, μ + αᵢ + αⱼ, and
//! a sample of n rows counts as n/D (see [`crate::coverage::copying`]). Of A and B together nothing of the kind
//! is done, as copies fall into both halves.
//! Cost: three and a half products of h × h pairs, whatever the number of kernels.

use std::borrow::Cow;

use super::Halves;
use crate::control::Control;
use crate::coverage::copying::{copied, design_effect};
use crate::divergence::frame::Frame;
use crate::divergence::kernel::{Kernel, TwoSampleSums, check_kernels, overflow};
use crate::divergence::pairs::{PairSums, pair_sums};
use crate::error::{Error, Result};
use crate::rows::{Rows, check_pair};

/// The distance, in standard deviations of one that is zero, from which on its own slope counts for more than
/// that of the sampling error.
const CLEAR: f64 = 3.0;

/// The fewest rows of a sample.
const LEAST_ROWS: usize = 4;

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
    /// How far rows of A and C are apart, see [`apart`].
    pub apart: f64,
}

/// Sums of kernels over the pairs of A and B, two of the three and a half products of a comparison.
pub struct PreparedKernels {
    kernels: Vec<Kernel>,
    nulls: Vec<Null>,
}

/// A and B under one kernel.
struct Null {
    /// Sums over the pairs of A.
    pairs_of_a: PairSums,
    of_a: Within,
    /// MMD²(A, B).
    value: f64,
    /// Second-order variances: of B within, and of A and B across.
    of_b: f64,
    across: f64,
    /// How far rows of A and B are apart.
    apart: f64,
}

impl PreparedKernels {
    /// Prepares unbiased squared MMD with each kernel, in one pass over the pairs.
    pub fn of(halves: &Halves<'_>, kernels: &[Kernel], control: &Control) -> Result<Self> {
        let [a, b] = &halves.rows;
        check_rows(a.len().min(b.len()))?;
        check_kernels(kernels)?;
        control.begin("kernels", 3 * (a.len() * a.len()) as u64);
        let frame = Frame::of(&[a, b], control)?;
        let sums = |x: &Rows<'_>, y: Option<&Rows<'_>>| pair_sums(x, y, kernels, &frame, control);
        let (of_a, of_b, across) = (sums(a, None)?, sums(b, None)?, sums(a, Some(b))?);
        let null = |((pairs_of_a, of_b), across): ((PairSums, &PairSums), &PairSums)| {
            let of_a = Within::of(&pairs_of_a, &[]);
            let (of_b, across) = (Within::of(of_b, &[]), Across::of(across));
            Null {
                value: statistic(&of_a, &of_b, &across),
                of_b: of_b.second_order(),
                across: across.second_order(1.0),
                apart: apart(&of_a, &of_b, &across),
                of_a,
                pairs_of_a,
            }
        };
        let nulls = of_a.into_iter().zip(&of_b).zip(&across).map(null).collect();
        Ok(Self { kernels: kernels.to_vec(), nulls })
    }

    /// MMD²(A, B) with each kernel; none where it overflows.
    #[must_use]
    pub fn nulls(&self) -> Vec<Option<f64>> {
        self.nulls.iter().map(|null| Some(null.value).filter(|value| value.is_finite())).collect()
    }

    /// How far rows of A and B are apart under each kernel, see [`apart`].
    #[must_use]
    pub fn apart(&self) -> Vec<f64> {
        self.nulls.iter().map(|null| null.apart).collect()
    }

    /// The estimate of each kernel for a candidate C. A kernel whose values overflow fails alone.
    pub fn estimates(
        &self,
        a: &Rows<'_>,
        c: &Rows<'_>,
        control: &Control,
    ) -> Result<Vec<Result<KernelEstimate>>> {
        check_pair(a, "reference", c, "candidate")?;
        check_rows(c.len())?;
        control.begin("kernels", (c.len() * (c.len() + a.len())) as u64);
        let [copied_a, copied_c] = copied([a, c], control)?;
        let frame = Frame::of(&[a, c], control)?;
        let within = pair_sums(c, None, &self.kernels, &frame, control)?;
        let across = pair_sums(a, Some(c), &self.kernels, &frame, control)?;
        let estimate = |(index, &kernel): (usize, &Kernel)| {
            let null = &self.nulls[index];
            let of_a = Within::of(&null.pairs_of_a, &copied_a);
            let (of_c, with_c) =
                (Within::of(&within[index], &copied_c), Across::of(&across[index]));
            null.estimate(&of_a, &of_c, &with_c).ok_or_else(|| overflow(kernel))
        };
        Ok(self.kernels.iter().enumerate().map(estimate).collect())
    }
}

/// Squared MMD of whole samples, and what its error is known from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WholeKernelEstimate {
    /// MMD²(X, Y), unbiased.
    pub value: f64,
    /// Its variance, were its distance zero.
    pub variance: f64,
    /// What a unit of distance adds to the variance.
    pub slope: f64,
    /// How far rows of X and Y are apart.
    pub apart: f64,
}

/// Squared MMD of whole samples with each kernel, in one pass over the pairs; one that overflows fails alone.
pub fn whole_estimates(
    x: &Rows<'_>,
    y: &Rows<'_>,
    kernels: &[Kernel],
    control: &Control,
) -> Result<Vec<Result<WholeKernelEstimate>>> {
    check_pair(x, "reference", y, "candidate")?;
    check_rows(x.len().min(y.len()))?;
    let [copied_x, copied_y] = copied([x, y], control)?;
    let sums = TwoSampleSums::of(x, y, kernels, control)?;
    let estimate = |index: usize| {
        let of_x = Within::of(&sums.within_x[index], &copied_x);
        let of_y = Within::of(&sums.within_y[index], &copied_y);
        let across = Across::of(&sums.across[index]);
        let value = if copied_x.is_empty() && copied_y.is_empty() {
            sums.value(index, true)?
        } else {
            statistic(&of_x, &of_y, &across)
        };
        let variance = second_order(&of_x, &of_y, &across);
        let slope = slope(&of_x, &of_y, &across, value, variance);
        if ![value, variance, slope].into_iter().all(f64::is_finite) {
            return Err(overflow(kernels[index]));
        }
        Ok(WholeKernelEstimate { value, variance, slope, apart: apart(&of_x, &of_y, &across) })
    };
    Ok((0..kernels.len()).map(estimate).collect())
}

fn check_rows(rows: usize) -> Result<()> {
    if rows < LEAST_ROWS {
        let expected = format_args!("at least {LEAST_ROWS} rows in each half");
        return Err(Error::input("reference").expected(expected).got(rows));
    }
    Ok(())
}

impl Null {
    /// The estimate of one kernel; none if it overflows.
    fn estimate(&self, of_a: &Within, of_c: &Within, with_c: &Across) -> Option<KernelEstimate> {
        let null = &self.value;
        let value_variance = second_order(of_a, of_c, with_c);
        let across = with_c.second_order(of_a.design_effect * of_c.design_effect);
        let value = statistic(of_a, of_c, with_c);
        let slope = slope(of_a, of_c, with_c, value, value_variance);
        // A maximum hides what is not a number, so a variance alone does not tell.
        if ![value, *null, value_variance, slope].into_iter().all(f64::is_finite) {
            return None;
        }
        Some(KernelEstimate {
            value,
            null: *null,
            value_variance,
            null_variance: self.of_a.second_order() + self.of_b + self.across,
            // In the difference the within-A term cancels.
            difference_variance: self.of_b + of_c.second_order() + self.across + across,
            slope,
            apart: apart(of_a, of_c, with_c),
        })
    }
}

/// Mean over pairs of k(x,x)/2 + k(y,y)/2 − k(x,y): ‖x−y‖ for the kernel of distances.
fn apart(of_x: &Within, of_y: &Within, across: &Across) -> f64 {
    f64::midpoint(of_x.diagonal, of_y.diagonal) - mean(&across.rows)
}

/// The U-statistic.
fn statistic(of_x: &Within, of_y: &Within, across: &Across) -> f64 {
    of_x.mean + of_y.mean - 2.0 * mean(&across.rows)
}

/// The variance, were the distance zero.
fn second_order(of_x: &Within, of_y: &Within, across: &Across) -> f64 {
    let across = across.second_order(of_x.design_effect * of_y.design_effect);
    of_x.second_order() + of_y.second_order() + across
}

/// The first-order variance that a unit of the distance has.
fn slope(of_x: &Within, of_y: &Within, across: &Across, value: f64, second_order: f64) -> f64 {
    let from_x = combine(&of_x.effects, &across.rows, 2.0);
    let from_y = combine(&of_y.effects, &across.columns, 2.0);
    let projections = variance(&from_x) / from_x.len() as f64 * of_x.design_effect
        + variance(&from_y) / from_y.len() as f64 * of_y.design_effect;
    if projections == 0.0 {
        return 0.0;
    }
    // The V-statistic: of copies it is 0, but for rounding.
    let with_itself = value + of_x.diagonal_excess() + of_y.diagonal_excess();
    if with_itself <= 0.0 {
        return 0.0;
    }
    let as_sampled = projections / with_itself;
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
    /// D.
    design_effect: f64,
}

impl Within {
    /// Of the sums over a sample that holds so many `copied` of each row; empty if it holds none.
    fn of(sums: &PairSums, copied: &[f64]) -> Self {
        let n = sums.rows.len() as f64;
        let (rows, square) = without_copies(sums, copied);
        let pairs = n * (n - 1.0);
        let mean = self::mean(&rows) / (n - 1.0);
        let effect = |sum: &f64| (sum - (n - 1.0) * mean) / (n - 2.0);
        let effects: Vec<f64> = rows.iter().map(effect).collect();
        let fitted = pairs * mean * mean + 2.0 * (n - 2.0) * squares(&effects);
        let centred_squares = (square - fitted).max(0.0) / (n * (n - 3.0));
        Self {
            mean,
            effects,
            centred_squares,
            diagonal: self::mean(&sums.diagonal),
            design_effect: design_effect(copied, sums.rows.len()),
        }
    }

    /// By how much the mean over all pairs of draws exceeds that over pairs of different ones.
    fn diagonal_excess(&self) -> f64 {
        (self.diagonal - self.mean) * self.design_effect / self.effects.len() as f64
    }

    fn second_order(&self) -> f64 {
        let n = self.effects.len() as f64;
        2.0 * self.centred_squares * self.design_effect.powi(2) / (n * (n - 1.0))
    }
}

/// The sums of rows and of squares, had pairs of copies the values that rows as near to all others have.
fn without_copies<'a>(sums: &'a PairSums, copied: &[f64]) -> (Cow<'a, [f64]>, f64) {
    if copied.is_empty() {
        return (Cow::Borrowed(&sums.rows), sums.squares);
    }
    let n = sums.rows.len() as f64;
    // A row and its copy have the kernel of a row with itself. Of rows that are all copies nothing is left.
    let kept: Vec<f64> = sums
        .rows
        .iter()
        .zip(&sums.diagonal)
        .zip(copied)
        .map(|((sum, own), copies)| (sum - copies * own) / (n - 1.0 - copies).max(1.0))
        .collect();
    let mean = self::mean(&kept);
    let (mut rows, mut square) = (sums.rows.clone(), sums.squares);
    for (((row, own), copies), kept) in rows.iter_mut().zip(&sums.diagonal).zip(copied).zip(&kept) {
        let fitted = 2.0 * kept - mean;
        *row += copies * (fitted - own);
        square += copies * (fitted * fitted - own * own);
    }
    (Cow::Owned(rows), square)
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

    /// For samples whose design effects have this product.
    fn second_order(&self, design_effects: f64) -> f64 {
        let pairs = self.rows.len() as f64 * self.columns.len() as f64;
        4.0 * self.centred_squares * design_effects / pairs
    }
}
