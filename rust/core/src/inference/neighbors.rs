//! PRDC, tail coverage and pooled tails with their nulls, in one set of passes. Level 4.
//!
//! Nine block products of h × h pairs give every metric in every subset: k-th neighbour distances of A
//! in A, B, C; of B in B, A; of C in C, A; and the balls of A against B and against C.

use super::{Estimate, Trio};
use crate::control::Control;
use crate::coverage::balls::{Balls, Sample, count_balls};
use crate::coverage::manifold::{Prdc, prdc_of};
use crate::coverage::pooled::{PooledRarity, PooledTail};
use crate::coverage::rarity::{Base, BySubset, kth_squared};
use crate::coverage::tail::{Masses, Tail, TailCoverage, check_levels};
use crate::error::{Error, Result};

const A: usize = 0;
const B: usize = 1;
const C: usize = 2;

/// Precision, recall, density, coverage, and for each level the four tail columns and, for the odds of a
/// candidate row in the pooled tail, the candidate's share of that tail. All but density are shares.
pub fn neighbor_metrics(
    trio: &Trio<'_>,
    levels: &[f64],
    k: usize,
    control: &Control,
) -> Result<Vec<Estimate>> {
    check_levels(levels)?;
    if k == 0 || k >= trio.smallest() {
        return Err(Error::Input(format!(
            "k: expected 1 to {} (half-samples have {} rows), got {k}",
            trio.smallest().saturating_sub(1),
            trio.smallest()
        )));
    }
    let h = trio.rows[A].len() as u64;
    control.begin("neighbours", 9 * h * h);
    let found = Found::of(trio, k, control)?;
    let per_subset: Vec<Subset> = control.run(|| {
        use rayon::prelude::*;
        (0..trio.count())
            .into_par_iter()
            .map(|subset| found.subset(trio, levels, k, subset))
            .collect()
    });
    control.check()?;
    Ok(estimates(trio, levels, &per_subset))
}

/// What the passes over the pairs found.
struct Found {
    radii: [BySubset; 3],
    /// Rarity with respect to A of the rows of B and C.
    rarity: [BySubset; 2],
    /// Rarity in the pooled sample: of A with B, B with A; of A with C, C with A.
    pooled: [[BySubset; 2]; 2],
    /// Balls of A against B and against C.
    balls: [Balls; 2],
}

impl Found {
    fn of(trio: &Trio<'_>, k: usize, control: &Control) -> Result<Self> {
        let base = |sample: usize, query: usize| Base {
            rows: &trio.rows[sample],
            subsets: &trio.subsets[sample],
            is_queries: sample == query,
        };
        let rarities = |query: usize, others: &[usize], pools: &[&[usize]]| {
            let bases: Vec<_> = others.iter().map(|&other| base(other, query)).collect();
            kth_squared(&trio.rows[query], &bases, pools, k, control)
        };
        let take = |found: Vec<BySubset>| -> [BySubset; 3] {
            found.try_into().unwrap_or_else(|_| unreachable!("three pools were asked for"))
        };
        let [radii_a, a_with_b, a_with_c] =
            take(rarities(A, &[A, B, C], &[&[0], &[0, 1], &[0, 2]])?);
        let [radii_b, b_in_a, b_with_a] = take(rarities(B, &[B, A], &[&[0], &[1], &[0, 1]])?);
        let [radii_c, c_in_a, c_with_a] = take(rarities(C, &[C, A], &[&[0], &[1], &[0, 1]])?);
        let radii = [radii_a, radii_b, radii_c];
        let sample = |index: usize| Sample {
            rows: &trio.rows[index],
            subsets: &trio.subsets[index],
            radii: &radii[index],
        };
        let balls = [
            count_balls(&sample(A), &sample(B), control)?,
            count_balls(&sample(A), &sample(C), control)?,
        ];
        Ok(Self {
            balls,
            rarity: [b_in_a, c_in_a],
            pooled: [[a_with_b, b_with_a], [a_with_c, c_with_a]],
            radii,
        })
    }

    /// All metrics of one subset: of B first, then of C.
    fn subset(&self, trio: &Trio<'_>, levels: &[f64], k: usize, subset: usize) -> Subset {
        let anchor =
            Sample { rows: &trio.rows[A], subsets: &trio.subsets[A], radii: &self.radii[A] };
        let tail = Tail::of(&anchor, subset);
        let masses: [Masses; 2] = [0, 1]
            .map(|i| Masses::of(&self.balls[i], &trio.subsets[i + 1], &self.rarity[i], subset));
        let pooled: [PooledRarity; 2] = [0, 1].map(|i| {
            let [of_a, of_other] = &self.pooled[i];
            PooledRarity::of(of_a, &trio.subsets[A], of_other, &trio.subsets[i + 1], subset)
        });
        Subset {
            prdc: [0, 1].map(|i| {
                prdc_of(&self.balls[i], &trio.subsets[A], &trio.subsets[i + 1], k, subset)
            }),
            tails: [0, 1].map(|i| {
                let cover = |&level: &f64| {
                    // The threshold is where a share `level` of fresh human rows, B, lies beyond.
                    let threshold = masses[0].quantile(level);
                    tail.cover(&self.balls[i], &masses[i], level, threshold)
                };
                levels.iter().map(cover).collect()
            }),
            pooled: [0, 1].map(|i| levels.iter().map(|&level| pooled[i].tail(level)).collect()),
        }
    }
}

struct Subset {
    prdc: [Prdc; 2],
    tails: [Vec<TailCoverage>; 2],
    pooled: [Vec<PooledTail>; 2],
}

fn estimates(trio: &Trio<'_>, levels: &[f64], per_subset: &[Subset]) -> Vec<Estimate> {
    type OfPrdc = fn(&Prdc) -> f64;
    type OfTail = fn(&TailCoverage) -> f64;
    let of_prdc: [(&str, OfPrdc); 4] = [
        ("precision", |prdc| prdc.precision),
        ("recall", |prdc| prdc.recall),
        ("density", |prdc| prdc.density),
        ("coverage", |prdc| prdc.coverage),
    ];
    let of_tail: [(&str, OfTail); 4] = [
        ("tail_coverage", |tail| tail.coverage),
        ("tail_recall", |tail| tail.recall),
        ("tail_mass", |tail| tail.mass),
        ("tail_supported_mass", |tail| tail.supported_mass),
    ];
    let mut all = Vec::new();
    for (metric, of) in of_prdc {
        all.push(
            trio.estimate(metric, None, |s| {
                (of(&per_subset[s].prdc[1]), of(&per_subset[s].prdc[0]))
            }),
        );
    }
    for (metric, of) in of_tail {
        for (index, &level) in levels.iter().enumerate() {
            all.push(trio.estimate(metric, Some(level), |s| {
                (of(&per_subset[s].tails[1][index]), of(&per_subset[s].tails[0][index]))
            }));
        }
    }
    for (index, &level) in levels.iter().enumerate() {
        all.push(trio.estimate("tail_odds_ratio", Some(level), |s| {
            (share(per_subset[s].pooled[1][index]), share(per_subset[s].pooled[0][index]))
        }));
    }
    all
}

/// Of the rows of a pooled tail, those that are not A's.
fn share(tail: PooledTail) -> f64 {
    tail.candidate as f64 / (tail.reference + tail.candidate) as f64
}
