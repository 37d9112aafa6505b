//! What a block of rows has seen of its neighbours: bounds first, measured distances later. Level 2.
//!
//! Each row keeps the `depth` smallest upper bounds of all pairs it was offered: none farther than the last
//! of them can be among its `depth` nearest. Pairs that may be wait, and are measured only when the row has
//! seen everything, or too many wait; by then the bound has shrunk and few are left. Memory: O(depth) a row,
//! and at most [`most_waiting`] candidates.

use std::ops::Range;

use super::bound;
use super::measure::Measure;
use super::topk::{Entry, Nearest};
use crate::rows::Rows;

/// A row that may be near, and its squared distance at least, in units: one number, so that the order of
/// candidates is that of numbers, by distance and then by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate(u64);

impl Candidate {
    fn new(lower: f32, index: usize) -> Self {
        // The bits of numbers that are not negative ascend as they do.
        Self(u64::from(lower.to_bits()) << 32 | u64::from(index as u32))
    }

    fn lower(self) -> f32 {
        f32::from_bits((self.0 >> 32) as u32)
    }

    fn index(self) -> usize {
        self.0 as u32 as usize
    }
}

/// Moves the candidates that may be within `bound` to the front and returns how many there are.
fn retain(candidates: &mut [Candidate], bound: f32) -> usize {
    let mut kept = 0;
    for place in 0..candidates.len() {
        // Which they are nobody can guess: no branch.
        let candidate = candidates[place];
        candidates[kept] = candidate;
        kept += usize::from(candidate.lower() <= bound);
    }
    kept
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
        squared <= self.squared(query, base)
    }

    /// The farther of the reaches of both rows, squared.
    pub(crate) fn squared(&self, query: usize, base: usize) -> f64 {
        self.queries.squared(query).max(self.base.squared(base))
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
    /// far it is; false if that is wanted, then of all pairs.
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

/// Two numbers in order. None is NaN, which `min` and `max` would look for.
#[inline]
pub(crate) fn ascending(a: f32, b: f32) -> (f32, f32) {
    let swap = b < a;
    (if swap { b } else { a }, if swap { a } else { b })
}

/// Inserts a value into an ascending list, whose largest falls out.
pub(crate) fn insert(list: &mut [f32], value: f32) {
    /// Up to here a look at every place costs less than a wrong guess at one.
    const SHORT: usize = 16;
    if list.len() <= SHORT {
        let mut value = value;
        for slot in list {
            (*slot, value) = ascending(*slot, value);
        }
        return;
    }
    let (place, last) = (list.partition_point(|&other| other <= value), list.len() - 1);
    if place <= last {
        list.copy_within(place..last, place + 1);
        list[place] = value;
    }
}

/// Candidates of a row that wait at most, where `depth` are wanted.
pub(crate) fn most_waiting(depth: usize) -> usize {
    96 + 4 * depth
}

/// The candidates of a block of queries.
pub(crate) struct Block {
    nearest: Nearest,
    depth: usize,
    unit: f64,
    columns: usize,
    /// Squared, in units: `depth` a row, ascending.
    upper: Vec<f32>,
    /// Room for as many a row as may wait.
    pending: Vec<Candidate>,
    /// How many wait, for each row.
    waiting: Vec<u32>,
}

impl Block {
    pub(crate) fn new(rows: Range<usize>, depth: usize, unit: f64, columns: usize) -> Self {
        Self {
            upper: vec![f32::INFINITY; rows.len() * depth],
            pending: vec![Candidate(0); rows.len() * most_waiting(depth)],
            waiting: vec![0; rows.len()],
            nearest: Nearest::new(rows, depth),
            depth,
            unit,
            columns,
        }
    }

    /// Bytes that a row takes, with what is made of its list.
    pub(crate) fn bytes(depth: usize) -> usize {
        let entries = 2 * size_of::<Entry>() + size_of::<f32>();
        let pending = most_waiting(depth).saturating_mul(size_of::<Candidate>());
        depth.saturating_mul(entries).saturating_add(pending)
    }

    /// Wants only what is within a squared distance of the row in `slot`, before anything is offered.
    pub(crate) fn limit(&mut self, slot: usize, squared: f64) {
        self.limit_in_units(slot, self.in_units(squared));
    }

    /// The same, the squared distance in units.
    pub(crate) fn limit_in_units(&mut self, slot: usize, most: f32) {
        let upper = &mut self.upper[slot * self.depth..][..self.depth];
        upper.iter_mut().for_each(|upper| *upper = upper.min(most));
    }

    /// What a squared distance is, in units and rounded up.
    fn in_units(&self, squared: f64) -> f32 {
        bound::above(bound::reach(squared, self.columns), self.unit.recip())
    }

    /// Rows that are wanted of each.
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// The number of the first row.
    pub(crate) fn first(&self) -> usize {
        self.nearest.queries().start
    }

    /// Rows in the block.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
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
    #[inline]
    pub(crate) fn offer(
        &mut self,
        slot: usize,
        index: usize,
        (lower, upper): (f32, f32),
        reaches: Option<Reaches<'_>>,
    ) -> bool {
        let query = self.first() + slot;
        // Hardly a guess at what comes of a pair is right: it is noted first and counted if it may be near.
        let wanted = lower <= self.bound(slot)
            || reaches.is_some_and(|reaches| lower <= reaches.most(query, index));
        insert(&mut self.upper[slot * self.depth..][..self.depth], upper);
        let (most, waiting) = (most_waiting(self.depth), self.waiting[slot] as usize);
        self.pending[slot * most + waiting] = Candidate::new(lower, index);
        self.waiting[slot] += u32::from(wanted);
        waiting + 1 >= most && self.are_too_many(slot, reaches)
    }

    /// Whether too many candidates of a row wait, once those are gone that no longer may be near.
    #[cold]
    fn are_too_many(&mut self, slot: usize, reaches: Option<Reaches<'_>>) -> bool {
        if reaches.is_none() {
            self.retain(slot);
        }
        self.waiting[slot] as usize > most_waiting(self.depth) / 4 * 3
    }

    /// Forgets the candidates of a row that are not among its nearest.
    fn retain(&mut self, slot: usize) {
        let (bound, most) = (self.bound(slot), most_waiting(self.depth));
        let pending = &mut self.pending[slot * most..][..self.waiting[slot] as usize];
        self.waiting[slot] = retain(pending, bound) as u32;
    }

    /// Measures what waits for the row in `slot` and may count; shows what is within reach.
    pub(crate) fn settle(&mut self, slot: usize, search: &mut Search<'_, impl Meet>) {
        if search.reaches.is_none() {
            self.retain(slot);
        }
        let (first, count) = (slot * most_waiting(self.depth), self.waiting[slot] as usize);
        if count == 0 {
            return;
        }
        // Nearest first: the sooner the bound shrinks, the fewer are measured.
        self.pending[first..first + count].sort_unstable();
        self.measure(slot, first..first + count, search);
        self.waiting[slot] = 0;
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
        mut candidates: Range<usize>,
        search: &mut Search<'_, impl Meet>,
    ) {
        let Search { queries, base, reaches, measure, meet } = search;
        let query = self.first() + slot;
        measure.begin(queries, query);
        while !candidates.is_empty() {
            let bound = self.bound(slot);
            for place in candidates.by_ref() {
                let (lower, index) = (self.pending[place].lower(), self.pending[place].index());
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
