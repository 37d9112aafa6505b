//! `tailwatch_core::cluster` for Python.

use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use tailwatch_core::cluster::k_means;

use crate::enter::{Settings, enter};
use crate::input::{Borrowed, PyRows};

/// k-means modes of `reference`: the mode of each row of each of `samples`.
#[pyfunction]
pub(crate) fn modes<'py>(
    py: Python<'py>,
    reference: &PyRows,
    samples: Vec<PyRef<'_, PyRows>>,
    clusters: usize,
    seed: u64,
    settings: Settings,
) -> PyResult<Vec<Bound<'py, PyArray1<u32>>>> {
    let reference = reference.borrow(py)?;
    let reference = reference.rows()?;
    let samples = samples.iter().map(|sample| sample.borrow(py)).collect::<PyResult<Vec<_>>>()?;
    let samples = samples.iter().map(Borrowed::rows).collect::<PyResult<Vec<_>>>()?;
    let labels = enter(py, &settings, |control| {
        let centres = k_means(&reference, "reference", clusters, seed, control)?.centres;
        samples.iter().map(|sample| centres.assign(sample, control)).collect::<Result<Vec<_>, _>>()
    })?;
    Ok(labels.into_iter().map(|labels| labels.into_pyarray(py)).collect())
}
