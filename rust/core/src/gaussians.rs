//! Gaussians fitted to samples, as numbers that are kept without the rows. Level 3.
//!
//! A sample of more rows than columns is to the Fréchet distance its mean and its covariance: d + d(d+1)/2 numbers,
//! from which the distance has the same bits as from the rows. Of fewer rows the rows themselves would be the
//! smaller thing, and such a sample has no [`Gaussians`].

use faer::Mat;
use ndarray::{Array2, ArrayView2};

use crate::control::Control;
use crate::covariance::{Fit, Groups, Material};
use crate::error::{Error, Result};
use crate::moments::Moments;
use crate::rows::{Rows, check_rows};
use crate::subsets::Subsets;

/// Means and covariances (ddof = 1) of some samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Gaussians {
    /// A row for each sample.
    means: Array2<f64>,
    /// Lower triangles, row after row, of each sample.
    covariances: Array2<f64>,
}

/// Numbers of the lower triangle of a matrix.
fn triangle(columns: usize) -> usize {
    columns * (columns + 1) / 2
}

impl Gaussians {
    /// Gaussians that were kept.
    pub fn new(means: ArrayView2<'_, f64>, covariances: ArrayView2<'_, f64>) -> Result<Self> {
        let (count, d) = means.dim();
        if d == 0 || covariances.dim() != (count, triangle(d)) {
            return Err(Error::dimension("covariances")
                .expected(format_args!("{count} lower triangles of {d} x {d} matrices"))
                .got(format_args!("{:?}", covariances.dim())));
        }
        if !means.iter().chain(covariances).all(|value| value.is_finite()) {
            return Err(Error::non_finite("moments").expected("finite numbers").got("others"));
        }
        let owned = |view: ArrayView2<'_, f64>| view.as_standard_layout().into_owned();
        Ok(Self { means: owned(means), covariances: owned(covariances) })
    }

    /// The Gaussian of all rows.
    pub fn of(rows: &Rows<'_>, control: &Control) -> Result<Self> {
        check_rows(rows, "reference", 2)?;
        control.begin("moments", rows.len() as u64);
        match Material::of(rows, control)? {
            Material::Moments(moments) => Ok(Self::of_moments(&[moments.as_ref().clone()])),
            Material::Data(_) => Err(too_few(rows.len(), rows.columns() + 1)),
        }
    }

    /// The Gaussian of each subset of rows in random order.
    pub(crate) fn of_subsets(
        rows: &Rows<'_>,
        subsets: &Subsets,
        control: &Control,
    ) -> Result<Self> {
        control.begin("moments", rows.len() as u64);
        let groups = match Groups::of(rows, control)? {
            Groups::Moments(groups) => groups,
            Groups::Data(_) => return Err(too_few(rows.len(), 2 * rows.columns() + 1)),
        };
        let of_subset = |subset| {
            control.check()?;
            Ok(Moments::of_subset(&groups, subsets, subset))
        };
        let found: Result<Vec<Moments>> = (0..subsets.count()).map(of_subset).collect();
        Ok(Self::of_moments(&found?))
    }

    fn of_moments(samples: &[Moments]) -> Self {
        let d = samples[0].mean().len();
        let mut means = Vec::with_capacity(samples.len() * d);
        let mut covariances = Vec::with_capacity(samples.len() * triangle(d));
        for moments in samples {
            means.extend_from_slice(moments.mean());
            let covariance = moments.covariance();
            covariances.extend((0..d).flat_map(|i| {
                let covariance = &covariance;
                (0..=i).map(move |j| covariance[(i, j)])
            }));
        }
        let matrix = |columns, values| {
            Array2::from_shape_vec((samples.len(), columns), values).expect("rows of one length")
        };
        Self { means: matrix(d, means), covariances: matrix(triangle(d), covariances) }
    }

    /// Means, a row for each sample.
    #[must_use]
    pub fn means(&self) -> &Array2<f64> {
        &self.means
    }

    /// The lower triangles of the covariances, row after row, of each sample.
    #[must_use]
    pub fn covariances(&self) -> &Array2<f64> {
        &self.covariances
    }

    /// Number of samples.
    #[must_use]
    pub fn count(&self) -> usize {
        self.means.nrows()
    }

    /// Number of columns.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.means.ncols()
    }

    /// Fails unless there are as many as an estimate takes.
    pub(crate) fn check_count(&self, count: usize) -> Result<()> {
        if self.count() == count {
            return Ok(());
        }
        Err(Error::dimension("moments").expected(format_args!("{count} samples")).got(self.count()))
    }

    /// The fit of one sample.
    pub(crate) fn fit(&self, sample: usize) -> Fit {
        let (d, lower) = (self.columns(), self.covariances.row(sample));
        let covariance =
            Mat::from_fn(d, d, |i, j| if i >= j { lower[triangle(i) + j] } else { 0.0 });
        Fit::of_covariance(self.means.row(sample).to_vec(), covariance)
    }
}

fn too_few(rows: usize, least: usize) -> Error {
    Error::input("reference")
        .expected(format_args!(
            "at least {least} rows, of which fewer are smaller than their moments"
        ))
        .got(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::divergence::frechet::{frechet_distance, frechet_distance_to};
    use crate::streams::Stream;

    fn normal(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
        let mut stream = Stream::new(seed, "test", 0);
        Array2::from_shape_simple_fn((rows, columns), || stream.normal())
    }

    #[test]
    fn moments_give_the_distance_of_their_rows_to_the_bit() {
        let control = Control::with_threads(2);
        for (n, m, d) in [(200, 90, 5), (300, 40, 70), (1000, 1000, 17)] {
            let (x, y) = (normal(n, d, 1), normal(m, d, 2));
            let (x, y) = (Rows::from_f64(x.view()), Rows::from_f64(y.view()));
            let kept = Gaussians::of(&x, &control).unwrap();
            let kept = Gaussians::new(kept.means().view(), kept.covariances().view()).unwrap();
            let found = frechet_distance_to(&kept, &y, &control).unwrap();
            assert_eq!(found, frechet_distance(&x, &y, &control).unwrap());
        }
    }

    #[test]
    fn few_rows_and_other_shapes_are_refused() {
        let control = Control::with_threads(1);
        let data = normal(6, 6, 1);
        let rows = Rows::from_f64(data.view());
        assert!(Gaussians::of(&rows, &control).unwrap_err().to_string().contains("at least 7"));
        let subsets = Subsets::whole(6);
        assert!(Gaussians::of_subsets(&rows, &subsets, &control).is_err());
        assert!(Gaussians::new(data.view(), data.view()).is_err());
        let nan = Array2::from_elem((1, 1), f64::NAN);
        assert!(Gaussians::new(nan.view(), nan.view()).is_err());
    }
}
