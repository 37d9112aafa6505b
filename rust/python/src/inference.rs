//! `tailwatch_core::inference` for Python.
//!
//! Samples A, B (halves of the reference) and C (the candidate) come as three handles whose rows are in
//! random order. Estimates go back as (metric, level, values, nulls): index 0 is the whole, the others
//! are random halves.

use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use tailwatch_core::inference::{Estimate, Halves, Trio, gaussian, kernels, neighbors, tails};
use tailwatch_core::{Control, Result};

use crate::divergence::kernel_of;
use crate::enter::{Settings, enter};
use crate::error::to_python;
use crate::input::PyRows;

type Samples<'py> = (PyRef<'py, PyRows>, PyRef<'py, PyRows>, PyRef<'py, PyRows>);
type PyEstimate<'py> =
    (&'static str, Option<f64>, Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<f64>>);

/// How halves are drawn: their number, the seed, and whether they come in complementary pairs.
type PyHalves = (usize, u64, bool);

fn with_trio<T: Send>(
    py: Python<'_>,
    samples: &Samples<'_>,
    halves: PyHalves,
    settings: &Settings,
    work: impl FnOnce(&Trio<'_>, &Control) -> Result<T> + Send,
) -> PyResult<T> {
    let (a, b, c) = (samples.0.borrow(py)?, samples.1.borrow(py)?, samples.2.borrow(py)?);
    let (count, seed, complementary) = halves;
    let halves = Halves { count, seed, complementary };
    let trio = Trio::new(a.rows()?, b.rows()?, c.rows()?, halves);
    let trio = trio.map_err(|error| to_python(&error))?;
    enter(py, settings, |control| work(&trio, control))
}

fn wrap(py: Python<'_>, estimates: Vec<Estimate>) -> Vec<PyEstimate<'_>> {
    let wrap = |e: Estimate| (e.metric, e.level, e.value.into_pyarray(py), e.null.into_pyarray(py));
    estimates.into_iter().map(wrap).collect()
}

/// PRDC, tail coverage and pooled tail odds.
#[pyfunction]
pub(crate) fn neighbor_metrics<'py>(
    py: Python<'py>,
    samples: Samples<'py>,
    halves: PyHalves,
    levels: Vec<f64>,
    k: usize,
    settings: Settings,
) -> PyResult<Vec<PyEstimate<'py>>> {
    let found = with_trio(py, &samples, halves, &settings, |trio, control| {
        neighbors::neighbor_metrics(trio, &levels, k, control)
    })?;
    Ok(wrap(py, found))
}

/// PRDC, tail coverage and pooled tail shares of whole samples: (metric, level, value).
#[pyfunction]
pub(crate) fn whole_neighbor_metrics(
    py: Python<'_>,
    reference: &PyRows,
    candidate: &PyRows,
    levels: Vec<f64>,
    k: usize,
    settings: Settings,
) -> PyResult<Vec<(&'static str, Option<f64>, f64)>> {
    let (reference, candidate) = (reference.borrow(py)?, candidate.borrow(py)?);
    let (reference, candidate) = (reference.rows()?, candidate.rows()?);
    enter(py, &settings, |control| {
        neighbors::whole_neighbor_metrics(&reference, &candidate, &levels, k, control)
    })
}

/// The mean directional tail.
#[pyfunction]
pub(crate) fn directional_metrics<'py>(
    py: Python<'py>,
    samples: Samples<'py>,
    halves: PyHalves,
    level: f64,
    directions: usize,
    settings: Settings,
) -> PyResult<Vec<PyEstimate<'py>>> {
    let found = with_trio(py, &samples, halves, &settings, |trio, control| {
        tails::directional_metrics(trio, level, directions, halves.1, control)
    })?;
    Ok(wrap(py, found))
}

/// Fréchet distance, total variance, effective rank, participation ratio.
#[pyfunction]
pub(crate) fn gaussian_metrics<'py>(
    py: Python<'py>,
    samples: Samples<'py>,
    halves: PyHalves,
    settings: Settings,
) -> PyResult<Vec<PyEstimate<'py>>> {
    let found = with_trio(py, &samples, halves, &settings, gaussian::gaussian_metrics)?;
    Ok(wrap(py, found))
}

/// Squared MMD: value, null, and the variances of value, null and value − null.
#[pyfunction]
pub(crate) fn kernel_metric(
    py: Python<'_>,
    samples: Samples<'_>,
    kernel: &str,
    parameters: Vec<f64>,
    settings: Settings,
) -> PyResult<(f64, f64, f64, f64, f64)> {
    let kernel = kernel_of(kernel, &parameters)?;
    let found = with_trio(py, &samples, (0, 0, false), &settings, |trio, control| {
        kernels::kernel_metric(trio, kernel, control)
    })?;
    Ok((
        found.value,
        found.null,
        found.value_variance,
        found.null_variance,
        found.difference_variance,
    ))
}
