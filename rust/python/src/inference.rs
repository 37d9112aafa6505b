//! `tailwatch_core::inference` for Python.
//!
//! Samples A, B (halves of the reference) and C (the candidate) are handles whose rows are in random order.
//! Metrics are prepared from A and B, and then given for each C. Estimates go back as (metric, level, values):
//! index 0 is the whole, the others are random parts.

use numpy::{
    IntoPyArray, PyArray1, PyArrayDyn, PyReadonlyArray1, PyReadonlyArray2, PyReadonlyArray4,
};
use pyo3::prelude::*;
use tailwatch_core::divergence::kernel::Kernel;
use tailwatch_core::inference::{
    Estimate, Found, Halves, Parts, Prepared, Replicates, Summary, authenticity, gaussian, kernels,
    knn, neighbors, sliced, tails, vendi,
};
use tailwatch_core::{Control, Error, Result};

use crate::coverage::{PyPooledTail, wrap_pooled};
use crate::divergence::{PyGaussians, PyKernel, gaussians_of, kernel_of, wrap_gaussians};
use crate::enter::{Settings, enter};
use crate::error::to_python;
use crate::input::PyRows;

type PyHalves<'py> = (PyRef<'py, PyRows>, PyRef<'py, PyRows>);
type PyEstimate<'py> = (&'static str, Option<f64>, Bound<'py, PyArray1<f64>>);

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

/// How parts are drawn: their number, the seed, and which.
type PyReplicates = (usize, u64, String);

fn replicates_of((count, seed, parts): PyReplicates) -> PyResult<Replicates> {
    let parts = match parts.as_str() {
        "halves" => Parts::Halves,
        "complementary halves" => Parts::ComplementaryHalves,
        "halves and three quarters" => Parts::HalvesAndThreeQuarters,
        other => {
            let expected = "halves, complementary halves or halves and three quarters";
            return Err(to_python(&Error::input("replicates").expected(expected).got(other)));
        }
    };
    Ok(Replicates { count, seed, parts })
}

fn wrap(py: Python<'_>, found: Found) -> Outcome<Vec<PyEstimate<'_>>> {
    let wrap_one = |Estimate { metric, level, values }| (metric, level, values.into_pyarray(py));
    outcome(found.map(|estimates| estimates.into_iter().map(wrap_one).collect()))
}

/// Prepares some metrics from A and B.
fn with_halves<T: Send>(
    py: Python<'_>,
    halves: &PyHalves<'_>,
    replicates: Replicates,
    settings: &Settings,
    work: impl FnOnce(&Halves<'_>, &Control) -> Result<T> + Send,
) -> PyResult<T> {
    let (a, b) = (halves.0.borrow(py)?, halves.1.borrow(py)?);
    let halves = Halves::new(a.rows()?, b.rows()?, replicates);
    let halves = halves.map_err(|error| to_python(&error))?;
    enter(py, settings, |control| work(&halves, control))
}

/// What some metrics need of A and B, and their null.
#[pyclass(name = "PreparedMetrics", frozen, module = "tailwatch._core")]
pub(crate) struct PyPrepared(Box<dyn Prepared>);

#[pymethods]
impl PyPrepared {
    /// metric(A, B), or why there is none.
    #[getter]
    fn null<'py>(&self, py: Python<'py>) -> Outcome<Vec<PyEstimate<'py>>> {
        wrap(py, self.0.null())
    }

    /// metric(A, C), in the order of the null, or why there is none.
    fn value<'py>(
        &self,
        py: Python<'py>,
        a: &PyRows,
        c: &PyRows,
        settings: Settings,
    ) -> PyResult<Outcome<Vec<PyEstimate<'py>>>> {
        let (a, c) = (a.borrow(py)?, c.borrow(py)?);
        let (a, c) = (a.rows()?, c.rows()?);
        let found = enter(py, &settings, |control| self.0.value(&a, &c, control))?;
        Ok(wrap(py, found))
    }
}

/// What some metrics need of A and B, in numbers that hold no row, and their null.
#[pyclass(name = "PreparedSummary", frozen, module = "tailwatch._core")]
pub(crate) struct PySummary(Box<dyn Summary>);

impl PySummary {
    fn of(summary: impl Summary + 'static) -> Self {
        Self(Box::new(summary))
    }
}

#[pymethods]
impl PySummary {
    /// metric(A, B), or why there is none.
    #[getter]
    fn null<'py>(&self, py: Python<'py>) -> Outcome<Vec<PyEstimate<'py>>> {
        wrap(py, self.0.null())
    }

    /// metric(A, C), in the order of the null, or why there is none.
    fn value<'py>(
        &self,
        py: Python<'py>,
        c: &PyRows,
        settings: Settings,
    ) -> PyResult<Outcome<Vec<PyEstimate<'py>>>> {
        let c = c.borrow(py)?;
        let c = c.rows()?;
        let found = enter(py, &settings, |control| self.0.value(&c, control))?;
        Ok(wrap(py, found))
    }

    /// The numbers that it is restored from besides the null, by name.
    fn state<'py>(&self, py: Python<'py>) -> Vec<(&'static str, Bound<'py, PyArrayDyn<f64>>)> {
        let state = self.0.state().into_iter();
        state.map(|(name, array)| (name, array.into_pyarray(py))).collect()
    }
}

/// PRDC, tail coverage and pooled tail odds.
#[pyfunction]
pub(crate) fn prepare_neighbors(
    py: Python<'_>,
    halves: PyHalves<'_>,
    replicates: PyReplicates,
    levels: Vec<f64>,
    k: usize,
    settings: Settings,
) -> PyResult<PyPrepared> {
    let replicates = replicates_of(replicates)?;
    let work =
        |halves: &Halves<'_>, control: &Control| neighbors::prepare(halves, &levels, k, control);
    with_halves(py, &halves, replicates, &settings, work).map(PyPrepared)
}

/// The mean directional tail.
#[pyfunction]
pub(crate) fn prepare_directions(
    py: Python<'_>,
    halves: PyHalves<'_>,
    replicates: PyReplicates,
    level: f64,
    directions: usize,
    settings: Settings,
) -> PyResult<PySummary> {
    let replicates = replicates_of(replicates)?;
    let work =
        |halves: &Halves<'_>, control: &Control| tails::prepare(halves, level, directions, control);
    with_halves(py, &halves, replicates, &settings, work).map(PySummary::of)
}

/// The mean directional tail, of what was kept.
#[pyfunction]
pub(crate) fn restore_directions(
    replicates: PyReplicates,
    level: f64,
    directions: PyReadonlyArray2<'_, f64>,
    quantiles: PyReadonlyArray4<'_, f64>,
    null: PyReadonlyArray2<'_, f64>,
) -> PyResult<PySummary> {
    let (replicates, null) = (replicates_of(replicates)?, null.as_array());
    let kept = (directions.as_array(), quantiles.as_array());
    let tails = tails::Tails::restore(replicates, level, kept, null);
    tails.map(PySummary::of).map_err(|error| to_python(&error))
}

/// Total variance, effective rank, participation ratio, before them the Fréchet distance if asked for.
#[pyfunction]
pub(crate) fn prepare_moments(
    py: Python<'_>,
    halves: PyHalves<'_>,
    replicates: PyReplicates,
    distance: bool,
    settings: Settings,
) -> PyResult<PySummary> {
    let replicates = replicates_of(replicates)?;
    let work =
        |halves: &Halves<'_>, control: &Control| gaussian::prepare(halves, distance, control);
    with_halves(py, &halves, replicates, &settings, work).map(PySummary::of)
}

/// The Gaussian of each part of A, which [`restore_moments`] takes.
#[pyfunction]
pub(crate) fn gaussians_of_halves<'py>(
    py: Python<'py>,
    a: &PyRows,
    replicates: PyReplicates,
    settings: Settings,
) -> PyResult<PyGaussians<'py>> {
    let (a, replicates) = (a.borrow(py)?, replicates_of(replicates)?);
    let a = a.rows()?;
    let work = |control: &Control| gaussian::gaussians_of_halves(&a, replicates, control);
    Ok(wrap_gaussians(py, &enter(py, &settings, work)?))
}

/// Fréchet distance and what `prepare_moments` has besides, of what was kept.
#[pyfunction]
pub(crate) fn restore_moments(
    py: Python<'_>,
    replicates: PyReplicates,
    means: PyReadonlyArray2<'_, f64>,
    covariances: PyReadonlyArray2<'_, f64>,
    null: PyReadonlyArray2<'_, f64>,
    settings: Settings,
) -> PyResult<PySummary> {
    let (replicates, null) = (replicates_of(replicates)?, null.as_array());
    let gaussians = gaussians_of(&means, &covariances)?;
    let work = |control: &Control| gaussian::Moments::restore(replicates, gaussians, null, control);
    enter(py, &settings, work).map(PySummary::of)
}

/// What `prepare_moments` has without a distance, of what was kept.
#[pyfunction]
pub(crate) fn restore_spectra(
    replicates: PyReplicates,
    columns: usize,
    traces: PyReadonlyArray1<'_, f64>,
    null: PyReadonlyArray2<'_, f64>,
) -> PyResult<PySummary> {
    let (replicates, null) = (replicates_of(replicates)?, null.as_array());
    let traces = traces.as_array();
    let spectra = gaussian::Moments::restore_spectra(replicates, columns, traces, null);
    spectra.map(PySummary::of).map_err(|error| to_python(&error))
}

/// `SW_p^p` along random directions.
#[pyfunction]
pub(crate) fn prepare_projections(
    py: Python<'_>,
    halves: PyHalves<'_>,
    replicates: PyReplicates,
    p: f64,
    projections: usize,
    settings: Settings,
) -> PyResult<PyPrepared> {
    let replicates = replicates_of(replicates)?;
    let work =
        |halves: &Halves<'_>, control: &Control| sliced::prepare(halves, p, projections, control);
    with_halves(py, &halves, replicates, &settings, work).map(PyPrepared)
}

/// Nearest-neighbour divergence.
#[pyfunction]
pub(crate) fn prepare_knn_divergence(
    py: Python<'_>,
    halves: PyHalves<'_>,
    replicates: PyReplicates,
    dimension: f64,
    k: usize,
    settings: Settings,
) -> PyResult<PyPrepared> {
    let replicates = replicates_of(replicates)?;
    let work = |halves: &Halves<'_>, control: &Control| knn::prepare(halves, dimension, k, control);
    with_halves(py, &halves, replicates, &settings, work).map(PyPrepared)
}

/// Authenticity, of which A is the training data.
#[pyfunction]
pub(crate) fn prepare_authenticity(
    py: Python<'_>,
    halves: PyHalves<'_>,
    replicates: PyReplicates,
    settings: Settings,
) -> PyResult<PyPrepared> {
    let replicates = replicates_of(replicates)?;
    with_halves(py, &halves, replicates, &settings, authenticity::prepare).map(PyPrepared)
}

/// Vendi score of order q.
#[pyfunction]
pub(crate) fn prepare_vendi(
    py: Python<'_>,
    halves: PyHalves<'_>,
    replicates: PyReplicates,
    q: f64,
    settings: Settings,
) -> PyResult<PySummary> {
    let replicates = replicates_of(replicates)?;
    let work = |halves: &Halves<'_>, control: &Control| vendi::prepare(halves, q, control);
    with_halves(py, &halves, replicates, &settings, work).map(PySummary::of)
}

/// Vendi score of order q, of what was kept; without a null of rows that have no score.
#[pyfunction]
#[pyo3(signature = (replicates, columns, q, null))]
pub(crate) fn restore_vendi(
    replicates: PyReplicates,
    columns: usize,
    q: f64,
    null: Option<PyReadonlyArray2<'_, f64>>,
) -> PyResult<PySummary> {
    let replicates = replicates_of(replicates)?;
    let null = null.as_ref().map(PyReadonlyArray2::as_array);
    let score = vendi::Score::restore(replicates, columns, q, null);
    score.map(PySummary::of).map_err(|error| to_python(&error))
}

/// Sums of kernels over the pairs of A and B.
#[pyclass(frozen, module = "tailwatch._core")]
pub(crate) struct PreparedKernels(kernels::PreparedKernels);

#[pymethods]
impl PreparedKernels {
    /// Squared MMD of A and B with each kernel; none where it overflows.
    #[getter]
    fn nulls(&self) -> Vec<Option<f64>> {
        self.0.nulls()
    }

    /// How far rows of A and B are apart under each kernel: for that of distances their mean distance.
    #[getter]
    fn apart(&self) -> Vec<f64> {
        self.0.apart()
    }

    /// Squared MMD with each kernel: value, null, the variances at a distance of zero of value, null and
    /// value − null, what a unit of distance adds, and how far rows of A and C are apart; or why there is none.
    fn estimates(
        &self,
        py: Python<'_>,
        a: &PyRows,
        c: &PyRows,
        settings: Settings,
    ) -> PyResult<Vec<Outcome<(f64, f64, f64, f64, f64, f64, f64)>>> {
        let (a, c) = (a.borrow(py)?, c.borrow(py)?);
        let (a, c) = (a.rows()?, c.rows()?);
        let found = enter(py, &settings, |control| self.0.estimates(&a, &c, control))?;
        let numbers = |estimate: kernels::KernelEstimate| {
            let kernels::KernelEstimate { value, null, slope, apart, .. } = estimate;
            let variances =
                [estimate.value_variance, estimate.null_variance, estimate.difference_variance];
            (value, null, variances[0], variances[1], variances[2], slope, apart)
        };
        Ok(found.into_iter().map(|estimate| outcome(estimate.map(numbers))).collect())
    }
}

/// Squared MMD with each kernel.
#[pyfunction]
pub(crate) fn prepare_kernels(
    py: Python<'_>,
    halves: PyHalves<'_>,
    kernels: Vec<PyKernel>,
    settings: Settings,
) -> PyResult<PreparedKernels> {
    let kernels = kernels_of(&kernels)?;
    let whole = Replicates { count: 0, seed: 0, parts: Parts::Halves };
    let work = |halves: &Halves<'_>, control: &Control| {
        kernels::PreparedKernels::of(halves, &kernels, control)
    };
    with_halves(py, &halves, whole, &settings, work).map(PreparedKernels)
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

/// Squared MMD of whole samples with each kernel: value, its variance at a distance of zero, what a unit of
/// distance adds, and how far rows of both are apart; or why there is none.
#[pyfunction]
pub(crate) fn whole_kernel_metrics(
    py: Python<'_>,
    reference: &PyRows,
    candidate: &PyRows,
    kernels: Vec<PyKernel>,
    settings: Settings,
) -> PyResult<Vec<Outcome<(f64, f64, f64, f64)>>> {
    let kernels = kernels_of(&kernels)?;
    let (reference, candidate) = (reference.borrow(py)?, candidate.borrow(py)?);
    let (reference, candidate) = (reference.rows()?, candidate.rows()?);
    let found = enter(py, &settings, |control| {
        kernels::whole_estimates(&reference, &candidate, &kernels, control)
    })?;
    let numbers = |whole: kernels::WholeKernelEstimate| {
        (whole.value, whole.variance, whole.slope, whole.apart)
    };
    Ok(found.into_iter().map(|whole| outcome(whole.map(numbers))).collect())
}
