//! The k nearest base rows of each query of a block. Level 2.

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

impl Nearest {
    pub(crate) fn new(block: Range<usize>, k: usize) -> Self {
        Self {
            first: block.start,
            k,
            entries: vec![Entry { squared: f64::INFINITY, index: usize::MAX }; block.len() * k],
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
        let before =
            |entry: &Entry| entry.squared.total_cmp(&squared).then(entry.index.cmp(&index)).is_lt();
        let place = list[..length].partition_point(before);
        if place == self.k {
            return;
        }
        list.copy_within(place..self.k - 1, place + 1);
        list[place] = Entry { squared, index };
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
