//! `tailwatch_core::neighbors` for Python.

use numpy::ndarray::Array2;
use numpy::{IntoPyArray, PyArray2};
use pyo3::prelude::*;
use tailwatch_core::neighbors;

use crate::enter::{Settings, enter};
use crate::input::PyRows;

#[pyfunction]
pub(crate) fn nearest_neighbors<'py>(
    py: Python<'py>,
    queries: &PyRows,
    base: &PyRows,
    k: usize,
    exclude_self: bool,
    settings: Settings,
) -> PyResult<(Bound<'py, PyArray2<f64>>, Bound<'py, PyArray2<i64>>)> {
    let (queries, base) = (queries.borrow(py)?, base.borrow(py)?);
    let (queries, base) = (queries.rows()?, base.rows()?);
    let found = enter(py, &settings, |control| {
        neighbors::nearest_neighbors(&queries, &base, k, exclude_self, control)
    })?;
    let shape = (queries.len(), k);
    let distances = Array2::from_shape_vec(shape, found.distances).expect("k distances per query");
    let indices = Array2::from_shape_vec(shape, found.indices).expect("k indices per query");
    Ok((distances.into_pyarray(py), indices.into_pyarray(py)))
}
