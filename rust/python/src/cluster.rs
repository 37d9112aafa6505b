//! `tailwatch_core::cluster` for Python.

use numpy::ndarray::Array2;
use numpy::{IntoPyArray, PyArray1, PyArray2};
use pyo3::prelude::*;
use tailwatch_core::cluster::{self, Centres};

use crate::enter::{Settings, enter};
use crate::input::PyRows;

/// Centres of clusters.
#[pyclass(name = "Centres", frozen, module = "tailwatch._core")]
pub(crate) struct PyCentres(Centres);

#[pymethods]
impl PyCentres {
    /// The cluster of each row.
    fn assign<'py>(
        &self,
        py: Python<'py>,
        rows: &PyRows,
        settings: Settings,
    ) -> PyResult<Bound<'py, PyArray1<u32>>> {
        let rows = rows.borrow(py)?;
        let rows = rows.rows()?;
        let labels = enter(py, &settings, |control| self.0.assign(&rows, control))?;
        Ok(labels.into_pyarray(py))
    }

    /// The centres, row by row.
    fn to_numpy<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray2<f64>> {
        let shape = (self.0.count(), self.0.columns);
        let values = Array2::from_shape_vec(shape, self.0.values.clone());
        values.expect("rows of columns").into_pyarray(py)
    }
}

/// k-means centres of `rows`, which errors call `name`.
#[pyfunction]
pub(crate) fn k_means(
    py: Python<'_>,
    rows: &PyRows,
    name: &str,
    clusters: usize,
    seed: u64,
    settings: Settings,
) -> PyResult<PyCentres> {
    let rows = rows.borrow(py)?;
    let rows = rows.rows()?;
    let found =
        enter(py, &settings, |control| cluster::k_means(&rows, name, clusters, seed, control))?;
    Ok(PyCentres(found.centres))
}
