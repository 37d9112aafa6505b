//! Which balls hold which rows, in each subset. Level 3.
//!
//! The ball of a row has the row's k-th nearest neighbour distance as its radius and is closed (≤), so
//! that duplicates hold each other. One pass over the pairs settles everything: only pairs within the
//! largest radius of either row are looked at.

use std::sync::atomic::{AtomicU32, Ordering};

use super::rarity::BySubset;
use crate::control::Control;
use crate::error::Result;
use crate::neighbors::{Visit, for_blocks, sweep};
use crate::rows::Rows;
use crate::subsets::{Subsets, bits};

/// A sample with the squared radii of its balls.
pub(crate) struct Sample<'a> {
    pub(crate) rows: &'a Rows<'a>,
    pub(crate) subsets: &'a Subsets,
    pub(crate) radii: &'a BySubset,
}

/// What the balls of an anchor X and of a candidate Y hold of each other.
pub(crate) struct Balls {
    subsets: usize,
    /// Per candidate row and subset: X-balls that hold it.
    holding: Vec<u32>,
    /// Per anchor row, a bit per subset: its own ball holds a candidate row.
    covered: Vec<u32>,
    /// Per anchor row, a bit per subset: it lies inside a candidate ball.
    recalled: Vec<u32>,
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

/// Counts in one pass over all pairs of an anchor and a candidate row.
pub(crate) fn count_balls(
    anchor: &Sample<'_>,
    candidate: &Sample<'_>,
    control: &Control,
) -> Result<Balls> {
    let subsets = anchor.subsets.count();
    let reach_of = |sample: &Sample<'_>| -> Vec<f64> {
        (0..sample.rows.len())
            .map(|row| sample.radii.largest(row, sample.subsets.mask(row)))
            .collect()
    };
    let (anchor_reach, candidate_reach) = (reach_of(anchor), reach_of(candidate));
    let zeros = || (0..anchor.rows.len()).map(|_| AtomicU32::new(0)).collect::<Vec<_>>();
    let (covered, recalled) = (zeros(), zeros());
    let blocks = for_blocks(candidate.rows, control, |block, scratch| {
        let mut counter = Counter {
            anchor,
            candidate,
            reach: &candidate_reach,
            first: block.start,
            holding: vec![0; block.len() * subsets],
            covered: &covered,
            recalled: &recalled,
        };
        sweep(
            candidate.rows,
            block,
            anchor.rows,
            Some(&anchor_reach),
            &mut counter,
            scratch,
            control,
        )?;
        Ok(counter.holding)
    })?;
    let settle = |flags: Vec<AtomicU32>| flags.into_iter().map(AtomicU32::into_inner).collect();
    Ok(Balls {
        subsets,
        holding: blocks.concat(),
        covered: settle(covered),
        recalled: settle(recalled),
    })
}

struct Counter<'a> {
    anchor: &'a Sample<'a>,
    candidate: &'a Sample<'a>,
    reach: &'a [f64],
    first: usize,
    holding: Vec<u32>,
    covered: &'a [AtomicU32],
    recalled: &'a [AtomicU32],
}

impl Visit for Counter<'_> {
    fn reach(&self, y: usize) -> f64 {
        self.reach[y]
    }

    fn visit(&mut self, y: usize, x: usize, squared: f64) {
        let subsets = self.anchor.subsets.count();
        let holding = &mut self.holding[(y - self.first) * subsets..][..subsets];
        let (mut covers, mut recalls) = (0, 0);
        for subset in bits(self.anchor.subsets.mask(x) & self.candidate.subsets.mask(y)) {
            if squared <= self.anchor.radii.get(x, subset) {
                holding[subset] += 1;
                covers |= 1 << subset;
            }
            recalls |= u32::from(squared <= self.candidate.radii.get(y, subset)) << subset;
        }
        mark(&self.covered[x], covers);
        mark(&self.recalled[x], recalls);
    }
}

/// Sets bits; the order of threads cannot show in an OR. Most are set already, and reading is cheap.
fn mark(flags: &AtomicU32, mask: u32) {
    if flags.load(Ordering::Relaxed) & mask != mask {
        flags.fetch_or(mask, Ordering::Relaxed);
    }
}
