//! `tailwatch_core::coverage` for Python.

use numpy::ndarray::Array2;
use numpy::{IntoPyArray, PyArray1, PyArray2, PyArray4, PyReadonlyArray2, PyReadonlyArray4};
use pyo3::prelude::*;
use tailwatch_core::coverage::{
    authenticity as authentic, clipped, copies as copied, directional, manifold, pooled, tail,
};

use crate::enter::{Settings, enter};
use crate::input::PyRows;

/// precision, recall, density, coverage.
#[pyfunction]
pub(crate) fn precision_recall_density_coverage(
    py: Python<'_>,
    reference: &PyRows,
    candidate: &PyRows,
    k: usize,
    settings: Settings,
) -> PyResult<(f64, f64, f64, f64)> {
    let (reference, candidate) = (reference.borrow(py)?, candidate.borrow(py)?);
    let (reference, candidate) = (reference.rows()?, candidate.rows()?);
    let prdc = enter(py, &settings, |control| {
        manifold::precision_recall_density_coverage(&reference, &candidate, k, control)
    })?;
    Ok((prdc.precision, prdc.recall, prdc.density, prdc.coverage))
}

/// clipped density, clipped coverage.
#[pyfunction]
pub(crate) fn clipped_density_and_coverage(
    py: Python<'_>,
    reference: &PyRows,
    candidate: &PyRows,
    k: usize,
    settings: Settings,
) -> PyResult<(f64, f64)> {
    let (reference, candidate) = (reference.borrow(py)?, candidate.borrow(py)?);
    let (reference, candidate) = (reference.rows()?, candidate.rows()?);
    let found = enter(py, &settings, |control| {
        clipped::clipped_density_and_coverage(&reference, &candidate, k, control)
    })?;
    Ok((found.density, found.coverage))
}

/// The shares of good rows among m that cover balls of n rows so, above 1 where they do better than that.
#[pyfunction]
pub(crate) fn good_shares(covered: Vec<f64>, n: usize, m: usize, k: usize) -> Vec<f64> {
    covered.into_iter().map(|covered| clipped::good_share(covered, n, m, k)).collect()
}

/// Candidate rows that are exact copies, and those that are normalised ones.
#[pyfunction]
pub(crate) fn copies(
    py: Python<'_>,
    reference: &PyRows,
    candidate: &PyRows,
    settings: Settings,
) -> PyResult<(usize, usize)> {
    let (reference, candidate) = (reference.borrow(py)?, candidate.borrow(py)?);
    let (reference, candidate) = (reference.rows()?, candidate.rows()?);
    let found = enter(py, &settings, |control| copied::copies(&reference, &candidate, control))?;
    Ok((found.exact, found.normalised))
}

/// For each level: level, rows, coverage, recall, mass, supported mass.
#[pyfunction]
pub(crate) fn tail_coverage(
    py: Python<'_>,
    reference: &PyRows,
    candidate: &PyRows,
    levels: Vec<f64>,
    k: usize,
    settings: Settings,
) -> PyResult<Vec<(f64, usize, f64, f64, f64, f64)>> {
    let (reference, candidate) = (reference.borrow(py)?, candidate.borrow(py)?);
    let (reference, candidate) = (reference.rows()?, candidate.rows()?);
    let tails = enter(py, &settings, |control| {
        tail::tail_coverage(&reference, &candidate, &levels, k, control)
    })?;
    Ok(tails
        .iter()
        .map(|t| (t.level, t.rows, t.coverage, t.recall, t.mass, t.supported_mass))
        .collect())
}

/// Places of the pooled tail; rows of reference and of candidate beyond its edge; those tied at it; the design
/// effect.
pub(crate) type PyPooledTail = (usize, (usize, usize), (usize, usize), f64);

pub(crate) fn wrap_pooled(tail: pooled::PooledTail) -> PyPooledTail {
    (tail.places, tail.beyond.into(), tail.tied.into(), tail.design_effect)
}

/// Who is in the tail of the pooled sample.
#[pyfunction]
pub(crate) fn pooled_tail(
    py: Python<'_>,
    reference: &PyRows,
    candidate: &PyRows,
    level: f64,
    k: usize,
    settings: Settings,
) -> PyResult<PyPooledTail> {
    let (reference, candidate) = (reference.borrow(py)?, candidate.borrow(py)?);
    let (reference, candidate) = (reference.rows()?, candidate.rows()?);
    let tail = enter(py, &settings, |control| {
        pooled::pooled_tail(&reference, &candidate, level, k, control)
    })?;
    Ok(wrap_pooled(tail))
}

/// Unit vectors: leading principal axes of the reference, then random ones.
#[pyfunction]
pub(crate) fn directions<'py>(
    py: Python<'py>,
    reference: &PyRows,
    count: usize,
    seed: u64,
    settings: Settings,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let reference = reference.borrow(py)?;
    let reference = reference.rows()?;
    let values =
        enter(py, &settings, |control| directional::directions(&reference, count, seed, control))?;
    let shape = (count, reference.columns());
    Ok(Array2::from_shape_vec(shape, values).expect("one value per column").into_pyarray(py))
}

/// The share of the candidate beyond the reference's quantiles along each direction, over the level.
#[pyfunction]
pub(crate) fn directional_tails<'py>(
    py: Python<'py>,
    reference: &PyRows,
    candidate: &PyRows,
    directions: PyReadonlyArray2<'_, f64>,
    level: f64,
    settings: Settings,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let (reference, candidate) = (reference.borrow(py)?, candidate.borrow(py)?);
    let (reference, candidate) = (reference.rows()?, candidate.rows()?);
    let directions = directions.as_slice()?;
    let ratios = enter(py, &settings, |control| {
        directional::directional_tails(&reference, &candidate, directions, level, control)
    })?;
    Ok(ratios.into_pyarray(py))
}

/// Where the tails of the reference begin along each direction, which [`directional_tails_beyond`] takes.
#[pyfunction]
pub(crate) fn directional_thresholds<'py>(
    py: Python<'py>,
    reference: &PyRows,
    directions: PyReadonlyArray2<'_, f64>,
    level: f64,
    settings: Settings,
) -> PyResult<Bound<'py, PyArray4<f64>>> {
    let reference = reference.borrow(py)?;
    let reference = reference.rows()?;
    let directions = directions.as_slice()?;
    let thresholds = enter(py, &settings, |control| {
        directional::Thresholds::of_rows(&reference, directions, level, control)
    })?;
    Ok(thresholds.numbers().1.into_pyarray(py))
}

/// The share of the candidate beyond quantiles along each direction, over the level.
#[pyfunction]
pub(crate) fn directional_tails_beyond<'py>(
    py: Python<'py>,
    directions: PyReadonlyArray2<'_, f64>,
    quantiles: PyReadonlyArray4<'_, f64>,
    level: f64,
    candidate: &PyRows,
    settings: Settings,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let candidate = candidate.borrow(py)?;
    let candidate = candidate.rows()?;
    let (directions, quantiles) = (directions.as_array(), quantiles.as_array());
    let ratios = enter(py, &settings, |control| {
        directional::Thresholds::new(directions, quantiles, level)?.tails(&candidate, control)
    })?;
    Ok(ratios.into_pyarray(py))
}

/// The share of the candidate that is no copy of the training data.
#[pyfunction]
pub(crate) fn authenticity(
    py: Python<'_>,
    training: &PyRows,
    candidate: &PyRows,
    settings: Settings,
) -> PyResult<f64> {
    let (training, candidate) = (training.borrow(py)?, candidate.borrow(py)?);
    let (training, candidate) = (training.rows()?, candidate.rows()?);
    enter(py, &settings, |control| authentic::authenticity(&training, &candidate, control))
}
