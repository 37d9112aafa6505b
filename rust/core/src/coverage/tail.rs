//! What became of the tails. Level 3.
//!
//! The rarity of a reference row is its distance to its k-th nearest other reference row, that of a
//! candidate row the distance to its k-th nearest reference row. The tail at level α is the ⌈αn⌉
//! reference rows of largest rarity; the edge q is the smallest of them. Rows of either sample whose rarity
//! is q count by the share of the reference's that have a place (see [`super::edge`]).
//!
//! - coverage: share of the tail whose own ball holds a candidate row;
//! - recall: share of the tail inside a candidate ball;
//! - mass: share of the candidate beyond q, α when nothing happened;
//! - `supported_mass`: of those, the share of the whole candidate that also lies in a reference ball.

use super::balls::Balls;
use super::edge::Edge;
use super::meeting::{Meeting, Wanted};
use crate::control::Control;
use crate::error::{Error, Result};
use crate::neighbors::rarity::{BySubset, Sample};
use crate::neighbors::{Set, check_k};
use crate::rows::{Rows, check_pair};
use crate::subsets::Subsets;

/// The tail of the reference at one level, as the candidate covers it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TailCoverage {
    /// The level α.
    pub level: f64,
    /// Reference rows in the tail.
    pub rows: usize,
    /// Share of the tail whose own ball holds a candidate row.
    pub coverage: f64,
    /// Share of the tail inside a candidate ball.
    pub recall: f64,
    /// Share of the candidate that is at least as rare as the tail.
    pub mass: f64,
    /// Share of the candidate that is, and lies in a reference ball.
    pub supported_mass: f64,
}

/// ⌈level · rows⌉, not thrown off by the last bit of `level`, and at least 1.
pub(crate) fn tail_size(level: f64, rows: usize) -> usize {
    ((level * rows as f64 - 1e-9).ceil() as usize).clamp(1, rows)
}

/// Fails unless 0 < level < 1 for each.
pub(crate) fn check_levels(levels: &[f64]) -> Result<()> {
    match levels.iter().find(|&&level| !(level > 0.0 && level < 1.0)) {
        Some(level) => Err(Error::input("level").expected("a number between 0 and 1").got(level)),
        None => Ok(()),
    }
}

/// Tail coverage of `candidate` at each of `levels`.
pub fn tail_coverage(
    reference: &Rows<'_>,
    candidate: &Rows<'_>,
    levels: &[f64],
    k: usize,
    control: &Control,
) -> Result<Vec<TailCoverage>> {
    check_pair(reference, "reference", candidate, "candidate")?;
    check_levels(levels)?;
    check_k(k, reference.len() - 1, "reference", true)?;
    check_k(k, candidate.len() - 1, "candidate", true)?;
    let (n, m) = (reference.len() as u64, candidate.len() as u64);
    control.begin("neighbours", n * n + m * m + n * m);
    let (of_x, of_y) = (Subsets::whole(reference.len()), Subsets::whole(candidate.len()));
    let [set_x, set_y] = Set::together([reference, candidate], control)?;
    let anchor = Sample::of(&set_x, &of_x, k, false, control)?;
    let other = Sample::of(&set_y, &of_y, k, false, control)?;
    let Meeting { balls, rarity, .. } = Meeting::of(&anchor, &other, k, Wanted::Rarity, control)?;
    let tail = Tail::of(&anchor, 0);
    let masses = Masses::of(&balls, &of_y, &rarity, 0);
    Ok(levels
        .iter()
        .map(|&level| {
            let edge = tail.edge(level);
            tail.cover(&balls, &masses, level, &edge)
        })
        .collect())
}

/// The rows of one subset of a reference, rarest first.
pub(crate) struct Tail {
    subset: usize,
    rarest: Vec<(f64, usize)>,
}

impl Tail {
    pub(crate) fn of(anchor: &Sample<'_>, subset: usize) -> Self {
        let rarity = |row| (anchor.radius(row, subset), row);
        let mut rarest: Vec<_> = anchor.subsets.members(subset).map(rarity).collect();
        rarest.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        Self { subset, rarest }
    }

    /// The edge of the tail at `level`, in squared rarity.
    pub(crate) fn edge(&self, level: f64) -> Edge {
        Edge::of(&self.rarest, tail_size(level, self.rarest.len()), |row| row.0)
    }

    /// How a candidate covers the tail at `level`, its mass counted beyond `edge`, which may be another's.
    pub(crate) fn cover(
        &self,
        balls: &Balls,
        masses: &Masses,
        level: f64,
        edge: &Edge,
    ) -> TailCoverage {
        let own = self.edge(level);
        let (beyond, others) = self.rarest.split_at(own.beyond);
        let share = |holds: &dyn Fn(usize) -> bool| {
            let count = |rows: &[(f64, usize)]| rows.iter().filter(|(_, row)| holds(*row)).count();
            own.count(count(beyond), count(&others[..own.tied])) / own.places as f64
        };
        let (mass, supported_mass) = masses.beyond(edge);
        TailCoverage {
            level,
            rows: own.places,
            coverage: share(&|row| balls.covers(row, self.subset)),
            recall: share(&|row| balls.recalls(row, self.subset)),
            mass,
            supported_mass,
        }
    }
}

/// The rows of one subset of a candidate, rarest with respect to the reference first.
pub(crate) struct Masses {
    /// Squared rarity, and whether a reference ball holds the row.
    rarest: Vec<(f64, bool)>,
}

impl Masses {
    pub(crate) fn of(balls: &Balls, of_y: &Subsets, rarity: &BySubset, subset: usize) -> Self {
        let describe = |row| (rarity.get(row, subset), balls.holding(row, subset) > 0);
        let mut rarest: Vec<_> = of_y.members(subset).map(describe).collect();
        rarest.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        Self { rarest }
    }

    /// The edge of the share `level` of these rows that is rarest, in squared rarity.
    pub(crate) fn edge(&self, level: f64) -> Edge {
        Edge::of(&self.rarest, tail_size(level, self.rarest.len()), |row| row.0)
    }

    /// The share of the rows beyond `edge`, and the share that is and lies in a reference ball.
    fn beyond(&self, edge: &Edge) -> (f64, f64) {
        let first = self.rarest.partition_point(|row| row.0 > edge.value);
        let (beyond, others) = self.rarest.split_at(first);
        let tied = &others[..others.partition_point(|row| row.0 == edge.value)];
        let m = self.rarest.len() as f64;
        let supported = |rows: &[(f64, bool)]| rows.iter().filter(|row| row.1).count();
        (
            edge.count(beyond.len(), tied.len()) / m,
            edge.count(supported(beyond), supported(tied)) / m,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::tail_size;

    #[test]
    fn tail_sizes_are_not_thrown_off_by_rounding() {
        // 0.07 * 100 and 0.29 * 100 are 7.000000000000001 and 28.999999999999996 in floating point.
        assert_eq!(
            (tail_size(0.07, 100), tail_size(0.29, 100), tail_size(0.05, 1000)),
            (7, 29, 50)
        );
        assert_eq!((tail_size(0.05, 1001), tail_size(0.001, 10)), (51, 1));
    }
}
