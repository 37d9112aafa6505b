//! Pairs of blocks through the integer tiles. Level 2.
//!
//! A [`Pair`] is a block of queries and a block of base rows of at most [`BLOCK`] rows each. The kernels keep
//! the pairs of rows whose codes do not certify that they are too far apart; what is kept goes, with bounds
//! on its squared distance, to the candidates of the query and, where base rows ask too, of the base row.

use std::ops::Range;

use tailwatch_kernels::tile8::{BaseTest, Hit, MOST_HITS, PANEL, QueryTest, SPAN, sift};
use tailwatch_kernels::{Isa, prefetch, prefetch_near};

use super::bound;
use super::candidates::{Block, Reaches};
use super::codes::Codes;

/// Panels of a block.
const PANELS: usize = 4 * SPAN;
/// Rows of a block: two blocks of common width fit the second-level cache.
pub(crate) const BLOCK: usize = PANELS * PANEL;

/// All panels of a block at once.
pub(crate) const WHOLE: Range<usize> = 0..PANELS;
/// The panels of a block that is the first to be looked at, a few at a time: bounds shrink fast at first, and
/// until queries ask again all that is within the old ones is kept.
pub(crate) const GROWING: &[Range<usize>] = &[0..1, 1..3, 3..6, 6..9, 9..PANELS];

/// The rows of block `block` of `rows` rows.
pub(crate) fn rows_of(block: usize, rows: usize) -> Range<usize> {
    block * BLOCK..((block + 1) * BLOCK).min(rows)
}

fn panels_of(block: usize, rows: usize) -> Range<usize> {
    block * PANELS..((block + 1) * PANELS).min(rows.div_ceil(PANEL))
}

/// How many of the `rows` of a block stand in a panel of it, and what each reaches.
fn of_panel(panel: usize, rows: usize, reach: impl Fn(usize) -> f32) -> (usize, [f32; PANEL]) {
    let (first, mut reaches) = (panel * PANEL, [0.0; PANEL]);
    let count = (rows - first).min(PANEL);
    for (slot, reached) in reaches[..count].iter_mut().enumerate() {
        *reached = reach(first + slot);
    }
    (count, reaches)
}

/// A pair that was kept: slots of the query and the base row, and bounds of its squared distance.
#[derive(Clone, Copy, Debug, Default)]
struct Kept {
    query: u32,
    base: u32,
    bounds: (f32, f32),
}

/// Buffers of one thread.
pub(crate) struct Sieve {
    isa: Isa,
    queries: Vec<QueryTest>,
    base: Vec<BaseTest>,
    hits: [Hit; MOST_HITS],
    kept: [Kept; MOST_HITS],
}

impl Sieve {
    pub(crate) fn new(isa: Isa) -> Self {
        let (hits, kept) = ([Hit::default(); MOST_HITS], [Kept::default(); MOST_HITS]);
        Self { isa, queries: Vec::new(), base: Vec::new(), hits, kept }
    }

    /// Sets what the queries of a block ask: all within their bounds or, if it is farther, their reach.
    pub(crate) fn ask(
        &mut self,
        codes: &Codes,
        block: usize,
        state: &Block,
        reaches: Option<Reaches<'_>>,
    ) {
        let first = state.first();
        let reach = |slot: usize| {
            let wanted = reaches.map_or(f32::NEG_INFINITY, |r| r.queries.most(first + slot));
            state.bound(slot).max(wanted)
        };
        let panels = panels_of(block, codes.len());
        self.queries.clear();
        self.queries.extend(codes.coded(panels).iter().enumerate().map(|(panel, coded)| {
            let (count, reach) = of_panel(panel, state.len(), &reach);
            bound::query_test(coded, count, &reach)
        }));
    }

    /// Sets what the base rows of a block bring and ask: all pairs within `reach`, a squared length in units.
    pub(crate) fn bring(&mut self, codes: &Codes, block: usize, reach: impl Fn(usize) -> f32) {
        let panels = panels_of(block, codes.len());
        let rows = rows_of(block, codes.len()).len();
        self.base.clear();
        self.base.extend_from_slice(codes.tests(panels.clone()));
        for (panel, (test, coded)) in self.base.iter_mut().zip(codes.coded(panels)).enumerate() {
            let (count, reach) = of_panel(panel, rows, &reach);
            bound::base_reach(test, coded, count, &reach);
        }
    }

    /// Hands every pair that is kept, as (slot of the query, slot of the base row, bounds), to `take`.
    /// `mutual` says whether what base rows ask, by [`Sieve::bring`], counts too; `panels` which of the
    /// base block are looked at.
    pub(crate) fn sift(
        &mut self,
        (queries, query_block): (&Codes, usize),
        (base, base_block): (&Codes, usize),
        panels: &Range<usize>,
        mutual: bool,
        mut take: impl FnMut(usize, usize, (f32, f32)),
    ) {
        let of_query = panels_of(query_block, queries.len());
        let of_base = panels_of(base_block, base.len());
        let (of_x, of_y) = (queries.coded(of_query.clone()), base.coded(of_base.clone()));
        let slots = rows_of(query_block, queries.len()).len();
        let base_slots = rows_of(base_block, base.len()).len();
        for place in panels.clone().step_by(SPAN) {
            let first = of_base.start + place;
            if first >= of_base.end {
                break;
            }
            let span = first..(of_base.start + panels.end.min(place + SPAN)).min(of_base.end);
            // What is known of base rows comes from afar, and is wanted of few at a time.
            prefetch(base.coded(span.clone()));
            let tests =
                if mutual { &self.base[place..][..span.len()] } else { base.tests(span.clone()) };
            // The next base panels come nearer meanwhile, a piece with every query panel.
            let next = base.panels(span.end..(span.end + SPAN).min(base.len().div_ceil(PANEL)));
            let mut next = next.chunks((next.len() / self.queries.len()).max(1));
            for (panel, test) in self.queries.iter().enumerate() {
                next.next().into_iter().for_each(prefetch_near);
                let at = of_query.start + panel;
                let codes = queries.panels(at..at + 1);
                let base_codes = base.panels(span.clone());
                let count = sift(self.isa, codes, test, base_codes, tests, mutual, &mut self.hits);
                // All bounds before the first is taken: one does not wait for another, nor for what comes
                // of it.
                let mut kept = 0;
                for hit in &self.hits[..count] {
                    let (i, j) = (usize::from(hit.query), usize::from(hit.base));
                    let (x, y) = (panel * PANEL + i, place * PANEL + j);
                    // Places beyond the last row hold no row.
                    if x < slots && y < base_slots {
                        let (of_x, of_y) = ((&of_x[panel], i), (&of_y[y / PANEL], y % PANEL));
                        let bounds = bound::squared_distance(of_x, of_y, hit.dot);
                        self.kept[kept] = Kept { query: x as u32, base: y as u32, bounds };
                        kept += 1;
                    }
                }
                for pair in &self.kept[..kept] {
                    take(pair.query as usize, pair.base as usize, pair.bounds);
                }
            }
        }
    }
}
