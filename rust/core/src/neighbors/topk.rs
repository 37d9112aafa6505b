//! The k nearest base rows of each query of a block. Level 2.

use std::ops::Range;

use super::Visit;

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
    exclude_self: bool,
    entries: Vec<Entry>,
    lengths: Vec<usize>,
}

impl Nearest {
    pub(crate) fn new(block: Range<usize>, k: usize, exclude_self: bool) -> Self {
        Self {
            first: block.start,
            k,
            exclude_self,
            entries: vec![Entry { squared: f64::INFINITY, index: usize::MAX }; block.len() * k],
            lengths: vec![0; block.len()],
        }
    }

    /// The list of `query`: ascending by distance, then by index.
    pub(crate) fn list(&self, query: usize) -> &[Entry] {
        let slot = query - self.first;
        &self.entries[slot * self.k..][..self.lengths[slot]]
    }

    /// All lists in a row, `k` entries each.
    pub(crate) fn into_entries(self) -> Vec<Entry> {
        self.entries
    }
}

impl Visit for Nearest {
    fn reach(&self, query: usize) -> f64 {
        // Unfilled places hold an infinite distance, so an unfilled list reaches everywhere.
        self.entries[(query - self.first + 1) * self.k - 1].squared
    }

    fn visit(&mut self, query: usize, base: usize, squared: f64) {
        let slot = query - self.first;
        let full = self.lengths[slot] == self.k;
        // Base rows come in ascending order: at equal distance the one already there has the lower index.
        if (self.exclude_self && base == query) || (full && squared >= self.reach(query)) {
            return;
        }
        let list = &mut self.entries[slot * self.k..][..self.k];
        let place = list[..self.lengths[slot]].partition_point(|entry| entry.squared <= squared);
        list.copy_within(place..self.k - 1, place + 1);
        list[place] = Entry { squared, index: base };
        self.lengths[slot] += usize::from(!full);
    }
}
