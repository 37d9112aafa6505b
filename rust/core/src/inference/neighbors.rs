//! PRDC, tail coverage and pooled tails with their nulls, in one set of passes. Level 4.
//!
//! Five searches give every metric in every subset: within A, B and C, of which every pair is looked at
//! once, and of B and of C across A.

use super::{Estimate, Trio, estimate_on};
use crate::control::Control;
use crate::coverage::manifold::{Prdc, prdc_of};
use crate::coverage::meeting::{Meeting, Wanted};
use crate::coverage::pooled::{PooledRarity, PooledTail};
use crate::coverage::repeats::Repeats;
use crate::coverage::tail::{Masses, Tail, TailCoverage, check_levels};
use crate::error::{Error, Result};
use crate::neighbors::rarity::Sample;
use crate::neighbors::{Set, check_k};
use crate::rows::{Rows, check_pair};
use crate::subsets::Subsets;

const A: usize = 0;
const B: usize = 1;
const C: usize = 2;

/// Precision, recall, density, coverage, and for each level the four tail columns and, for the odds of a
/// candidate row in the pooled tail, the candidate's share of that tail. All but density are shares.
///
/// Density has three-quarter samples for replicates, the others have halves: its balls overlap most where
/// they are few, and a half-sample of them varies by less than the whole warrants. Where the trio has no
/// three-quarter samples, density is left out.
pub fn neighbor_metrics(
    trio: &Trio<'_>,
    levels: &[f64],
    k: usize,
    control: &Control,
) -> Result<Vec<Estimate>> {
    check_levels(levels)?;
    if k == 0 || k >= trio.smallest() {
        return Err(Error::input("k")
            .expected(format_args!(
                "1 to {} (half-samples have {} rows)",
                trio.smallest().saturating_sub(1),
                trio.smallest()
            ))
            .got(k));
    }
    let h = trio.rows[A].len() as u64;
    control.begin("neighbours", 5 * h * h);
    let sets = trio.sets(control)?;
    let [a, b, c] = samples(trio, &sets, k, true, control)?;
    let met = [&b, &c]
        .map(|other| Ok((other, Meeting::of(&a, other, k, Wanted::Pooled, control)?)))
        .into_iter()
        .collect::<Result<Vec<_>>>()?;
    let per_subset: Vec<Subset> = control.run(|| {
        use rayon::prelude::*;
        (0..trio.count())
            .into_par_iter()
            .map(|subset| Subset::of(&a, &met, levels, k, subset))
            .collect()
    });
    control.check()?;
    Ok(estimates(trio, levels, &per_subset))
}

/// A metric on all rows: its name, its level, its value.
pub type WholeValue = (&'static str, Option<f64>, f64);

/// The same metrics of a whole candidate against a whole reference, without halves and without a null, and
/// the pooled tail at each level. Tail masses are counted beyond the edge of the reference's own tail. Three
/// searches.
pub fn whole_neighbor_metrics(
    reference: &Rows<'_>,
    candidate: &Rows<'_>,
    levels: &[f64],
    k: usize,
    control: &Control,
) -> Result<(Vec<WholeValue>, Vec<PooledTail>)> {
    check_pair(reference, "reference", candidate, "candidate")?;
    check_levels(levels)?;
    check_k(k, reference.len() - 1, "reference", true)?;
    check_k(k, candidate.len() - 1, "candidate", true)?;
    let (n, m) = (reference.len() as u64, candidate.len() as u64);
    control.begin("neighbours", n * n + m * m + n * m);
    let (of_x, of_y) = (Subsets::whole(reference.len()), Subsets::whole(candidate.len()));
    let [set_x, set_y] = Set::together([reference, candidate], control)?;
    let anchor = Sample::of(&set_x, &of_x, k, true, control)?;
    let other = Sample::of(&set_y, &of_y, k, true, control)?;
    let Meeting { balls, rarity, pooled: [of_anchor, of_other] } =
        Meeting::of(&anchor, &other, k, Wanted::Pooled, control)?;
    let tail = Tail::of(&anchor, 0);
    let masses = Masses::of(&balls, &of_y, &rarity, 0);
    let pooled = PooledRarity::of(&of_anchor, &of_x, &of_other, &of_y, 0);
    let rarity_of = |sample: usize, row: usize| [&of_anchor, &of_other][sample].get(row, 0);
    let repeats = Repeats::of([reference, candidate], rarity_of, control)?;
    let prdc = prdc_of(&balls, &of_x, &of_y, k, 0);
    let mut all: Vec<_> = OF_PRDC.iter().map(|&(metric, of)| (metric, None, of(&prdc))).collect();
    let mut tails = Vec::new();
    for &level in levels {
        let found = tail.cover(&balls, &masses, level, &tail.edge(level));
        all.extend(OF_TAIL.iter().map(|&(metric, of)| (metric, Some(level), of(&found))));
        let found = pooled.tail(level, Some(&repeats));
        all.push(("tail_odds_ratio", Some(level), found.share()));
        tails.push(found);
    }
    Ok((all, tails))
}

/// A, B and C, each searched within itself.
fn samples<'a>(
    trio: &'a Trio<'_>,
    sets: &'a [Set<'a>; 3],
    k: usize,
    near: bool,
    control: &Control,
) -> Result<[Sample<'a>; 3]> {
    let sample = |index: usize| Sample::of(&sets[index], &trio.subsets[index], k, near, control);
    Ok([sample(A)?, sample(B)?, sample(C)?])
}

/// All metrics of one subset: of B first, then of C.
struct Subset {
    prdc: [Prdc; 2],
    tails: [Vec<TailCoverage>; 2],
    pooled: [Vec<PooledTail>; 2],
}

impl Subset {
    fn of(
        anchor: &Sample<'_>,
        met: &[(&Sample<'_>, Meeting)],
        levels: &[f64],
        k: usize,
        subset: usize,
    ) -> Self {
        let of_a = anchor.subsets;
        let tail = Tail::of(anchor, subset);
        let masses = [0, 1].map(|i| {
            let (other, met) = &met[i];
            Masses::of(&met.balls, other.subsets, &met.rarity, subset)
        });
        let pooled = [0, 1].map(|i| {
            let (other, Meeting { pooled: [of_anchor, of_other], .. }) = &met[i];
            PooledRarity::of(of_anchor, of_a, of_other, other.subsets, subset)
        });
        Self {
            prdc: [0, 1].map(|i| {
                let (other, met) = &met[i];
                prdc_of(&met.balls, of_a, other.subsets, k, subset)
            }),
            tails: [0, 1].map(|i| {
                let cover = |&level: &f64| {
                    // The edge is where a share `level` of fresh human rows, B, lies beyond.
                    let edge = masses[0].edge(level);
                    tail.cover(&met[i].1.balls, &masses[i], level, &edge)
                };
                levels.iter().map(cover).collect()
            }),
            pooled: [0, 1]
                .map(|i| levels.iter().map(|&level| pooled[i].tail(level, None)).collect()),
        }
    }
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
        let of = |s: usize| (of(&per_subset[s].prdc[1]), of(&per_subset[s].prdc[0]));
        if metric != "density" {
            all.push(trio.estimate(metric, None, of));
        } else if trio.count() == 1 || !trio.three_quarters().is_empty() {
            all.push(estimate_on(trio.three_quarters(), metric, None, of));
        }
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
            (per_subset[s].pooled[1][index].share(), per_subset[s].pooled[0][index].share())
        }));
    }
    all
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ndarray::Array2;

    use super::*;
    use crate::coverage::manifold::precision_recall_density_coverage;
    use crate::inference::{Parts, Replicates};
    use crate::streams::Stream;

    #[test]
    fn density_is_that_of_three_quarter_samples() {
        let mut stream = Stream::new(3, "test", 0);
        let data: [Array2<f64>; 3] =
            std::array::from_fn(|_| Array2::from_shape_simple_fn((128, 18), || stream.normal()));
        let [a, b, c] = data.each_ref().map(|data| Rows::from_f64(data.view()));
        let replicates = Replicates { count: 30, seed: 5, parts: Parts::HalvesAndThreeQuarters };
        let trio = Trio::new(a, b, c, replicates).unwrap();
        let control = Control::with_threads(2);
        let found = neighbor_metrics(&trio, &[0.1], 3, &control).unwrap();
        let density = found.iter().find(|estimate| estimate.metric == "density").unwrap();
        assert_eq!(density.value.len(), 31);
        let part = |sample: usize, subset: usize| {
            let members: Arc<[usize]> = trio.subsets[sample].members(subset).collect();
            assert_eq!(members.len(), if subset == 0 { 128 } else { 96 });
            trio.rows[sample].clone().select(members).unwrap()
        };
        for (replicate, subset) in std::iter::once(0).chain(trio.three_quarters()).enumerate() {
            for (of, other) in [(&density.value, C), (&density.null, B)] {
                let (x, y) = (part(A, subset), part(other, subset));
                let alone = precision_recall_density_coverage(&x, &y, 3, &control).unwrap();
                assert_eq!(of[replicate], alone.density);
            }
        }
    }
}
