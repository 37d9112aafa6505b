//! `tailwatch_core::dimension` for Python.

use pyo3::prelude::*;
use tailwatch_core::dimension;

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
