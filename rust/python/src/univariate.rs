//! `tailwatch_core::univariate` for Python.
//!
//! A sample comes as chunks of any numeric type with the type in which both samples are compared, which
//! holds all their numbers, and with how often each number was seen, unless once.

use half::f16;
use numpy::{PyArrayMethods, PyReadonlyArray1, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use tailwatch_core::univariate::bins::{self, Quantiles};
use tailwatch_core::univariate::sample::Sample;
use tailwatch_core::univariate::source::{Chunk, Numbers, Read};
use tailwatch_core::univariate::steps;
use tailwatch_core::{Control, Error, Result};

use crate::enter::{Settings, enter};
use crate::error::to_python;

/// Chunks of numbers, how often each was seen, and the argument's name.
type PySample<'py> = (Vec<Bound<'py, PyUntypedArray>>, Option<PyReadonlyArray1<'py, u64>>, String);

/// A chunk that is held while its numbers are read.
enum Held<'py> {
    F16(PyReadonlyArray1<'py, f16>),
    F32(PyReadonlyArray1<'py, f32>),
    F64(PyReadonlyArray1<'py, f64>),
    I64(PyReadonlyArray1<'py, i64>),
    U64(PyReadonlyArray1<'py, u64>),
    I32(PyReadonlyArray1<'py, i32>),
    U32(PyReadonlyArray1<'py, u32>),
    I16(PyReadonlyArray1<'py, i16>),
    U16(PyReadonlyArray1<'py, u16>),
    I8(PyReadonlyArray1<'py, i8>),
    U8(PyReadonlyArray1<'py, u8>),
}

macro_rules! in_each_type {
    ($do:ident) => {
        $do!(F64, F32, I64, U64, I32, U32, I16, U16, I8, U8, F16)
    };
}

impl<'py> Held<'py> {
    fn of(array: &Bound<'py, PyUntypedArray>, name: &str) -> PyResult<Self> {
        macro_rules! hold {
            ($($variant:ident),*) => {
                $(
                    if let Ok(array) = array.cast() {
                        return Ok(Self::$variant(array.try_readonly()?));
                    }
                )*
            };
        }
        in_each_type!(hold);
        let dtype = array.dtype();
        Err(to_python(&Error::input(name).expected("numbers").got(dtype)))
    }

    fn chunk(&self) -> Chunk<'_> {
        macro_rules! view {
            ($($variant:ident),*) => {
                match self { $(Self::$variant(array) => Chunk::$variant(array.as_array()),)* }
            };
        }
        in_each_type!(view)
    }
}

fn hold<'py>((chunks, _, name): &PySample<'py>) -> PyResult<Vec<Held<'py>>> {
    chunks.iter().map(|chunk| Held::of(chunk, name)).collect()
}

fn numbers<'a>(held: &'a [Held<'_>], name: &str) -> Numbers<'a> {
    Numbers::new(held.iter().map(Held::chunk).collect(), name.to_owned())
}

/// Reads both samples as `T`, sorts them side by side, and calls `work` on them.
fn with_sorted<T: Read, R: Send>(
    py: Python<'_>,
    reference: &PySample<'_>,
    candidate: &PySample<'_>,
    settings: &Settings,
    work: impl FnOnce(&Sample<T>, &Sample<T>, &Control) -> Result<R> + Send,
) -> PyResult<R> {
    let held = [hold(reference)?, hold(candidate)?];
    let (x, y) = (numbers(&held[0], &reference.2), numbers(&held[1], &candidate.2));
    let counts = [&reference.1, &candidate.1].map(|counts| counts.as_ref().map(|c| c.as_slice()));
    let [of_x, of_y] = counts;
    let (of_x, of_y) = (of_x.transpose()?, of_y.transpose()?);
    enter(py, settings, |control| {
        control.begin("sorting", (x.len() + y.len()) as u64);
        let sort = |numbers: &Numbers<'_>, counts: Option<&[u64]>| match counts {
            Some(counts) => Ok(Sample::counted(numbers.to_vec()?, counts)),
            None => Sample::<T>::read(numbers, control),
        };
        let (x, y) = control.run(|| rayon::join(|| sort(&x, of_x), || sort(&y, of_y)));
        work(&x?, &y?, control)
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
            other => Err(to_python(
                &Error::input("dtype").expected("a known type").got(format_args!("'{other}'")),
            )),
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

/// Observations of both samples in bins between quantiles of the reference, or of both samples alike; of few
/// numbers, of each.
#[pyfunction]
pub(crate) fn bin_counts(
    py: Python<'_>,
    reference: PySample<'_>,
    candidate: PySample<'_>,
    dtype: &str,
    bins: usize,
    of_both: bool,
    settings: Settings,
) -> PyResult<(Vec<f64>, Vec<f64>)> {
    let quantiles = if of_both { Quantiles::Mixture } else { Quantiles::Reference };
    in_type!(dtype, T => {
        with_sorted::<T, _>(py, &reference, &candidate, &settings, |x, y, control| {
            bins::bin_counts(x, y, bins, quantiles, control)
        })
    })
}
