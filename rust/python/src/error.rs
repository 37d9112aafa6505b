//! Core errors as the exceptions of `tailwatch.exceptions`.

use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use tailwatch_core::Error;

pyo3::import_exception!(tailwatch.exceptions, DimensionError);
pyo3::import_exception!(tailwatch.exceptions, InputError);
pyo3::import_exception!(tailwatch.exceptions, NonFiniteError);
pyo3::import_exception!(tailwatch.exceptions, TailwatchError);

/// The Python exception that stands for `error`.
pub(crate) fn to_python(error: &Error) -> PyErr {
    let message = error.to_string();
    match error {
        Error::Input(_) => InputError::new_err(message),
        Error::Dimension(_) => DimensionError::new_err(message),
        Error::NonFinite(_) => NonFiniteError::new_err(message),
        Error::Numerical(_) => TailwatchError::new_err(message),
        Error::Cancelled => PyKeyboardInterrupt::new_err(message),
    }
}
