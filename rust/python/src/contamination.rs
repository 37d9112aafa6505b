//! `tailwatch_core::contamination` for Python.

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use tailwatch_core::contamination::{self, Probe};

use crate::enter::{Settings, enter};
use crate::input::PyRows;

/// The score of each row, by the model of its content's fold or of `folds`.
#[pyfunction]
pub(crate) fn probe_scores<'py>(
    py: Python<'py>,
    rows: &PyRows,
    weights: PyReadonlyArray2<'_, f64>,
    intercepts: PyReadonlyArray1<'_, f64>,
    bounds: PyReadonlyArray1<'_, u64>,
    folds: Option<PyReadonlyArray1<'_, u8>>,
    settings: Settings,
) -> PyResult<Bound<'py, PyArray1<f32>>> {
    let rows = rows.borrow(py)?;
    let rows = rows.rows()?;
    let probe = Probe {
        weights: weights.as_slice()?,
        intercepts: intercepts.as_slice()?,
        bounds: bounds.as_slice()?,
    };
    let folds = folds.as_ref().map(PyReadonlyArray1::as_slice).transpose()?;
    let scores =
        enter(py, &settings, |control| contamination::scores(&rows, probe, folds, control))?;
    Ok(scores.into_pyarray(py))
}

/// The fold of each row by its content.
#[pyfunction]
pub(crate) fn content_folds<'py>(
    py: Python<'py>,
    rows: &PyRows,
    bounds: PyReadonlyArray1<'_, u64>,
    settings: Settings,
) -> PyResult<Bound<'py, PyArray1<u8>>> {
    let rows = rows.borrow(py)?;
    let rows = rows.rows()?;
    let bounds = bounds.as_slice()?;
    let folds =
        enter(py, &settings, |control| contamination::content_folds(&rows, bounds, control))?;
    Ok(folds.into_pyarray(py))
}
