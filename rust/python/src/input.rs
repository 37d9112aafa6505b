//! Embeddings as they come from Python: NumPy arrays and Arrow lists, borrowed without copying.

use std::fmt;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float16Type, Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, GenericListArray, OffsetSizeTrait, PrimitiveArray};
use arrow_schema::DataType;
use half::f16;
use ndarray::{Array2, ArrayView2};
use numpy::{
    Element, IntoPyArray, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2,
    PyUntypedArray, PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use pyo3_arrow::input::AnyArray;
use tailwatch_core::{Chunk, Error, Rows};

use crate::enter::{Settings, enter};
use crate::error::to_python;

/// One piece of a data set, owned by Python or by Arrow.
enum Part {
    NumpyF16(Py<PyArray2<f16>>),
    NumpyF32(Py<PyArray2<f32>>),
    NumpyF64(Py<PyArray2<f64>>),
    ArrowF16(PrimitiveArray<Float16Type>),
    ArrowF32(PrimitiveArray<Float32Type>),
    ArrowF64(PrimitiveArray<Float64Type>),
}

/// A part held for the length of one call.
enum Held<'py> {
    F16(PyReadonlyArray2<'py, f16>),
    F32(PyReadonlyArray2<'py, f32>),
    F64(PyReadonlyArray2<'py, f64>),
    Arrow(&'py Part),
}

/// A handle of embeddings: chunks as they came, and optionally which of their rows.
#[pyclass(name = "Rows", module = "tailwatch._core", frozen)]
pub(crate) struct PyRows {
    parts: Vec<Arc<Part>>,
    stored: usize,
    columns: usize,
    bits: usize,
    selection: Option<Arc<[usize]>>,
}

/// The chunks of a [`PyRows`], borrowed for the length of one call.
pub(crate) struct Borrowed<'py> {
    held: Vec<Held<'py>>,
    columns: usize,
    selection: Option<Arc<[usize]>>,
}

impl Borrowed<'_> {
    /// The rows for the core.
    pub(crate) fn rows(&self) -> PyResult<Rows<'_>> {
        let chunks = self.held.iter().map(|held| -> Arc<dyn Chunk + '_> {
            match held {
                Held::F16(array) => Arc::new(array.as_array()),
                Held::F32(array) => Arc::new(array.as_array()),
                Held::F64(array) => Arc::new(array.as_array()),
                Held::Arrow(Part::ArrowF16(values)) => Arc::new(view(values, self.columns)),
                Held::Arrow(Part::ArrowF32(values)) => Arc::new(view(values, self.columns)),
                Held::Arrow(Part::ArrowF64(values)) => Arc::new(view(values, self.columns)),
                Held::Arrow(_) => unreachable!("NumPy parts are held as arrays"),
            }
        });
        let rows = Rows::new(chunks.collect()).map_err(|error| to_python(&error))?;
        match &self.selection {
            Some(selection) => {
                rows.select(Arc::clone(selection)).map_err(|error| to_python(&error))
            }
            None => Ok(rows),
        }
    }
}

fn view<T: ArrowPrimitiveType>(
    values: &PrimitiveArray<T>,
    columns: usize,
) -> ArrayView2<'_, T::Native> {
    let shape = (values.len() / columns, columns);
    ArrayView2::from_shape(shape, values.values()).expect("a whole number of rows")
}

impl PyRows {
    fn new(parts: Vec<(Part, usize)>, columns: usize) -> Self {
        let bits = parts.iter().map(|(part, _)| part.bits()).max().unwrap_or(32);
        let stored = parts.iter().map(|(_, rows)| rows).sum();
        let parts = parts.into_iter().map(|(part, _)| Arc::new(part)).collect();
        Self { parts, stored, columns, bits, selection: None }
    }

    fn len(&self) -> usize {
        self.selection.as_ref().map_or(self.stored, |selection| selection.len())
    }

    /// Borrows the chunks; fails if one of them is being written to through this module's owner.
    pub(crate) fn borrow<'py>(&'py self, py: Python<'py>) -> PyResult<Borrowed<'py>> {
        let hold = |part: &'py Arc<Part>| -> PyResult<Held<'py>> {
            Ok(match &**part {
                Part::NumpyF16(array) => Held::F16(array.bind(py).try_readonly()?),
                Part::NumpyF32(array) => Held::F32(array.bind(py).try_readonly()?),
                Part::NumpyF64(array) => Held::F64(array.bind(py).try_readonly()?),
                arrow => Held::Arrow(arrow),
            })
        };
        let held = self.parts.iter().map(hold).collect::<PyResult<_>>()?;
        Ok(Borrowed { held, columns: self.columns, selection: self.selection.clone() })
    }
}

impl Part {
    fn bits(&self) -> usize {
        match self {
            Self::NumpyF16(_) | Self::ArrowF16(_) => 16,
            Self::NumpyF32(_) | Self::ArrowF32(_) => 32,
            Self::NumpyF64(_) | Self::ArrowF64(_) => 64,
        }
    }
}

#[pymethods]
impl PyRows {
    /// Borrows two-dimensional float arrays of any strides.
    #[staticmethod]
    fn from_numpy(chunks: Vec<Bound<'_, PyUntypedArray>>, name: &str) -> PyResult<Self> {
        let mut columns = None;
        let mut parts = Vec::with_capacity(chunks.len());
        for (index, chunk) in chunks.iter().enumerate() {
            let [rows, width] = *chunk.shape() else {
                return Err(to_python(
                    &Error::dimension(name).expected("two dimensions").got(chunk.ndim()),
                ));
            };
            let expected = *columns.get_or_insert(width);
            if width != expected {
                return Err(uneven(name, index, width, expected));
            }
            parts.push((numpy_part(chunk, name)?, rows));
        }
        Ok(Self::new(parts, columns.unwrap_or(0)))
    }

    /// Borrows the values of an Arrow array or stream of lists of floats.
    #[staticmethod]
    fn from_arrow(source: AnyArray, name: &str) -> PyResult<Self> {
        let (chunks, field) = source.into_chunked_array()?.into_inner();
        let mut reader = ArrowReader { name, rows: 0, columns: None, parts: Vec::new() };
        if let DataType::FixedSizeList(_, width) = field.data_type() {
            reader.columns = Some(*width as usize);
        }
        for chunk in &chunks {
            reader.absorb(chunk)?;
        }
        if chunks.is_empty() {
            reader.check_type(field.data_type())?;
        }
        let columns = reader.columns.unwrap_or(0);
        if columns == 0 && reader.rows > 0 {
            return Err(to_python(
                &Error::dimension(name).expected("at least one column").got("none"),
            ));
        }
        Ok(Self::new(reader.parts, columns))
    }

    /// Joins sets with the same number of columns, in order, without copying.
    #[staticmethod]
    fn concat(parts: Vec<PyRef<'_, Self>>) -> PyResult<Self> {
        let columns = parts.first().map_or(0, |part| part.columns);
        for (index, part) in parts.iter().enumerate() {
            if part.columns != columns {
                return Err(uneven("parts", index, part.columns, columns));
            }
            if part.selection.is_some() {
                return Err(to_python(
                    &Error::input("parts")
                        .expected("whole sets")
                        .got("a selection of rows")
                        .at(format_args!("part {index}")),
                ));
            }
        }
        Ok(Self {
            parts: parts.iter().flat_map(|part| part.parts.iter().map(Arc::clone)).collect(),
            stored: parts.iter().map(|part| part.stored).sum(),
            columns,
            bits: parts.iter().map(|part| part.bits).max().unwrap_or(32),
            selection: None,
        })
    }

    /// Rows and columns.
    #[getter]
    fn shape(&self) -> (usize, usize) {
        (self.len(), self.columns)
    }

    /// The widest of the chunks' types.
    #[getter]
    fn dtype(&self) -> String {
        format!("float{}", self.bits)
    }

    /// The rows at `indices`, without copying any.
    fn take(&self, indices: PyReadonlyArray1<'_, i64>) -> PyResult<Self> {
        let rows = self.len();
        let find = |(position, &index): (usize, &i64)| {
            usize::try_from(index).ok().filter(|&index| index < rows).ok_or_else(|| {
                to_python(
                    &Error::input("indices")
                        .expected(format_args!("0 to {rows} (excluded)"))
                        .got(index)
                        .at(format_args!("position {position}"))
                        .problem(format_args!(
                            "position {position} holds {index}, expected 0 to {rows} (excluded)"
                        )),
                )
            })
        };
        let indices: Vec<usize> =
            indices.as_array().iter().enumerate().map(find).collect::<PyResult<_>>()?;
        let selection = match &self.selection {
            Some(outer) => indices.into_iter().map(|index| outer[index]).collect(),
            None => indices.into(),
        };
        Ok(Self {
            parts: self.parts.iter().map(Arc::clone).collect(),
            stored: self.stored,
            columns: self.columns,
            bits: self.bits,
            selection: Some(selection),
        })
    }

    /// A copy of all rows as one array of type `dtype`.
    fn to_numpy<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let (py, this) = (slf.py(), slf.get());
        let borrowed = this.borrow(py)?;
        let rows = borrowed.rows()?;
        Ok(match this.bits {
            16 => copy(&rows, f16::from_f64).into_pyarray(py).into_any(),
            32 => copy(&rows, |value| value as f32).into_pyarray(py).into_any(),
            _ => copy(&rows, |value| value).into_pyarray(py).into_any(),
        })
    }

    /// Fails at the first row with NaN, an infinity or a magnitude whose square overflows.
    fn check_finite(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        let borrowed = self.borrow(py)?;
        let rows = borrowed.rows()?;
        enter(py, &Settings::default(), |control| rows.check_all_finite(name, control))
    }
}

/// Every stored value is one of the narrower type, so narrowing loses nothing.
fn copy<T: Element>(rows: &Rows<'_>, narrow: impl Fn(f64) -> T) -> Array2<T> {
    let mut values = Vec::with_capacity(rows.len() * rows.columns());
    let mut row = vec![0.0; rows.columns()];
    for index in 0..rows.len() {
        rows.read(index, &mut row);
        values.extend(row.iter().map(|&value| narrow(value)));
    }
    Array2::from_shape_vec((rows.len(), rows.columns()), values).expect("one value per cell")
}

/// Of a part whose rows have another width than those of the first.
fn uneven(name: &str, index: usize, width: usize, expected: usize) -> PyErr {
    to_python(
        &Error::dimension(name)
            .expected(format_args!("{expected} columns as in part 0"))
            .got(width)
            .at(format_args!("part {index}"))
            .problem(format_args!(
                "part {index} has {width} columns, expected {expected} as in part 0"
            )),
    )
}

fn numpy_part(chunk: &Bound<'_, PyUntypedArray>, name: &str) -> PyResult<Part> {
    if let Ok(array) = chunk.cast::<PyArray2<f32>>() {
        return Ok(Part::NumpyF32(array.clone().unbind()));
    }
    if let Ok(array) = chunk.cast::<PyArray2<f64>>() {
        return Ok(Part::NumpyF64(array.clone().unbind()));
    }
    if let Ok(array) = chunk.cast::<PyArray2<f16>>() {
        return Ok(Part::NumpyF16(array.clone().unbind()));
    }
    let dtype = chunk.dtype();
    Err(to_python(&Error::input(name).expected("float16, float32 or float64").got(dtype)))
}

/// Reads Arrow chunks one after the other and knows the row it is at.
struct ArrowReader<'a> {
    name: &'a str,
    rows: usize,
    columns: Option<usize>,
    parts: Vec<(Part, usize)>,
}

impl ArrowReader<'_> {
    fn check_type(&self, data_type: &DataType) -> PyResult<()> {
        let inner = match data_type {
            DataType::FixedSizeList(field, _)
            | DataType::List(field)
            | DataType::LargeList(field) => Some(field.data_type()),
            _ => None,
        };
        if matches!(inner, Some(DataType::Float16 | DataType::Float32 | DataType::Float64)) {
            return Ok(());
        }
        Err(to_python(
            &Error::input(self.name)
                .expected("a list or fixed-size list of float16, float32 or float64")
                .got(data_type),
        ))
    }

    /// Of a null at `place`.
    fn null(&self, place: fmt::Arguments<'_>) -> PyErr {
        to_python(
            &Error::input(self.name)
                .expected("no nulls")
                .got("a null")
                .at(place)
                .problem(format_args!("{place} is null")),
        )
    }

    fn absorb(&mut self, chunk: &ArrayRef) -> PyResult<()> {
        self.check_type(chunk.data_type())?;
        if let Some(row) =
            (0..chunk.len()).find(|&row| chunk.null_count() > 0 && chunk.is_null(row))
        {
            return Err(self.null(format_args!("row {}", self.rows + row)));
        }
        let values = match chunk.data_type() {
            DataType::FixedSizeList(..) => Arc::clone(chunk.as_fixed_size_list().values()),
            DataType::List(_) => self.regular(chunk.as_list::<i32>())?,
            _ => self.regular(chunk.as_list::<i64>())?,
        };
        let columns = self.columns.unwrap_or(0);
        if let Some(place) =
            (0..values.len()).find(|&place| values.null_count() > 0 && values.is_null(place))
        {
            let (row, column) = (self.rows + place / columns, place % columns);
            return Err(self.null(format_args!("row {row}, column {column}")));
        }
        let part = match values.data_type() {
            DataType::Float16 => Part::ArrowF16(values.as_primitive::<Float16Type>().clone()),
            DataType::Float32 => Part::ArrowF32(values.as_primitive::<Float32Type>().clone()),
            _ => Part::ArrowF64(values.as_primitive::<Float64Type>().clone()),
        };
        self.parts.push((part, chunk.len()));
        self.rows += chunk.len();
        Ok(())
    }

    /// The values of a list array whose rows are all of one length.
    fn regular<O: OffsetSizeTrait>(&mut self, list: &GenericListArray<O>) -> PyResult<ArrayRef> {
        let offsets = list.value_offsets();
        for (row, pair) in offsets.windows(2).enumerate() {
            let length = pair[1].as_usize() - pair[0].as_usize();
            let expected = *self.columns.get_or_insert(length);
            if length != expected {
                let row = self.rows + row;
                return Err(to_python(
                    &Error::dimension(self.name)
                        .expected(format_args!("{expected} values as in row 0"))
                        .got(length)
                        .at(format_args!("row {row}"))
                        .problem(format_args!(
                            "row {row} has {length} values, expected {expected} as in row 0"
                        )),
                ));
            }
        }
        let (first, last) = (offsets[0].as_usize(), offsets[offsets.len() - 1].as_usize());
        Ok(list.values().slice(first, last - first))
    }
}
