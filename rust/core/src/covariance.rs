//! The mean and covariance of one sample, and of its subsets. Level 3.
//!
//! Of more rows than columns moments are kept, of fewer the data themselves: with n ≤ d rows the centred data are a
//! factor F of the covariance F·Fᵀ, and n × n products say all of its eigenvalues. Covariances have ddof = 1.
//! Cost: O(n·d²) + O(min(n, d)³) time, O(d·min(n, d)) memory.

use std::sync::Arc;

use faer::Mat;

use crate::control::Control;
use crate::dense;
use crate::error::Result;
use crate::moments::{Moments, centre};
use crate::rows::Rows;
use crate::subsets::Subsets;

/// The power of two that decompositions of covariances with these traces are made in units of, so that they
/// neither overflow nor underflow.
fn unit_of(traces: impl IntoIterator<Item = f64>) -> f64 {
    let largest = traces.into_iter().fold(0.0, f64::max);
    if largest > 0.0 && largest.is_finite() { largest.sqrt().log2().round().exp2() } else { 1.0 }
}

/// Rescales fits together by a power of two, so that the decompositions neither overflow nor underflow,
/// and returns the length that 1 now stands for. No bit of a mantissa changes.
pub(crate) fn to_unit_scale(fits: &mut [Fit]) -> f64 {
    let unit = unit_of(fits.iter().map(Fit::trace));
    fits.iter_mut().for_each(|fit| fit.measure_in(unit));
    unit
}

/// All that first and second moments need of a sample, owned: the centred data where they are few, the
/// moments where they are many.
#[derive(Clone)]
pub(crate) enum Material {
    Data(Arc<Mat<f64>>),
    Moments(Arc<Moments>),
}

impl Material {
    pub(crate) fn of(rows: &Rows<'_>, control: &Control) -> Result<Self> {
        if rows.len() > rows.columns() {
            return Ok(Self::Moments(Arc::new(Moments::of(rows, control)?)));
        }
        control.advance(rows.len() as u64)?;
        Ok(Self::Data(Arc::new(read_columns(rows))))
    }
}

/// The rows as the columns of a matrix.
pub(crate) fn read_columns(rows: &Rows<'_>) -> Mat<f64> {
    let mut data = Mat::zeros(rows.columns(), rows.len());
    for index in 0..rows.len() {
        rows.read(index, data.col_as_slice_mut(index));
    }
    data
}

/// The Gaussian fitted to a sample: mean, and what its covariance is made of.
pub(crate) struct Fit {
    pub(crate) mean: Vec<f64>,
    shape: Shape,
}

enum Shape {
    /// d × n, with F·Fᵀ the covariance: few rows.
    Factor(Mat<f64>),
    /// The lower triangle of the d × d covariance: many rows.
    Covariance(Mat<f64>),
}

impl Fit {
    pub(crate) fn of(material: &Material) -> Self {
        match material {
            Material::Data(data) => Self::of_columns(data.as_ref().clone()),
            Material::Moments(moments) => Self::of_moments(moments),
        }
    }

    pub(crate) fn of_moments(moments: &Moments) -> Self {
        Self::of_covariance(moments.mean().to_vec(), moments.covariance())
    }

    /// The fit of a mean and a covariance, of which the lower triangle is read.
    pub(crate) fn of_covariance(mean: Vec<f64>, covariance: Mat<f64>) -> Self {
        Self { mean, shape: Shape::Covariance(covariance) }
    }

    /// The fit of a few rows, given as columns.
    pub(crate) fn of_columns(mut data: Mat<f64>) -> Self {
        let mean = centre(data.as_mut());
        let scale = (data.ncols() as f64 - 1.0).sqrt().recip();
        for column in 0..data.ncols() {
            data.col_as_slice_mut(column).iter_mut().for_each(|value| *value *= scale);
        }
        Self { mean, shape: Shape::Factor(data) }
    }

    /// The fit of the rows of one subset: from the columns of `data`, or from moments by group.
    pub(crate) fn of_subset(data: &Groups, subsets: &Subsets, subset: usize) -> Self {
        match data {
            Groups::Data(data) => {
                let members: Vec<usize> = subsets.members(subset).collect();
                Self::of_columns(Mat::from_fn(data.nrows(), members.len(), |i, j| {
                    data[(i, members[j])]
                }))
            }
            Groups::Moments(groups) => {
                Self::of_moments(&Moments::of_subset(groups, subsets, subset))
            }
        }
    }

    /// Measures in units of `unit`, a power of two.
    fn measure_in(&mut self, unit: f64) {
        self.mean.iter_mut().for_each(|value| *value /= unit);
        match &mut self.shape {
            Shape::Factor(factor) => *factor *= faer::Scale(unit.recip()),
            Shape::Covariance(matrix) => *matrix *= faer::Scale(unit.recip() * unit.recip()),
        }
    }

    /// Total variance.
    pub(crate) fn trace(&self) -> f64 {
        match &self.shape {
            Shape::Factor(factor) => factor.squared_norm_l2(),
            Shape::Covariance(matrix) => (0..matrix.nrows()).map(|i| matrix[(i, i)]).sum(),
        }
    }

    /// Eigenvalues of the covariance, descending, d of them.
    pub(crate) fn eigenvalues(&self) -> Result<Vec<f64>> {
        let mut values = match &self.shape {
            Shape::Factor(factor) => dense::eigenvalues((factor.transpose() * factor).as_ref())?,
            Shape::Covariance(matrix) => dense::eigenvalues(matrix.as_ref())?,
        };
        values.resize(self.mean.len(), 0.0);
        Ok(values)
    }

    /// The fit with the factor of its covariance.
    pub(crate) fn factored(&self) -> Result<Factored> {
        let factor = match &self.shape {
            Shape::Factor(factor) => factor.clone(),
            Shape::Covariance(matrix) => dense::factor(matrix.as_ref())?,
        };
        Ok(Factored { mean: self.mean.clone(), trace: self.trace(), factor })
    }
}

/// A fit with the factor F of its covariance F·Fᵀ.
#[derive(Clone)]
pub(crate) struct Factored {
    pub(crate) mean: Vec<f64>,
    /// Total variance.
    pub(crate) trace: f64,
    pub(crate) factor: Mat<f64>,
}

/// A fit with its factor, in units of its own: decomposed once, and met by others of any scale.
pub(crate) struct Anchor {
    unit: f64,
    fit: Factored,
}

impl Anchor {
    /// Decomposes `fit`.
    pub(crate) fn of(fit: Fit) -> Result<Self> {
        let mut fits = [fit];
        let unit = to_unit_scale(&mut fits);
        Ok(Self { unit, fit: fits[0].factored()? })
    }

    /// Total variance of the fit.
    fn trace(&self) -> f64 {
        self.fit.trace * self.unit * self.unit
    }

    /// The anchor and `other` in one unit, as [`to_unit_scale`] would have it, and the length that 1 then
    /// stands for.
    pub(crate) fn together(&self, other: &mut Fit) -> (Factored, f64) {
        let unit = beside(self.trace(), other);
        let scale = self.unit / unit;
        let mut fit = self.fit.clone();
        fit.mean.iter_mut().for_each(|value| *value *= scale);
        fit.trace *= scale * scale;
        fit.factor *= faer::Scale(scale);
        (fit, unit)
    }
}

/// Measures `other` in the unit that it has beside an anchor of this total variance, and returns the length that
/// 1 then stands for.
pub(crate) fn beside(trace: f64, other: &mut Fit) -> f64 {
    let unit = unit_of([trace, other.trace()]);
    other.measure_in(unit);
    unit
}

/// The total variance of a fit, as that of its [`Anchor`] would be.
pub(crate) fn trace_of(fit: Fit) -> f64 {
    let mut fits = [fit];
    let unit = to_unit_scale(&mut fits);
    fits[0].trace() * unit * unit
}

/// What the moments of any subset are made from.
pub(crate) enum Groups {
    /// Few rows, as columns.
    Data(Mat<f64>),
    /// Many rows: their moments by group.
    Moments(Vec<Moments>),
}

impl Groups {
    /// Halves of up to 2·d rows have at most d rows, and their data are the smaller thing to keep.
    pub(crate) fn of(rows: &Rows<'_>, control: &Control) -> Result<Self> {
        if rows.len() > 2 * rows.columns() {
            return Ok(Self::Moments(Moments::of_groups(rows, control)?));
        }
        control.advance(rows.len() as u64)?;
        Ok(Self::Data(read_columns(rows)))
    }
}
