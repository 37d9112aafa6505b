//! k-th nearest neighbour distances within a sample, in the whole and in each of its subsets. Level 2.
//!
//! The distance of a row to its k-th nearest other row is its *rarity* and the radius of its ball. One
//! search keeps for each row a list deep enough to hold the k nearest of every subset: with halves, of
//! the L nearest rows about L/2 belong to a given half. Where a list runs out before some subset has
//! found its k (a chance below 1e-9 a row), that row alone is measured against everything.

use std::sync::Arc;

use crate::control::Control;
use crate::error::Result;
use crate::neighbors::exact::{Scratch, sweep};
use crate::neighbors::{Entry, Nearest, Set, within};
use crate::rows::Rows;
use crate::subsets::{Subsets, bits};

/// One value for each row and each subset that it belongs to.
#[derive(Clone, Debug)]
pub(crate) struct BySubset {
    subsets: usize,
    values: Vec<f64>,
}

impl BySubset {
    /// The values row by row.
    pub(crate) fn new(subsets: usize, values: Vec<f64>) -> Self {
        Self { subsets, values }
    }

    /// The value of `row` in `subset`.
    pub(crate) fn get(&self, row: usize, subset: usize) -> f64 {
        self.values[row * self.subsets + subset]
    }
}

/// How rare each row of a sample is within it.
pub(crate) struct Rarity {
    /// The squared distance of each row to its k-th nearest other row, in the subsets that it belongs to.
    pub(crate) radii: BySubset,
    /// The largest squared radius of each row.
    pub(crate) reach: Vec<f64>,
    near: Near,
    /// Whether rows as far as the reach of a row may be missing among those near it.
    pub(crate) tied: bool,
}

/// A sample and how rare each of its rows is within it.
pub(crate) struct Sample<'a> {
    pub(crate) set: &'a Set<'a>,
    pub(crate) subsets: &'a Subsets,
    /// Shared, so that it outlives the rows that were searched.
    pub(crate) rarity: Arc<Rarity>,
}

/// The rows within reach of each row, nearest first.
#[derive(Default)]
struct Near {
    ends: Vec<usize>,
    entries: Vec<Entry>,
}

impl Rarity {
    /// Searches a sample; `near` says whether the rows within reach of each row are kept.
    pub(crate) fn within(
        set: &Set<'_>,
        subsets: &Subsets,
        k: usize,
        near: bool,
        control: &Control,
    ) -> Result<Self> {
        let (rows, count) = (set.rows(), subsets.count());
        // One more than the k nearest tells whether others are as far as the last.
        let depth = depth(k, count) + usize::from(near && count == 1);
        let blocks = within(set, depth, control, |lists| {
            let (mut radii, mut reach) = (Vec::new(), Vec::new());
            let (mut kept, mut tied) = (Near::default(), false);
            for row in lists.queries() {
                let mask = subsets.mask(row);
                let (mut kth, mut list) = (vec![f64::INFINITY; count], lists.list(row));
                let all;
                let known = Known::cut(list, subsets, depth, rows.len() - 1);
                let mut complete = known.complete;
                if !kth_of(&[known], k, mask, &mut kth) {
                    all = measured(rows, row, rows, true, control)?;
                    list = all.list(row);
                    complete = true;
                    kth_of(&[Known::whole(list, subsets)], k, mask, &mut kth);
                }
                let farthest = bits(mask).map(|subset| kth[subset]).fold(0.0, f64::max);
                if near {
                    // Rows at the same distance as the last may be missing: no k-th distance needs them.
                    tied |= !complete && list.last().is_some_and(|last| last.squared <= farthest);
                    let within = list.partition_point(|entry| entry.squared <= farthest);
                    kept.entries.extend_from_slice(&list[..within]);
                    kept.ends.push(kept.entries.len());
                }
                radii.extend(kth);
                reach.push(farthest);
            }
            Ok((radii, reach, kept, tied))
        })?;
        let (mut radii, mut reach, mut near) = (Vec::new(), Vec::new(), Near::default());
        let tied = blocks.iter().any(|block| block.3);
        for block in blocks {
            radii.extend(block.0);
            reach.extend(block.1);
            let start = near.entries.len();
            near.ends.extend(block.2.ends.iter().map(|end| start + end));
            near.entries.extend(block.2.entries);
        }
        Ok(Self { radii: BySubset::new(count, radii), reach, near, tied })
    }
}

impl<'a> Sample<'a> {
    /// Searches the sample; `near` says whether the rows within reach of each row are kept.
    pub(crate) fn of(
        set: &'a Set<'a>,
        subsets: &'a Subsets,
        k: usize,
        near: bool,
        control: &Control,
    ) -> Result<Self> {
        let rarity = Arc::new(Rarity::within(set, subsets, k, near, control)?);
        Ok(Self { set, subsets, rarity })
    }

    /// The squared distance of `row` to its k-th nearest other row of `subset`.
    pub(crate) fn radius(&self, row: usize, subset: usize) -> f64 {
        self.rarity.radii.get(row, subset)
    }

    /// The largest squared radius of each row.
    pub(crate) fn reach(&self) -> &[f64] {
        &self.rarity.reach
    }

    /// The other rows within reach of `row`: enough for its k-th nearest in every subset it belongs to.
    pub(crate) fn near(&self, row: usize) -> Known<'_> {
        Known::whole(self.near_rows(row), self.subsets)
    }

    /// The same, nearest first.
    pub(crate) fn near_rows(&self, row: usize) -> &[Entry] {
        let near = &self.rarity.near;
        let start = if row == 0 { 0 } else { near.ends[row - 1] };
        &near.entries[start..near.ends[row]]
    }
}

/// Length of a list that holds the `k` nearest of each half but for a chance below 1e-9.
pub(crate) fn depth(k: usize, subsets: usize) -> usize {
    if subsets == 1 { k } else { 2 * k + 8 * (k as f64).sqrt().ceil() as usize + 32 }
}

/// The list of all rows of `base`, nearest first, that `query` has; `same` leaves itself out.
pub(crate) fn measured(
    queries: &Rows<'_>,
    query: usize,
    base: &Rows<'_>,
    same: bool,
    control: &Control,
) -> Result<Nearest> {
    let n = base.len();
    let mut lists = Nearest::new(query..query + 1, n - usize::from(same));
    let (nobody, mut scratch) = (|_, _, _| (), Scratch::default());
    sweep(queries, base, 0..n, same, &mut lists, None, nobody, &mut scratch, control)?;
    Ok(lists)
}

/// What is known of the rows of one sample that are near a query: the nearest first.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    entries: &'a [Entry],
    subsets: &'a Subsets,
    /// Whether nothing follows that could matter.
    complete: bool,
}

impl<'a> Known<'a> {
    /// All that matters.
    pub(crate) fn whole(entries: &'a [Entry], subsets: &'a Subsets) -> Self {
        Self { entries, subsets, complete: true }
    }

    /// A list that was to hold `depth` of `rows` rows: one that is full ends before what else may matter.
    pub(crate) fn cut(
        entries: &'a [Entry],
        subsets: &'a Subsets,
        depth: usize,
        rows: usize,
    ) -> Self {
        Self { entries, subsets, complete: entries.len() < depth || entries.len() == rows }
    }
}

/// Writes the `k`-th smallest squared distance of all lists together, in each subset of `mask`, to `kth`;
/// false if a list ended too soon. A subset of fewer than `k` rows is left as it is: infinite.
pub(crate) fn kth_of(lists: &[Known<'_>], k: usize, mask: u64, kth: &mut [f64]) -> bool {
    let mut missing = [0; u64::BITS as usize];
    bits(mask).for_each(|subset| missing[subset] = k);
    let mut open = mask.count_ones();
    let mut heads = vec![0; lists.len()];
    // Beyond the end of a list that was cut, the order of what follows is unknown.
    while lists.iter().zip(&heads).all(|(list, &head)| head < list.entries.len() || list.complete) {
        let next = (0..lists.len()).filter(|&list| heads[list] < lists[list].entries.len()).min_by(
            |&a, &b| {
                let squared = |list: usize| lists[list].entries[heads[list]].squared;
                squared(a).total_cmp(&squared(b))
            },
        );
        let Some(next) = next else { return false };
        let list = &lists[next];
        let entry = list.entries[heads[next]];
        heads[next] += 1;
        for subset in bits(list.subsets.mask(entry.index)) {
            if missing[subset] > 0 {
                missing[subset] -= 1;
                if missing[subset] == 0 {
                    kth[subset] = entry.squared;
                    open -= 1;
                }
            }
        }
        if open == 0 {
            return true;
        }
    }
    false
}
