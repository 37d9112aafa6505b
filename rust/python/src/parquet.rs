//! `tailwatch_io` for Python.

use std::path::PathBuf;

use numpy::PyReadwriteArray1;
use pyo3::exceptions::{PyException, PyOSError, PyValueError};
use pyo3::prelude::*;
use tailwatch_io::{Failure, Reader, verify};

use crate::enter::{Settings, enter};
use crate::error::to_python;

pyo3::create_exception!(tailwatch._core, Unfit, PyException, "What is not read here.");

fn raised(failure: Failure) -> PyErr {
    match failure {
        Failure::Unfit(_) => Unfit::new_err(failure.to_string()),
        Failure::Checksum { .. } => PyValueError::new_err(failure.to_string()),
        Failure::System(error) => system(&error),
        Failure::Stopped(error) => to_python(&error),
    }
}

/// An error of the system as Python has it: its number and its text.
fn system(error: &std::io::Error) -> PyErr {
    let text = error.to_string();
    match error.raw_os_error() {
        Some(code) => {
            let end = text.rfind(" (os error").unwrap_or(text.len());
            PyOSError::new_err((code, text[..end].to_owned()))
        }
        None => PyOSError::new_err(text),
    }
}

/// A column of vectors of a Parquet file, in pieces.
#[pyclass(module = "tailwatch._core")]
pub(crate) struct VectorColumn(Reader);

#[pymethods]
impl VectorColumn {
    /// Opens a column of rows of `length` numbers of `bytes` bytes each.
    #[new]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        name: &str,
        bytes: usize,
        length: usize,
    ) -> PyResult<Self> {
        py.detach(|| Reader::open(&path, name, bytes, length)).map(Self).map_err(raised)
    }

    /// Chooses a piece of about so many bytes, and tells its rows.
    fn plan(&mut self, py: Python<'_>, bytes: usize) -> PyResult<usize> {
        py.detach(|| self.0.plan(bytes)).map_err(raised)
    }

    /// Fills an array with the piece.
    fn fill(
        &mut self,
        py: Python<'_>,
        mut into: PyReadwriteArray1<'_, u8>,
        settings: Settings,
    ) -> PyResult<()> {
        let into = into.as_slice_mut()?;
        let reader = &mut self.0;
        enter(py, &settings, |control| match reader.fill(into, control) {
            Err(Failure::Stopped(error)) => Err(error),
            found => Ok(found),
        })?
        .map_err(raised)
    }
}

/// The numbers in each of the first rows of a column of lists.
#[pyfunction]
pub(crate) fn first_length(
    py: Python<'_>,
    path: PathBuf,
    name: &str,
    bytes: usize,
) -> PyResult<usize> {
    py.detach(|| Reader::first_length(&path, name, bytes)).map_err(raised)
}

/// Compares the pages of columns with their checksums, and counts them.
#[pyfunction]
pub(crate) fn verify_pages(py: Python<'_>, path: PathBuf, names: Vec<String>) -> PyResult<usize> {
    py.detach(|| verify(&path, &names)).map_err(raised)
}
