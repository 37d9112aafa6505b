//! `tailwatch_core::dimension` and `divergence::{entropy, rke}` for Python.

use pyo3::prelude::*;
use tailwatch_core::dimension;
use tailwatch_core::divergence::{entropy, rke as kernel_entropy};

use crate::enter::{Settings, enter};
use crate::input::PyRows;

/// The dimension, its standard error, and from how many different rows it comes.
#[pyfunction]
pub(crate) fn intrinsic_dimension(
    py: Python<'_>,
    embeddings: &PyRows,
    discard: f64,
    settings: Settings,
) -> PyResult<(f64, f64, usize)> {
    let embeddings = embeddings.borrow(py)?;
    let embeddings = embeddings.rows()?;
    let found = enter(py, &settings, |control| {
        dimension::intrinsic_dimension(&embeddings, discard, control)
    })?;
    Ok((found.value, found.standard_error, found.rows))
}

/// The entropy in nats.
#[pyfunction]
pub(crate) fn knn_entropy(
    py: Python<'_>,
    embeddings: &PyRows,
    k: usize,
    dimension: f64,
    settings: Settings,
) -> PyResult<f64> {
    let embeddings = embeddings.borrow(py)?;
    let embeddings = embeddings.rows()?;
    enter(py, &settings, |control| entropy::knn_entropy(&embeddings, k, dimension, control))
}

/// The order-2 Rényi kernel entropy, as a number of modes.
#[pyfunction]
pub(crate) fn rke(
    py: Python<'_>,
    embeddings: &PyRows,
    bandwidth: f64,
    settings: Settings,
) -> PyResult<f64> {
    let embeddings = embeddings.borrow(py)?;
    let embeddings = embeddings.rows()?;
    enter(py, &settings, |control| kernel_entropy::rke(&embeddings, bandwidth, control))
}
