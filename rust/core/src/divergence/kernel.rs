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
//! The polynomial kernel is not translation-invariant: far from the origin it is a huge constant plus
//! what matters. With p = γ⟨x, y⟩ + c split at a fixed μ into a + u + v + w (a = γ⟨μ, μ⟩ + c,
//! u = γ⟨μ, x−μ⟩, v = γ⟨μ, y−μ⟩, w = γ⟨x−μ, y−μ⟩), the terms p(a+u), p(a+v) and p(a) depend on one row
//! at most and cancel in MMD² exactly; only p(a+u+v+w) − p(a+u) − p(a+v) + p(a) is summed, expanded so
//! that nothing cancels. Cost: O((n+m)²·d) time, O(n + m) memory.

use rayon::prelude::*;
use std::ops::Range;
use tailwatch_kernels::{dot_products, squared_distances};

use crate::control::Control;
use crate::error::{Error, Result};
use crate::moments::add_scaled;
use crate::neighbors::exact::panel_rows;
use crate::rows::{Rows, check_pair, check_rows};

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
            Self::Polynomial { degree: 0, .. } => {
                Err(Error::Input("degree: expected at least 1, got 0".into()))
            }
            Self::Polynomial { gamma, .. } if !(gamma > 0.0 && gamma.is_finite()) => {
                Err(Error::Input(format!("gamma: expected a positive number, got {gamma}")))
            }
            Self::Polynomial { coef0, .. } if !coef0.is_finite() => {
                Err(Error::Input(format!("coef0: expected a finite number, got {coef0}")))
            }
            Self::Gaussian { bandwidth } if !(bandwidth > 0.0 && bandwidth.is_finite()) => {
                Err(Error::Input(format!(
                    "bandwidth: expected a positive number, got {bandwidth} (are all rows equal?)"
                )))
            }
            _ => Ok(()),
        }
    }
}

/// Sums of a kernel over all pairs of two samples.
#[derive(Clone, Debug, PartialEq)]
pub struct PairSums {
    /// Per row of the first sample, Σ over the second.
    pub rows: Vec<f64>,
    /// Per row of the second sample, Σ over the first.
    pub columns: Vec<f64>,
    /// Σ of the squares of all values.
    pub squares: f64,
    /// Per row of a sample paired with itself, the kernel of the row with itself; else empty. The
    /// other sums leave these out.
    pub diagonal: Vec<f64>,
}

impl PairSums {
    /// Sum over all pairs.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.rows.iter().sum()
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
    check_pair(reference, "reference", candidate, "candidate")?;
    let least = if unbiased { 2 } else { 1 };
    check_rows(reference, "reference", least)?;
    check_rows(candidate, "candidate", least)?;
    let (n, m) = (reference.len(), candidate.len());
    control.begin("kernels", (n * n + m * m + n * m) as u64);
    let origin = origin_of(reference);
    let within = |rows: &Rows<'_>| -> Result<f64> {
        let (sums, count) = (pair_sums(rows, None, kernel, &origin, control)?, rows.len() as f64);
        Ok(if unbiased {
            sums.total() / (count * (count - 1.0))
        } else {
            (sums.total() + sums.diagonal.iter().sum::<f64>()) / (count * count)
        })
    };
    let cross = pair_sums(reference, Some(candidate), kernel, &origin, control)?;
    let value =
        within(reference)? + within(candidate)? - 2.0 * cross.total() / (n as f64 * m as f64);
    if value.is_finite() {
        return Ok(value);
    }
    Err(overflow(kernel))
}

/// What is said of a kernel whose values are too large to be summed.
pub(crate) fn overflow(kernel: Kernel) -> Error {
    let name = match kernel {
        Kernel::Polynomial { .. } => "polynomial",
        Kernel::Gaussian { .. } => "Gaussian",
        Kernel::Distance => "distance",
    };
    Error::Numerical(format!(
        "{name} kernel: values overflow; rescale the data, or leave this metric out"
    ))
}

/// The fixed μ at which the polynomial kernel is split: the mean of up to 1,024 leading rows. Any fixed
/// vector gives the same MMD²; one amid the data keeps its digits.
pub(crate) fn origin_of(rows: &Rows<'_>) -> Vec<f64> {
    let count = rows.len().min(1024);
    let (mut mean, mut row) = (vec![0.0; rows.columns()], vec![0.0; rows.columns()]);
    for index in 0..count {
        rows.read(index, &mut row);
        add_scaled(&mut mean, &row, (count as f64).recip());
    }
    mean
}

/// Sums of `kernel` over all pairs of `x` and `y`, or over all pairs of different rows of `x`.
pub(crate) fn pair_sums(
    x: &Rows<'_>,
    y: Option<&Rows<'_>>,
    kernel: Kernel,
    origin: &[f64],
    control: &Control,
) -> Result<PairSums> {
    const BLOCK: usize = 64;
    kernel.check()?;
    let (itself, y) = (y.is_none(), y.unwrap_or(x));
    let pairs = Pairs { x, y, itself, kernel, origin, expansion: Expansion::of(kernel, origin) };
    let mut sums = PairSums {
        rows: Vec::new(),
        columns: vec![0.0; y.len()],
        squares: 0.0,
        diagonal: Vec::new(),
    };
    let blocks: Vec<Range<usize>> =
        (0..x.len()).step_by(BLOCK).map(|start| start..(start + BLOCK).min(x.len())).collect();
    // Blocks are added in order: the sums of the columns do not depend on threads.
    for batch in blocks.chunks(4 * control.threads()) {
        let parts: Vec<Result<PairSums>> = control
            .run(|| batch.par_iter().map(|block| pairs.sum(block.clone(), control)).collect());
        for part in parts {
            let part = part?;
            sums.rows.extend(part.rows);
            sums.diagonal.extend(part.diagonal);
            sums.squares += part.squares;
            add_scaled(&mut sums.columns, &part.columns, 1.0);
        }
    }
    Ok(sums)
}

struct Pairs<'a> {
    x: &'a Rows<'a>,
    y: &'a Rows<'a>,
    itself: bool,
    kernel: Kernel,
    origin: &'a [f64],
    expansion: Expansion,
}

impl Pairs<'_> {
    /// The sums over the pairs whose first row is in `block`.
    fn sum(&self, block: Range<usize>, control: &Control) -> Result<PairSums> {
        let (stride, m) = (self.x.stride(), self.y.len());
        let (mut queries, mut base, mut tile) = (Vec::new(), Vec::new(), Vec::new());
        let left = self.pack(self.x, block.clone(), &mut queries);
        let mut sums = PairSums {
            rows: vec![0.0; block.len()],
            columns: vec![0.0; m],
            squares: 0.0,
            diagonal: Vec::new(),
        };
        for start in (0..m).step_by(panel_rows(stride)) {
            let panel = start..(start + panel_rows(stride)).min(m);
            let right = self.pack(self.y, panel.clone(), &mut base);
            tile.resize(block.len() * panel.len(), 0.0);
            match self.kernel {
                Kernel::Polynomial { .. } => {
                    dot_products(control.isa(), &queries, &base, stride, &mut tile);
                }
                _ => squared_distances(control.isa(), &queries, &base, stride, &mut tile),
            }
            for (i, values) in tile.chunks_exact(panel.len()).enumerate() {
                for (j, &value) in values.iter().enumerate() {
                    let value = match self.kernel {
                        Kernel::Polynomial { gamma, .. } => {
                            self.expansion.second_difference(left[i], right[j], gamma * value)
                        }
                        Kernel::Gaussian { bandwidth } => {
                            (-value / (2.0 * bandwidth * bandwidth)).exp()
                        }
                        Kernel::Distance => -value.sqrt(),
                    };
                    if self.itself && block.start + i == start + j {
                        sums.diagonal.push(value);
                        continue;
                    }
                    sums.rows[i] += value;
                    sums.columns[start + j] += value;
                    sums.squares += value * value;
                }
            }
            control.advance((block.len() * panel.len()) as u64)?;
        }
        Ok(sums)
    }

    /// Packs rows, for the polynomial kernel relative to the origin, and returns γ⟨μ, x−μ⟩ of each.
    fn pack(&self, rows: &Rows<'_>, range: Range<usize>, panel: &mut Vec<f64>) -> Vec<f64> {
        rows.pack(range, panel);
        let Kernel::Polynomial { gamma, .. } = self.kernel else { return Vec::new() };
        let centre = |row: &mut [f64]| {
            let row = &mut row[..self.origin.len()];
            add_scaled(row, self.origin, -1.0);
            gamma * dot(self.origin, row)
        };
        panel.chunks_exact_mut(rows.stride()).map(centre).collect()
    }
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(a, b)| a * b).sum()
}

/// The polynomial p = (·)^degree about a = γ⟨μ, μ⟩ + c, expanded so that no difference of it cancels.
struct Expansion {
    degree: u32,
    a: f64,
    /// Exponents of u and v (both at least 1) with the coefficient of the term.
    mixed: Vec<(i32, i32, f64)>,
}

impl Expansion {
    /// Empty for kernels that are no polynomial.
    fn of(kernel: Kernel, origin: &[f64]) -> Self {
        let Kernel::Polynomial { degree, gamma, coef0 } = kernel else {
            return Self { degree: 0, a: 0.0, mixed: Vec::new() };
        };
        Self::about(degree, gamma * dot(origin, origin) + coef0)
    }

    fn about(degree: u32, a: f64) -> Self {
        let exponents = (1..degree).flat_map(|i| (1..=degree - i).map(move |j| (i, j)));
        let term = |(i, j): (u32, u32)| {
            let l = degree - i - j;
            (i as i32, j as i32, multinomial(i, j, l) * a.powi(l as i32))
        };
        Self { degree, a, mixed: exponents.map(term).collect() }
    }

    /// p(a+u+v+w) − p(a+u) − p(a+v) + p(a).
    fn second_difference(&self, u: f64, v: f64, w: f64) -> f64 {
        // p(s+w) − p(s) = w·Σ s^i (s+w)^{degree−1−i}, with s = a+u+v.
        let s = self.a + u + v;
        let (mut slope, mut power) = (1.0, 1.0);
        for _ in 1..self.degree {
            power *= s + w;
            slope = slope * s + power;
        }
        // p(a+u+v) − p(a+u) − p(a+v) + p(a): the terms of the expansion that hold both u and v.
        let mixed: f64 = self.mixed.iter().map(|&(i, j, c)| c * u.powi(i) * v.powi(j)).sum();
        w * slope + mixed
    }
}

/// (i+j+l)! / (i! j! l!).
fn multinomial(i: u32, j: u32, l: u32) -> f64 {
    let choose = |n: u32, k: u32| (1..=k).fold(1.0, |c, t| c * f64::from(n - k + t) / f64::from(t));
    choose(i + j + l, i) * choose(j + l, j)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_difference_matches_its_definition() {
        for degree in 1..=6_u32 {
            let p = |x: f64| x.powi(degree as i32);
            for (a, u, v, w) in
                [(1.0, 0.5, -0.25, 2.0), (0.0, 1.0, 1.0, -1.0), (2.0, 0.0, 3.0, 0.5)]
            {
                let expected = p(a + u + v + w) - p(a + u) - p(a + v) + p(a);
                let found = Expansion::about(degree, a).second_difference(u, v, w);
                assert!(
                    (found - expected).abs() <= 1e-12 * (1.0 + expected.abs()),
                    "{degree} {a} {u} {v} {w}"
                );
            }
        }
    }
}
