//! Pairs of parts of two sets through the integer tiles. Level 2.
//!
//! The kernels keep the pairs of rows whose codes do not certify that they are too far apart; what is kept goes,
//! with bounds on its squared distance, to the candidates of the query and, where base rows ask too, of the base
//! row.

use tailwatch_kernels::tile8::{BaseTest, PANEL, QueryTest, SPAN, Sifted, WIDTH, sift};
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
    queries: Vec<QueryTest>,
    base: Vec<BaseTest>,
    sifted: [Sifted; SPANS],
    kept: [Kept; PANEL * WIDTH],
}

impl Sieve {
    pub(crate) fn new(isa: Isa) -> Self {
        let (sifted, kept) = (Default::default(), [Kept::default(); PANEL * WIDTH]);
        Self { isa, queries: Vec::new(), base: Vec::new(), sifted, kept }
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
        for (panel, codes) in queries.panels(1).enumerate() {
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

    /// Hands every pair that is kept, as (slot of the query, slot of the base row, bounds), to `take`.
    /// `mutual` says whether what base rows ask, by [`Sieve::bring`], counts too.
    pub(crate) fn sift(
        &mut self,
        queries: &Part<'_>,
        base: &Part<'_>,
        mutual: bool,
        mut take: impl FnMut(usize, usize, (f32, f32)),
    ) {
        // What was kept is taken while the products of the next tile are on their way.
        let [mut sifted, mut earlier, ..] = self.sifted.each_mut();
        let mut waits: Option<(usize, usize)> = None;
        let tests = if mutual { &self.base[..] } else { base.tests() };
        let of_base = base.coded().chunks(SPAN).zip(tests.chunks(SPAN)).zip(base.panels(SPAN));
        for (span, ((coded, tests), base_codes)) in of_base.enumerate() {
            // What is known of base rows comes from afar, and is wanted of few at a time.
            prefetch(coded);
            // The next base panels come nearer meanwhile, a piece with every query panel.
            let next = base.after(span * SPAN + tests.len(), SPAN);
            let mut next = next.chunks((next.len() / self.queries.len()).max(1));
            for ((panel, test), codes) in self.queries.iter().enumerate().zip(queries.panels(1)) {
                next.next().into_iter().for_each(prefetch_near);
                sift(self.isa, codes, test, base_codes, tests, mutual, sifted);
                std::mem::swap(&mut sifted, &mut earlier);
                if let Some(at) = waits.replace((panel, span * SPAN)) {
                    hand_over(sifted, at, queries, base, &mut self.kept, &mut take);
                }
            }
        }
        if let Some(at) = waits {
            hand_over(earlier, at, queries, base, &mut self.kept, &mut take);
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
