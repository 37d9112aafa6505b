//! Means and covariances: one streaming, mergeable pass in `f64`. Level 2.
//!
//! Rows are taken in blocks of fixed length, each centred at its own mean; the way from there to the
//! mean of the rows before, √(nm/(n+m))·(μ_m − μ_n), is one row more of the block (Chan, Golub & LeVeque
//! 1979), so that the scatter is one product. No large mean is ever squared, and neither threads nor
//! chunks show in the result. Cost: O(n·d²) time, about d²/2 numbers and those of a stripe of rows.

use faer::{Mat, MatMut, Par};
use rayon::prelude::*;

use crate::control::Control;
use crate::dense::{add_lower_square, add_product, for_each};
use crate::error::Result;
use crate::rows::Rows;
use crate::subsets::{GROUPS, Subsets};

/// Rows that are centred together: few, so that each mean is that of neighbours in the data.
const BLOCK: usize = 128;
/// Rows of a stripe: many, so that the product runs at its full speed.
const STRIPE: usize = 8 * BLOCK;
/// Most columns of the scatter that are one piece of work: each packs the data anew.
const PANEL: usize = 256;

/// Count, mean and scatter (Σ(x−μ)(x−μ)ᵀ) of some rows.
#[derive(Clone, Debug)]
pub struct Moments {
    count: usize,
    mean: Vec<f64>,
    /// The lower triangle in panels of columns, each from its diagonal block down.
    panels: Vec<Mat<f64>>,
}

/// Columns of a panel.
fn panel_width(columns: usize) -> usize {
    columns.div_ceil(8).clamp(16, PANEL)
}

impl Moments {
    /// The moments of no rows.
    #[must_use]
    pub fn new(columns: usize) -> Self {
        let width = panel_width(columns);
        let starts = (0..columns).step_by(width);
        let panel = |start: usize| Mat::zeros(columns - start, width.min(columns - start));
        Self { count: 0, mean: vec![0.0; columns], panels: starts.map(panel).collect() }
    }

    /// The moments of all rows, in parallel.
    pub fn of(rows: &Rows<'_>, control: &Control) -> Result<Self> {
        let mut total = Self::new(rows.columns());
        let indices: Vec<usize> = (0..rows.len()).collect();
        let par = Par::rayon(control.threads());
        control.run(|| total.absorb(rows, &indices, par, control))?;
        Ok(total)
    }

    /// The moments of each group, in which row `i` is in group `i mod GROUPS`.
    pub fn of_groups(rows: &Rows<'_>, control: &Control) -> Result<Vec<Self>> {
        let of_group = |group: usize| {
            let mut total = Self::new(rows.columns());
            let members: Vec<usize> = (group..rows.len()).step_by(GROUPS).collect();
            total.absorb(rows, &members, Par::Seq, control)?;
            Ok(total)
        };
        control.run(|| (0..GROUPS).into_par_iter().map(of_group).collect())
    }

    /// The moments of the rows of one subset, from those of all groups.
    pub(crate) fn of_subset(groups: &[Self], subsets: &Subsets, subset: usize) -> Self {
        let mut total = Self::new(groups[0].mean().len());
        for (group, moments) in groups.iter().enumerate() {
            if subsets.has_group(subset, group) {
                total.merge(moments);
            }
        }
        total
    }

    /// Adds the rows at `indices`.
    fn absorb(
        &mut self,
        rows: &Rows<'_>,
        indices: &[usize],
        par: Par,
        control: &Control,
    ) -> Result<()> {
        let d = rows.columns();
        let length = indices.len().min(STRIPE);
        // Column-major, so that a row of the data is contiguous; each block has a column to spare.
        let mut data = Mat::<f64>::zeros(d, length + length.div_ceil(BLOCK));
        let mut means = vec![Vec::new(); length.div_ceil(BLOCK)];
        for stripe in indices.chunks(STRIPE) {
            let blocks = stripe.len().div_ceil(BLOCK);
            let mut data = data.as_mut().subcols_mut(0, stripe.len() + blocks);
            let work = data.as_mut().par_col_chunks_mut(BLOCK + 1).zip(stripe.par_chunks(BLOCK));
            for_each(work.zip(means.par_iter_mut()), par, |((mut block, indices), mean)| {
                for (column, &index) in indices.iter().enumerate() {
                    rows.read(index, column_mut(block.as_mut(), column));
                }
                *mean = centre(block.subcols_mut(0, indices.len()));
            });
            for (block, mean) in means[..blocks].iter().enumerate() {
                let m = stripe.len().min((block + 1) * BLOCK) - block * BLOCK;
                let last = block * (BLOCK + 1) + m;
                self.move_mean(m, mean, column_mut(data.as_mut(), last));
            }
            let data = data.as_ref();
            for_each(self.panels.par_iter_mut().enumerate(), par, |(index, panel)| {
                let (width, start) = (panel.ncols(), index * panel_width(d));
                let below = data.subrows(start, d - start);
                let (beside, below) = below.split_at_row(width);
                let (triangle, rest) = panel.as_mut().split_at_row_mut(width);
                add_lower_square(triangle, beside);
                add_product(rest, below, beside.transpose());
            });
            control.advance(stripe.len() as u64)?;
        }
        Ok(())
    }

    /// Counts `m` rows with `mean` in, and writes to `between` what the way to them adds to the scatter
    /// as if it were a row.
    fn move_mean(&mut self, m: usize, mean: &[f64], between: &mut [f64]) {
        let (n, m) = (self.count as f64, m as f64);
        let (weight, share) = ((n * m / (n + m)).sqrt(), m / (n + m));
        for ((slot, own), other) in between.iter_mut().zip(&mut self.mean).zip(mean) {
            let difference = other - *own;
            *slot = weight * difference;
            // The first mean is taken as it is.
            *own = if n == 0.0 { *other } else { *own + share * difference };
        }
        self.count += m as usize;
    }

    /// Adds the rows behind `other`.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        let mut between = vec![0.0; self.mean.len()];
        self.move_mean(other.count, &other.mean, &mut between);
        let mut start = 0;
        for (panel, added) in self.panels.iter_mut().zip(&other.panels) {
            let between = &between[start..];
            for column in 0..panel.ncols() {
                let slots = panel.col_as_slice_mut(column);
                add_scaled(slots, added.col_as_slice(column), 1.0);
                add_scaled(slots, between, between[column]);
            }
            start += panel.ncols();
        }
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
        let width = panel_width(d);
        Mat::from_fn(d, d, |i, j| {
            let (panel, start) = (&self.panels[j / width], j / width * width);
            if i >= j { panel[(i - start, j - start)] * scale } else { 0.0 }
        })
    }
}

/// Subtracts the mean of the columns from each and returns it.
///
/// The first column is taken off before anything is summed, so that a constant has exactly no variance
/// and a far origin costs no digits.
pub(crate) fn centre(mut data: MatMut<'_, f64>) -> Vec<f64> {
    let count = data.ncols();
    if count == 0 {
        return vec![0.0; data.nrows()];
    }
    let origin = column_mut(data.as_mut(), 0).to_vec();
    let mut mean = vec![0.0; data.nrows()];
    for column in 0..count {
        let values = column_mut(data.as_mut(), column);
        add_scaled(values, &origin, -1.0);
        add_scaled(&mut mean, values, 1.0);
    }
    mean.iter_mut().for_each(|sum| *sum /= count as f64);
    for column in 0..count {
        add_scaled(column_mut(data.as_mut(), column), &mean, -1.0);
    }
    add_scaled(&mut mean, &origin, 1.0);
    mean
}

/// A column of a column-major matrix.
fn column_mut(data: MatMut<'_, f64>, column: usize) -> &mut [f64] {
    let column = data.col_mut(column).try_as_col_major_mut();
    column.expect("a column-major matrix").as_slice_mut()
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
    fn panels_make_up_the_whole_triangle() {
        for d in [15, 16, 17, 130, 300] {
            let mut stream = Stream::new(3, "test", d as u64);
            let data = Array2::from_shape_simple_fn((1500, d), || stream.normal());
            let found =
                Moments::of(&Rows::from_f64(data.view()), &Control::with_threads(2)).unwrap();
            let mean = data.mean_axis(ndarray::Axis(0)).unwrap();
            let centred = &data - &mean;
            let expected = centred.t().dot(&centred) / 1499.0;
            let covariance = found.covariance();
            for i in 0..d {
                for j in 0..=i {
                    assert!((covariance[(i, j)] - expected[(i, j)]).abs() < 1e-13, "{d}: {i} {j}");
                }
            }
        }
    }

    #[test]
    fn bits_do_not_depend_on_threads() {
        for d in [3, 70] {
            let mut stream = Stream::new(2, "test", 0);
            let data = Array2::from_shape_simple_fn((5000, d), || stream.normal());
            let rows = Rows::from_f64(data.view());
            let one = Moments::of(&rows, &Control::with_threads(1)).unwrap();
            for threads in 2..=3 {
                let more = Moments::of(&rows, &Control::with_threads(threads)).unwrap();
                assert_eq!((one.mean(), one.covariance()), (more.mean(), more.covariance()));
            }
        }
    }
}
