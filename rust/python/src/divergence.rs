//! `tailwatch_core::divergence` for Python.

use pyo3::prelude::*;
use tailwatch_core::divergence::frontier::Frontier;
use tailwatch_core::divergence::{cross, extrapolation, frechet, kernel, mauve as clustered};

use crate::enter::{Settings, enter};
use crate::error::{InputError, to_python};
use crate::input::PyRows;

/// A kernel's name and parameters.
pub(crate) type PyKernel = (String, Vec<f64>);

/// A kernel by name with its parameters: (degree, gamma, coef0), (bandwidth,) or ().
pub(crate) fn kernel_of(name: &str, parameters: &[f64]) -> PyResult<kernel::Kernel> {
    match (name, parameters) {
        ("polynomial", &[degree, gamma, coef0]) => {
            Ok(kernel::Kernel::Polynomial { degree: degree as u32, gamma, coef0 })
        }
        ("gaussian", &[bandwidth]) => Ok(kernel::Kernel::Gaussian { bandwidth }),
        ("distance", &[]) => Ok(kernel::Kernel::Distance),
        _ => {
            Err(InputError::new_err(format!("kernel: unknown kernel '{name}' with {parameters:?}")))
        }
    }
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
    reference: Vec<u64>,
    candidate: Vec<u64>,
    frontier: (f64, usize, f64),
) -> PyResult<f64> {
    let (scaling, points, smoothing) = frontier;
    let frontier = Frontier { scaling, points, smoothing };
    frontier.check().map_err(|error| to_python(&error))?;
    if reference.len() != candidate.len() {
        return Err(InputError::new_err("candidate: expected as many bins as in reference"));
    }
    Ok(frontier.area(&reference, &candidate))
}
