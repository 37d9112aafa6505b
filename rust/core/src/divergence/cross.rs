//! Cross-MMD: a two-sample test by kernels that needs no permutations. Level 3.
//!
//! Each sample is split in two at random. The second halves give the witness f₂ = μ̂(X₂) − μ̂(Y₂), the first
//! halves its studentised mean difference (Shekhar, Kim & Ramdas 2022, equations 2 and 4):
//!
//! | symbol | value |
//! |---|---|
//! | f(x) | mean k(x, X₂) − mean k(x, Y₂) |
//! | U_X, U_Y | means of f over X₁ and over Y₁ |
//! | xMMD² | U_X − U_Y, of expectation MMD² |
//! | σ̂² | mean (f − U_X)²/n₁ + mean (f − U_Y)²/m₁ |
//!
//! xMMD²/σ̂ is asymptotically N(0, 1) where both distributions are equal, whatever the kernel and the dimension,
//! since given f₂ both U are means of independent terms. Cost: n·m/4 inner products four times, of d columns;
//! O(n + m) memory.

use super::frame::Frame;
use super::kernel::{Kernel, check_kernels, overflow};
use super::pairs::pair_sums;
use crate::control::Control;
use crate::error::Result;
use crate::moments::add_scaled;
use crate::rows::{Rows, check_pair, check_rows};
use crate::streams::Stream;

/// The least rows of a sample: two in each half.
const LEAST_ROWS: usize = 4;

/// The cross-MMD statistic and what it is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CrossMmd {
    /// xMMD².
    pub value: f64,
    /// σ̂.
    pub standard_error: f64,
    /// xMMD²/σ̂; 0 where both are 0.
    pub statistic: f64,
}

/// The cross-MMD of two samples, split at random under `seed`.
pub fn cross_mmd(
    reference: &Rows<'_>,
    candidate: &Rows<'_>,
    kernel: Kernel,
    seed: u64,
    control: &Control,
) -> Result<CrossMmd> {
    check_pair(reference, "reference", candidate, "candidate")?;
    check_rows(reference, "reference", LEAST_ROWS)?;
    check_rows(candidate, "candidate", LEAST_ROWS)?;
    check_kernels(&[kernel])?;
    let [x1, x2] = halves(reference, Stream::new(seed, "cross-MMD reference", 0));
    let [y1, y2] = halves(candidate, Stream::new(seed, "cross-MMD candidate", 0));
    control.begin("kernels", ((x1.len() + y1.len()) * (x2.len() + y2.len())) as u64);
    let frame = Frame::of(&[&x1, &y1, &x2, &y2], control)?;
    let witness = |rows: &Rows<'_>| -> Result<Vec<f64>> {
        let mean = |others: &Rows<'_>| -> Result<Vec<f64>> {
            let sums = pair_sums(rows, Some(others), &[kernel], &frame, control)?.swap_remove(0);
            Ok(sums.rows.into_iter().map(|sum| sum / others.len() as f64).collect())
        };
        let mut values = mean(&x2)?;
        add_scaled(&mut values, &mean(&y2)?, -1.0);
        Ok(values)
    };
    let found = studentise(&witness(&x1)?, &witness(&y1)?);
    if found.value.is_finite() && found.standard_error.is_finite() {
        Ok(found)
    } else {
        Err(overflow(kernel))
    }
}

/// Random halves, of an odd number of rows the first the smaller one, each in the order of storage.
fn halves<'a>(rows: &Rows<'a>, mut stream: Stream) -> [Rows<'a>; 2] {
    let mut order = stream.sample(rows.len(), rows.len());
    let (first, second) = order.split_at_mut(rows.len() / 2);
    [first, second].map(|half| {
        half.sort_unstable();
        rows.pick(half)
    })
}

fn studentise(of_x: &[f64], of_y: &[f64]) -> CrossMmd {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_x, mean_y) = (mean(of_x), mean(of_y));
    // Of a mean, with the divisor of the paper: n, not n − 1.
    let variance = |values: &[f64], mean: f64| {
        let count = values.len() as f64;
        values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count / count
    };
    let value = mean_x - mean_y;
    let standard_error = (variance(of_x, mean_x) + variance(of_y, mean_y)).sqrt();
    let statistic = if value == 0.0 { 0.0 } else { value / standard_error };
    CrossMmd { value, standard_error, statistic }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use ndarray::Array2;

    #[test]
    fn the_statistic_is_that_of_the_formula() {
        // Means 2 and 1, variances 2/3 and 1.
        let found = studentise(&[1.0, 2.0, 3.0], &[0.0, 2.0]);
        let squared = 2.0 / 9.0 + 0.5_f64;
        assert!((found.standard_error - squared.sqrt()).abs() < 1e-15);
        assert!((found.statistic - squared.sqrt().recip()).abs() < 1e-15);
    }

    #[test]
    fn equal_rows_are_no_evidence_and_few_rows_are_refused() {
        let data = Array2::<f64>::ones((4, 2));
        let rows = Rows::from_f64(data.view());
        let (control, kernel) = (Control::with_threads(1), Kernel::Gaussian { bandwidth: 1.0 });
        let found = cross_mmd(&rows, &rows, kernel, 0, &control).unwrap();
        assert_eq!((found.value, found.statistic), (0.0, 0.0));
        let error = cross_mmd(&rows, &rows.pick(&[0, 1, 2]), kernel, 0, &control).unwrap_err();
        assert_eq!(error, Error::input("candidate").expected("at least 4 rows").got(3));
    }
}
