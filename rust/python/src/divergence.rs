//! `tailwatch_core::divergence` for Python.

use pyo3::prelude::*;
use tailwatch_core::divergence::{frechet, jensen_shannon, kernel, knn};

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
