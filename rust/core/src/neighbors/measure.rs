//! Distances of one query to a few base rows, from the original values. Level 2.
//!
//! Σ(x−y)² in `f64` in the one fixed order of the kernels, whatever rows are measured together, as it is
//! reported.

use tailwatch_kernels::{Isa, squared_distances, squared_distances_apart};

use super::topk::reported;
use crate::rows::Rows;

/// Base rows measured together: what the widest kernel holds in registers, twice.
const BATCH: usize = 8;

/// Buffers of one thread.
pub(crate) struct Measure {
    isa: Isa,
    stride: usize,
    query: Vec<f64>,
    base: Vec<f64>,
    indices: Vec<usize>,
    squared: Vec<f64>,
    measured: u64,
}

impl Measure {
    pub(crate) fn new(rows: &Rows<'_>, isa: Isa) -> Self {
        let stride = rows.stride();
        Self {
            isa,
            stride,
            // Zeros beyond the columns stay.
            query: vec![0.0; stride],
            base: vec![0.0; BATCH * stride],
            indices: Vec::with_capacity(BATCH),
            squared: vec![0.0; BATCH],
            measured: 0,
        }
    }

    /// Takes a query.
    pub(crate) fn begin(&mut self, queries: &Rows<'_>, query: usize) {
        queries.read(query, &mut self.query);
    }

    /// Takes a base row.
    pub(crate) fn add(&mut self, base: &Rows<'_>, index: usize) {
        // Rows are far apart in memory: all are asked for before the first is read.
        base.prefetch(index);
        self.indices.push(index);
    }

    /// Whether no other base row fits.
    pub(crate) fn is_full(&self) -> bool {
        self.indices.len() == BATCH
    }

    /// The base rows taken, each with its squared distance from the query.
    pub(crate) fn finish(&mut self, base: &Rows<'_>) -> impl Iterator<Item = (usize, f64)> {
        let count = self.indices.len();
        let squared = &mut self.squared[..count];
        let mut singles: [&[f32]; BATCH] = [&[]; BATCH];
        let found = singles
            .iter_mut()
            .zip(&self.indices)
            .all(|(single, &index)| base.single(index).map(|row| *single = row).is_some());
        if found {
            let query = &self.query[..base.columns()];
            squared_distances_apart(self.isa, query, &singles[..count], squared);
        } else {
            for (&index, row) in self.indices.iter().zip(self.base.chunks_exact_mut(self.stride)) {
                base.read(index, row);
            }
            let base = &self.base[..count * self.stride];
            squared_distances(self.isa, &self.query, base, self.stride, squared);
        }
        self.measured += count as u64;
        self.indices.drain(..).zip(self.squared.iter().map(|&squared| reported(squared)))
    }

    /// Pairs measured since the last call.
    pub(crate) fn take_count(&mut self) -> u64 {
        std::mem::take(&mut self.measured)
    }
}
