//! All pairs, measured: tiles of queries against tiles of base rows. Level 2.
//!
//! Queries are cut into blocks, the unit of parallel work; base rows into panels sized to the
//! second-level cache. Every pair's squared distance is computed by the kernels and handed on if it is
//! within reach. Memory: one block, one panel and one strip of distances per thread.

use std::ops::Range;

use rayon::prelude::*;
use tailwatch_kernels::squared_distances;

use crate::control::Control;
use crate::error::Result;
use crate::rows::Rows;

/// Queries in a block.
const BLOCK: usize = 64;
/// Bytes of a base panel: half of a common second-level cache.
const PANEL_BYTES: usize = 512 * 1024;
/// Queries measured at a time; a multiple of what the kernels hold in registers.
const STRIP: usize = 8;

/// What wants to know about close pairs.
pub(crate) trait Visit {
    /// The largest squared distance at which `query` still wants any base row. It may shrink.
    fn reach(&self, query: usize) -> f64;
    /// Takes a pair within reach. Base rows come in ascending order for each query.
    fn visit(&mut self, query: usize, base: usize, squared: f64);
}

/// Buffers of one thread, kept between blocks.
#[derive(Default)]
pub(crate) struct Scratch {
    queries: Vec<f64>,
    base: Vec<f64>,
    squared: Vec<f64>,
}

/// Base rows in a panel of `stride` values per row.
pub(crate) fn panel_rows(stride: usize) -> usize {
    (PANEL_BYTES / (stride * size_of::<f64>())).clamp(16, 1024)
}

/// Runs `work` on each block of `queries` in parallel; results come in block order.
pub(crate) fn for_blocks<T: Send>(
    queries: &Rows<'_>,
    control: &Control,
    work: impl Fn(Range<usize>, &mut Scratch) -> Result<T> + Sync + Send,
) -> Result<Vec<T>> {
    let n = queries.len();
    control.run(|| {
        (0..n.div_ceil(BLOCK))
            .into_par_iter()
            .map_init(Scratch::default, |scratch, block| {
                work(block * BLOCK..((block + 1) * BLOCK).min(n), scratch)
            })
            .collect()
    })
}

/// Shows `visitor` every pair of a query in `block` and a row of `base` that is within the query's
/// reach or, where given, within `base_reach` of the base row. Queries are named by their row number.
pub(crate) fn sweep<V: Visit>(
    queries: &Rows<'_>,
    block: Range<usize>,
    base: &Rows<'_>,
    base_reach: Option<&[f64]>,
    visitor: &mut V,
    scratch: &mut Scratch,
    control: &Control,
) -> Result<()> {
    let (stride, m) = (queries.stride(), base.len());
    queries.pack(block.clone(), &mut scratch.queries);
    let mut start = 0;
    while start < m {
        let panel = start..(start + panel_rows(stride)).min(m);
        base.pack(panel.clone(), &mut scratch.base);
        for (strip, queries) in scratch.queries.chunks(STRIP * stride).enumerate() {
            scratch.squared.resize(queries.len() / stride * panel.len(), 0.0);
            squared_distances(control.isa(), queries, &scratch.base, stride, &mut scratch.squared);
            for (offset, squared) in scratch.squared.chunks_exact(panel.len()).enumerate() {
                let query = block.start + strip * STRIP + offset;
                match base_reach {
                    Some(reaches) => {
                        show_mutual(visitor, query, start, squared, &reaches[panel.clone()]);
                    }
                    None => show(visitor, query, start, squared),
                }
            }
        }
        control.advance((block.len() * panel.len()) as u64)?;
        start = panel.end;
    }
    Ok(())
}

fn show<V: Visit>(visitor: &mut V, query: usize, start: usize, squared: &[f64]) {
    let mut reach = visitor.reach(query);
    for (offset, &value) in squared.iter().enumerate() {
        if value <= reach {
            visitor.visit(query, start + offset, value);
            reach = visitor.reach(query);
        }
    }
}

fn show_mutual<V: Visit>(
    visitor: &mut V,
    query: usize,
    start: usize,
    squared: &[f64],
    reaches: &[f64],
) {
    let reach = visitor.reach(query);
    for (offset, (&value, &other)) in squared.iter().zip(reaches).enumerate() {
        if value <= reach.max(other) {
            visitor.visit(query, start + offset, value);
        }
    }
}
