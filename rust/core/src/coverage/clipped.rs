//! Clipped density and clipped coverage: fidelity and coverage that outliers cannot lift. Level 3.
//!
//! Salvy, Talbot & Thirion (2026), from the paper. The closed ball of a reference row x reaches to its k-th
//! nearest other row, at r(x); med is the median of these radii.
//!
//! - Density: D(Y) = mean over Y of min(#{x : ‖x−y‖ ≤ min(r(x), med)}, k)/k, over D(X), where a row of X is not
//!   counted in its own ball; cut at 1.
//! - Coverage: C = mean over X of min(#{y : ‖x−y‖ ≤ r(x)}, k)/k. If g of the m rows of Y are of the law of X,
//!   and the others in no ball, the number in a ball is that of the g rows before the k-th of the n−1 other rows
//!   of X in random order, negative hypergeometric (Beta-binomial with k and n−k), whatever the law has for a
//!   density. f(g) = E min(number, k)/k increases; the value is f⁻¹(C)/m, linear between whole g, cut at 1.
//!
//! Both read as a share of good rows. Cost: O((n² + nm)·d) time, O(n·k + m) memory. Sums are of integers, so
//! that threads cannot show.

use std::sync::atomic::{AtomicU32, Ordering};

use rayon::prelude::*;

use crate::control::Control;
use crate::error::Result;
use crate::neighbors::rarity::Sample;
use crate::neighbors::{Meet, Set, across, check_k};
use crate::rows::{Rows, check_pair};
use crate::subsets::{Subsets, bits};

/// Clipped density and clipped coverage of a candidate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clipped {
    /// Of the candidate, the share that lies where the reference is dense.
    pub density: f64,
    /// Of the candidate, the share that would cover the reference as well if it were all good.
    pub coverage: f64,
}

/// Clipped density and coverage of `candidate` against `reference`.
pub fn clipped_density_and_coverage(
    reference: &Rows<'_>,
    candidate: &Rows<'_>,
    k: usize,
    control: &Control,
) -> Result<Clipped> {
    check_pair(reference, "reference", candidate, "candidate")?;
    check_k(k, reference.len() - 1, "reference", true)?;
    let (n, m) = (reference.len(), candidate.len());
    control.begin("neighbours", (n * n + n * m) as u64);
    let (of_x, of_y) = (Subsets::whole(n), Subsets::whole(m));
    let [set_x, set_y] = Set::together([reference, candidate], control)?;
    let anchor = Sample::of(&set_x, &of_x, k, true, control)?;
    let clip = Clip::of(&anchor, 1, k, control)?;
    let held = Held::new(n, 1);
    // Rows of the candidate have no balls.
    let none = vec![0.0; m];
    let blocks = across(
        &set_y,
        &set_x,
        0,
        Some([&none, anchor.reach()]),
        control,
        |block| Visit {
            anchor: &anchor,
            first: block.start,
            counter: held.counter(&clip, block.len(), k),
        },
        |visit, _| Ok(visit.counter.into_holding()),
    )?;
    let counts = held.settle(blocks.concat());
    Ok(Clipped {
        density: counts.density(&clip, &of_y, k, 0).min(1.0),
        coverage: good_share(counts.covered(&of_x, k, 0), n, m, k).min(1.0),
    })
}

/// Where the balls of an anchor are clipped, in its first subsets, and what they hold of its own rows.
pub(crate) struct Clip {
    /// The median of the radii, squared.
    medians: Vec<f64>,
    /// D(X).
    own: Vec<f64>,
}

impl Clip {
    /// Of the first so many subsets of a sample that has kept what is near. One more search within the sample
    /// where distances tie.
    pub(crate) fn of(
        sample: &Sample<'_>,
        subsets: usize,
        k: usize,
        control: &Control,
    ) -> Result<Self> {
        let median = |subset: usize| {
            let members = sample.subsets.members(subset);
            median_of_roots(members.map(|row| sample.radius(row, subset)).collect())
        };
        let medians: Vec<f64> = control.run(|| (0..subsets).into_par_iter().map(median).collect());
        let mut clip = Self { medians, own: Vec::new() };
        let counts = if sample.rarity.tied {
            clip.own_counts_by_search(sample, k, control)?
        } else {
            clip.own_counts(sample, k, control)?
        };
        clip.own = (0..subsets)
            .map(|subset| mean_of_cut(&counts, subsets, sample.subsets, k, subset))
            .collect();
        Ok(clip)
    }

    /// Subsets that are clipped, the whole among them.
    pub(crate) fn subsets(&self) -> usize {
        self.medians.len()
    }

    /// D(X), of the whole sample.
    pub(crate) fn own(&self) -> f64 {
        self.own[0]
    }

    /// The subsets of `mask` in which the clipped ball of an anchor row holds what is at a squared distance.
    fn holds(&self, anchor: &Sample<'_>, x: usize, squared: f64, mask: u64) -> u64 {
        let in_ball = |&subset: &usize| {
            squared <= self.medians[subset] && squared <= anchor.radius(x, subset)
        };
        bits(mask & first(self.subsets()))
            .filter(in_ball)
            .fold(0, |held, subset| held | 1 << subset)
    }

    /// How many clipped balls of other rows hold each row, from the lists of what is near each.
    fn own_counts(&self, sample: &Sample<'_>, k: usize, control: &Control) -> Result<Vec<u32>> {
        /// Rows between two looks at the caller's wish to stop.
        const BLOCK: usize = 1024;
        let (n, held) =
            (sample.set.rows().len(), Held::new(sample.set.rows().len(), self.subsets()));
        control.run(|| {
            (0..n.div_ceil(BLOCK)).into_par_iter().try_for_each(|block| {
                control.check()?;
                for x in block * BLOCK..((block + 1) * BLOCK).min(n) {
                    let of_x = sample.subsets.mask(x);
                    for entry in sample.near_rows(x) {
                        let mask = of_x & sample.subsets.mask(entry.index);
                        held.add(entry.index, self.holds(sample, x, entry.squared, mask), k);
                    }
                }
                Ok(())
            })
        })?;
        Ok(held.into_counts())
    }

    /// The same, by a search: lists that end among rows equally far do not hold all of those.
    fn own_counts_by_search(
        &self,
        sample: &Sample<'_>,
        k: usize,
        control: &Control,
    ) -> Result<Vec<u32>> {
        let most = self.medians.iter().fold(0.0_f64, |most, &median| most.max(median));
        let reach: Vec<f64> = sample.reach().iter().map(|reach| reach.min(most)).collect();
        let held = Held::new(reach.len(), self.subsets());
        let none = vec![0.0; reach.len()];
        across(
            sample.set,
            sample.set,
            0,
            Some([&none, &reach]),
            control,
            |_| Own { sample, clip: self, held: &held, k },
            |_, _| Ok(()),
        )?;
        Ok(held.into_counts())
    }
}

/// Rows of a sample among themselves.
struct Own<'a> {
    sample: &'a Sample<'a>,
    clip: &'a Clip,
    held: &'a Held,
    k: usize,
}

impl Meet for Own<'_> {
    fn meet(&mut self, row: usize, x: usize, squared: f64) {
        if row != x {
            let mask = self.sample.subsets.mask(row) & self.sample.subsets.mask(x);
            self.held.add(row, self.clip.holds(self.sample, x, squared, mask), self.k);
        }
    }

    fn meet_unmeasured(&mut self, _: usize, _: usize, [_, held]: [bool; 2]) -> bool {
        !held
    }
}

/// Rows of a candidate, which belong to the whole alone, among those of an anchor.
struct Visit<'a> {
    anchor: &'a Sample<'a>,
    first: usize,
    counter: ClipCounter<'a>,
}

impl Meet for Visit<'_> {
    fn meet(&mut self, y: usize, x: usize, squared: f64) {
        if squared <= self.anchor.radius(x, 0) {
            self.counter.count(y - self.first, x, squared, 1);
        }
    }

    fn meet_unmeasured(&mut self, _: usize, _: usize, [_, held]: [bool; 2]) -> bool {
        !held
    }
}

/// Per row and subset, a number of rows or of balls, exact as long as it is not above k.
pub(crate) struct Held {
    subsets: usize,
    counts: Vec<AtomicU32>,
}

impl Held {
    /// Nothing found yet.
    pub(crate) fn new(rows: usize, subsets: usize) -> Self {
        Self { subsets, counts: (0..rows * subsets).map(|_| AtomicU32::new(0)).collect() }
    }

    /// Adds one in each subset of `mask`. The order of threads cannot show: what is cut at k is what was added.
    fn add(&self, row: usize, mask: u64, k: usize) {
        for subset in bits(mask) {
            let count = &self.counts[row * self.subsets + subset];
            if (count.load(Ordering::Relaxed) as usize) < k {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// A counter for a block of so many candidate rows; this counts what the anchor's balls hold.
    pub(crate) fn counter<'a>(&'a self, clip: &'a Clip, rows: usize, k: usize) -> ClipCounter<'a> {
        ClipCounter { clip, held: self, k, holding: vec![0; rows * self.subsets] }
    }

    fn into_counts(self) -> Vec<u32> {
        self.counts.into_iter().map(AtomicU32::into_inner).collect()
    }

    /// The counts, from those of all blocks in order.
    pub(crate) fn settle(self, holding: Vec<u32>) -> ClipCounts {
        ClipCounts { subsets: self.subsets, held: self.into_counts(), holding }
    }
}

/// Counts for one block of candidate rows.
pub(crate) struct ClipCounter<'a> {
    clip: &'a Clip,
    held: &'a Held,
    k: usize,
    holding: Vec<u32>,
}

impl ClipCounter<'_> {
    /// Takes a pair: in the subsets `mask`, the ball of the anchor row `x` holds the candidate row at `slot`.
    pub(crate) fn count(&mut self, slot: usize, x: usize, squared: f64, mask: u64) {
        let subsets = self.held.subsets;
        let mask = mask & first(subsets);
        self.held.add(x, mask, self.k);
        let holding = &mut self.holding[slot * subsets..][..subsets];
        for subset in bits(mask).filter(|&subset| squared <= self.clip.medians[subset]) {
            holding[subset] += 1;
        }
    }

    /// The counts of the block.
    pub(crate) fn into_holding(self) -> Vec<u32> {
        self.holding
    }
}

/// What the balls of an anchor and the rows of a candidate hold of each other.
pub(crate) struct ClipCounts {
    subsets: usize,
    /// Per anchor row and subset: candidate rows in its ball.
    held: Vec<u32>,
    /// Per candidate row and subset: clipped balls that hold it.
    holding: Vec<u32>,
}

impl ClipCounts {
    /// D(Y)/D(X) in one subset, which may be above 1.
    pub(crate) fn density(&self, clip: &Clip, of_y: &Subsets, k: usize, subset: usize) -> f64 {
        mean_of_cut(&self.holding, self.subsets, of_y, k, subset) / clip.own[subset]
    }

    /// C in one subset.
    pub(crate) fn covered(&self, of_x: &Subsets, k: usize, subset: usize) -> f64 {
        mean_of_cut(&self.held, self.subsets, of_x, k, subset)
    }
}

/// The mask of the first so many subsets.
fn first(subsets: usize) -> u64 {
    u64::MAX >> (u64::BITS as usize - subsets)
}

/// The mean of min(count, k)/k over the rows of a subset.
fn mean_of_cut(counts: &[u32], width: usize, subsets: &Subsets, k: usize, subset: usize) -> f64 {
    let cut = |row: usize| (counts[row * width + subset] as usize).min(k) as u64;
    let total: u64 = subsets.members(subset).map(cut).sum();
    total as f64 / (k as f64 * subsets.size(subset) as f64)
}

/// The square of the median of the roots of some squares; with two in the middle, of their mean.
fn median_of_roots(mut squares: Vec<f64>) -> f64 {
    let middle = squares.len() / 2;
    let is_odd = !squares.len().is_multiple_of(2);
    let (below, &mut upper, _) = squares.select_nth_unstable_by(middle, f64::total_cmp);
    let lower = below.iter().fold(0.0_f64, |most, &square| most.max(square));
    // Where both are one distance, rows at it stay inside.
    if is_odd || lower == upper { upper } else { f64::midpoint(lower.sqrt(), upper.sqrt()).powi(2) }
}

/// f⁻¹(`covered`)/m, the share of good rows among the m of a candidate; above 1, up to 2, where n rows of X are
/// covered better than by m rows of their own law.
#[must_use]
pub fn good_share(covered: f64, n: usize, m: usize, k: usize) -> f64 {
    let (mut low, mut high) = (0, 2 * m as u64);
    while high - low > 1 {
        let middle = low.midpoint(high);
        if expected(middle, n, k) <= covered { low = middle } else { high = middle }
    }
    let (below, above) = (expected(low, n, k), expected(high, n, k));
    let part =
        if above > below { ((covered - below) / (above - below)).clamp(0.0, 1.0) } else { 0.0 };
    (low as f64 + part) / m as f64
}

/// f(g): the mean of min(c, k)/k where c of `good` rows come before the k-th of n−1 others in random order.
fn expected(good: u64, n: usize, k: usize) -> f64 {
    let (g, k, others) = (good as f64, k as f64, n as f64 - 1.0);
    // Of c = 0. Logarithms, for it may be tiny.
    let mut log =
        (0..k as u64).map(|i| ((others - i as f64) / (others + g - i as f64)).ln()).sum::<f64>();
    let mut short = 0.0;
    for c in 0..(k as u64).min(good + 1) {
        let c = c as f64;
        short += (k - c) * log.exp();
        log += ((k + c) / (c + 1.0) * (g - c) / (others - k + g - c)).ln();
    }
    1.0 - short / k
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::Stream;
    use ndarray::{Array2, Axis};

    /// The definition, with all distances.
    fn brute(x: &Array2<f64>, y: &Array2<f64>, k: usize) -> (f64, f64) {
        let distance = |a: ndarray::ArrayView1<'_, f64>, b: ndarray::ArrayView1<'_, f64>| {
            a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
        };
        let n = x.nrows();
        let radii: Vec<f64> = (0..n)
            .map(|i| {
                let others = (0..n).filter(|&j| j != i);
                let mut all: Vec<f64> = others.map(|j| distance(x.row(i), x.row(j))).collect();
                all.sort_by(f64::total_cmp);
                all[k - 1]
            })
            .collect();
        let mut sorted = radii.clone();
        sorted.sort_by(f64::total_cmp);
        let median = f64::midpoint(sorted[(n - 1) / 2], sorted[n / 2]);
        let mean = |rows: &Array2<f64>, own: bool| {
            let held = |i: usize| {
                let holds = |&j: &usize| {
                    !(own && i == j) && distance(x.row(j), rows.row(i)) <= radii[j].min(median)
                };
                (0..n).filter(holds).count().min(k) as f64
            };
            (0..rows.nrows()).map(held).sum::<f64>() / (k * rows.nrows()) as f64
        };
        let held = |j: usize| {
            let holds = |i: &usize| distance(x.row(j), y.row(*i)) <= radii[j];
            (0..y.nrows()).filter(holds).count().min(k) as f64
        };
        let covered = (0..n).map(held).sum::<f64>() / (k * n) as f64;
        ((mean(y, false) / mean(x, true)).min(1.0), good_share(covered, n, y.nrows(), k).min(1.0))
    }

    fn found(x: &Array2<f64>, y: &Array2<f64>, k: usize, threads: usize) -> Clipped {
        let (x, y) = (Rows::from_f64(x.view()), Rows::from_f64(y.view()));
        clipped_density_and_coverage(&x, &y, k, &Control::with_threads(threads)).unwrap()
    }

    #[test]
    fn values_are_those_of_the_definition_with_ties_too() {
        let mut stream = Stream::new(41, "test", 0);
        for columns in [1, 3, 20] {
            for coarse in [false, true] {
                for rows in [80, 81] {
                    let mut draw = |rows: usize, scale: f64| {
                        Array2::from_shape_simple_fn((rows, columns), || {
                            let value = scale * stream.normal();
                            if coarse { value.round() } else { value }
                        })
                    };
                    let (x, y) = (draw(rows, 1.0), draw(57, 1.2));
                    for k in [1, 5, 79] {
                        let (density, coverage) = brute(&x, &y, k);
                        for threads in [1, 2] {
                            let clipped = found(&x, &y, k, threads);
                            assert_eq!(clipped, Clipped { density, coverage }, "{columns} {k}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn good_rows_are_counted_in_the_mean_over_all_orders() {
        // Two other rows of X and three of Y, k = 1: c is 0 in 4 of 10 orders.
        assert!((expected(3, 3, 1) - 0.6).abs() < 1e-15);
        // k = 2: c is 0, 1, 2, 3 in 1, 2, 3, 4.
        assert!((expected(3, 3, 2) - (0.5 * 0.2 + 0.7)).abs() < 1e-15);
        assert_eq!(expected(0, 3, 2), 0.0);
        for (n, m, k) in [(50, 40, 5), (50, 400, 5), (400, 50, 49), (6, 6, 5), (2000, 2000, 1500)] {
            for good in 0..=m as u64 {
                let share = good_share(expected(good, n, k), n, m, k);
                assert!(
                    (share - good as f64 / m as f64).abs() < 1e-9,
                    "{n} {m} {k} {good} {share}"
                );
            }
            let half = f64::midpoint(expected(7, n, k), expected(8, n, k));
            assert!((good_share(half, n, m, k) * m as f64 - 7.5).abs() < 1e-6);
            assert!((1.0..=2.0).contains(&good_share(1.0, n, m, k)));
        }
    }

    #[test]
    fn copies_and_rows_far_away_are_at_the_ends() {
        let mut stream = Stream::new(43, "test", 0);
        let x = Array2::from_shape_simple_fn((90, 18), || stream.normal());
        assert_eq!(found(&x, &x, 5, 2), Clipped { density: 1.0, coverage: 1.0 });
        let far = &x + 1e3;
        assert_eq!(found(&x, &far, 5, 2), Clipped { density: 0.0, coverage: 0.0 });
        // All rows are one.
        let (one, other) = (Array2::ones((9, 2)), Array2::zeros((4, 2)));
        assert_eq!(found(&one, &one, 3, 1), Clipped { density: 1.0, coverage: 1.0 });
        assert_eq!(found(&one, &other, 3, 1), Clipped { density: 0.0, coverage: 0.0 });
        // One row beside a ball of all others.
        let some = x.select(Axis(0), &[3]);
        let clipped = found(&x, &some, 89, 1);
        assert!(clipped.coverage > 0.99, "{clipped:?}");
    }
}
