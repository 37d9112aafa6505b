//! Which balls hold which rows, in each subset. Level 3.
//!
//! The ball of a row has the row's k-th nearest neighbour distance as its radius and is closed (≤), so
//! that duplicates hold each other. One search settles everything: only pairs within the largest radius
//! of either row are met.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use super::clipped::ClipCounter;
use crate::neighbors::rarity::Sample;
use crate::subsets::bits;

/// What the balls of an anchor X and of a candidate Y hold of each other.
pub(crate) struct Balls {
    subsets: usize,
    /// Per candidate row and subset: X-balls that hold it.
    holding: Vec<u32>,
    /// Per anchor row, a bit per subset: its own ball holds a candidate row.
    covered: Vec<u64>,
    /// Per anchor row, a bit per subset: it lies inside a candidate ball.
    recalled: Vec<u64>,
}

impl Balls {
    /// X-balls that hold candidate row `y`.
    pub(crate) fn holding(&self, y: usize, subset: usize) -> u32 {
        self.holding[y * self.subsets + subset]
    }

    /// Whether the ball of anchor row `x` holds a candidate row.
    pub(crate) fn covers(&self, x: usize, subset: usize) -> bool {
        self.covered[x] >> subset & 1 == 1
    }

    /// Whether anchor row `x` lies inside a candidate ball.
    pub(crate) fn recalls(&self, x: usize, subset: usize) -> bool {
        self.recalled[x] >> subset & 1 == 1
    }
}

/// What all blocks of candidate rows find out of the anchor's rows.
pub(crate) struct Marks {
    covered: Vec<AtomicU64>,
    recalled: Vec<AtomicU64>,
}

impl Marks {
    /// Nothing found yet of `rows` anchor rows.
    pub(crate) fn new(rows: usize) -> Self {
        let zeros = || (0..rows).map(|_| AtomicU64::new(0)).collect();
        Self { covered: zeros(), recalled: zeros() }
    }

    /// The balls, from the counts of all blocks in order.
    pub(crate) fn settle(self, subsets: usize, holding: Vec<u32>) -> Balls {
        let settle = |flags: Vec<AtomicU64>| flags.into_iter().map(AtomicU64::into_inner).collect();
        let (covered, recalled) = (settle(self.covered), settle(self.recalled));
        Balls { subsets, holding, covered, recalled }
    }
}

/// Counts for one block of candidate rows.
pub(crate) struct Counter<'a> {
    anchor: &'a Sample<'a>,
    candidate: &'a Sample<'a>,
    first: usize,
    holding: Vec<u32>,
    marks: &'a Marks,
    clipped: Option<ClipCounter<'a>>,
}

impl<'a> Counter<'a> {
    pub(crate) fn new(
        anchor: &'a Sample<'a>,
        candidate: &'a Sample<'a>,
        block: Range<usize>,
        marks: &'a Marks,
        clipped: Option<ClipCounter<'a>>,
    ) -> Self {
        let holding = vec![0; block.len() * anchor.subsets.count()];
        Self { anchor, candidate, first: block.start, holding, marks, clipped }
    }

    /// Takes a pair within reach of either row.
    pub(crate) fn count(&mut self, y: usize, x: usize, squared: f64) {
        let subsets = self.anchor.subsets.count();
        let holding = &mut self.holding[(y - self.first) * subsets..][..subsets];
        let (mut covers, mut recalls) = (0, 0);
        let shared = self.anchor.subsets.mask(x) & self.candidate.subsets.mask(y);
        for subset in bits(shared) {
            if squared <= self.anchor.radius(x, subset) {
                holding[subset] += 1;
                covers |= 1 << subset;
            }
            recalls |= u64::from(squared <= self.candidate.radius(y, subset)) << subset;
        }
        mark(&self.marks.covered[x], covers);
        mark(&self.marks.recalled[x], recalls);
        if let Some(clipped) = &mut self.clipped {
            clipped.count(y - self.first, x, squared, covers);
        }
    }

    /// Takes a pair of which it is known whose ball holds it, in the whole samples: they have no parts.
    pub(crate) fn count_whole(&mut self, y: usize, x: usize, [of_y, of_x]: [bool; 2]) {
        self.holding[y - self.first] += u32::from(of_x);
        mark(&self.marks.covered[x], u64::from(of_x));
        mark(&self.marks.recalled[x], u64::from(of_y));
    }

    /// The counts of the block, and those of clipped balls if they are counted.
    pub(crate) fn into_holding(self) -> (Vec<u32>, Vec<u32>) {
        (self.holding, self.clipped.map_or_else(Vec::new, ClipCounter::into_holding))
    }
}

/// Sets bits; the order of threads cannot show in an OR. Most are set already, and reading is cheap.
fn mark(flags: &AtomicU64, mask: u64) {
    if flags.load(Ordering::Relaxed) & mask != mask {
        flags.fetch_or(mask, Ordering::Relaxed);
    }
}
