//! Pairs of parts of two sets through the integer tiles. Level 2.
//!
//! The kernels keep the pairs of rows whose codes do not certify that they are too far apart; what is kept goes,
//! with bounds on its squared distance, to the candidates of the query and, where base rows ask too, of the base
//! row.

use tailwatch_kernels::tile8::{
    BaseTest, PANEL, Panels, QueryTest, SPAN, Sifted, WIDTH, laid, lay, sift, sweep,
};
use tailwatch_kernels::{Isa, prefetch, prefetch_near};

use super::bound::{self, Coded};
use super::candidates::{Block, Reaches};
use super::codes::Part;
use super::limit::{Limit, limit};

/// Calls of the kernels that a base block takes for a panel of queries.
const SPANS: usize = 4;
/// Rows of a base block: two blocks of common width fit the second-level cache.
pub(crate) const BLOCK: usize = SPANS * WIDTH;

/// What the queries of a panel ask: all within their bounds or, if it is farther, their reach.
fn asks_of(
    queries: &Part<'_>,
    panel: usize,
    state: &Block,
    reaches: Option<Reaches<'_>>,
) -> QueryTest {
    let first = state.first();
    let reach = reaches_of(queries, panel, |slot| {
        let wanted = reaches.map_or(f32::NEG_INFINITY, |r| r.queries.most(first + slot));
        state.bound(slot).max(wanted)
    });
    bound::query_test(&queries.coded()[panel], queries.rows_in(panel), &reach)
}

/// What each row of a panel reaches.
fn reaches_of(part: &Part<'_>, panel: usize, reach: impl Fn(usize) -> f32) -> [f32; PANEL] {
    let mut reaches = [0.0; PANEL];
    for (slot, reached) in reaches[..part.rows_in(panel)].iter_mut().enumerate() {
        *reached = reach(panel * PANEL + slot);
    }
    reaches
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
    /// Codes of the queries as the kernels read them.
    laid: Panels,
    queries: Vec<QueryTest>,
    base: Vec<BaseTest>,
    sifted: [Sifted; SPANS],
    kept: [Kept; PANEL * WIDTH],
}

impl Sieve {
    pub(crate) fn new(isa: Isa) -> Self {
        let (sifted, kept) = (Default::default(), [Kept::default(); PANEL * WIDTH]);
        let (laid, queries, base) = (Panels::default(), Vec::new(), Vec::new());
        Self { isa, laid, queries, base, sifted, kept }
    }

    /// Sets the queries, until others are set.
    pub(crate) fn lay(&mut self, queries: &Part<'_>) {
        let count = queries.coded().len();
        let mut panels = queries.panels(1);
        let length = laid(self.isa, panels.clone().next().map_or(0, <[i8]>::len));
        self.laid.resize(count * length);
        for room in self.laid.chunks_exact_mut(length.max(1)) {
            panels.next().into_iter().for_each(|panel| lay(self.isa, panel, room));
        }
    }

    /// Sets what queries ask.
    pub(crate) fn ask(&mut self, queries: &Part<'_>, state: &Block, reaches: Option<Reaches<'_>>) {
        let panels = 0..queries.coded().len();
        self.queries.clear();
        self.queries.extend(panels.map(|panel| asks_of(queries, panel, state, reaches)));
    }

    /// Sets what base rows bring and ask: all pairs within `reach`, a squared length in units.
    pub(crate) fn bring(&mut self, base: &Part<'_>, reach: impl Fn(usize) -> f32) {
        self.base.clear();
        self.base.extend_from_slice(base.tests());
        for (panel, (test, coded)) in self.base.iter_mut().zip(base.coded()).enumerate() {
            let reach = reaches_of(base, panel, &reach);
            bound::base_reach(test, coded, base.rows_in(panel), &reach);
        }
    }

    /// As [`Sieve::sift`], for the base block that queries meet first: its products limit what they ask before they ask
    /// it, since what would be kept without a limit is most of the block. With `same` the two are one block, and no
    /// row wants itself.
    pub(crate) fn first(
        &mut self,
        queries: &Part<'_>,
        base: &Part<'_>,
        same: bool,
        state: &mut Block,
        reaches: Option<Reaches<'_>>,
        mut take: impl FnMut(&mut Block, usize, usize, (f32, f32)),
    ) {
        let limits = Limit::of(state.depth(), same);
        let mutual = reaches.is_some();
        let tests = if mutual { &self.base[..] } else { base.tests() };
        let spans = || tests.chunks(SPAN).zip(base.panels(SPAN));
        let length = self.laid.len() / queries.coded().len();
        for (panel, codes) in self.laid.chunks_exact(length).enumerate() {
            let asks = asks_of(queries, panel, state, reaches);
            for (sifted, (tests, base)) in self.sifted.iter_mut().zip(spans()) {
                sift(self.isa, codes, &asks, base, tests, mutual, sifted);
            }
            if let Some(limits) = limits {
                for slot in 0..queries.rows_in(panel) {
                    let x = (&queries.coded()[panel], slot);
                    let most = limit(x, base, &self.sifted, limits);
                    state.limit_in_units(panel * PANEL + slot, most);
                }
            }
            let asks = asks_of(queries, panel, state, reaches);
            for (span, (sifted, (tests, _))) in self.sifted.iter_mut().zip(spans()).enumerate() {
                sifted.decide(&asks, tests, mutual);
                let (at, kept) = ((panel, span * SPAN), &mut self.kept);
                hand_over(sifted, at, queries, base, kept, &mut |x, y, bounds| {
                    take(state, x, y, bounds);
                });
            }
        }
    }

    /// Hands every pair of the queries that are laid and of base rows that is kept, as (slot of the query, slot of the base row, bounds), to `take`.
    /// `mutual` says whether what base rows ask, by [`Sieve::bring`], counts too.
    pub(crate) fn sift(
        &mut self,
        queries: &Part<'_>,
        base: &Part<'_>,
        mutual: bool,
        mut take: impl FnMut(usize, usize, (f32, f32)),
    ) {
        let [first, second, ..] = &mut self.sifted;
        let tests = if mutual { &self.base[..] } else { base.tests() };
        let of_base = base.coded().chunks(SPAN).zip(tests.chunks(SPAN)).zip(base.panels(SPAN));
        for (span, ((coded, tests), base_codes)) in of_base.enumerate() {
            // What is known of base rows comes from afar, and is wanted of few at a time.
            prefetch(coded);
            // The next base panels come nearer meanwhile, a piece with every query panel.
            let next = base.after(span * SPAN + tests.len(), SPAN);
            let mut next = next.chunks((next.len() / self.queries.len()).max(1));
            let sifted = [&mut *first, &mut *second];
            let (asks, kept) = (&self.queries, &mut self.kept);
            sweep(
                self.isa,
                &self.laid,
                asks,
                base_codes,
                tests,
                mutual,
                sifted,
                |panel, sifted| {
                    next.next().into_iter().for_each(prefetch_near);
                    hand_over(sifted, (panel, span * SPAN), queries, base, kept, &mut take);
                },
            );
        }
    }
}

/// Hands what the kernels kept to `take`: of the query panel and the base panels that begin at `panel` and
/// `base_panel`.
fn hand_over(
    sifted: &Sifted,
    (panel, base_panel): (usize, usize),
    queries: &Part<'_>,
    base: &Part<'_>,
    kept: &mut [Kept; PANEL * WIDTH],
    take: &mut impl FnMut(usize, usize, (f32, f32)),
) {
    let (of_x, of_y): (&Coded, &[Coded]) = (&queries.coded()[panel], base.coded());
    let mut count = 0;
    // All bounds before the first is taken: one does not wait for another, nor for what comes of it.
    sifted.each(|i, j, dot| {
        let (x, y) = (panel * PANEL + i, base_panel * PANEL + j);
        // Places beyond the last row hold no row.
        if x < queries.rows() && y < base.rows() {
            let bounds = bound::squared_distance((of_x, i), (&of_y[y / PANEL], y % PANEL), dot);
            kept[count] = Kept { query: x as u32, base: y as u32, bounds };
            count += 1;
        }
    });
    for pair in &kept[..count] {
        take(pair.query as usize, pair.base as usize, pair.bounds);
    }
}
