//! `tailwatch_core::vendi` for Python.

use pyo3::prelude::*;
use tailwatch_core::vendi;

use crate::enter::{Settings, enter};
use crate::input::PyRows;

#[pyfunction]
pub(crate) fn vendi_score(
    py: Python<'_>,
    embeddings: &PyRows,
    q: f64,
    truncation: Option<usize>,
    settings: Settings,
) -> PyResult<f64> {
    let embeddings = embeddings.borrow(py)?;
    let embeddings = embeddings.rows()?;
    enter(py, &settings, |control| vendi::vendi_score(&embeddings, q, truncation, control))
}
