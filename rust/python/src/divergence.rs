//! `tailwatch_core::divergence` for Python.

use numpy::ndarray::Array2;
use numpy::{IntoPyArray, PyArray2, PyReadonlyArray2};
use pyo3::prelude::*;
use tailwatch_core::divergence::{frechet, jensen_shannon, kernel, knn, projection, sliced};

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
) -> Bound<'_, PyArray2<f64>> {
    let values = projection::random_directions(columns, count, seed);
    Array2::from_shape_vec((count, columns), values).expect("one value per column").into_pyarray(py)
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
