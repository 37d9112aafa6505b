//! `tailwatch_core::divergence` for Python.

use numpy::ndarray::Array2;
use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use tailwatch_core::divergence::frontier::Frontier;
use tailwatch_core::divergence::{
    cross, extrapolation, frechet, jensen_shannon, kernel, knn, mauve as clustered, projection,
    sliced,
};
use tailwatch_core::gaussians::Gaussians;
use tailwatch_core::moments::Moments;
use tailwatch_core::{Control, Error};

use crate::enter::{Settings, enter};
use crate::error::to_python;
use crate::input::PyRows;

/// A kernel's name and parameters.
pub(crate) type PyKernel = (String, Vec<f64>);

/// A kernel by name with its parameters: (degree, gamma, coef0), (bandwidth,) or ().
pub(crate) fn kernel_of(name: &str, parameters: &[f64]) -> PyResult<kernel::Kernel> {
    match (name, parameters) {
        ("polynomial", &[degree, gamma, coef0]) => {
            // A float beyond u32 becomes the largest, which is refused as a degree.
            Ok(kernel::Kernel::Polynomial { degree: degree as u32, gamma, coef0 })
        }
        ("gaussian", &[bandwidth]) => Ok(kernel::Kernel::Gaussian { bandwidth }),
        ("distance", &[]) => Ok(kernel::Kernel::Distance),
        _ => Err(to_python(
            &Error::input("kernel")
                .expected("a known kernel with its parameters")
                .got(format_args!("'{name}' with {parameters:?}")),
        )),
    }
}

/// Means and lower triangles of covariances, a row for each sample.
pub(crate) type PyGaussians<'py> = (Bound<'py, PyArray2<f64>>, Bound<'py, PyArray2<f64>>);

pub(crate) fn wrap_gaussians<'py>(py: Python<'py>, found: &Gaussians) -> PyGaussians<'py> {
    (found.means().clone().into_pyarray(py), found.covariances().clone().into_pyarray(py))
}

pub(crate) fn gaussians_of(
    means: &PyReadonlyArray2<'_, f64>,
    covariances: &PyReadonlyArray2<'_, f64>,
) -> PyResult<Gaussians> {
    let found = Gaussians::new(means.as_array(), covariances.as_array());
    found.map_err(|error| to_python(&error))
}

/// The Gaussian of all rows, which [`frechet_distance_to`] takes.
#[pyfunction]
pub(crate) fn gaussian<'py>(
    py: Python<'py>,
    reference: &PyRows,
    settings: Settings,
) -> PyResult<PyGaussians<'py>> {
    let reference = reference.borrow(py)?;
    let reference = reference.rows()?;
    let found = enter(py, &settings, |control| Gaussians::of(&reference, control))?;
    Ok(wrap_gaussians(py, &found))
}

/// The Gaussian of each part of a reference, which [`frechet_distance_extrapolated_to`] takes.
#[pyfunction]
pub(crate) fn gaussians_of_cuts<'py>(
    py: Python<'py>,
    reference: &PyRows,
    points: usize,
    seed: u64,
    settings: Settings,
) -> PyResult<PyGaussians<'py>> {
    let reference = reference.borrow(py)?;
    let reference = reference.rows()?;
    let found = enter(py, &settings, |control| {
        extrapolation::gaussians_of_cuts(&reference, points, seed, control)
    })?;
    Ok(wrap_gaussians(py, &found))
}

/// Fréchet distance to a reference of which the Gaussian is there.
#[pyfunction]
pub(crate) fn frechet_distance_to(
    py: Python<'_>,
    means: PyReadonlyArray2<'_, f64>,
    covariances: PyReadonlyArray2<'_, f64>,
    candidate: &PyRows,
    settings: Settings,
) -> PyResult<f64> {
    let (reference, candidate) = (gaussians_of(&means, &covariances)?, candidate.borrow(py)?);
    let candidate = candidate.rows()?;
    let work = |control: &Control| frechet::frechet_distance_to(&reference, &candidate, control);
    enter(py, &settings, work)
}

/// Where the line of Fréchet distances to a reference ends of which the Gaussians of the parts are there.
#[pyfunction]
pub(crate) fn frechet_distance_extrapolated_to(
    py: Python<'_>,
    means: PyReadonlyArray2<'_, f64>,
    covariances: PyReadonlyArray2<'_, f64>,
    candidate: &PyRows,
    points: usize,
    seed: u64,
    settings: Settings,
) -> PyResult<f64> {
    let (reference, candidate) = (gaussians_of(&means, &covariances)?, candidate.borrow(py)?);
    let candidate = candidate.rows()?;
    let found = enter(py, &settings, |control| {
        extrapolation::extrapolate_to(reference, &candidate, points, seed, control)
    })?;
    Ok(found.value)
}

#[pyfunction]
pub(crate) fn frechet_distance(
    py: Python<'_>,
    reference: &PyRows,
    candidate: &PyRows,
    settings: Settings,
) -> PyResult<f64> {
    let (reference, candidate) = (reference.borrow(py)?, candidate.borrow(py)?);
    let (reference, candidate) = (reference.rows()?, candidate.rows()?);
    enter(py, &settings, |control| frechet::frechet_distance(&reference, &candidate, control))
}

/// Count, means and covariance: what the Fréchet distance takes from a sample.
#[pyfunction]
pub(crate) fn moments<'py>(
    py: Python<'py>,
    embeddings: &PyRows,
    settings: Settings,
) -> PyResult<(usize, Bound<'py, PyArray1<f64>>, Bound<'py, PyArray2<f64>>)> {
    let embeddings = embeddings.borrow(py)?;
    let embeddings = embeddings.rows()?;
    let found = enter(py, &settings, |control| Moments::of(&embeddings, control))?;
    let (d, lower) = (embeddings.columns(), found.covariance());
    let covariance = Array2::from_shape_fn((d, d), |(i, j)| lower[(i.max(j), i.min(j))]);
    Ok((found.count(), found.mean().to_vec().into_pyarray(py), covariance.into_pyarray(py)))
}

/// Fréchet distance between two means and covariances.
#[pyfunction]
pub(crate) fn frechet_of_moments(
    py: Python<'_>,
    reference_mean: PyReadonlyArray1<'_, f64>,
    reference_covariance: PyReadonlyArray2<'_, f64>,
    candidate_mean: PyReadonlyArray1<'_, f64>,
    candidate_covariance: PyReadonlyArray2<'_, f64>,
    settings: Settings,
) -> PyResult<f64> {
    let reference = (reference_mean.as_array(), reference_covariance.as_array());
    let candidate = (candidate_mean.as_array(), candidate_covariance.as_array());
    enter(py, &settings, |control| frechet::frechet_of_moments(reference, candidate, control))
}

/// Squared MMD; with the distance kernel, the energy distance.
#[pyfunction]
pub(crate) fn mmd(
    py: Python<'_>,
    reference: &PyRows,
    candidate: &PyRows,
    kernel: &str,
    parameters: Vec<f64>,
    unbiased: bool,
    settings: Settings,
) -> PyResult<f64> {
    let kernel = kernel_of(kernel, &parameters)?;
    let (reference, candidate) = (reference.borrow(py)?, candidate.borrow(py)?);
    let (reference, candidate) = (reference.rows()?, candidate.rows()?);
    enter(py, &settings, |control| kernel::mmd(&reference, &candidate, kernel, unbiased, control))
}

/// `count` unit vectors, uniform on the sphere.
#[pyfunction]
pub(crate) fn projections(
    py: Python<'_>,
    columns: usize,
    count: usize,
    seed: u64,
    settings: Settings,
) -> PyResult<Bound<'_, PyArray2<f64>>> {
    let values = enter(py, &settings, |control| {
        projection::random_directions(columns, count, seed, control)
    })?;
    let rows = Array2::from_shape_vec((count, columns), values).expect("one value per column");
    Ok(rows.into_pyarray(py))
}

/// Sliced Wasserstein distance along the rows of `directions`.
#[pyfunction]
pub(crate) fn sliced_wasserstein(
    py: Python<'_>,
    reference: &PyRows,
    candidate: &PyRows,
    directions: PyReadonlyArray2<'_, f64>,
    p: f64,
    settings: Settings,
) -> PyResult<f64> {
    let (reference, candidate) = (reference.borrow(py)?, candidate.borrow(py)?);
    let (reference, candidate) = (reference.rows()?, candidate.rows()?);
    let directions = directions.as_slice()?;
    enter(py, &settings, |control| {
        sliced::sliced_wasserstein(&reference, &candidate, directions, p, control)
    })
}

/// KL(candidate ‖ reference) in nats.
#[pyfunction]
pub(crate) fn knn_divergence(
    py: Python<'_>,
    reference: &PyRows,
    candidate: &PyRows,
    k: usize,
    dimension: f64,
    settings: Settings,
) -> PyResult<f64> {
    let (reference, candidate) = (reference.borrow(py)?, candidate.borrow(py)?);
    let (reference, candidate) = (reference.rows()?, candidate.rows()?);
    enter(py, &settings, |control| {
        knn::knn_divergence(&reference, &candidate, k, dimension, control)
    })
}

/// Jensen–Shannon divergence in nats.
#[pyfunction]
pub(crate) fn knn_jensen_shannon(
    py: Python<'_>,
    reference: &PyRows,
    candidate: &PyRows,
    k: usize,
    settings: Settings,
) -> PyResult<f64> {
    let (reference, candidate) = (reference.borrow(py)?, candidate.borrow(py)?);
    let (reference, candidate) = (reference.rows()?, candidate.rows()?);
    enter(py, &settings, |control| {
        jensen_shannon::knn_jensen_shannon(&reference, &candidate, k, control)
    })
}

/// Cross-MMD: xMMD², its standard error, and the one over the other.
#[pyfunction]
pub(crate) fn cross_mmd(
    py: Python<'_>,
    reference: &PyRows,
    candidate: &PyRows,
    kernel: &str,
    parameters: Vec<f64>,
    seed: u64,
    settings: Settings,
) -> PyResult<(f64, f64, f64)> {
    let kernel = kernel_of(kernel, &parameters)?;
    let (reference, candidate) = (reference.borrow(py)?, candidate.borrow(py)?);
    let (reference, candidate) = (reference.rows()?, candidate.rows()?);
    let found = enter(py, &settings, |control| {
        cross::cross_mmd(&reference, &candidate, kernel, seed, control)
    })?;
    Ok((found.value, found.standard_error, found.statistic))
}

/// Value, standard error, its degrees of freedom, slope, and the mean distance of the parts of each cut.
#[pyfunction]
pub(crate) fn frechet_distance_extrapolated(
    py: Python<'_>,
    reference: &PyRows,
    candidate: &PyRows,
    points: usize,
    seed: u64,
    settings: Settings,
) -> PyResult<(f64, f64, f64, f64, Vec<f64>)> {
    let (reference, candidate) = (reference.borrow(py)?, candidate.borrow(py)?);
    let (reference, candidate) = (reference.rows()?, candidate.rows()?);
    let found = enter(py, &settings, |control| {
        extrapolation::extrapolate(&reference, &candidate, points, seed, control)
    })?;
    let error = (found.standard_error, found.degrees_of_freedom);
    Ok((found.value, error.0, error.1, found.slope, found.distances))
}

/// MAUVE; `frontier` is its scaling, the points of the curve and the smoothing.
#[pyfunction]
pub(crate) fn mauve(
    py: Python<'_>,
    reference: &PyRows,
    candidate: &PyRows,
    clusters: usize,
    frontier: (f64, usize, f64),
    seed: u64,
    settings: Settings,
) -> PyResult<f64> {
    let (scaling, points, smoothing) = frontier;
    let frontier = Frontier { scaling, points, smoothing };
    let (reference, candidate) = (reference.borrow(py)?, candidate.borrow(py)?);
    let (reference, candidate) = (reference.rows()?, candidate.rows()?);
    enter(py, &settings, |control| {
        clustered::mauve(&reference, &candidate, clusters, &frontier, seed, control)
    })
}

/// Rows of each sample in each cluster of the pooled rows.
#[pyfunction]
pub(crate) fn cluster_counts(
    py: Python<'_>,
    reference: &PyRows,
    candidate: &PyRows,
    clusters: usize,
    seed: u64,
    settings: Settings,
) -> PyResult<[Vec<u64>; 2]> {
    let (reference, candidate) = (reference.borrow(py)?, candidate.borrow(py)?);
    let (reference, candidate) = (reference.rows()?, candidate.rows()?);
    enter(py, &settings, |control| {
        clustered::cluster_counts(&reference, &candidate, clusters, seed, control)
    })
}

/// MAUVE of two histograms.
#[pyfunction]
pub(crate) fn mauve_of_counts(
    py: Python<'_>,
    reference: Vec<u64>,
    candidate: Vec<u64>,
    frontier: (f64, usize, f64),
    settings: Settings,
) -> PyResult<f64> {
    let (scaling, points, smoothing) = frontier;
    let frontier = Frontier { scaling, points, smoothing };
    frontier.check().map_err(|error| to_python(&error))?;
    if reference.len() != candidate.len() {
        return Err(to_python(
            &Error::input("candidate")
                .expected(format_args!("as many bins as in reference, {}", reference.len()))
                .got(candidate.len()),
        ));
    }
    enter(py, &settings, |control| frontier.area(&reference, &candidate, control))
}
