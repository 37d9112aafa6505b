//! Means and covariances: one streaming, mergeable pass in `f64`. Level 2.
//!
//! Rows are taken in stripes of fixed length; each stripe is centred at its own mean before its scatter
//! is summed, and stripes are merged in order (Chan, Golub & LeVeque 1979). No large mean is ever
//! squared, and neither threads nor chunks show in the result. Cost: O(n·d²) time, O(d²) memory a thread.

use faer::Mat;
use rayon::prelude::*;

use crate::control::Control;
use crate::dense::add_scatter;
use crate::error::Result;
use crate::rows::Rows;
use crate::subsets::GROUPS;

/// Rows of a stripe.
const STRIPE: usize = 1024;

/// Count, mean and scatter (Σ(x−μ)(x−μ)ᵀ, lower triangle) of some rows.
#[derive(Clone, Debug)]
pub struct Moments {
    count: usize,
    mean: Vec<f64>,
    scatter: Mat<f64>,
}

impl Moments {
    /// The moments of no rows.
    #[must_use]
    pub fn new(columns: usize) -> Self {
        Self { count: 0, mean: vec![0.0; columns], scatter: Mat::zeros(columns, columns) }
    }

    /// The moments of all rows, in parallel.
    pub fn of(rows: &Rows<'_>, control: &Control) -> Result<Self> {
        let n = rows.len();
        let stripes: Vec<usize> = (0..n).step_by(STRIPE).collect();
        let mut total = Self::new(rows.columns());
        // A few stripes a thread at a time bound the memory; merging in order fixes the bits.
        for batch in stripes.chunks(control.threads()) {
            let parts: Vec<Self> = control.run(|| {
                let stripe =
                    |&start: &usize| Self::of_indices(rows, start..(start + STRIPE).min(n));
                batch.par_iter().map(stripe).collect()
            });
            for part in &parts {
                total.merge(part);
            }
            control.advance(parts.iter().map(|part| part.count as u64).sum())?;
        }
        Ok(total)
    }

    /// The moments of each group, in which row `i` is in group `i mod GROUPS`.
    pub fn of_groups(rows: &Rows<'_>, control: &Control) -> Result<Vec<Self>> {
        let of_group = |group: usize| {
            let mut total = Self::new(rows.columns());
            let members: Vec<usize> = (group..rows.len()).step_by(GROUPS).collect();
            for stripe in members.chunks(STRIPE) {
                total.merge(&Self::of_indices(rows, stripe.iter().copied()));
                control.advance(stripe.len() as u64)?;
            }
            Ok(total)
        };
        control.run(|| (0..GROUPS).into_par_iter().map(of_group).collect())
    }

    fn of_indices(rows: &Rows<'_>, indices: impl ExactSizeIterator<Item = usize>) -> Self {
        let (count, d) = (indices.len(), rows.columns());
        let mut moments = Self::new(d);
        moments.count = count;
        // Column-major d × n, so that a row of the data is contiguous.
        let mut data = Mat::<f64>::zeros(d, count);
        for (column, index) in indices.enumerate() {
            rows.read(index, data.col_as_slice_mut(column));
        }
        moments.mean = centre(&mut data);
        add_scatter(&mut moments.scatter, data.transpose());
        moments
    }

    /// Adds the rows behind `other`.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        let (n, m) = (self.count as f64, other.count as f64);
        let difference: Vec<f64> = other.mean.iter().zip(&self.mean).map(|(b, a)| b - a).collect();
        add_scaled(&mut self.mean, &difference, m / (n + m));
        for column in 0..difference.len() {
            let between = difference[column] * (n * m / (n + m));
            for (row, delta) in difference.iter().enumerate().skip(column) {
                self.scatter[(row, column)] += other.scatter[(row, column)] + delta * between;
            }
        }
        self.count += other.count;
    }

    /// Rows absorbed.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Means of the columns.
    #[must_use]
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The lower triangle of the covariance with ddof = 1.
    #[must_use]
    pub fn covariance(&self) -> Mat<f64> {
        let scale = (self.count as f64 - 1.0).recip();
        let d = self.mean.len();
        Mat::from_fn(d, d, |i, j| if i >= j { self.scatter[(i, j)] * scale } else { 0.0 })
    }
}

/// Subtracts the mean of the columns from each and returns it.
///
/// The first column is taken off before anything is summed, so that a constant has exactly no variance
/// and a far origin costs no digits.
pub(crate) fn centre(data: &mut Mat<f64>) -> Vec<f64> {
    let count = data.ncols();
    if count == 0 {
        return vec![0.0; data.nrows()];
    }
    let origin = data.col_as_slice(0).to_vec();
    let mut mean = vec![0.0; data.nrows()];
    for column in 0..count {
        add_scaled(data.col_as_slice_mut(column), &origin, -1.0);
        add_scaled(&mut mean, data.col_as_slice(column), 1.0);
    }
    mean.iter_mut().for_each(|sum| *sum /= count as f64);
    for column in 0..count {
        add_scaled(data.col_as_slice_mut(column), &mean, -1.0);
    }
    add_scaled(&mut mean, &origin, 1.0);
    mean
}

/// `sum` += `scale` · `values`.
pub(crate) fn add_scaled(sum: &mut [f64], values: &[f64], scale: f64) {
    for (slot, value) in sum.iter_mut().zip(values) {
        *slot += scale * value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::Stream;
    use ndarray::Array2;

    #[test]
    fn moments_match_two_passes_far_from_the_origin_and_merge_from_groups() {
        let mut stream = Stream::new(1, "test", 0);
        let data = Array2::from_shape_simple_fn((3000, 4), || 1e6 + stream.normal());
        let rows = Rows::from_f64(data.view());
        let whole = Moments::of(&rows, &Control::with_threads(2)).unwrap();
        let mean: Vec<f64> = data
            .columns()
            .into_iter()
            .map(|c| 1e6 + c.iter().map(|x| x - 1e6).sum::<f64>() / 3000.0)
            .collect();
        let covariance = whole.covariance();
        for i in 0..4 {
            assert!((whole.mean()[i] - mean[i]).abs() < 1e-9);
            for j in 0..=i {
                let products = data.rows().into_iter().map(|x| (x[i] - mean[i]) * (x[j] - mean[j]));
                let expected = products.sum::<f64>() / 2999.0;
                assert!((covariance[(i, j)] - expected).abs() < 1e-10, "{i} {j}");
            }
        }
        let mut merged = Moments::new(4);
        for group in Moments::of_groups(&rows, &Control::with_threads(3)).unwrap() {
            merged.merge(&group);
        }
        assert_eq!(merged.count(), 3000);
        assert!((merged.covariance() - &covariance).norm_max() < 1e-10);
    }

    #[test]
    fn bits_do_not_depend_on_threads() {
        let mut stream = Stream::new(2, "test", 0);
        let data = Array2::from_shape_simple_fn((5000, 3), || stream.normal());
        let rows = Rows::from_f64(data.view());
        let one = Moments::of(&rows, &Control::with_threads(1)).unwrap();
        for threads in 2..=3 {
            let more = Moments::of(&rows, &Control::with_threads(threads)).unwrap();
            assert_eq!((one.mean(), one.covariance()), (more.mean(), more.covariance()));
        }
    }
}
