//! Core errors as the exceptions of `tailwatch.exceptions`, field by field.

use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};
use tailwatch_core::Error;

pyo3::import_exception!(tailwatch.exceptions, DimensionError);
pyo3::import_exception!(tailwatch.exceptions, InputError);
pyo3::import_exception!(tailwatch.exceptions, NonFiniteError);
pyo3::import_exception!(tailwatch.exceptions, TailwatchError);

/// The Python exception that stands for `error`.
pub(crate) fn to_python(error: &Error) -> PyErr {
    Python::attach(|py| match error {
        Error::Input(_) => raised(&py.get_type::<InputError>(), error),
        Error::Dimension(_) => raised(&py.get_type::<DimensionError>(), error),
        Error::NonFinite(_) => raised(&py.get_type::<NonFiniteError>(), error),
        Error::Numerical(_) => raised(&py.get_type::<TailwatchError>(), error),
        Error::Cancelled => PyKeyboardInterrupt::new_err(error.to_string()),
    })
}

fn raised(kind: &Bound<'_, PyType>, error: &Error) -> PyErr {
    let exception = || -> PyResult<Bound<'_, PyAny>> {
        let named = PyDict::new(kind.py());
        if let Some(fields) = error.fields() {
            named.set_item("problem", &fields.problem)?;
            named.set_item("argument", &fields.argument)?;
            named.set_item("expected", &fields.expected)?;
            named.set_item("got", &fields.got)?;
            named.set_item("where", &fields.place)?;
            named.set_item("hint", &fields.hint)?;
        }
        kind.call((), Some(&named))
    };
    exception().map_or_else(|failure| failure, PyErr::from_value)
}
