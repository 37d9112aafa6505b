//! Rows projected on directions, in panels. Level 2.
//!
//! Rows are taken relative to an origin amid them, and products are fused (`tailwatch_kernels::inner_products`, in
//! `f64`): a projection depends on its row and its direction alone. Memory: a number for each row and
//! direction of a panel.

use rayon::prelude::*;
use tailwatch_kernels::{inner_products, interleave, shape};

use super::frame::origin_of;
use crate::control::Control;
use crate::error::{Error, Result};
use crate::rows::Rows;
use crate::streams::Stream;

/// Panels of rows that a task projects.
const PANELS: usize = 32;

/// The most numbers that random directions may hold together: 2 GiB.
const MOST_NUMBERS: usize = 1 << 28;

/// `count` unit vectors, uniform on the sphere, row by row.
pub fn random_directions(
    columns: usize,
    count: usize,
    seed: u64,
    control: &Control,
) -> Result<Vec<f64>> {
    let most = MOST_NUMBERS / columns.max(1);
    if count == 0 || count > most {
        let expected = format_args!("1 to {most} (of {columns} columns)");
        return Err(Error::input("projections").expected(expected).got(count));
    }
    let mut values = vec![0.0; columns * count];
    let draw = |(index, direction): (usize, &mut [f64])| {
        control.check()?;
        let mut stream = Stream::new(seed, "projections", index as u64);
        direction.iter_mut().for_each(|value| *value = stream.normal());
        let norm = direction.iter().map(|x| x * x).sum::<f64>().sqrt();
        direction.iter_mut().for_each(|value| *value /= norm);
        Ok(())
    };
    control.run(|| values.par_chunks_mut(columns).enumerate().try_for_each(draw))?;
    Ok(values)
}

/// Fails unless `directions` are whole rows of finite numbers.
pub(crate) fn check_directions(directions: &[f64], columns: usize) -> Result<()> {
    if directions.is_empty() || !directions.len().is_multiple_of(columns) {
        return Err(Error::dimension("directions")
            .expected(format_args!("rows of {columns} numbers"))
            .got(format_args!("{} numbers", directions.len())));
    }
    if let Some(place) = directions.iter().position(|value| !value.is_finite()) {
        let (row, column) = (place / columns, place % columns);
        return Err(Error::non_finite("directions")
            .holding(directions[place], format_args!("row {row}, column {column}")));
    }
    Ok(())
}

/// A few directions, ready to be projected on.
pub(crate) struct Directions<'a> {
    origin: &'a [f64],
    columns: usize,
    /// Interleaved panels, the last one filled up with zeros.
    panels: Vec<Vec<f64>>,
    count: usize,
}

/// What one sample's rows are on each of them.
#[derive(Default)]
pub(crate) struct Projections {
    /// By block of rows; within it by direction, then by row.
    blocks: Vec<Vec<f64>>,
    count: usize,
    rows: usize,
}

impl<'a> Directions<'a> {
    /// Takes some rows of directions.
    pub(crate) fn of(
        directions: &[f64],
        origin: &'a [f64],
        columns: usize,
        control: &Control,
    ) -> Self {
        let left = shape::<f64>(control.isa()).left;
        let panel = |rows: &[f64]| {
            let mut panel = vec![0.0; left * columns];
            for (index, row) in rows.chunks_exact(columns).enumerate() {
                interleave(row, index, left, &mut panel);
            }
            panel
        };
        let panels = directions.chunks(left * columns).map(panel).collect();
        Self { origin, columns, panels, count: directions.len() / columns }
    }

    /// Directions that are taken together: whole panels, at least `least`.
    pub(crate) fn together(least: usize, control: &Control) -> usize {
        least.next_multiple_of(shape::<f64>(control.isa()).left)
    }

    /// Projects all rows, into the memory of earlier projections.
    pub(crate) fn project(
        &self,
        rows: &Rows<'_>,
        found: &mut Projections,
        control: &Control,
    ) -> Result<()> {
        let shape = shape::<f64>(control.isa());
        let (n, block) = (rows.len(), PANELS * shape.right);
        let of_block = |(index, out): (usize, &mut Vec<f64>)| {
            let range = index * block..((index + 1) * block).min(n);
            out.resize(range.len() * self.count, 0.0);
            let (mut row, mut right) =
                (vec![0.0; self.columns], vec![0.0; self.columns * shape.right]);
            let mut tile = vec![0.0; shape.left * shape.right];
            for start in range.clone().step_by(shape.right) {
                let width = shape.right.min(range.end - start);
                for index in 0..width {
                    rows.read(start + index, &mut row);
                    for (value, origin) in row.iter_mut().zip(self.origin) {
                        *value -= origin;
                    }
                    interleave(&row, index, shape.right, &mut right);
                }
                for (panel, left) in self.panels.iter().enumerate() {
                    inner_products(control.isa(), left, &right, self.columns, &mut tile);
                    let lines = tile.chunks_exact(shape.right).zip(panel * shape.left..self.count);
                    for (line, direction) in lines {
                        let place = direction * range.len() + start - range.start;
                        out[place..place + width].copy_from_slice(&line[..width]);
                    }
                }
            }
            control.advance(range.len() as u64 * self.count as u64)
        };
        (found.count, found.rows) = (self.count, n);
        found.blocks.resize_with(n.div_ceil(block), Vec::new);
        control.run(|| found.blocks.par_iter_mut().enumerate().try_for_each(of_block))
    }
}

impl Projections {
    /// The projections of all rows on one direction, in the order of the rows.
    pub(crate) fn line(&self, direction: usize) -> impl Iterator<Item = f64> + '_ {
        self.blocks.iter().flat_map(move |block| {
            let rows = block.len() / self.count;
            block[direction * rows..(direction + 1) * rows].iter().copied()
        })
    }

    /// Writes them to `out`.
    pub(crate) fn write_line(&self, direction: usize, out: &mut Vec<f64>) {
        out.clear();
        out.reserve(self.rows);
        for block in &self.blocks {
            let rows = block.len() / self.count;
            out.extend_from_slice(&block[direction * rows..(direction + 1) * rows]);
        }
    }
}

/// The origin that projections of samples like `reference` are taken from.
pub(crate) fn projection_origin(reference: &Rows<'_>) -> Vec<f64> {
    let mut origin = origin_of(reference);
    origin.truncate(reference.columns());
    origin
}
