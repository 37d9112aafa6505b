//! One pass over all pairs of two samples, for several kernels at once. Level 3.
//!
//! Inner products of centred rows come in tiles (`tailwatch_kernels::inner_products`); squared distances
//! are ‖x‖² + ‖y‖² − 2⟨x, y⟩, and where that cancels (see [`Precision::DOUBT`]) the pair is measured again as
//! Σ(x−y)² in `f64`, so that copies are exactly 0 apart. Rows y are packed some thousand at a time and
//! shared by all threads, rows x by block; a sample against itself needs the pairs x < y only, whose
//! values count twice.
//!
//! | rows multiplied as | error of s = ‖x−y‖² | at most, of s | root mean square, of ‖x‖² + ‖y‖² |
//! |---|---|---|---|
//! | `f32` | ≤ 72·2⁻²⁴·(‖x‖² + ‖y‖²) | 64·72·2⁻²⁴ | ≤ 4·2⁻²⁴/√d |
//! | `f64` | ≤ (72 + d/256)·2⁻⁵³·(‖x‖² + ‖y‖²) | 2¹⁶·(72 + d/256)·2⁻⁵³ | ≤ 4·2⁻⁵³ |
//!
//! Of the 72, four are the rounding of centred rows to `f32`. The bounds are for roundings of one sign; real
//! ones are of either sign and differ from pair to pair, so that they average away in MMD and energy as
//! their sampling errors do: of `f32` rows, to a millionth of the standard error at the null.
//!
//! Cost: n·m·d (half of it within a sample), whatever the number of kernels. Memory: O(n + m), 16 MiB of
//! packed rows, and for each thread a block of rows and 32 strips of sums of columns.

use std::marker::PhantomData;
use std::ops::Range;

use rayon::prelude::*;
use tailwatch_kernels::{Shape, add_up, in_doubt, inner_products, shape, squared_from_products};

use super::form::Form;
use super::frame::{Frame, Panels, Precision};
use super::kernel::Kernel;
use crate::control::Control;
use crate::error::Result;
use crate::moments::add_scaled;
use crate::rows::Rows;

/// Bytes of the packed rows that all threads share.
const SHARED_BYTES: usize = 16 << 20;
/// The most of these rows.
const SHARED_ROWS: usize = 4096;
/// Bytes of a block's packed rows: a part of a common second-level cache.
const BLOCK_BYTES: usize = 384 << 10;
/// The most panels of a block.
const BLOCK_PANELS: usize = 16;
/// Blocks that a thread takes between two additions of sums.
const BATCH: usize = 32;

/// Sums of a kernel over all pairs of two samples.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PairSums {
    /// Per row of the first sample, Σ over the second.
    pub(crate) rows: Vec<f64>,
    /// Per row of the second sample, Σ over the first.
    pub(crate) columns: Vec<f64>,
    /// Σ of the squares of all values.
    pub(crate) squares: f64,
    /// Per row of a sample paired with itself, the kernel of the row with itself; else empty. The
    /// other sums leave these out.
    pub(crate) diagonal: Vec<f64>,
}

impl PairSums {
    fn zeros(rows: usize, columns: usize) -> Self {
        let zeros = |count| vec![0.0; count];
        Self { rows: zeros(rows), columns: zeros(columns), squares: 0.0, diagonal: Vec::new() }
    }

    /// Sum over all pairs.
    pub(crate) fn total(&self) -> f64 {
        self.rows.iter().sum()
    }
}

/// Sums of each kernel over all pairs of `x` and `y`, or over all pairs of different rows of `x`.
pub(crate) fn pair_sums(
    x: &Rows<'_>,
    y: Option<&Rows<'_>>,
    kernels: &[Kernel],
    frame: &Frame,
    control: &Control,
) -> Result<Vec<PairSums>> {
    if frame.is_single() {
        Pass::<f32>::new(x, y, kernels, frame, control).sums()
    } else {
        Pass::<f64>::new(x, y, kernels, frame, control).sums()
    }
}

struct Pass<'a, T> {
    x: &'a Rows<'a>,
    y: &'a Rows<'a>,
    itself: bool,
    forms: Vec<Form>,
    frame: &'a Frame,
    control: &'a Control,
    shape: Shape,
    scalar: PhantomData<T>,
}

/// A tile: where it lies, and its values.
struct Tile<'a> {
    /// Its rows of x and y.
    rows: Range<usize>,
    columns: Range<usize>,
    norms: (&'a [f64], &'a [f64]),
    products: &'a mut [f64],
    squared: &'a mut [f64],
}

impl<'a, T: Precision> Pass<'a, T> {
    fn new(
        x: &'a Rows<'a>,
        y: Option<&'a Rows<'a>>,
        kernels: &[Kernel],
        frame: &'a Frame,
        control: &'a Control,
    ) -> Self {
        let forms = kernels.iter().map(|&kernel| Form::of(kernel, frame)).collect();
        let shape = shape::<T>(control.isa());
        let (itself, y) = (y.is_none(), y.unwrap_or(x));
        Self { x, y, itself, forms, frame, control, shape, scalar: PhantomData }
    }

    fn sums(&self) -> Result<Vec<PairSums>> {
        let (n, m) = (self.x.len(), self.y.len());
        let row_bytes = self.x.columns() * size_of::<T>();
        let shared = (SHARED_BYTES / row_bytes).clamp(self.shape.right, SHARED_ROWS);
        let panels = (BLOCK_BYTES / (row_bytes * self.shape.left)).clamp(1, BLOCK_PANELS);
        let mut sums = vec![PairSums::zeros(n, m); self.forms.len()];
        for columns in ranges(m, shared / self.shape.right * self.shape.right) {
            let right = self.pack_right(columns.clone());
            let rows = if self.itself { columns.end } else { n };
            let blocks = ranges(rows, panels * self.shape.left).collect::<Vec<_>>();
            let along: Vec<_> =
                self.forms.iter().map(|form| form.each(&right.norms, &right.along)).collect();
            // Blocks are added in order: the sums do not depend on threads.
            for batch in blocks.chunks(BATCH * self.control.threads()) {
                let block =
                    |rows: &Range<usize>| self.block(rows.clone(), &right, &along, columns.clone());
                let parts: Vec<_> =
                    self.control.run(|| batch.par_iter().map(block).collect::<Vec<_>>());
                for (rows, parts) in batch.iter().zip(parts) {
                    for (sums, part) in sums.iter_mut().zip(parts?) {
                        add_scaled(&mut sums.rows[rows.clone()], &part.rows, 1.0);
                        add_scaled(&mut sums.columns[columns.clone()], &part.columns, 1.0);
                        sums.squares += part.squares;
                    }
                }
            }
            if self.itself {
                let (norms, along) = (&right.norms[..columns.len()], &right.along[..columns.len()]);
                for (form, sums) in self.forms.iter().zip(&mut sums) {
                    sums.diagonal.extend(form.diagonal(self.control.isa(), norms, along));
                }
                self.control.advance(columns.len() as u64)?;
            }
        }
        if self.itself {
            for sums in &mut sums {
                // Each pair of different rows was met once.
                add_scaled(&mut sums.rows, &sums.columns, 1.0);
                sums.columns.clone_from(&sums.rows);
                sums.squares *= 2.0;
            }
        }
        Ok(sums)
    }

    /// The sums over the pairs of `rows` and `columns`, whose packed rows are `right`.
    fn block(
        &self,
        rows: Range<usize>,
        right: &Panels<T>,
        along: &[Vec<f64>],
        columns: Range<usize>,
    ) -> Result<Vec<PairSums>> {
        let (shape, depth) = (self.shape, self.x.columns());
        let left: Panels<T> = self.frame.pack(self.x, rows.clone(), shape.left, self.control);
        let sides: Vec<_> =
            self.forms.iter().map(|form| form.side(&left.norms, &left.along)).collect();
        let (padded, wide) = (left.norms.len(), right.norms.len());
        let mut sums = vec![PairSums::zeros(padded, wide); self.forms.len()];
        let size = shape.left * shape.right;
        let [mut products, mut squared, mut values] = [(); 3].map(|()| vec![0.0; size]);
        for (b, right_panel) in right.values.chunks_exact(shape.right * depth).enumerate() {
            let mut pairs = 0;
            let y = b * shape.right..(b + 1) * shape.right;
            let tile_columns = columns.start + y.start..(columns.start + y.end).min(columns.end);
            for (a, left_panel) in left.values.chunks_exact(shape.left * depth).enumerate() {
                let x = a * shape.left..(a + 1) * shape.left;
                let tile_rows = rows.start + x.start..(rows.start + x.end).min(rows.end);
                if self.itself && tile_columns.end <= tile_rows.start + 1 {
                    continue;
                }
                inner_products(self.control.isa(), left_panel, right_panel, depth, &mut products);
                let mut tile = Tile {
                    rows: tile_rows,
                    columns: tile_columns.clone(),
                    norms: (&left.norms[x.clone()], &right.norms[y.clone()]),
                    products: &mut products,
                    squared: &mut squared,
                };
                self.measure(&mut tile);
                for (kernel, sums) in sums.iter_mut().enumerate() {
                    let (side, v) = ((&sides[kernel], x.start), &along[kernel][y.clone()]);
                    let measured = (&*tile.products, &*tile.squared);
                    self.forms[kernel].values(self.control.isa(), measured, side, v, &mut values);
                    self.leave_out(&tile, &mut values);
                    let (rows, columns) = (&mut sums.rows[x.clone()], &mut sums.columns[y.clone()]);
                    sums.squares += add_up(self.control.isa(), &values, rows, columns);
                }
                pairs += self.count(&tile);
            }
            self.control.advance(if self.itself { 2 * pairs } else { pairs })?;
        }
        for sums in &mut sums {
            sums.rows.truncate(rows.len());
            sums.columns.truncate(columns.len());
        }
        Ok(sums)
    }

    /// The squared distances of a tile, if a kernel wants them.
    fn measure(&self, tile: &mut Tile<'_>) {
        if !self.forms.iter().any(Form::is_of_distances) {
            return;
        }
        let (x, y) = tile.norms;
        let isa = self.control.isa();
        let doubtful = squared_from_products(isa, tile.products, x, y, T::DOUBT, tile.squared);
        if doubtful == 0 {
            return;
        }
        let rows = tile.rows.clone().zip(tile.squared.chunks_exact_mut(y.len())).zip(x);
        for ((i, squared), norm_x) in rows {
            let wanted = |&(j, place): &(usize, usize)| {
                (!self.itself || j > i) && in_doubt(squared[place], norm_x + y[place], T::DOUBT)
            };
            let (others, places): (Vec<_>, Vec<_>) =
                tile.columns.clone().zip(0..).filter(wanted).unzip();
            if others.is_empty() {
                continue;
            }
            let again = self.frame.measure((self.x, i), (self.y, &others), self.control);
            for (place, value) in places.into_iter().zip(again) {
                squared[place] = value;
            }
        }
    }

    /// Sets to zero what is no pair: padding, and pairs of a sample with itself met elsewhere.
    fn leave_out(&self, tile: &Tile<'_>, values: &mut [f64]) {
        let width = self.shape.right;
        let (rows, columns) = (&tile.rows, &tile.columns);
        let whole = rows.len() == self.shape.left && columns.len() == width;
        if whole && !(self.itself && columns.start < rows.end) {
            return;
        }
        for (row, values) in values.chunks_exact_mut(width).enumerate() {
            let i = rows.start + row;
            let first = if self.itself { (i + 1).saturating_sub(columns.start) } else { 0 };
            let last = if i < rows.end { columns.len() } else { 0 };
            values[..first.min(width)].fill(0.0);
            values[last..].fill(0.0);
        }
    }

    /// Pairs of a tile.
    fn count(&self, tile: &Tile<'_>) -> u64 {
        if !self.itself {
            return (tile.rows.len() * tile.columns.len()) as u64;
        }
        let after = |i: usize| tile.columns.end.saturating_sub(tile.columns.start.max(i + 1));
        tile.rows.clone().map(after).sum::<usize>() as u64
    }

    /// Packs rows of y, in parallel.
    fn pack_right(&self, columns: Range<usize>) -> Panels<T> {
        let width = self.shape.right;
        let pieces: Vec<_> = ranges(columns.len(), 8 * width).collect();
        let pack = |piece: &Range<usize>| -> Panels<T> {
            let range = columns.start + piece.start..columns.start + piece.end;
            self.frame.pack(self.y, range, width, self.control)
        };
        let packed: Vec<Panels<T>> = self.control.run(|| pieces.par_iter().map(pack).collect());
        let mut all = Panels { values: Vec::new(), norms: Vec::new(), along: Vec::new() };
        for panels in packed {
            all.values.extend(panels.values);
            all.norms.extend(panels.norms);
            all.along.extend(panels.along);
        }
        all
    }
}

/// 0..count in ranges of `length`.
fn ranges(count: usize, length: usize) -> impl Iterator<Item = Range<usize>> {
    (0..count).step_by(length).map(move |start| start..(start + length).min(count))
}

#[cfg(test)]
mod tests;
