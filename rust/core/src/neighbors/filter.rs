//! Pairs of blocks through the integer tiles. Level 2.
//!
//! A [`Pair`] is a block of queries and a block of base rows of at most [`BLOCK`] rows each. The kernels keep
//! the pairs of rows whose codes do not certify that they are too far apart; what is kept goes, with bounds
//! on its squared distance, to the candidates of the query and, where base rows ask too, of the base row.

use std::ops::Range;

use tailwatch_kernels::Isa;
use tailwatch_kernels::tile8::{BaseTest, Hit, MOST_HITS, PANEL, QueryTest, SPAN, sift};

use super::bound;
use super::candidates::{Block, Reaches};
use super::codes::Codes;

/// What one call of the kernels takes goes into a block this often.
pub(crate) const SPANS: usize = 4;
/// Rows of a block: two blocks of common width fit the second-level cache.
pub(crate) const BLOCK: usize = SPANS * SPAN * PANEL;
/// Panels of a block.
const PANELS: usize = BLOCK / PANEL;

/// The rows of block `block` of `rows` rows.
pub(crate) fn rows_of(block: usize, rows: usize) -> Range<usize> {
    block * BLOCK..((block + 1) * BLOCK).min(rows)
}

fn panels_of(block: usize, rows: usize) -> Range<usize> {
    block * PANELS..((block + 1) * PANELS).min(rows.div_ceil(PANEL))
}

/// Buffers of one thread.
pub(crate) struct Sieve {
    isa: Isa,
    queries: Vec<QueryTest>,
    base: Vec<BaseTest>,
    hits: [Hit; MOST_HITS],
}

impl Sieve {
    pub(crate) fn new(isa: Isa) -> Self {
        let hits = [Hit::default(); MOST_HITS];
        Self { isa, queries: Vec::new(), base: Vec::new(), hits }
    }

    /// Sets what the queries of a block ask: all within their bounds or, if it is farther, their reach.
    pub(crate) fn ask(
        &mut self,
        codes: &Codes,
        block: usize,
        state: &Block,
        reaches: Option<Reaches<'_>>,
    ) {
        let (first, unit) = (state.first(), codes.unit());
        let reach = |slot: usize| {
            let wanted = reaches.map_or(f32::NEG_INFINITY, |r| r.queries.most(first + slot));
            state.bound(slot).max(wanted)
        };
        self.queries.clear();
        for (panel, rows) in codes.rows_of(panels_of(block, codes.len())).chunks(PANEL).enumerate()
        {
            let test = bound::query_test(rows, unit, |slot| reach(panel * PANEL + slot));
            self.queries.push(test);
        }
    }

    /// Sets what the base rows of a block bring and ask: all pairs within `reach`, a squared length in units.
    pub(crate) fn bring(&mut self, codes: &Codes, block: usize, reach: impl Fn(usize) -> f32) {
        let (panels, unit) = (panels_of(block, codes.len()), codes.unit());
        self.base.clear();
        self.base.extend_from_slice(codes.tests(panels.clone()));
        let rows = codes.rows_of(panels).chunks(PANEL);
        for (panel, (test, rows)) in self.base.iter_mut().zip(rows).enumerate() {
            bound::base_reach(test, rows, unit, |slot| reach(panel * PANEL + slot));
        }
    }

    /// Hands every pair that is kept, as (slot of the query, slot of the base row, bounds), to `take`.
    /// `mutual` says whether what base rows ask, by [`Sieve::bring`], counts too; `spans` which parts of the
    /// base block are looked at.
    pub(crate) fn sift(
        &mut self,
        (queries, query_block): (&Codes, usize),
        (base, base_block): (&Codes, usize),
        spans: Range<usize>,
        mutual: bool,
        mut take: impl FnMut(usize, usize, (f32, f32)),
    ) {
        let of_query = panels_of(query_block, queries.len());
        let of_base = panels_of(base_block, base.len());
        let inverse = queries.unit().recip();
        let (query_rows, base_rows) =
            (queries.rows_of(of_query.clone()), base.rows_of(of_base.clone()));
        for span in spans {
            let place = span * SPAN;
            let first = of_base.start + place;
            if first >= of_base.end {
                break;
            }
            let span = first..(first + SPAN).min(of_base.end);
            let tests =
                if mutual { &self.base[place..][..span.len()] } else { base.tests(span.clone()) };
            for (panel, test) in self.queries.iter().enumerate() {
                let at = of_query.start + panel;
                let codes = queries.panels(at..at + 1);
                let base_codes = base.panels(span.clone());
                let count = sift(self.isa, codes, test, base_codes, tests, mutual, &mut self.hits);
                for hit in &self.hits[..count] {
                    let x = panel * PANEL + usize::from(hit.query);
                    let y = place * PANEL + usize::from(hit.base);
                    // Places beyond the last row hold no row.
                    if let (Some(of_x), Some(of_y)) = (query_rows.get(x), base_rows.get(y)) {
                        take(x, y, bound::squared_distance(of_x, of_y, hit.dot, inverse));
                    }
                }
            }
        }
    }
}
