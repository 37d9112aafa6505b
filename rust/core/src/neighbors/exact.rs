//! All pairs, measured: tiles of queries against tiles of base rows. Level 2.
//!
//! What is done where codes do not pay, and what the filter is tested against. Queries are cut into blocks,
//! base rows into panels sized to the second-level cache. Memory: one block, one panel and one strip of
//! distances per thread.

use std::ops::Range;

use tailwatch_kernels::squared_distances;

use super::candidates::Reaches;
use super::topk::{Nearest, measured_within, reported};
use crate::control::Control;
use crate::error::Result;
use crate::rows::Rows;

/// Bytes of a base panel: half of a common second-level cache.
const PANEL_BYTES: usize = 512 * 1024;
/// Queries measured at a time; a multiple of what the kernels hold in registers.
const STRIP: usize = 8;

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

/// Inserts the rows `among` of `base` into the lists of the block's queries, and shows `meet` the pairs
/// within reach. With `same` the queries are the base and no row meets itself.
#[allow(clippy::too_many_arguments)] // what is searched, for what, with what
pub(crate) fn sweep(
    queries: &Rows<'_>,
    base: &Rows<'_>,
    among: Range<usize>,
    same: bool,
    lists: &mut Nearest,
    reaches: Option<Reaches<'_>>,
    mut meet: impl FnMut(usize, usize, f64),
    scratch: &mut Scratch,
    control: &Control,
) -> Result<()> {
    let (stride, block) = (queries.stride(), lists.queries());
    queries.pack(block.clone(), &mut scratch.queries);
    let mut start = among.start;
    while start < among.end {
        let panel = start..(start + panel_rows(stride)).min(among.end);
        base.pack(panel.clone(), &mut scratch.base);
        for (strip, queries) in scratch.queries.chunks(STRIP * stride).enumerate() {
            scratch.squared.resize(queries.len() / stride * panel.len(), 0.0);
            squared_distances(control.isa(), queries, &scratch.base, stride, &mut scratch.squared);
            for (offset, squared) in scratch.squared.chunks_exact(panel.len()).enumerate() {
                let query = block.start + strip * STRIP + offset;
                let mut wanted = measured_within(lists.reach(query));
                for (index, &squared) in panel.clone().zip(squared) {
                    if same && index == query {
                        continue;
                    }
                    if squared <= wanted {
                        let squared = reported(squared);
                        // Indices ascend: a row that ties with the last of a full list is behind it.
                        if squared < lists.reach(query) {
                            lists.insert(query, index, squared);
                            wanted = measured_within(lists.reach(query));
                        }
                    }
                    if let Some(reaches) = reaches
                        && squared <= measured_within(reaches.squared(query, index))
                        && reaches.hold(query, index, reported(squared))
                    {
                        meet(query, index, reported(squared));
                    }
                }
            }
        }
        control.advance((block.len() * panel.len()) as u64)?;
        start = panel.end;
    }
    Ok(())
}
