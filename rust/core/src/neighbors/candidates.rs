//! What a block of rows has seen of its neighbours: bounds first, measured distances later. Level 2.
//!
//! Each row keeps the `depth` smallest upper bounds of all pairs it was offered: none farther than the last
//! of them can be among its `depth` nearest. Pairs that may be wait, and are measured only when the row has
//! seen everything, or too many wait; by then the bound has shrunk and few are left. Memory: O(depth) a row,
//! and at most [`Block::most_waiting`] candidates.

use std::ops::Range;

use super::bound;
use super::measure::Measure;
use super::topk::Nearest;
use crate::rows::Rows;

/// A row that may be near, and its squared distance at least, in units.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    lower: f32,
    index: u32,
}

/// Distances within which the pairs of a row are wanted, whatever else is near.
pub(crate) struct Reach<'a> {
    squared: &'a [f64],
    /// Squared, in units, rounded up: a pair that is farther is not within reach.
    most: Vec<f32>,
    /// Squared, in units, rounded down: a pair that is not farther is.
    certain: Vec<f32>,
}

impl<'a> Reach<'a> {
    pub(crate) fn new(squared: &'a [f64], unit: f64, columns: usize) -> Self {
        let inverse = unit.recip();
        let most = |&squared| bound::above(bound::reach(squared, columns), inverse);
        let certain = |&squared| bound::below(bound::certain_reach(squared, columns), inverse);
        Self {
            squared,
            most: squared.iter().map(most).collect(),
            certain: squared.iter().map(certain).collect(),
        }
    }

    /// The reach of `row`, squared.
    pub(crate) fn squared(&self, row: usize) -> f64 {
        self.squared[row]
    }

    /// The reach of `row`, squared, in units, rounded up.
    pub(crate) fn most(&self, row: usize) -> f32 {
        self.most[row]
    }
}

impl Reach<'_> {
    /// Whether the reach of `row` holds a pair of which only bounds are known, if they are enough to say.
    fn holds(&self, row: usize, (lower, upper): (f32, f32)) -> Option<bool> {
        if lower > self.most[row] {
            Some(false)
        } else {
            (upper <= self.certain[row]).then_some(true)
        }
    }
}

/// The reaches of both sides of a search.
#[derive(Clone, Copy)]
pub(crate) struct Reaches<'a> {
    pub(crate) queries: &'a Reach<'a>,
    pub(crate) base: &'a Reach<'a>,
}

impl Reaches<'_> {
    /// Whether a pair is within the reach of either row.
    pub(crate) fn hold(&self, query: usize, base: usize, squared: f64) -> bool {
        squared <= self.queries.squared(query).max(self.base.squared(base))
    }

    /// Which reaches, the query's and the base row's, hold a pair, if its bounds say so of both.
    fn certainly(&self, query: usize, base: usize, bounds: (f32, f32)) -> Option<[bool; 2]> {
        Some([self.queries.holds(query, bounds)?, self.base.holds(base, bounds)?])
    }

    /// The squared length, in units, within which a pair may be.
    pub(crate) fn most(&self, query: usize, base: usize) -> f32 {
        self.queries.most(query).max(self.base.most(base))
    }
}

/// What takes part in a search across two sets for one block of queries.
pub(crate) trait Meet: Send {
    /// Takes a pair within reach of its query or its base row.
    fn meet(&mut self, query: usize, base: usize, squared: f64);

    /// Takes a pair of which it is known whose reach holds it, the query's and the base row's, but not how
    /// far it is; false if that is wanted.
    fn meet_unmeasured(&mut self, _query: usize, _base: usize, _held: [bool; 2]) -> bool {
        false
    }
}

/// Nobody, where only the nearest are wanted.
impl Meet for () {
    fn meet(&mut self, _query: usize, _base: usize, _squared: f64) {}
}

impl<M: Meet> Meet for &mut M {
    fn meet(&mut self, query: usize, base: usize, squared: f64) {
        (**self).meet(query, base, squared);
    }

    fn meet_unmeasured(&mut self, query: usize, base: usize, held: [bool; 2]) -> bool {
        (**self).meet_unmeasured(query, base, held)
    }
}

/// What candidates are measured in, and for whom.
pub(crate) struct Search<'a, M> {
    pub(crate) queries: &'a Rows<'a>,
    pub(crate) base: &'a Rows<'a>,
    pub(crate) reaches: Option<Reaches<'a>>,
    pub(crate) measure: &'a mut Measure,
    pub(crate) meet: M,
}

/// Inserts a value into an ascending list, whose last one falls out.
fn insert(list: &mut [f32], value: f32) {
    /// Up to here a look at every place costs less than a wrong guess at one.
    const SHORT: usize = 16;
    if list.len() <= SHORT {
        let mut value = value;
        for slot in list {
            let other = *slot;
            // None is NaN, which `min` and `max` would look for.
            let smaller = value < other;
            (*slot, value) = (if smaller { value } else { other }, if smaller { other } else { value });
        }
    } else {
        let place = list.partition_point(|&other| other <= value);
        let last = list.len() - 1;
        list.copy_within(place..last, place + 1);
        list[place] = value;
    }
}

/// Candidates of a row that room is made for at first.
const USUALLY_WAITING: usize = 64;

/// The candidates of a block of queries.
pub(crate) struct Block {
    nearest: Nearest,
    depth: usize,
    unit: f64,
    columns: usize,
    /// Squared, in units: `depth` a row, ascending.
    upper: Vec<f32>,
    pending: Vec<Vec<Candidate>>,
}

impl Block {
    pub(crate) fn new(rows: Range<usize>, depth: usize, unit: f64, columns: usize) -> Self {
        Self {
            upper: vec![f32::INFINITY; rows.len() * depth],
            pending: rows.clone().map(|_| Vec::with_capacity(USUALLY_WAITING)).collect(),
            nearest: Nearest::new(rows, depth),
            depth,
            unit,
            columns,
        }
    }

    /// Wants only what is within a squared distance of the row in `slot`, before anything is offered.
    pub(crate) fn limit(&mut self, slot: usize, squared: f64) {
        let most = self.in_units(squared);
        self.upper[slot * self.depth..][..self.depth].fill(most);
    }

    /// What a squared distance is, in units and rounded up.
    fn in_units(&self, squared: f64) -> f32 {
        bound::above(bound::reach(squared, self.columns), self.unit.recip())
    }

    /// The number of the first row.
    pub(crate) fn first(&self) -> usize {
        self.nearest.queries().start
    }

    /// Rows in the block.
    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }

    /// Candidates of one row that wait at most.
    pub(crate) fn most_waiting(&self) -> usize {
        192 + 4 * self.depth
    }

    /// The squared length, in units, beyond which nothing is among the nearest of the row in `slot`.
    pub(crate) fn bound(&self, slot: usize) -> f32 {
        match self.depth {
            0 => f32::NEG_INFINITY,
            depth => self.upper[(slot + 1) * depth - 1],
        }
    }

    /// Lowers the upper bounds of a row to what was measured: `depth` rows are within it.
    fn lower_bound(&mut self, slot: usize) {
        if self.depth == 0 {
            return;
        }
        let most = self.in_units(self.nearest.reach(self.first() + slot));
        for upper in self.upper[slot * self.depth..][..self.depth].iter_mut().rev() {
            if *upper <= most {
                break;
            }
            *upper = most;
        }
    }

    /// Whether the bounds of a pair are enough for all that is wanted of it, which is then done.
    pub(crate) fn count(
        &self,
        slot: usize,
        index: usize,
        bounds: (f32, f32),
        search: &mut Search<'_, impl Meet>,
    ) -> bool {
        let query = self.first() + slot;
        // One that may be among the nearest is measured anyway.
        let Some(reaches) = search.reaches.filter(|_| bounds.0 > self.bound(slot)) else {
            return false;
        };
        let held = reaches.certainly(query, index, bounds);
        held.is_some_and(|held| search.meet.meet_unmeasured(query, index, held))
    }

    /// Takes note of a pair with the bounds of its squared distance; true if the row has to be settled, because too
    /// many of its candidates wait.
    #[must_use]
    pub(crate) fn offer(
        &mut self,
        slot: usize,
        index: usize,
        (lower, upper): (f32, f32),
        reaches: Option<Reaches<'_>>,
    ) -> bool {
        let query = self.first() + slot;
        let bound = self.bound(slot);
        if lower > bound && reaches.is_none_or(|reaches| lower > reaches.most(query, index)) {
            return false;
        }
        if upper < bound {
            insert(&mut self.upper[slot * self.depth..][..self.depth], upper);
        }
        let most = self.most_waiting();
        let pending = &mut self.pending[slot];
        pending.push(Candidate { lower, index: index as u32 });
        if pending.len() < most {
            return false;
        }
        if reaches.is_none() {
            let bound = self.upper[(slot + 1) * self.depth - 1];
            pending.retain(|candidate| candidate.lower <= bound);
        }
        pending.len() > most / 4 * 3
    }

    /// Measures what waits for the row in `slot` and may count; shows what is within reach.
    pub(crate) fn settle(&mut self, slot: usize, search: &mut Search<'_, impl Meet>) {
        let mut pending = std::mem::take(&mut self.pending[slot]);
        if pending.is_empty() {
            return;
        }
        if search.reaches.is_none() {
            let bound = self.bound(slot);
            pending.retain(|candidate| candidate.lower <= bound);
        }
        // Nearest first: the sooner the bound shrinks, the fewer are measured.
        pending.sort_unstable_by(|a, b| a.lower.total_cmp(&b.lower));
        self.measure(slot, &pending, search);
        pending.clear();
        self.pending[slot] = pending;
    }

    /// Settles all rows.
    pub(crate) fn settle_all(&mut self, search: &mut Search<'_, impl Meet>) {
        for slot in 0..self.len() {
            // Asked for now, the next row is there when its turn comes.
            if slot + 1 < self.len() {
                search.queries.prefetch(self.first() + slot + 1);
            }
            self.settle(slot, search);
        }
    }

    fn measure(
        &mut self,
        slot: usize,
        candidates: &[Candidate],
        search: &mut Search<'_, impl Meet>,
    ) {
        let Search { queries, base, reaches, measure, meet } = search;
        let query = self.first() + slot;
        measure.begin(queries, query);
        let mut waiting = candidates.iter();
        while waiting.len() > 0 {
            let bound = self.bound(slot);
            for &Candidate { lower, index } in waiting.by_ref() {
                let index = index as usize;
                if lower <= bound
                    || reaches.is_some_and(|reaches| lower <= reaches.most(query, index))
                {
                    measure.add(base, index);
                    if measure.is_full() {
                        break;
                    }
                }
            }
            for (index, squared) in measure.finish(base) {
                self.nearest.insert(query, index, squared);
                if reaches.is_some_and(|reaches| reaches.hold(query, index, squared)) {
                    meet.meet(query, index, squared);
                }
            }
            self.lower_bound(slot);
        }
    }

    /// The lists of nearest rows, once all are settled.
    pub(crate) fn into_nearest(self) -> Nearest {
        self.nearest
    }
}
