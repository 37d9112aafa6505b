//! `tailwatch_core::divergence` for Python.

use ndarray::Array2;
use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use tailwatch_core::divergence::{frechet, kernel};
use tailwatch_core::moments::Moments;

use crate::enter::{Settings, enter};
use crate::error::InputError;
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
