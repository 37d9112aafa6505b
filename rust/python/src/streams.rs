//! `tailwatch_core::streams` for Python.

use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use tailwatch_core::Error;
use tailwatch_core::streams::Stream;

use crate::error::to_python;

/// `size` different integers below `count` in random order, from the stream of `purpose` under `seed`.
#[pyfunction]
pub(crate) fn sample<'py>(
    py: Python<'py>,
    count: usize,
    size: usize,
    seed: u64,
    purpose: &str,
) -> PyResult<Bound<'py, PyArray1<i64>>> {
    if size > count {
        return Err(to_python(
            &Error::input("size").expected(format_args!("at most {count}")).got(size),
        ));
    }
    let indices = Stream::new(seed, purpose, 0).sample(count, size);
    Ok(indices.into_iter().map(|index| index as i64).collect::<Vec<_>>().into_pyarray(py))
}
