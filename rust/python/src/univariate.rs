//! `tailwatch_core::univariate` for Python.
//!
//! A sample comes as chunks of any numeric type with the type in which both samples are compared, which
//! holds all their numbers, and with how often each number was seen, unless once.

use half::f16;
use ndarray::ArrayView1;
use numpy::{
    Element, PyArray1, PyArrayMethods, PyReadonlyArray1, PyUntypedArray, PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use tailwatch_core::rows::LARGEST_MAGNITUDE;
use tailwatch_core::univariate::number::Number;
use tailwatch_core::univariate::sample::Sample;
use tailwatch_core::univariate::steps::{self, Quantiles};
use tailwatch_core::{Control, Result};

use crate::enter::{Settings, enter};
use crate::error::{InputError, NonFiniteError};

/// Chunks of numbers, how often each was seen, and the argument's name.
type PySample<'py> = (Vec<Bound<'py, PyUntypedArray>>, Option<PyReadonlyArray1<'py, u64>>, String);

/// A number in each type that chunks have: nothing is lost where the caller chose the type with care.
trait Read: Number {
    fn from_f16(value: f16) -> Self;
    fn from_f32(value: f32) -> Self;
    fn from_f64(value: f64) -> Self;
    fn from_i64(value: i64) -> Self;
    fn from_u64(value: u64) -> Self;
    /// Whether it is finite and not larger than other metrics take.
    fn is_taken(self) -> bool;
    fn to_f64(self) -> f64;
}

macro_rules! read {
    ($type:ty, $taken:expr) => {
        #[allow(clippy::cast_lossless, clippy::unnecessary_cast)]
        impl Read for $type {
            fn from_f16(value: f16) -> Self {
                value.to_f32() as Self
            }
            fn from_f32(value: f32) -> Self {
                value as Self
            }
            fn from_f64(value: f64) -> Self {
                value as Self
            }
            fn from_i64(value: i64) -> Self {
                value as Self
            }
            fn from_u64(value: u64) -> Self {
                value as Self
            }
            fn is_taken(self) -> bool {
                ($taken)(self)
            }
            fn to_f64(self) -> f64 {
                self as f64
            }
        }
    };
}

read!(f32, f32::is_finite);
read!(f64, |value: f64| value.abs() <= LARGEST_MAGNITUDE);
read!(i64, |_| true);
read!(u64, |_| true);

fn absorb<S: Element + Copy, T: Read>(
    chunk: &Bound<'_, PyUntypedArray>,
    values: &mut Vec<T>,
    read: impl Fn(S) -> T,
) -> PyResult<bool> {
    let Ok(array) = chunk.cast::<PyArray1<S>>() else { return Ok(false) };
    let array = array.try_readonly()?;
    let view: ArrayView1<'_, S> = array.as_array();
    match view.as_slice() {
        Some(slice) => values.extend(slice.iter().map(|&value| read(value))),
        None => values.extend(view.iter().map(|&value| read(value))),
    }
    Ok(true)
}

/// The numbers of all chunks, all of them finite.
fn numbers<T: Read>(chunks: &[Bound<'_, PyUntypedArray>], name: &str) -> PyResult<Vec<T>> {
    let mut values = Vec::with_capacity(chunks.iter().map(PyUntypedArrayMethods::len).sum());
    for chunk in chunks {
        let read = absorb::<f64, T>(chunk, &mut values, T::from_f64)?
            || absorb::<f32, T>(chunk, &mut values, T::from_f32)?
            || absorb::<i64, T>(chunk, &mut values, T::from_i64)?
            || absorb::<u64, T>(chunk, &mut values, T::from_u64)?
            || absorb::<i32, T>(chunk, &mut values, |value| T::from_i64(i64::from(value)))?
            || absorb::<u32, T>(chunk, &mut values, |value| T::from_u64(u64::from(value)))?
            || absorb::<i16, T>(chunk, &mut values, |value| T::from_i64(i64::from(value)))?
            || absorb::<u16, T>(chunk, &mut values, |value| T::from_u64(u64::from(value)))?
            || absorb::<i8, T>(chunk, &mut values, |value| T::from_i64(i64::from(value)))?
            || absorb::<u8, T>(chunk, &mut values, |value| T::from_u64(u64::from(value)))?
            || absorb::<f16, T>(chunk, &mut values, T::from_f16)?;
        if !read {
            let dtype = chunk.dtype();
            return Err(InputError::new_err(format!("{name}: expected numbers, got {dtype}")));
        }
    }
    if let Some(position) = values.iter().position(|value| !value.is_taken()) {
        let value = values[position].to_f64();
        let what = if value.is_nan() {
            "NaN".to_owned()
        } else if value.is_infinite() {
            (if value > 0.0 { "an infinity" } else { "a negative infinity" }).to_owned()
        } else {
            format!("{value:e} (magnitudes up to {LARGEST_MAGNITUDE:e} are taken)")
        };
        return Err(NonFiniteError::new_err(format!("{name}: position {position} holds {what}")));
    }
    Ok(values)
}

/// Both samples, sorted side by side.
fn sorted<T: Read>(
    samples: [(Vec<T>, Option<&[u64]>); 2],
    control: &Control,
) -> Result<[Sample<T>; 2]> {
    let [x, y] = samples;
    let sort = |(values, counts): (Vec<T>, Option<&[u64]>)| match counts {
        Some(counts) => Ok(Sample::counted(values, counts)),
        None => Sample::of(values, control),
    };
    control.begin("sorting", (x.0.len() + y.0.len()) as u64);
    let (x, y) = control.run(|| rayon::join(|| sort(x), || sort(y)));
    Ok([x?, y?])
}

/// Reads both samples as `T`, sorts them, and calls `work` on them.
fn with_sorted<T: Read, R: Send>(
    py: Python<'_>,
    reference: &PySample<'_>,
    candidate: &PySample<'_>,
    settings: &Settings,
    work: impl FnOnce(&Sample<T>, &Sample<T>, &Control) -> Result<R> + Send,
) -> PyResult<R> {
    let values = [numbers(&reference.0, &reference.2)?, numbers(&candidate.0, &candidate.2)?];
    let counts = [&reference.1, &candidate.1].map(|counts| counts.as_ref().map(|c| c.as_slice()));
    let [x, y] = counts;
    let counts = [x.transpose()?, y.transpose()?];
    enter(py, settings, |control| {
        let [x, y] = values;
        let [x, y] = sorted([(x, counts[0]), (y, counts[1])], control)?;
        work(&x, &y, control)
    })
}

macro_rules! in_type {
    ($dtype:expr, $T:ident => $call:expr) => {
        match $dtype {
            "float32" => {
                type $T = f32;
                $call
            }
            "float64" => {
                type $T = f64;
                $call
            }
            "int64" => {
                type $T = i64;
                $call
            }
            "uint64" => {
                type $T = u64;
                $call
            }
            other => Err(InputError::new_err(format!("dtype: unknown type '{other}'"))),
        }
    };
}

/// W₁.
#[pyfunction]
pub(crate) fn wasserstein_distance(
    py: Python<'_>,
    reference: PySample<'_>,
    candidate: PySample<'_>,
    dtype: &str,
    settings: Settings,
) -> PyResult<f64> {
    in_type!(dtype, T => {
        with_sorted::<T, _>(py, &reference, &candidate, &settings, steps::wasserstein)
    })
}

/// 2∫(F−G)².
#[pyfunction]
pub(crate) fn univariate_energy_distance(
    py: Python<'_>,
    reference: PySample<'_>,
    candidate: PySample<'_>,
    dtype: &str,
    settings: Settings,
) -> PyResult<f64> {
    in_type!(dtype, T => {
        with_sorted::<T, _>(py, &reference, &candidate, &settings, steps::energy)
    })
}

/// max |F−G|, and the first value that has it.
#[pyfunction]
pub(crate) fn kolmogorov_smirnov(
    py: Python<'_>,
    reference: PySample<'_>,
    candidate: PySample<'_>,
    dtype: &str,
    settings: Settings,
) -> PyResult<(f64, f64)> {
    in_type!(dtype, T => {
        with_sorted::<T, _>(py, &reference, &candidate, &settings, steps::kolmogorov_smirnov)
            .map(|(statistic, value)| (statistic, value.to_f64()))
    })
}

/// T of the two-sample test.
#[pyfunction]
pub(crate) fn cramer_von_mises(
    py: Python<'_>,
    reference: PySample<'_>,
    candidate: PySample<'_>,
    dtype: &str,
    settings: Settings,
) -> PyResult<f64> {
    in_type!(dtype, T => {
        with_sorted::<T, _>(py, &reference, &candidate, &settings, steps::cramer_von_mises)
    })
}

/// Observations of both samples between quantiles of the reference, or of both samples alike.
#[pyfunction]
pub(crate) fn bin_counts(
    py: Python<'_>,
    reference: PySample<'_>,
    candidate: PySample<'_>,
    dtype: &str,
    bins: usize,
    of_both: bool,
    settings: Settings,
) -> PyResult<(Vec<u64>, Vec<u64>)> {
    let quantiles = if of_both { Quantiles::Mixture } else { Quantiles::Reference };
    in_type!(dtype, T => {
        with_sorted::<T, _>(py, &reference, &candidate, &settings, |x, y, control| {
            steps::bin_counts(x, y, bins, quantiles, control)
        })
    })
}
