//! PRDC, also clipped, tail coverage and pooled tails with their nulls, in one set of passes. Level 4.
//!
//! Three searches prepare them: within A and B, of which every pair is looked at once, and of B across A; one
//! more within A where distances tie for more rows than its lists hold. Two give them for a candidate: within
//! C, and of C across A.

use std::sync::Arc;

use rayon::prelude::*;

use super::{A, Estimate, Found, Halves, Prepared, Replicates, check_k, estimate_on, parts_of};
use crate::control::Control;
use crate::coverage::clipped::{Clip, good_share};
use crate::coverage::edge::Edge;
use crate::coverage::manifold::{Prdc, prdc_of};
use crate::coverage::meeting::{Meeting, Wanted};
use crate::coverage::pooled::{PooledRarity, PooledTail};
use crate::coverage::repeats::Repeats;
use crate::coverage::tail::{Masses, Tail, TailCoverage, check_levels};
use crate::error::Result;
use crate::neighbors::rarity::{Rarity, Sample};
use crate::neighbors::{self, Set};
use crate::rows::{Rows, check_pair};
use crate::subsets::Subsets;

/// How near rows of A are to each other, where the tails of fresh human rows, B, begin, and the metrics of B.
struct Neighborhood {
    asked: Asked,
    rarity: Arc<Rarity>,
    clip: Clip,
    /// Of each subset, at each level.
    edges: Vec<Vec<Edge>>,
    null: Vec<Estimate>,
}

/// How the metrics are asked for.
#[derive(Clone)]
struct Asked {
    replicates: Replicates,
    levels: Vec<f64>,
    k: usize,
}

/// Prepares precision, recall, density, coverage, clipped density and coverage, and for each level the four tail columns and, for the odds of
/// a candidate row in the pooled tail, the candidate's share of that tail. All but density are shares.
///
/// Clipped metrics are in the form in which they are counted, each a mean of counts cut at k, over k: coverage
/// as it is before [`good_share`] makes a share of good rows of it; density over that of A in the same subset,
/// times that of all of A, which is the estimate after them.
///
/// Density has three-quarter samples for replicates, the others have halves: its balls overlap most where
/// they are few, and a half-sample of them varies by less than the whole warrants. Without three-quarter
/// samples, density is left out.
pub fn prepare(
    halves: &Halves<'_>,
    levels: &[f64],
    k: usize,
    control: &Control,
) -> Result<Box<dyn Prepared>> {
    check_levels(levels)?;
    halves.check_k(k)?;
    let ([a, b], [of_a, of_b]) = (&halves.rows, &halves.subsets);
    let h = a.len() as u64;
    control.begin("neighbours", 3 * h * h);
    let [set_a, set_b] = Set::together([a, b], control)?;
    let anchor = Sample::of(&set_a, of_a, k, true, control)?;
    let other = Sample::of(&set_b, of_b, k, true, control)?;
    let clip = Clip::of(&anchor, 1 + halves.replicates.count, k, control)?;
    let met = Meeting::of(&anchor, &other, k, Wanted::Clipped(&clip), control)?;
    // The edge is where a share of fresh human rows, B, lies beyond.
    let edges_of = |subset: usize| -> Vec<Edge> {
        let masses = Masses::of(&met.balls, of_b, &met.rarity, subset);
        levels.iter().map(|&level| masses.edge(level)).collect()
    };
    let edges: Vec<Vec<Edge>> =
        control.run(|| (0..of_b.count()).into_par_iter().map(edges_of).collect());
    let asked = Asked { replicates: halves.replicates, levels: levels.to_vec(), k };
    let null = asked.estimates(&anchor, &other, &met, &clip, &edges, control)?;
    Ok(Box::new(Neighborhood { asked, rarity: anchor.rarity, clip, edges, null }))
}

impl Prepared for Neighborhood {
    fn null(&self) -> Found {
        Ok(self.null.clone())
    }

    fn value(&self, a: &Rows<'_>, c: &Rows<'_>, control: &Control) -> Result<Found> {
        let Asked { replicates, k, .. } = self.asked;
        let of_c = parts_of(a, c, replicates)?;
        check_k(of_c.smallest(), k)?;
        let of_a = replicates.subsets(a.len(), A);
        let (n, m) = (a.len() as u64, c.len() as u64);
        control.begin("neighbours", m * m + n * m);
        let [set_a, set_c] = Set::together([a, c], control)?;
        let anchor = Sample { set: &set_a, subsets: &of_a, rarity: Arc::clone(&self.rarity) };
        let other = Sample::of(&set_c, &of_c, k, true, control)?;
        let met = Meeting::of(&anchor, &other, k, Wanted::Clipped(&self.clip), control)?;
        Ok(Ok(self.asked.estimates(&anchor, &other, &met, &self.clip, &self.edges, control)?))
    }
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
    neighbors::check_k(k, reference.len() - 1, "reference", true)?;
    neighbors::check_k(k, candidate.len() - 1, "candidate", true)?;
    let (n, m) = (reference.len() as u64, candidate.len() as u64);
    control.begin("neighbours", n * n + m * m + n * m);
    let (of_x, of_y) = (Subsets::whole(reference.len()), Subsets::whole(candidate.len()));
    let [set_x, set_y] = Set::together([reference, candidate], control)?;
    let anchor = Sample::of(&set_x, &of_x, k, true, control)?;
    let other = Sample::of(&set_y, &of_y, k, true, control)?;
    let clip = Clip::of(&anchor, 1, k, control)?;
    let Meeting { balls, rarity, pooled: [of_anchor, of_other], clipped } =
        Meeting::of(&anchor, &other, k, Wanted::Clipped(&clip), control)?;
    let tail = Tail::of(&anchor, 0);
    let masses = Masses::of(&balls, &of_y, &rarity, 0);
    let pooled = PooledRarity::of(&of_anchor, &of_x, &of_other, &of_y, 0);
    let rarity_of = |sample: usize, row: usize| [&of_anchor, &of_other][sample].get(row, 0);
    let repeats = Repeats::of([reference, candidate], rarity_of, control)?;
    let prdc = prdc_of(&balls, &of_x, &of_y, k, 0);
    let mut all: Vec<_> = OF_PRDC.iter().map(|&(metric, of)| (metric, None, of(&prdc))).collect();
    if let Some(clipped) = clipped {
        let covered = clipped.covered(&of_x, k, 0);
        let coverage = good_share(covered, reference.len(), candidate.len(), k).min(1.0);
        all.push(("clipped_density", None, clipped.density(&clip, &of_y, k, 0).min(1.0)));
        all.push(("clipped_coverage", None, coverage));
    }
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

impl Asked {
    /// All metrics of a sample that has met the anchor.
    fn estimates(
        &self,
        anchor: &Sample<'_>,
        other: &Sample<'_>,
        met: &Meeting,
        clip: &Clip,
        edges: &[Vec<Edge>],
        control: &Control,
    ) -> Result<Vec<Estimate>> {
        let of_subset = |subset: usize| {
            Subset::of(anchor, other, met, &self.levels, &edges[subset], self.k, subset)
        };
        let subsets: Vec<Subset> =
            control.run(|| (0..edges.len()).into_par_iter().map(of_subset).collect());
        control.check()?;
        let (halves, three_quarters) = (self.replicates.halves(), self.replicates.three_quarters());
        let mut all = Vec::new();
        for (metric, of) in OF_PRDC {
            let of = |subset: usize| of(&subsets[subset].prdc);
            if metric != "density" {
                all.push(estimate_on(halves.clone(), metric, None, of));
            } else if halves.is_empty() || !three_quarters.is_empty() {
                all.push(estimate_on(three_quarters.clone(), metric, None, of));
            }
        }
        if let Some(clipped) = &met.clipped {
            let (of_a, of_other, k) = (anchor.subsets, other.subsets, self.k);
            let density =
                |subset| (clipped.density(clip, of_other, k, subset) * clip.own()).min(1.0);
            let covered = |subset| clipped.covered(of_a, k, subset);
            all.push(estimate_on(halves.clone(), "clipped_density", None, density));
            all.push(estimate_on(halves.clone(), "clipped_density_of_a", None, |_| clip.own()));
            all.push(estimate_on(halves.clone(), "clipped_coverage", None, covered));
        }
        for (metric, of) in OF_TAIL {
            for (index, &level) in self.levels.iter().enumerate() {
                let of = |subset: usize| of(&subsets[subset].tails[index]);
                all.push(estimate_on(halves.clone(), metric, Some(level), of));
            }
        }
        for (index, &level) in self.levels.iter().enumerate() {
            let of = |subset: usize| subsets[subset].pooled[index].share();
            all.push(estimate_on(halves.clone(), "tail_odds_ratio", Some(level), of));
        }
        Ok(all)
    }
}

/// All metrics of one subset.
struct Subset {
    prdc: Prdc,
    tails: Vec<TailCoverage>,
    pooled: Vec<PooledTail>,
}

impl Subset {
    fn of(
        anchor: &Sample<'_>,
        other: &Sample<'_>,
        met: &Meeting,
        levels: &[f64],
        edges: &[Edge],
        k: usize,
        subset: usize,
    ) -> Self {
        let (of_a, of_other) = (anchor.subsets, other.subsets);
        let Meeting { balls, rarity, pooled: [anchor_pooled, other_pooled], .. } = met;
        let tail = Tail::of(anchor, subset);
        let masses = Masses::of(balls, of_other, rarity, subset);
        let pooled = PooledRarity::of(anchor_pooled, of_a, other_pooled, of_other, subset);
        let cover = |(&level, edge): (&f64, &Edge)| tail.cover(balls, &masses, level, edge);
        Self {
            prdc: prdc_of(balls, of_a, of_other, k, subset),
            tails: levels.iter().zip(edges).map(cover).collect(),
            pooled: levels.iter().map(|&level| pooled.tail(level, None)).collect(),
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

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::coverage::manifold::precision_recall_density_coverage;
    use crate::inference::{B, C, Parts, Replicates};
    use crate::streams::Stream;

    /// The rows of one part of a sample of 128.
    fn part<'a>(rows: &Rows<'a>, of: Replicates, sample: u64, subset: usize) -> Rows<'a> {
        let members: Arc<[usize]> = of.subsets(rows.len(), sample).members(subset).collect();
        assert_eq!(members.len(), if subset == 0 { 128 } else { 96 });
        rows.clone().select(members).unwrap()
    }

    #[test]
    fn density_is_that_of_three_quarter_samples() {
        let mut stream = Stream::new(3, "test", 0);
        let data: [Array2<f64>; 3] =
            std::array::from_fn(|_| Array2::from_shape_simple_fn((128, 18), || stream.normal()));
        let [a, b, c] = data.each_ref().map(|data| Rows::from_f64(data.view()));
        let replicates = Replicates { count: 30, seed: 5, parts: Parts::HalvesAndThreeQuarters };
        let halves = Halves::new(a.clone(), b.clone(), replicates).unwrap();
        let control = Control::with_threads(2);
        let prepared = prepare(&halves, &[0.1], 3, &control).unwrap();
        let value = prepared.value(&a, &c, &control).unwrap();
        let density = [prepared.null(), value].map(|found| {
            let found = found.unwrap();
            found.into_iter().find(|estimate| estimate.metric == "density").unwrap().values
        });
        assert_eq!(density[1].len(), 31);
        for (replicate, subset) in std::iter::once(0).chain(replicates.three_quarters()).enumerate()
        {
            for (found, other, sample) in [(&density[0], &b, B), (&density[1], &c, C)] {
                let (x, y) =
                    (part(&a, replicates, A, subset), part(other, replicates, sample, subset));
                let alone = precision_recall_density_coverage(&x, &y, 3, &control).unwrap();
                assert_eq!(found[replicate], alone.density);
            }
        }
    }
}
