//! Mapped files: a call that met a page which its file no longer has ends with an error that names the file.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use pyo3::types::IntoPyDict;
use tailwatch_core::{Watch, torn};

pyo3::import_exception!(tailwatch.exceptions, SourceError);

/// A watch over the bytes of a map, and the name of its file.
struct Watched {
    watch: Watch,
    name: String,
}

static WATCHED: Mutex<Vec<Arc<Watched>>> = Mutex::new(Vec::new());

fn watched() -> MutexGuard<'static, Vec<Arc<Watched>>> {
    WATCHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A map of a file that is watched for as long as this lives.
#[pyclass(name = "Watch", module = "tailwatch._core", frozen)]
pub(crate) struct Guard {
    watched: Option<Arc<Watched>>,
    // Keeps the map.
    _bytes: Py<PyAny>,
}

#[pymethods]
impl Guard {
    /// Watches `bytes`, the whole of a map of the file `name`.
    #[new]
    fn new(bytes: PyReadonlyArray1<'_, u8>, name: String) -> PyResult<Self> {
        let watch = Watch::over(bytes.as_slice()?);
        let one = watch.map(|watch| Arc::new(Watched { watch, name }));
        if let Some(one) = &one {
            watched().push(Arc::clone(one));
        }
        Ok(Self { watched: one, _bytes: bytes.as_any().clone().unbind() })
    }

    /// Whether it is watched: there is a bound to how many are, and some systems need it not.
    #[getter]
    fn active(&self) -> bool {
        self.watched.is_some()
    }

    /// Whether a page of it was missing.
    #[getter]
    fn torn(&self) -> bool {
        self.watched.as_ref().is_some_and(|one| one.watch.is_torn())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(one) = &self.watched {
            watched().retain(|other| !Arc::ptr_eq(one, other));
        }
    }
}

/// Fails if a map was torn since the count was `before`: what was computed since may be of zeros.
pub(crate) fn check(py: Python<'_>, before: usize) -> PyResult<()> {
    if torn() == before {
        return Ok(());
    }
    let names: Vec<String> = watched()
        .iter()
        .filter(|one| one.watch.is_torn_since(before))
        .map(|one| one.name.clone())
        .collect();
    let names = if names.is_empty() { "a mapped file".to_owned() } else { names.join(", ") };
    let fields = [
        ("expected", "a file that nobody writes to meanwhile".to_owned()),
        ("got", "a file that was cut".to_owned()),
        ("where", names.clone()),
    ];
    let problem = format!("{names} was cut while it was read");
    let error = py.get_type::<SourceError>().call((problem,), Some(&fields.into_py_dict(py)?))?;
    Err(PyErr::from_value(error))
}
