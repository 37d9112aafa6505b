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
use crate::coverage::tail::{Masses, Tail, TailCoverage, check_levels, tail_size};
use crate::error::{Error, Result};
use crate::neighbors::check_k;
use crate::rows::{Rows, check_pair};
use crate::subsets::Subsets;

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

/// The same metrics of a whole candidate against a whole reference, without halves and without a null:
/// (metric, level, value). Tail masses are counted beyond the reference's own tail. Five block products.
pub fn whole_neighbor_metrics(
    reference: &Rows<'_>,
    candidate: &Rows<'_>,
    levels: &[f64],
    k: usize,
    control: &Control,
) -> Result<Vec<(&'static str, Option<f64>, f64)>> {
    check_pair(reference, "reference", candidate, "candidate")?;
    check_levels(levels)?;
    check_k(k, reference.len() - 1, "reference", true)?;
    check_k(k, candidate.len() - 1, "candidate", true)?;
    let (n, m) = (reference.len() as u64, candidate.len() as u64);
    control.begin("neighbours", n * n + m * m + 3 * n * m);
    let (of_x, of_y) = (Subsets::whole(reference.len()), Subsets::whole(candidate.len()));
    let base = |of_reference: bool, is_queries| Base {
        rows: if of_reference { reference } else { candidate },
        subsets: if of_reference { &of_x } else { &of_y },
        is_queries,
    };
    let (own, across) =
        ([base(true, true), base(false, false)], [base(false, true), base(true, false)]);
    let x = kth_squared(reference, &own, &[&[0], &[0, 1]], k, control)?;
    let y = kth_squared(candidate, &across, &[&[0], &[1], &[0, 1]], k, control)?;
    let anchor = Sample { rows: reference, subsets: &of_x, radii: &x[0] };
    let balls =
        count_balls(&anchor, &Sample { rows: candidate, subsets: &of_y, radii: &y[0] }, control)?;
    let tail = Tail::of(&anchor, 0);
    let masses = Masses::of(&balls, &of_y, &y[1], 0);
    let pooled = PooledRarity::of(&x[1], &of_x, &y[2], &of_y, 0);
    let prdc = prdc_of(&balls, &of_x, &of_y, k, 0);
    let mut all: Vec<_> = OF_PRDC.iter().map(|&(metric, of)| (metric, None, of(&prdc))).collect();
    for &level in levels {
        let threshold = tail.threshold(tail_size(level, reference.len()));
        let found = tail.cover(&balls, &masses, level, threshold);
        all.extend(OF_TAIL.iter().map(|&(metric, of)| (metric, Some(level), of(&found))));
        all.push(("tail_odds_ratio", Some(level), share(pooled.tail(level))));
    }
    Ok(all)
}

/// Density alone. Its balls overlap most where they are few, and a half-sample of them varies by less than
/// the whole warrants: draw three-quarter samples. Five block products.
pub fn density_metric(trio: &Trio<'_>, k: usize, control: &Control) -> Result<Vec<Estimate>> {
    check_k(k, trio.smallest().saturating_sub(1), "a subsample", true)?;
    let h = trio.rows[A].len() as u64;
    control.begin("density", 5 * h * h);
    let own = |sample: usize| -> Result<BySubset> {
        let base =
            Base { rows: &trio.rows[sample], subsets: &trio.subsets[sample], is_queries: true };
        Ok(kth_squared(&trio.rows[sample], &[base], &[&[0]], k, control)?.swap_remove(0))
    };
    let radii = [own(A)?, own(B)?, own(C)?];
    let sample = |index: usize| Sample {
        rows: &trio.rows[index],
        subsets: &trio.subsets[index],
        radii: &radii[index],
    };
    let balls = [
        count_balls(&sample(A), &sample(B), control)?,
        count_balls(&sample(A), &sample(C), control)?,
    ];
    let of = |i: usize, s: usize| {
        prdc_of(&balls[i], &trio.subsets[A], &trio.subsets[i + 1], k, s).density
    };
    Ok(vec![trio.estimate("density", None, |subset| (of(1, subset), of(0, subset)))])
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

/// A number of a result, by the metric's name.
type Of<T> = (&'static str, fn(&T) -> f64);

const OF_PRDC: [Of<Prdc>; 4] = [
    ("precision", |prdc| prdc.precision),
    ("recall", |prdc| prdc.recall),
    ("density", |prdc| prdc.density),
    ("coverage", |prdc| prdc.coverage),
];

const OF_TAIL: [Of<TailCoverage>; 4] = [
    ("tail_coverage", |tail| tail.coverage),
    ("tail_recall", |tail| tail.recall),
    ("tail_mass", |tail| tail.mass),
    ("tail_supported_mass", |tail| tail.supported_mass),
];

fn estimates(trio: &Trio<'_>, levels: &[f64], per_subset: &[Subset]) -> Vec<Estimate> {
    let mut all = Vec::new();
    for (metric, of) in OF_PRDC {
        all.push(
            trio.estimate(metric, None, |s| {
                (of(&per_subset[s].prdc[1]), of(&per_subset[s].prdc[0]))
            }),
        );
    }
    for (metric, of) in OF_TAIL {
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
