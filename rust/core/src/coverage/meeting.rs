//! What two samples are to each other, in one search across them. Level 3.
//!
//! Once the radii within both samples are known, a single search of the candidate's rows through the
//! anchor's gives the balls that hold them, their rarity with respect to the anchor, and the rarity of all
//! rows in the pooled sample: the k-th nearest pooled row of x is never farther than x's k-th nearest in its
//! own sample, so pairs within that reach, which the balls need anyway, are enough.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;

use super::balls::{Balls, Counter, Marks};
use super::clipped::{Clip, ClipCounts, Held};
use crate::control::Control;
use crate::error::Result;
use crate::neighbors::rarity::{BySubset, Known, Sample, depth, kth_of, measured};
use crate::neighbors::{Meet, Nearest, across};

/// What is wanted of a meeting besides balls.
#[derive(Clone, Copy)]
pub(crate) enum Wanted<'a> {
    /// Nothing.
    Balls,
    /// The rarity of the candidate's rows with respect to the anchor.
    Rarity,
    /// That, and the rarity of all rows in the pooled sample; the samples must have kept what is near.
    Pooled,
    /// All that, and counts of balls that are clipped so.
    Clipped(&'a Clip),
}

impl Wanted<'_> {
    fn rarity(self) -> bool {
        !matches!(self, Self::Balls)
    }

    fn pooled(self) -> bool {
        matches!(self, Self::Pooled | Self::Clipped(_))
    }
}

/// What was found; what was not wanted has no rows.
pub(crate) struct Meeting {
    pub(crate) balls: Balls,
    /// Squared distance of each candidate row to its k-th nearest anchor row.
    pub(crate) rarity: BySubset,
    /// Squared distance of each anchor row and of each candidate row to its k-th nearest other pooled row.
    pub(crate) pooled: [BySubset; 2],
    /// Counts of clipped balls.
    pub(crate) clipped: Option<ClipCounts>,
}

impl Meeting {
    /// Searches the candidate's rows through the anchor's.
    pub(crate) fn of(
        anchor: &Sample<'_>,
        candidate: &Sample<'_>,
        k: usize,
        wanted: Wanted<'_>,
        control: &Control,
    ) -> Result<Self> {
        let subsets = anchor.subsets.count();
        let depth = if wanted.rarity() { depth(k, subsets) } else { 0 };
        let marks = Marks::new(anchor.set.rows().len());
        let clip = if let Wanted::Clipped(clip) = wanted { Some(clip) } else { None };
        let held = clip.map(|clip| Held::new(anchor.set.rows().len(), clip.subsets()));
        let visitors = Visitors::new(anchor, depth, wanted);
        let blocks = across(
            candidate.set,
            anchor.set,
            depth,
            Some([candidate.reach(), anchor.reach()]),
            control,
            |block| {
                let clipped = clip.zip(held.as_ref());
                let clipped = clipped.map(|(clip, held)| held.counter(clip, block.len(), k));
                let counter = Counter::new(anchor, candidate, block, &marks, clipped);
                Party { counter, anchor, visitors: &visitors, waiting: Vec::new() }
            },
            |mut party, lists| {
                party.visit();
                let (mut rarity, mut pooled) = (Vec::new(), Vec::new());
                for y in lists.queries() {
                    if wanted.rarity() {
                        rarity.extend(candidate.kth_with(y, &lists, anchor, k, false, control)?);
                    }
                    if wanted.pooled() {
                        pooled.extend(candidate.kth_with(y, &lists, anchor, k, true, control)?);
                    }
                }
                Ok((party.counter.into_holding(), rarity, pooled))
            },
        )?;
        let of_anchor = visitors.pooled(anchor, candidate, k, control)?;
        let (mut holding, mut rarity, mut of_candidate) = (Vec::new(), Vec::new(), Vec::new());
        let mut clipped = Vec::new();
        for block in blocks {
            holding.extend(block.0.0);
            clipped.extend(block.0.1);
            rarity.extend(block.1);
            of_candidate.extend(block.2);
        }
        Ok(Self {
            balls: marks.settle(subsets, holding),
            rarity: BySubset::new(subsets, rarity),
            pooled: [of_anchor, of_candidate].map(|values| BySubset::new(subsets, values)),
            clipped: held.map(|held| held.settle(clipped)),
        })
    }
}

impl Sample<'_> {
    /// The squared distance of `row` to its k-th nearest row of `other`, of which `lists` has the nearest, or
    /// with `pooled` of both samples, in each subset that it belongs to.
    fn kth_with(
        &self,
        row: usize,
        lists: &Nearest,
        other: &Sample<'_>,
        k: usize,
        pooled: bool,
        control: &Control,
    ) -> Result<Vec<f64>> {
        let mask = self.subsets.mask(row);
        let mut kth = vec![f64::INFINITY; self.subsets.count()];
        let mut of = |known: Known<'_>| {
            if pooled {
                kth_of(&[self.near(row), known], k, mask, &mut kth)
            } else {
                kth_of(&[known], k, mask, &mut kth)
            }
        };
        let (rows, base) = (self.set.rows(), other.set.rows());
        if !of(Known::cut(lists.list(row), other.subsets, lists.depth(), base.len())) {
            let all = measured(rows, row, base, false, control)?;
            of(Known::whole(all.list(row), other.subsets));
        }
        Ok(kth)
    }
}

/// The candidate rows within reach of each anchor row, the nearest of them, as blocks of queries find them.
struct Visitors {
    groups: Vec<Mutex<Nearest>>,
}

/// Anchor rows whose lists share a lock.
const GROUP: usize = 256;

impl Visitors {
    fn new(anchor: &Sample<'_>, depth: usize, wanted: Wanted<'_>) -> Self {
        let n = if wanted.pooled() { anchor.set.rows().len() } else { 0 };
        let group = |start| Mutex::new(Nearest::new(start..(start + GROUP).min(n), depth));
        Self { groups: (0..n).step_by(GROUP).map(group).collect() }
    }

    fn group(&self, index: usize) -> MutexGuard<'_, Nearest> {
        self.groups[index].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The pooled rarity of the anchor's rows.
    fn pooled(
        &self,
        anchor: &Sample<'_>,
        candidate: &Sample<'_>,
        k: usize,
        control: &Control,
    ) -> Result<Vec<f64>> {
        let of_group = |index: usize| {
            control.check()?;
            let lists = self.group(index);
            let mut pooled = Vec::new();
            for x in lists.queries() {
                pooled.extend(anchor.kth_with(x, &lists, candidate, k, true, control)?);
            }
            Ok(pooled)
        };
        let groups: Result<Vec<Vec<f64>>> =
            control.run(|| (0..self.groups.len()).into_par_iter().map(of_group).collect());
        Ok(groups?.concat())
    }
}

/// One block of candidate rows among the anchor's.
struct Party<'a> {
    counter: Counter<'a>,
    anchor: &'a Sample<'a>,
    visitors: &'a Visitors,
    /// Visits to anchor rows: (anchor row, candidate row, squared distance).
    waiting: Vec<(usize, usize, f64)>,
}

/// Visits that wait at most, so that few locks are taken.
const WAITING: usize = 4096;

impl Meet for Party<'_> {
    fn meet(&mut self, y: usize, x: usize, squared: f64) {
        self.counter.count(y, x, squared);
        if !self.visitors.groups.is_empty() && squared <= self.anchor.reach()[x] {
            self.waiting.push((x, y, squared));
            if self.waiting.len() == WAITING {
                self.visit();
            }
        }
    }

    fn meet_unmeasured(&mut self, y: usize, x: usize, held: [bool; 2]) -> bool {
        // The radii of parts differ, and a visit has a distance.
        let enough = self.anchor.subsets.count() == 1 && self.visitors.groups.is_empty();
        if enough {
            self.counter.count_whole(y, x, held);
        }
        enough
    }
}

impl Party<'_> {
    /// Makes the visits that wait.
    fn visit(&mut self) {
        self.waiting.sort_unstable_by_key(|visit| visit.0);
        for visits in self.waiting.chunk_by(|a, b| a.0 / GROUP == b.0 / GROUP) {
            let mut lists = self.visitors.group(visits[0].0 / GROUP);
            for &(x, y, squared) in visits {
                lists.insert(x, y, squared);
            }
        }
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neighbors::Set;
    use crate::rows::Rows;
    use crate::streams::Stream;
    use crate::subsets::Subsets;
    use ndarray::Array2;

    fn normal(rows: usize, columns: usize, index: u64) -> Array2<f64> {
        let mut stream = Stream::new(11, "test", index);
        Array2::from_shape_simple_fn((rows, columns), || stream.normal())
    }

    /// The definition, without lists: all distances to the members, sorted.
    fn brute(
        x: &Array2<f64>,
        query: usize,
        pool: &[(&Array2<f64>, &Subsets, bool)],
        subset: usize,
        k: usize,
    ) -> f64 {
        let mut all = Vec::new();
        for (base, subsets, is_queries) in pool {
            all.extend(subsets.members(subset).filter(|&row| !(*is_queries && row == query)).map(
                |row| {
                    x.row(query)
                        .iter()
                        .zip(base.row(row))
                        .map(|(a, b)| (a - b) * (a - b))
                        .sum::<f64>()
                },
            ));
        }
        all.sort_by(f64::total_cmp);
        all[k - 1]
    }

    #[test]
    fn every_subset_and_pool_matches_its_definition() {
        // With 3 columns all pairs are measured, with 20 most are not.
        for columns in [3, 20] {
            let (x, y) = (normal(150, columns, 0), normal(130, columns, 1));
            let (of_x, of_y) = (Subsets::halves(150, 30, 1, 0), Subsets::halves(130, 30, 1, 1));
            let (rows_x, rows_y) = (Rows::from_f64(x.view()), Rows::from_f64(y.view()));
            let control = Control::with_threads(2);
            let [set_x, set_y] = Set::together([&rows_x, &rows_y], &control).unwrap();
            // k = 30 of halves of 65 makes some lists end early: the fall-back is exercised too.
            for k in [1, 5, 30] {
                let sample_x = Sample::of(&set_x, &of_x, k, true, &control).unwrap();
                let sample_y = Sample::of(&set_y, &of_y, k, true, &control).unwrap();
                let met = Meeting::of(&sample_x, &sample_y, k, Wanted::Pooled, &control).unwrap();
                let close = |found: f64, expected: f64| {
                    assert!((found - expected).abs() <= 1e-14 * expected, "{found} {expected}");
                };
                for subset in 0..31 {
                    for row in of_x.members(subset).step_by(7) {
                        let own = (&x, &of_x, true);
                        close(sample_x.radius(row, subset), brute(&x, row, &[own], subset, k));
                        let pool = [own, (&y, &of_y, false)];
                        close(met.pooled[0].get(row, subset), brute(&x, row, &pool, subset, k));
                    }
                    for row in of_y.members(subset).step_by(7) {
                        let other = (&x, &of_x, false);
                        close(met.rarity.get(row, subset), brute(&y, row, &[other], subset, k));
                        let pool = [(&y, &of_y, true), other];
                        close(met.pooled[1].get(row, subset), brute(&y, row, &pool, subset, k));
                    }
                }
            }
        }
    }
}
