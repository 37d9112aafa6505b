//! Who is in the tail of the pooled sample. Level 3.
//!
//! Both samples are pooled, every row is ranked by its distance to its k-th nearest other pooled row,
//! and the ⌈α(n+m)⌉ rarest are taken. If the two distributions are equal, every assignment of the pooled
//! rows to the samples is as likely: the numbers of candidate rows beyond the edge and at it are
//! multivariate hypergeometric, whatever the distribution and the dimension. Rows tied at the edge count in
//! proportion (see [`super::edge`]); copies within a sample make their number vary by more (see
//! [`super::repeats`]).

use super::edge::Edge;
use super::meeting::{Meeting, Wanted};
use super::repeats::Repeats;
use super::tail::{check_levels, tail_size};
use crate::control::Control;
use crate::error::Result;
use crate::neighbors::rarity::{BySubset, Sample};
use crate::neighbors::{Set, check_k};
use crate::rows::{Rows, check_pair, check_rows};
use crate::subsets::Subsets;

/// Rows in the pooled tail, by where they come from: of the reference first, then of the candidate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PooledTail {
    /// Places of the tail.
    pub places: usize,
    /// Rows rarer than the edge.
    pub beyond: [usize; 2],
    /// Rows as rare as the edge, which share the places left.
    pub tied: [usize; 2],
    /// By how much the variance of these numbers exceeds that of independent rows; 1 if it is not known.
    pub design_effect: f64,
}

impl PooledTail {
    /// Of the tail's places, the share that the candidate's rows take.
    #[must_use]
    pub fn share(&self) -> f64 {
        let [beyond, tied] = [self.beyond, self.tied].map(|[x, y]| x + y);
        let edge = Edge { value: f64::NAN, places: self.places, beyond, tied };
        edge.count(self.beyond[1], self.tied[1]) / self.places as f64
    }
}

/// The pooled tail at `level`. Cost: O((n + m)²·d) time, O(n + m) memory.
pub fn pooled_tail(
    reference: &Rows<'_>,
    candidate: &Rows<'_>,
    level: f64,
    k: usize,
    control: &Control,
) -> Result<PooledTail> {
    check_pair(reference, "reference", candidate, "candidate")?;
    check_rows(reference, "reference", 2)?;
    check_levels(&[level])?;
    check_k(k, reference.len() + candidate.len() - 1, "the pooled sample", true)?;
    let (n, m) = (reference.len() as u64, candidate.len() as u64);
    control.begin("neighbours", n * n + m * m + n * m);
    let (of_x, of_y) = (Subsets::whole(reference.len()), Subsets::whole(candidate.len()));
    let [set_x, set_y] = Set::together([reference, candidate], control)?;
    let anchor = Sample::of(&set_x, &of_x, k, true, control)?;
    let other = Sample::of(&set_y, &of_y, k, true, control)?;
    let [x, y] = Meeting::of(&anchor, &other, k, Wanted::Pooled, control)?.pooled;
    let rarity = PooledRarity::of(&x, &of_x, &y, &of_y, 0);
    let rarity_of = |sample: usize, row: usize| [&x, &y][sample].get(row, 0);
    let repeats = Repeats::of([reference, candidate], rarity_of, control)?;
    Ok(rarity.tail(level, Some(&repeats)))
}

/// All rows of one subset of a pooled sample, rarest first.
pub(crate) struct PooledRarity(Vec<(f64, bool)>);

impl PooledRarity {
    pub(crate) fn of(
        x: &BySubset,
        of_x: &Subsets,
        y: &BySubset,
        of_y: &Subsets,
        subset: usize,
    ) -> Self {
        let reference = of_x.members(subset).map(|row| (x.get(row, subset), false));
        let candidate = of_y.members(subset).map(|row| (y.get(row, subset), true));
        let mut rarest: Vec<_> = reference.chain(candidate).collect();
        rarest.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        Self(rarest)
    }

    /// The tail at `level`; its design effect is known where repeats are.
    pub(crate) fn tail(&self, level: f64, repeats: Option<&Repeats>) -> PooledTail {
        let edge = Edge::of(&self.0, tail_size(level, self.0.len()), |row| row.0);
        let by_sample = |rows: &[(f64, bool)]| {
            let candidate = rows.iter().filter(|row| row.1).count();
            [rows.len() - candidate, candidate]
        };
        let (beyond, others) = self.0.split_at(edge.beyond);
        let [beyond, tied] = [beyond, &others[..edge.tied]].map(by_sample);
        let design_effect = repeats.map_or(1.0, |repeats| repeats.design_effect(&edge));
        PooledTail { places: edge.places, beyond, tied, design_effect }
    }
}
