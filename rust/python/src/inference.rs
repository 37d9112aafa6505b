//! `tailwatch_core::inference` for Python.
//!
//! Samples A, B (halves of the reference) and C (the candidate) come as three handles whose rows are in
//! random order. Estimates go back as (metric, level, values, nulls): index 0 is the whole, the others
//! are random halves.

use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use tailwatch_core::divergence::kernel::{self, Kernel};
use tailwatch_core::inference::{
    Estimate, Parts, Replicates, Trio, authenticity, gaussian, kernels, knn, neighbors, sliced,
    tails, vendi,
};
use tailwatch_core::{Control, Result};

use crate::coverage::{PyPooledTail, wrap_pooled};
use crate::divergence::{PyKernel, kernel_of};
use crate::enter::{Settings, enter};
use crate::error::to_python;
use crate::input::PyRows;

type Samples<'py> = (PyRef<'py, PyRows>, PyRef<'py, PyRows>, PyRef<'py, PyRows>);
type PyEstimate<'py> =
    (&'static str, Option<f64>, Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<f64>>);

/// Why a metric has no value on some rows, where that of others does.
#[pyclass(frozen, module = "tailwatch._core")]
pub(crate) struct NoValue {
    #[pyo3(get)]
    reason: String,
}

/// A value, or why there is none.
#[derive(IntoPyObject)]
pub(crate) enum Outcome<T> {
    Value(T),
    NoValue(NoValue),
}

fn outcome<T>(found: Result<T>) -> Outcome<T> {
    found.map_or_else(
        |error| Outcome::NoValue(NoValue { reason: error.to_string() }),
        Outcome::Value,
    )
}

fn kernels_of(kernels: &[PyKernel]) -> PyResult<Vec<Kernel>> {
    kernels.iter().map(|(name, parameters)| kernel_of(name, parameters)).collect()
}

/// How halves are drawn: their number, the seed, and whether they come in complementary pairs.
type PyHalves = (usize, u64, bool);

fn with_trio<T: Send>(
    py: Python<'_>,
    samples: &Samples<'_>,
    replicates: Replicates,
    settings: &Settings,
    work: impl FnOnce(&Trio<'_>, &Control) -> Result<T> + Send,
) -> PyResult<T> {
    let (a, b, c) = (samples.0.borrow(py)?, samples.1.borrow(py)?, samples.2.borrow(py)?);
    let trio = Trio::new(a.rows()?, b.rows()?, c.rows()?, replicates);
    let trio = trio.map_err(|error| to_python(&error))?;
    enter(py, settings, |control| work(&trio, control))
}

fn halves((count, seed, complementary): PyHalves) -> Replicates {
    let parts = if complementary { Parts::ComplementaryHalves } else { Parts::Halves };
    Replicates { count, seed, parts }
}

fn wrap_one(py: Python<'_>, estimate: Estimate) -> PyEstimate<'_> {
    let Estimate { metric, level, value, null } = estimate;
    (metric, level, value.into_pyarray(py), null.into_pyarray(py))
}

fn wrap(py: Python<'_>, estimates: Vec<Estimate>) -> Vec<PyEstimate<'_>> {
    estimates.into_iter().map(|estimate| wrap_one(py, estimate)).collect()
}

/// PRDC, tail coverage and pooled tail odds. `replicates` is their number, the seed, and whether density, whose
/// replicates are three-quarter samples, is wanted.
#[pyfunction]
pub(crate) fn neighbor_metrics<'py>(
    py: Python<'py>,
    samples: Samples<'py>,
    replicates: (usize, u64, bool),
    levels: Vec<f64>,
    k: usize,
    settings: Settings,
) -> PyResult<Vec<PyEstimate<'py>>> {
    let (count, seed, density) = replicates;
    let parts = if density { Parts::HalvesAndThreeQuarters } else { Parts::Halves };
    let replicates = Replicates { count, seed, parts };
    let found = with_trio(py, &samples, replicates, &settings, |trio, control| {
        neighbors::neighbor_metrics(trio, &levels, k, control)
    })?;
    Ok(wrap(py, found))
}

/// PRDC, tail coverage and pooled tail shares of whole samples, (metric, level, value), and the pooled tails.
#[pyfunction]
pub(crate) fn whole_neighbor_metrics(
    py: Python<'_>,
    reference: &PyRows,
    candidate: &PyRows,
    levels: Vec<f64>,
    k: usize,
    settings: Settings,
) -> PyResult<(Vec<neighbors::WholeValue>, Vec<PyPooledTail>)> {
    let (reference, candidate) = (reference.borrow(py)?, candidate.borrow(py)?);
    let (reference, candidate) = (reference.rows()?, candidate.rows()?);
    let (values, tails) = enter(py, &settings, |control| {
        neighbors::whole_neighbor_metrics(&reference, &candidate, &levels, k, control)
    })?;
    Ok((values, tails.into_iter().map(wrap_pooled).collect()))
}

/// The mean directional tail.
#[pyfunction]
pub(crate) fn directional_metrics<'py>(
    py: Python<'py>,
    samples: Samples<'py>,
    replicates: PyHalves,
    level: f64,
    directions: usize,
    settings: Settings,
) -> PyResult<Vec<PyEstimate<'py>>> {
    let found = with_trio(py, &samples, halves(replicates), &settings, |trio, control| {
        tails::directional_metrics(trio, level, directions, replicates.1, control)
    })?;
    Ok(wrap(py, found))
}

/// Fréchet distance, total variance, effective rank, participation ratio.
#[pyfunction]
pub(crate) fn gaussian_metrics<'py>(
    py: Python<'py>,
    samples: Samples<'py>,
    replicates: PyHalves,
    settings: Settings,
) -> PyResult<Vec<PyEstimate<'py>>> {
    let found = with_trio(py, &samples, halves(replicates), &settings, gaussian::gaussian_metrics)?;
    Ok(wrap(py, found))
}

/// SW_p^p along random directions.
#[pyfunction]
pub(crate) fn sliced_metrics<'py>(
    py: Python<'py>,
    samples: Samples<'py>,
    replicates: PyHalves,
    p: f64,
    projections: usize,
    settings: Settings,
) -> PyResult<Vec<PyEstimate<'py>>> {
    let found = with_trio(py, &samples, halves(replicates), &settings, |trio, control| {
        sliced::sliced_metrics(trio, p, projections, replicates.1, control)
    })?;
    Ok(wrap(py, found))
}

/// Squared MMD with each kernel: value, null, the variances at a distance of zero of value, null and
/// value − null, and what a unit of distance adds; or why there is none.
#[pyfunction]
pub(crate) fn kernel_metrics(
    py: Python<'_>,
    samples: Samples<'_>,
    kernels: Vec<PyKernel>,
    settings: Settings,
) -> PyResult<Vec<Outcome<(f64, f64, f64, f64, f64, f64)>>> {
    let kernels = kernels_of(&kernels)?;
    let found = with_trio(py, &samples, halves((0, 0, false)), &settings, |trio, control| {
        kernels::kernel_metrics(trio, &kernels, control)
    })?;
    let numbers = |estimate: kernels::KernelEstimate| {
        let kernels::KernelEstimate { value, null, .. } = estimate;
        let variances =
            [estimate.value_variance, estimate.null_variance, estimate.difference_variance];
        (value, null, variances[0], variances[1], variances[2], estimate.slope)
    };
    Ok(found.into_iter().map(|estimate| outcome(estimate.map(numbers))).collect())
}

/// Squared MMD of whole samples, unbiased, with each kernel; or why there is none.
#[pyfunction]
pub(crate) fn whole_kernel_metrics(
    py: Python<'_>,
    reference: &PyRows,
    candidate: &PyRows,
    kernels: Vec<PyKernel>,
    settings: Settings,
) -> PyResult<Vec<Outcome<f64>>> {
    let kernels = kernels_of(&kernels)?;
    let (reference, candidate) = (reference.borrow(py)?, candidate.borrow(py)?);
    let (reference, candidate) = (reference.rows()?, candidate.rows()?);
    let found = enter(py, &settings, |control| {
        kernel::several(&reference, &candidate, &kernels, true, control)
    })?;
    Ok(found.into_iter().map(outcome).collect())
}

/// Nearest-neighbour divergence, or why there is none.
#[pyfunction]
pub(crate) fn divergence_metrics<'py>(
    py: Python<'py>,
    samples: Samples<'py>,
    replicates: PyHalves,
    dimension: f64,
    k: usize,
    settings: Settings,
) -> PyResult<Outcome<PyEstimate<'py>>> {
    let found = with_trio(py, &samples, halves(replicates), &settings, |trio, control| {
        knn::divergence_metrics(trio, dimension, k, control)
    })?;
    Ok(outcome(found.map(|estimate| wrap_one(py, estimate))))
}

/// Authenticity, of which the first sample is the training data.
#[pyfunction]
pub(crate) fn authenticity_metrics<'py>(
    py: Python<'py>,
    samples: Samples<'py>,
    replicates: PyHalves,
    settings: Settings,
) -> PyResult<Vec<PyEstimate<'py>>> {
    let work = authenticity::authenticity_metrics;
    Ok(wrap(py, with_trio(py, &samples, halves(replicates), &settings, work)?))
}

/// Vendi score of order q, or why there is none.
#[pyfunction]
pub(crate) fn vendi_metrics<'py>(
    py: Python<'py>,
    samples: Samples<'py>,
    replicates: PyHalves,
    q: f64,
    settings: Settings,
) -> PyResult<Outcome<PyEstimate<'py>>> {
    let found = with_trio(py, &samples, halves(replicates), &settings, |trio, control| {
        vendi::vendi_metrics(trio, q, control)
    })?;
    Ok(outcome(found.map(|estimate| wrap_one(py, estimate))))
}
