//! Rows of numbers in chunks: what every algorithm reads. Level 1.
//!
//! A [`Rows`] borrows chunks of `f16`, `f32` or `f64` with any strides, as they came, and hands rows
//! out as `f64`. Nothing is copied or joined; a selection of rows is a list of indices over the same
//! chunks. Where a chunk begins or ends never shows in a result.

use std::ops::Range;
use std::sync::Arc;

use half::f16;
use half::slice::HalfFloatSliceExt;
use ndarray::{ArrayView1, ArrayView2};
use rayon::prelude::*;
use tailwatch_kernels::{LANES, prefetch, widen};

use crate::control::Control;
use crate::error::{Error, Result};

/// The largest magnitude whose squared differences still add up without overflow.
pub const LARGEST_MAGNITUDE: f64 = 1e150;

/// One piece of a data set: a two-dimensional view of `f16`, `f32` or `f64` with any strides.
pub trait Chunk: Send + Sync {
    /// Rows and columns.
    fn shape(&self) -> (usize, usize);
    /// Binary digits of a value's significand.
    fn digits(&self) -> u32;
    /// Writes row `row` to `out`, which holds as many values as there are columns.
    fn read(&self, row: usize, out: &mut [f64]);
    /// Row `row` as it lies in memory, where its values are `f32` next to each other.
    fn single(&self, _row: usize) -> Option<&[f32]> {
        None
    }
    /// Hints that row `row` will be read soon.
    fn prefetch(&self, row: usize);
    /// Row `row` as the bits of `f16`, where that is how it lies in memory.
    fn halves(&self, row: usize) -> Option<&[u16]> {
        let _ = row;
        None
    }
}

impl Chunk for ArrayView2<'_, f16> {
    fn shape(&self) -> (usize, usize) {
        self.dim()
    }
    fn digits(&self) -> u32 {
        f16::MANTISSA_DIGITS
    }
    fn read(&self, row: usize, out: &mut [f64]) {
        read_f16(self.row(row), out);
    }
    fn prefetch(&self, row: usize) {
        if let Some(values) = self.row(row).to_slice() {
            prefetch(values);
        }
    }
    fn halves(&self, row: usize) -> Option<&[u16]> {
        self.row(row).to_slice().map(HalfFloatSliceExt::reinterpret_cast)
    }
}

impl Chunk for ArrayView2<'_, f32> {
    fn shape(&self) -> (usize, usize) {
        self.dim()
    }
    fn digits(&self) -> u32 {
        f32::MANTISSA_DIGITS
    }
    fn read(&self, row: usize, out: &mut [f64]) {
        let row = self.row(row);
        match row.as_slice() {
            Some(values) => widen(values, out),
            None => read_as(row, out, f64::from),
        }
    }
    fn single(&self, row: usize) -> Option<&[f32]> {
        self.row(row).to_slice()
    }
    fn prefetch(&self, row: usize) {
        if let Some(values) = self.row(row).to_slice() {
            prefetch(values);
        }
    }
}

impl Chunk for ArrayView2<'_, f64> {
    fn shape(&self) -> (usize, usize) {
        self.dim()
    }
    fn digits(&self) -> u32 {
        f64::MANTISSA_DIGITS
    }
    fn read(&self, row: usize, out: &mut [f64]) {
        read_as(self.row(row), out, |value| value);
    }
    fn prefetch(&self, row: usize) {
        if let Some(values) = self.row(row).to_slice() {
            prefetch(values);
        }
    }
}

fn read_as<T: Copy>(row: ArrayView1<'_, T>, out: &mut [f64], widen: impl Fn(T) -> f64) {
    if let Some(values) = row.as_slice() {
        for (slot, &value) in out.iter_mut().zip(values) {
            *slot = widen(value);
        }
    } else {
        for (slot, &value) in out.iter_mut().zip(row) {
            *slot = widen(value);
        }
    }
}

/// Converts in pieces so that the hardware's vector conversion, where there is one, is used.
fn read_f16(row: ArrayView1<'_, f16>, out: &mut [f64]) {
    const PIECE: usize = 256;
    let Some(values) = row.as_slice() else { return read_as(row, out, f64::from) };
    let mut single = [0.0_f32; PIECE];
    for (piece, slots) in values.chunks(PIECE).zip(out.chunks_mut(PIECE)) {
        let single = &mut single[..piece.len()];
        piece.convert_to_f32_slice(single);
        widen(single, slots);
    }
}

/// A set of embeddings: `len` rows of `columns` numbers.
#[derive(Clone)]
pub struct Rows<'a> {
    // A trait object keeps the lifetime covariant, which a generic array view would not.
    chunks: Vec<Arc<dyn Chunk + 'a>>,
    /// `ends[i]` is the number of stored rows in chunks `0..=i`.
    ends: Vec<usize>,
    columns: usize,
    selection: Option<Arc<[usize]>>,
}

impl<'a> Rows<'a> {
    /// Joins chunks that have the same number of columns, in order, without copying.
    pub fn new(chunks: Vec<Arc<dyn Chunk + 'a>>) -> Result<Self> {
        let columns = chunks.first().map_or(0, |chunk| chunk.shape().1);
        let mut ends = Vec::with_capacity(chunks.len());
        let mut stored = 0;
        for (index, chunk) in chunks.iter().enumerate() {
            let (rows, width) = chunk.shape();
            if width != columns {
                return Err(Error::dimension(format_args!("chunk {index}"))
                    .expected(format_args!("{columns} columns as in chunk 0"))
                    .got(width));
            }
            stored += rows;
            ends.push(stored);
        }
        Ok(Self { chunks, ends, columns, selection: None })
    }

    /// The rows of one `f64` array.
    #[must_use]
    pub fn from_f64(view: ArrayView2<'a, f64>) -> Self {
        let (rows, columns) = view.dim();
        Self { chunks: vec![Arc::new(view)], ends: vec![rows], columns, selection: None }
    }

    /// The rows at `indices`, in that order, over the same chunks.
    pub fn select(mut self, indices: Arc<[usize]>) -> Result<Self> {
        let stored = self.stored();
        if let Some(position) = indices.iter().position(|&index| index >= stored) {
            return Err(Error::input("indices")
                .expected(format_args!("0 to {stored} (excluded)"))
                .holding(indices[position], format_args!("position {position}")));
        }
        self.selection = Some(indices);
        Ok(self)
    }

    /// The rows at `indices` of these, in that order: a selection of a selection.
    ///
    /// # Panics
    /// If an index is beyond the rows.
    pub(crate) fn pick(&self, indices: &[usize]) -> Self {
        let picked: Arc<[usize]> = match &self.selection {
            Some(outer) => indices.iter().map(|&index| outer[index]).collect(),
            None => indices.into(),
        };
        assert!(picked.iter().all(|&index| index < self.stored()), "an index beyond the rows");
        Self { selection: Some(picked), ..self.clone() }
    }

    /// The rows of both, these first, without copying any.
    pub(crate) fn followed_by(&self, others: &Self) -> Self {
        let stored = self.stored();
        let mut chunks = self.chunks.clone();
        chunks.extend(others.chunks.iter().cloned());
        let mut ends = self.ends.clone();
        ends.extend(others.ends.iter().map(|end| stored + end));
        let chosen = |rows: &Self, row: usize| match &rows.selection {
            Some(selection) => selection[row],
            None => row,
        };
        let selection = (self.selection.is_some() || others.selection.is_some()).then(|| {
            let first = (0..self.len()).map(|row| chosen(self, row));
            first.chain((0..others.len()).map(|row| stored + chosen(others, row))).collect()
        });
        Self { chunks, ends, columns: self.columns, selection }
    }

    fn stored(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.selection.as_ref().map_or_else(|| self.stored(), |indices| indices.len())
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Numbers in a row.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Binary digits of the widest type's significand: 11 for `f16`, 24 for `f32`, 53 for `f64`.
    #[must_use]
    pub fn digits(&self) -> u32 {
        self.chunks.iter().map(|chunk| chunk.digits()).max().unwrap_or(0)
    }

    /// Binary digits of the narrowest type's significand.
    #[must_use]
    pub fn fewest_digits(&self) -> u32 {
        self.chunks.iter().map(|chunk| chunk.digits()).min().unwrap_or(0)
    }

    /// Values per row of a packed panel: `columns` rounded up to whole lanes.
    #[must_use]
    pub fn stride(&self) -> usize {
        self.columns.next_multiple_of(LANES).max(LANES)
    }

    /// Writes row `index` to `out`, which holds `columns` values.
    pub fn read(&self, index: usize, out: &mut [f64]) {
        let (chunk, row) = self.locate(index);
        chunk.read(row, &mut out[..self.columns]);
    }

    /// Row `index` as it lies in memory, where its values are `f32` next to each other.
    pub(crate) fn single(&self, index: usize) -> Option<&[f32]> {
        let (chunk, row) = self.locate(index);
        chunk.single(row)
    }

    /// Hints that row `index` will be read soon.
    pub(crate) fn prefetch(&self, index: usize) {
        let (chunk, row) = self.locate(index);
        chunk.prefetch(row);
    }

    /// Row `index` as the bits of `f16`, where that is how it lies in memory.
    pub(crate) fn halves(&self, index: usize) -> Option<&[u16]> {
        let (chunk, row) = self.locate(index);
        chunk.halves(row)
    }

    /// The chunk that holds row `index`, and the row's place in it.
    fn locate(&self, index: usize) -> (&dyn Chunk, usize) {
        let stored = self.selection.as_ref().map_or(index, |indices| indices[index]);
        let chunk = self.ends.partition_point(|&end| end <= stored);
        let start = if chunk == 0 { 0 } else { self.ends[chunk - 1] };
        (&*self.chunks[chunk], stored - start)
    }

    /// Packs the rows of `range` for the kernels: `stride` values a row, zeros beyond `columns`.
    pub fn pack(&self, range: Range<usize>, panel: &mut Vec<f64>) {
        let stride = self.stride();
        panel.clear();
        panel.resize(range.len() * stride, 0.0);
        for (index, row) in range.zip(panel.chunks_exact_mut(stride)) {
            self.read(index, row);
        }
    }

    /// [`Rows::check_finite`] over all rows, in parallel; the first bad row is the one named.
    pub fn check_all_finite(&self, name: &str, control: &Control) -> Result<()> {
        const BLOCK: usize = 256;
        let n = self.len();
        let blocks = control.run(|| {
            let check = |block: usize| {
                control.check()?;
                self.check_finite(block * BLOCK..((block + 1) * BLOCK).min(n), name)
            };
            (0..n.div_ceil(BLOCK)).into_par_iter().map(check).collect::<Vec<_>>()
        });
        blocks.into_iter().collect()
    }

    /// Whether row `index` lies in memory as narrow values, all of them finite; none of those is too large.
    #[allow(clippy::needless_bitwise_bool)] // one look at all values, without stopping, is the fastest
    fn is_plainly_finite(&self, index: usize) -> bool {
        /// The exponent of an `f16` that is not finite.
        const EXPONENT: u16 = 0x7c00;
        if let Some(values) = self.single(index) {
            return values.iter().fold(true, |good, value| good & (value.abs() <= f32::MAX));
        }
        self.halves(index).is_some_and(|halves| {
            halves.iter().fold(true, |good, bits| good & (bits & EXPONENT != EXPONENT))
        })
    }

    /// Fails at the first row that holds NaN, an infinity or a magnitude over [`LARGEST_MAGNITUDE`].
    pub fn check_finite(&self, range: Range<usize>, name: &str) -> Result<()> {
        let mut row = vec![0.0; self.columns];
        for index in range {
            if self.is_plainly_finite(index) {
                continue;
            }
            self.read(index, &mut row);
            let bad = |value: &f64| value.is_nan() || value.abs() > LARGEST_MAGNITUDE;
            // Nearly all rows are good: one look at all values, without stopping, is the fastest.
            if !row.iter().fold(false, |any, value| any | bad(value)) {
                continue;
            }
            let Some(column) = row.iter().position(bad) else { continue };
            let value = row[column];
            let what = if value.is_nan() {
                "NaN".to_owned()
            } else if value.is_infinite() {
                if value > 0.0 {
                    "an infinity".to_owned()
                } else {
                    "a negative infinity".to_owned()
                }
            } else {
                format!(
                    "{value:e}, whose square would overflow (magnitudes up to {LARGEST_MAGNITUDE:e} are taken)"
                )
            };
            return Err(Error::non_finite(name)
                .expected("finite numbers")
                .holding(what, format_args!("row {index}, column {column}")));
        }
        Ok(())
    }
}

/// Fails unless both have the same number of columns and at least one row.
pub fn check_pair(
    reference: &Rows<'_>,
    name: &str,
    candidate: &Rows<'_>,
    other: &str,
) -> Result<()> {
    check_rows(reference, name, 1)?;
    check_rows(candidate, other, 1)?;
    check_same_columns(reference.columns(), name, candidate, other)
}

/// Fails unless a candidate has rows, of as many columns as a reference of which no rows are there.
pub fn check_columns(candidate: &Rows<'_>, name: &str, columns: usize) -> Result<()> {
    check_rows(candidate, name, 1)?;
    check_same_columns(columns, "reference", candidate, name)
}

fn check_same_columns(columns: usize, name: &str, candidate: &Rows<'_>, other: &str) -> Result<()> {
    if candidate.columns() == columns {
        return Ok(());
    }
    Err(Error::dimension(other)
        .expected(format_args!("{columns} columns as in {name}"))
        .got(candidate.columns()))
}

/// Fails unless there are at least `least` rows and one column.
pub fn check_rows(rows: &Rows<'_>, name: &str, least: usize) -> Result<()> {
    if rows.columns() == 0 {
        return Err(Error::dimension(name).expected("at least one column").got("none"));
    }
    if rows.len() < least {
        let (plural, count) = (if least == 1 { "" } else { "s" }, rows.len());
        return Err(Error::input(name)
            .expected(format_args!("at least {least} row{plural}"))
            .got(count));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, Axis, Slice};

    #[test]
    fn chunks_strides_and_selections_read_the_same_rows() {
        let whole = Array2::from_shape_fn((9, 5), |(i, j)| (i * 10 + j) as f64);
        let half = whole.mapv(f16::from_f64);
        let single = whole.mapv(|x| x as f32);
        let rows = Rows::new(vec![
            Arc::new(whole.slice_axis(Axis(0), Slice::from(..2))),
            Arc::new(half.slice_axis(Axis(0), Slice::from(2..5))),
            Arc::new(single.slice_axis(Axis(0), Slice::from(5..))),
        ])
        .unwrap();
        let mut panel = Vec::new();
        rows.pack(0..9, &mut panel);
        for (i, row) in panel.chunks_exact(rows.stride()).enumerate() {
            assert_eq!(row[..5], *whole.row(i).as_slice().unwrap());
            assert!(row[5..].iter().all(|&x| x == 0.0));
        }
        let picked = rows.select(Arc::from([7, 0, 7])).unwrap();
        let mut row = [0.0; 5];
        picked.read(2, &mut row);
        assert_eq!((picked.len(), row[4]), (3, 74.0));

        let turned = whole.t();
        let reversed = turned.slice_axis(Axis(0), Slice::new(0, None, -1));
        let rows = Rows::from_f64(reversed.slice_axis(Axis(1), Slice::new(0, None, 2)));
        let mut row = [0.0; 5];
        rows.read(0, &mut row);
        assert_eq!(row, [4.0, 24.0, 44.0, 64.0, 84.0]);
    }

    #[test]
    fn picked_and_joined_rows_are_those_of_the_selections() {
        let data = Array2::from_shape_fn((6, 1), |(i, _)| i as f64);
        let (front, back) = data.view().split_at(Axis(0), 3);
        let values = |rows: &Rows<'_>| -> Vec<f64> {
            let mut row = [0.0];
            let mut read = |index| {
                rows.read(index, &mut row);
                row[0]
            };
            (0..rows.len()).map(&mut read).collect()
        };
        let (front, back) = (Rows::from_f64(front), Rows::from_f64(back));
        assert_eq!(values(&front.followed_by(&back)), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        let some = back.pick(&[2, 0, 1]).pick(&[1, 0]);
        assert_eq!(values(&some), [3.0, 5.0]);
        assert_eq!(values(&front.followed_by(&some)), [0.0, 1.0, 2.0, 3.0, 5.0]);
        assert_eq!(values(&some.followed_by(&front)), [3.0, 5.0, 0.0, 1.0, 2.0]);
    }

    #[test]
    fn the_first_bad_value_is_named() {
        let mut data = Array2::<f64>::zeros((4, 3));
        data[[2, 1]] = f64::NAN;
        let message = |data: &Array2<f64>| {
            Rows::from_f64(data.view()).check_finite(0..4, "reference").unwrap_err().to_string()
        };
        assert_eq!(message(&data), "reference: row 2, column 1 holds NaN");
        data[[0, 2]] = f64::NEG_INFINITY;
        assert_eq!(message(&data), "reference: row 0, column 2 holds a negative infinity");
        data[[0, 0]] = -1e200;
        assert!(
            message(&data).starts_with("reference: row 0, column 0 holds -1e200, whose square")
        );
    }

    #[test]
    fn one_bad_value_of_a_narrow_type_is_seen_wherever_it_stands() {
        fn seen<T: Clone>(good: T, bad: [T; 3])
        where
            for<'a> ArrayView2<'a, T>: Chunk,
        {
            for column in 0..37 {
                for bad in &bad {
                    let mut data = Array2::from_elem((3, 37), good.clone());
                    let all_good = |data: &Array2<T>| {
                        let rows = Rows::new(vec![Arc::new(data.view())]).unwrap();
                        rows.check_finite(0..3, "x")
                    };
                    assert_eq!(all_good(&data), Ok(()));
                    data[[1, column]] = bad.clone();
                    let error = all_good(&data).unwrap_err().to_string();
                    assert!(error.starts_with(&format!("x: row 1, column {column} holds ")));
                }
            }
        }
        seen(f32::MAX, [f32::NAN, f32::INFINITY, f32::NEG_INFINITY]);
        seen(f16::MAX, [f16::NAN, f16::INFINITY, f16::NEG_INFINITY]);
    }

    #[test]
    fn ragged_chunks_and_wild_indices_are_refused() {
        let (a, b) = (Array2::<f64>::zeros((2, 3)), Array2::<f64>::zeros((2, 4)));
        assert!(matches!(
            Rows::new(vec![Arc::new(a.view()), Arc::new(b.view())]),
            Err(Error::Dimension(_))
        ));
        assert!(matches!(Rows::from_f64(a.view()).select(Arc::from([2])), Err(Error::Input(_))));
    }
}
