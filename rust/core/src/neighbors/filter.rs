//! Pairs of blocks through the integer tiles. Level 2.
//!
//! A [`Pair`] is a block of queries and a block of base rows of at most [`BLOCK`] rows each. The kernels keep
//! the pairs of rows whose codes do not certify that they are too far apart; what is kept goes, with bounds
//! on its squared distance, to the candidates of the query and, where base rows ask too, of the base row.

use std::ops::Range;

use tailwatch_kernels::tile8::{BaseTest, PANEL, QueryTest, SPAN, Sifted, WIDTH, sift};
use tailwatch_kernels::{Isa, prefetch, prefetch_near};

use super::bound::{self, Coded};
use super::candidates::{Block, Reaches, insert};
use super::codes::Codes;

/// Panels of a block.
const PANELS: usize = 4 * SPAN;
/// Rows of a block: two blocks of common width fit the second-level cache.
pub(crate) const BLOCK: usize = PANELS * PANEL;

/// The rows of block `block` of `rows` rows.
pub(crate) fn rows_of(block: usize, rows: usize) -> Range<usize> {
    block * BLOCK..((block + 1) * BLOCK).min(rows)
}

fn panels_of(block: usize, rows: usize) -> Range<usize> {
    block * PANELS..((block + 1) * PANELS).min(rows.div_ceil(PANEL))
}

/// Squared distances that are looked at for a limit, in each of as many lanes as a panel has rows.
const LEAST: usize = 2;

/// Keeps the least of what comes in each lane, ascending.
fn keep_least(least: &mut [[f32; PANEL]; LEAST], mut values: [f32; PANEL]) {
    for least in least {
        for (least, value) in least.iter_mut().zip(&mut values) {
            let (a, b) = (*least, *value);
            let smaller = b < a;
            (*least, *value) = (if smaller { b } else { a }, if smaller { a } else { b });
        }
    }
}

/// A squared distance, in units, within which there are at least `rank` of the `rows` of a block, given by the
/// products of their codes with those of a row.
fn limit(x: (&Coded, usize), base: &[Coded], rows: usize, sifted: &[Sifted], rank: usize) -> f32 {
    let mut least = [[f32::INFINITY; PANEL]; LEAST];
    let dots = sifted.iter().flat_map(|sifted| sifted.dots[x.1].as_chunks::<PANEL>().0);
    for (panel, (of_y, dots)) in base.iter().zip(dots).enumerate() {
        let mut most = bound::at_most(x, of_y, dots);
        most[(rows - panel * PANEL).min(PANEL)..].fill(f32::INFINITY);
        keep_least(&mut least, most);
    }
    let mut ranked = [f32::INFINITY; LEAST * PANEL];
    least.as_flattened().iter().for_each(|&most| insert(&mut ranked[..rank], most));
    ranked[rank - 1]
}

/// What the queries of a panel of a block ask.
fn asks_of(coded: &Coded, panel: usize, state: &Block, reaches: Option<Reaches<'_>>) -> QueryTest {
    let first = state.first();
    let (count, reach) = of_panel(panel, state.len(), |slot| {
        let wanted = reaches.map_or(f32::NEG_INFINITY, |r| r.queries.most(first + slot));
        state.bound(slot).max(wanted)
    });
    bound::query_test(coded, count, &reach)
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

/// Where a call of the kernels begins: the first slots of its queries and of its base rows.
type Place = (usize, usize);

/// Buffers of one thread.
pub(crate) struct Sieve {
    isa: Isa,
    queries: Vec<QueryTest>,
    base: Vec<BaseTest>,
    sifted: [Sifted; PANELS / SPAN],
    kept: [Kept; PANEL * WIDTH],
}

impl Sieve {
    pub(crate) fn new(isa: Isa) -> Self {
        let (sifted, kept) = (Default::default(), [Kept::default(); PANEL * WIDTH]);
        Self { isa, queries: Vec::new(), base: Vec::new(), sifted, kept }
    }

    /// Sets what the queries of a block ask: all within their bounds or, if it is farther, their reach.
    pub(crate) fn ask(
        &mut self,
        codes: &Codes,
        block: usize,
        state: &Block,
        reaches: Option<Reaches<'_>>,
    ) {
        let panels = panels_of(block, codes.len());
        self.queries.clear();
        self.queries.extend(
            codes
                .coded(panels)
                .iter()
                .enumerate()
                .map(|(panel, coded)| asks_of(coded, panel, state, reaches)),
        );
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

    /// As [`Sieve::sift`], for the base block that a block of queries meets first: the products limit what is asked
    /// before it is asked of them, since what would be kept without a limit is most of it. With `same` the two are one
    /// block, and no row wants itself.
    pub(crate) fn first(
        &mut self,
        (queries, query_block): (&Codes, usize),
        (base, base_block): (&Codes, usize),
        same: bool,
        state: &mut Block,
        reaches: Option<Reaches<'_>>,
        mut take: impl FnMut(&mut Block, usize, usize, (f32, f32)),
    ) {
        let rank = state.depth() + usize::from(same);
        let limits = state.depth() > 0 && rank <= LEAST * PANEL;
        let (of_query, of_base) =
            (panels_of(query_block, queries.len()), panels_of(base_block, base.len()));
        let coded = (queries.coded(of_query.clone()), base.coded(of_base.clone()));
        let slots = (state.len(), rows_of(base_block, base.len()).len());
        let mutual = reaches.is_some();
        let tests = if mutual { &self.base[..] } else { base.tests(of_base.clone()) };
        let codes = base.panels(of_base.clone()).chunks(SPAN * base.panels(0..1).len());
        let spans = || tests.chunks(SPAN).zip(codes.clone());
        for (panel, of_x) in coded.0.iter().enumerate() {
            let at = of_query.start + panel;
            let asks = asks_of(of_x, panel, state, reaches);
            for (sifted, (tests, codes)) in self.sifted.iter_mut().zip(spans()) {
                sift(self.isa, queries.panels(at..at + 1), &asks, codes, tests, mutual, sifted);
            }
            if limits {
                for slot in panel * PANEL..((panel + 1) * PANEL).min(state.len()) {
                    let x = (of_x, slot % PANEL);
                    state.limit_in_units(slot, limit(x, coded.1, slots.1, &self.sifted, rank));
                }
            }
            let asks = asks_of(of_x, panel, state, reaches);
            for (span, (sifted, (tests, _))) in self.sifted.iter_mut().zip(spans()).enumerate() {
                sifted.decide(&asks, tests, mutual);
                let place = (panel * PANEL, span * WIDTH);
                hand_over(sifted, place, coded, slots, &mut self.kept, &mut |x, y, bounds| {
                    take(state, x, y, bounds);
                });
            }
        }
    }

    /// Hands every pair that is kept, as (slot of the query, slot of the base row, bounds), to `take`.
    /// `mutual` says whether what base rows ask, by [`Sieve::bring`], counts too.
    pub(crate) fn sift(
        &mut self,
        (queries, query_block): (&Codes, usize),
        (base, base_block): (&Codes, usize),
        mutual: bool,
        mut take: impl FnMut(usize, usize, (f32, f32)),
    ) {
        let of_query = panels_of(query_block, queries.len());
        let of_base = panels_of(base_block, base.len());
        let coded = (queries.coded(of_query.clone()), base.coded(of_base.clone()));
        let slots =
            (rows_of(query_block, queries.len()).len(), rows_of(base_block, base.len()).len());
        // What was kept is taken while the products of the next tile are on their way.
        let [mut sifted, mut earlier, ..] = self.sifted.each_mut();
        let mut waits: Option<Place> = None;
        for first in of_base.clone().step_by(SPAN) {
            let (place, span) = (first - of_base.start, first..(first + SPAN).min(of_base.end));
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
                sift(self.isa, codes, test, base.panels(span.clone()), tests, mutual, sifted);
                std::mem::swap(&mut sifted, &mut earlier);
                if let Some(waited) = waits.replace((panel * PANEL, place * PANEL)) {
                    hand_over(sifted, waited, coded, slots, &mut self.kept, &mut take);
                }
            }
        }
        if let Some(waited) = waits {
            hand_over(earlier, waited, coded, slots, &mut self.kept, &mut take);
        }
    }
}

/// Hands what the kernels kept to `take`.
fn hand_over(
    sifted: &Sifted,
    (first, base_first): Place,
    (of_x, of_y): (&[Coded], &[Coded]),
    (slots, base_slots): (usize, usize),
    kept: &mut [Kept; PANEL * WIDTH],
    take: &mut impl FnMut(usize, usize, (f32, f32)),
) {
    let of_x = &of_x[first / PANEL];
    let mut count = 0;
    // All bounds before the first is taken: one does not wait for another, nor for what comes of it.
    sifted.each(|i, j, dot| {
        let (x, y) = (first + i, base_first + j);
        // Places beyond the last row hold no row.
        if x < slots && y < base_slots {
            let bounds = bound::squared_distance((of_x, i), (&of_y[y / PANEL], y % PANEL), dot);
            kept[count] = Kept { query: x as u32, base: y as u32, bounds };
            count += 1;
        }
    });
    for pair in &kept[..count] {
        take(pair.query as usize, pair.base as usize, pair.bounds);
    }
}
