//! `tailwatch_core::spectrum` for Python.

use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use tailwatch_core::spectrum;

use crate::enter::{Settings, enter};
use crate::input::PyRows;

/// eigenvalues, trace, log-determinant, effective rank, participation ratio.
#[pyfunction(name = "spectrum")]
pub(crate) fn of_rows<'py>(
    py: Python<'py>,
    embeddings: &PyRows,
    settings: Settings,
) -> PyResult<(Bound<'py, PyArray1<f64>>, f64, f64, f64, f64)> {
    let embeddings = embeddings.borrow(py)?;
    let embeddings = embeddings.rows()?;
    let found = enter(py, &settings, |control| spectrum::spectrum(&embeddings, control))?;
    let eigenvalues = found.eigenvalues.into_pyarray(py);
    Ok((eigenvalues, found.trace, found.log_det, found.effective_rank, found.participation_ratio))
}
