//! The k nearest base rows of each query of a block. Level 2.

use std::cmp::Ordering;
use std::ops::Range;

/// A base row and its squared distance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) squared: f64,
    pub(crate) index: usize,
}

/// Sorted lists of at most `k` entries, one for each query of a block.
pub(crate) struct Nearest {
    first: usize,
    k: usize,
    entries: Vec<Entry>,
    lengths: Vec<usize>,
}

impl Entry {
    /// What unfilled places hold: infinitely far.
    pub(crate) const NONE: Self = Self { squared: f64::INFINITY, index: usize::MAX };

    /// Whether this is a row.
    pub(crate) fn is_some(&self) -> bool {
        self.index != usize::MAX
    }

    /// How entries are listed: by distance, then by index.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        self.squared.total_cmp(&other.squared).then(self.index.cmp(&other.index))
    }
}

/// A squared distance as it counts: the square of its root, which squares that have one root share. Rows at the same
/// distance, as it is reported, tie by it. The squares of different roots differ, and the root of each is the root.
#[inline]
pub(crate) fn reported(squared: f64) -> f64 {
    let distance = squared.sqrt();
    distance * distance
}

/// No measured square is beyond this that is reported as within `reported`.
#[inline]
pub(crate) fn measured_within(reported: f64) -> f64 {
    reported * (1.0 + 1e-15)
}

impl Nearest {
    /// Lists of at most `k` entries as `fill` makes them of each query: by distance, then by index.
    pub(crate) fn filled(
        queries: Range<usize>,
        k: usize,
        mut fill: impl FnMut(usize, &mut Vec<Entry>),
    ) -> Self {
        let (mut lists, mut list) = (Self::new(queries.clone(), k), Vec::with_capacity(k));
        for (slot, query) in queries.enumerate() {
            list.clear();
            fill(query, &mut list);
            lists.entries[slot * k..][..list.len()].copy_from_slice(&list);
            lists.lengths[slot] = list.len();
        }
        lists
    }

    pub(crate) fn new(block: Range<usize>, k: usize) -> Self {
        Self {
            first: block.start,
            k,
            entries: vec![Entry::NONE; block.len() * k],
            lengths: vec![0; block.len()],
        }
    }

    /// The queries.
    pub(crate) fn queries(&self) -> Range<usize> {
        self.first..self.first + self.lengths.len()
    }

    /// Entries that a list holds at most.
    pub(crate) fn depth(&self) -> usize {
        self.k
    }

    /// The list of `query`: ascending by distance, then by index.
    pub(crate) fn list(&self, query: usize) -> &[Entry] {
        let slot = query - self.first;
        &self.entries[slot * self.k..][..self.lengths[slot]]
    }

    /// The largest squared distance at which `query` still wants a base row.
    pub(crate) fn reach(&self, query: usize) -> f64 {
        // Unfilled places hold an infinite distance, so an unfilled list reaches everywhere.
        match self.k {
            0 => f64::NEG_INFINITY,
            k => self.entries[(query - self.first + 1) * k - 1].squared,
        }
    }

    /// Offers a base row to `query`, which keeps it if it is nearer than what it has, ties by index.
    pub(crate) fn insert(&mut self, query: usize, index: usize, squared: f64) {
        if self.k == 0 || squared > self.reach(query) {
            return;
        }
        let slot = query - self.first;
        let length = self.lengths[slot];
        let list = &mut self.entries[slot * self.k..][..self.k];
        let new = Entry { squared, index };
        let place = list[..length].partition_point(|entry| entry.order(&new).is_lt());
        if place == self.k {
            return;
        }
        list.copy_within(place..self.k - 1, place + 1);
        list[place] = new;
        self.lengths[slot] = (length + 1).min(self.k);
    }

    /// Takes over the entries of lists of the same queries.
    pub(crate) fn merge(&mut self, other: &Self) {
        for query in other.queries() {
            for entry in other.list(query) {
                self.insert(query, entry.index, entry.squared);
            }
        }
    }

    /// All lists in a row, `k` entries each.
    pub(crate) fn into_entries(self) -> Vec<Entry> {
        self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_of_one_root_are_one_and_of_different_roots_differ() {
        let mut shared = 0;
        for start in [1.0, 1.5, 2.0, 2.0_f64.next_down(), 3.0, 4.0, 1e-300, 1e300, 25.0, 7e9] {
            let mut square: f64 = start;
            for _ in 0..1000 {
                let next = square.next_up();
                let same = square.sqrt().to_bits() == next.sqrt().to_bits();
                shared += usize::from(same);
                assert_eq!(reported(square).to_bits() == reported(next).to_bits(), same);
                assert_eq!(reported(square).sqrt().to_bits(), square.sqrt().to_bits());
                assert!(square <= measured_within(reported(square)));
                square = next;
            }
        }
        assert!(shared > 4000, "{shared}");
        for tiny in [0.0, 5e-324, 1e-320, f64::MIN_POSITIVE] {
            assert_eq!(reported(tiny).to_bits(), tiny.to_bits());
        }
    }
}
