//! `tailwatch_core::hashes` for Python.

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use tailwatch_core::hashes;

use crate::enter::{Settings, enter};

/// The hash of each row of bytes.
#[pyfunction]
pub(crate) fn row_hashes<'py>(
    py: Python<'py>,
    row_bytes: PyReadonlyArray2<'_, u8>,
    settings: Settings,
) -> PyResult<Bound<'py, PyArray1<u64>>> {
    let bytes = row_bytes.as_array();
    let found = enter(py, &settings, |control| hashes::row_hashes(bytes, control))?;
    Ok(found.into_pyarray(py))
}
