//! Precision, recall, density and coverage. Level 3.
//!
//! precision = share of Y inside at least one X-ball, recall = share of X inside at least one Y-ball
//! (Kynkäänniemi et al. 2019); density = (1/(k·m)) Σ over Y of the X-balls that hold it, coverage =
//! share of X whose own ball holds a row of Y (Naeem et al. 2020). Balls are closed.
//! Cost: O((n² + m² + nm)·d) time, O(n + m) memory.

use super::balls::Balls;
use super::meeting::{Meeting, Wanted};
use crate::control::Control;
use crate::error::Result;
use crate::neighbors::rarity::Sample;
use crate::neighbors::{Set, check_k};
use crate::rows::{Rows, check_pair};
use crate::subsets::Subsets;

/// Fidelity and diversity of a candidate against a reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prdc {
    /// Share of the candidate that lies where the reference does.
    pub precision: f64,
    /// Share of the reference that lies where the candidate does.
    pub recall: f64,
    /// Reference balls around a candidate row, over k.
    pub density: f64,
    /// Share of the reference with a candidate row nearby.
    pub coverage: f64,
}

/// PRDC of `candidate` against `reference`.
pub fn precision_recall_density_coverage(
    reference: &Rows<'_>,
    candidate: &Rows<'_>,
    k: usize,
    control: &Control,
) -> Result<Prdc> {
    check_pair(reference, "reference", candidate, "candidate")?;
    check_k(k, reference.len() - 1, "reference", true)?;
    check_k(k, candidate.len() - 1, "candidate", true)?;
    let (n, m) = (reference.len() as u64, candidate.len() as u64);
    control.begin("neighbours", n * n + m * m + n * m);
    let (of_x, of_y) = (Subsets::whole(reference.len()), Subsets::whole(candidate.len()));
    let [set_x, set_y] = Set::together([reference, candidate], control)?;
    let anchor = Sample::of(&set_x, &of_x, k, false, control)?;
    let other = Sample::of(&set_y, &of_y, k, false, control)?;
    let balls = Meeting::of(&anchor, &other, k, Wanted::Balls, control)?.balls;
    Ok(prdc_of(&balls, &of_x, &of_y, k, 0))
}

/// PRDC of the rows of one subset.
pub(crate) fn prdc_of(
    balls: &Balls,
    of_x: &Subsets,
    of_y: &Subsets,
    k: usize,
    subset: usize,
) -> Prdc {
    let (n, m) = (of_x.size(subset) as f64, of_y.size(subset) as f64);
    let (mut inside, mut held) = (0_u64, 0_u64);
    for y in of_y.members(subset) {
        let holding = balls.holding(y, subset);
        inside += u64::from(holding > 0);
        held += u64::from(holding);
    }
    let recalled = of_x.members(subset).filter(|&x| balls.recalls(x, subset)).count();
    let covered = of_x.members(subset).filter(|&x| balls.covers(x, subset)).count();
    Prdc {
        precision: inside as f64 / m,
        recall: recalled as f64 / n,
        density: held as f64 / (k as f64 * m),
        coverage: covered as f64 / n,
    }
}
