//! Divergence frontier of two histograms, and the area under it. Level 3.
//!
//! MAUVE (Pillutla et al. 2021): with R_w = wP + (1−w)Q, the curve of (e^{−c·KL(Q‖R_w)}, e^{−c·KL(P‖R_w)})
//! for 0 < w < 1 runs from (1, 0) to (0, 1); the area under it is 1 where P = Q and falls to nearly 0 as they
//! part. An empty bin of one histogram is no trouble, since no R_w has it empty; one of both adds nothing. The
//! weights are evenly spaced from 10⁻⁶ to 1 − 10⁻⁶ and the area is that of the trapezia between neighbouring
//! points, as the authors compute it. Cost: O(bins · points) time, O(bins) memory.

use crate::control::Control;
use crate::error::{Error, Result};

/// The most points of a curve: its area has settled long before.
pub const MOST_POINTS: usize = 100_000;
/// The nearest that a weight comes to 0 and 1.
const EDGE: f64 = 1e-6;

/// How the frontier is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frontier {
    /// The factor c of the divergences.
    pub scaling: f64,
    /// Points of the curve between its ends.
    pub points: usize,
    /// Rows added to every bin of both histograms.
    pub smoothing: f64,
}

impl Frontier {
    /// Fails unless there is such a curve.
    pub fn check(&self) -> Result<()> {
        let Self { scaling, points, smoothing } = *self;
        if !(scaling > 0.0 && scaling.is_finite()) {
            return Err(Error::input("scaling").expected("a positive number").got(scaling));
        }
        if !(2..=MOST_POINTS).contains(&points) {
            let expected = format_args!("2 to {MOST_POINTS}");
            return Err(Error::input("points").expected(expected).got(points));
        }
        if !(smoothing >= 0.0 && smoothing.is_finite()) {
            return Err(Error::input("smoothing").expected("0 or more").got(smoothing));
        }
        Ok(())
    }

    /// MAUVE: the area under the frontier of the histograms of `reference` and `candidate`.
    ///
    /// # Panics
    /// If the histograms differ in length.
    pub fn area(&self, reference: &[u64], candidate: &[u64], control: &Control) -> Result<f64> {
        assert_eq!(reference.len(), candidate.len(), "one bin for each bin");
        let (p, q) = (self.shares(reference), self.shares(candidate));
        let step = (1.0 - 2.0 * EDGE) / (self.points - 1) as f64;
        let weights = (0..self.points).map(|index| EDGE + step * index as f64);
        let point = |weight: f64| {
            let mix = |(p, q): (&f64, &f64)| weight * p + (1.0 - weight) * q;
            let mixed: Vec<f64> = p.iter().zip(&q).map(mix).collect();
            let place = |from: &[f64]| (-self.scaling * divergence(from, &mixed)).exp();
            (place(&q), place(&p))
        };
        let mut before = (1.0, 0.0);
        let mut area = 0.0;
        for (x, y) in weights.map(point).chain([(0.0, 1.0)]) {
            control.check()?;
            area += (before.0 - x) * (before.1 + y) / 2.0;
            before = (x, y);
        }
        Ok(area.clamp(0.0, 1.0))
    }

    fn shares(&self, counts: &[u64]) -> Vec<f64> {
        let rows: u64 = counts.iter().sum();
        let total = rows as f64 + self.smoothing * counts.len() as f64;
        counts.iter().map(|&count| (count as f64 + self.smoothing) / total).collect()
    }
}

/// KL(p‖r), nats, where r is nowhere empty that p is not; roundings may not make it negative.
fn divergence(p: &[f64], r: &[f64]) -> f64 {
    let terms = p.iter().zip(r).filter(|(p, _)| **p > 0.0);
    terms.map(|(p, r)| p * (p / r).ln()).sum::<f64>().max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAPER: Frontier = Frontier { scaling: 5.0, points: 25, smoothing: 0.0 };

    fn area(frontier: Frontier, reference: &[u64], candidate: &[u64]) -> f64 {
        frontier.area(reference, candidate, &Control::with_threads(1)).unwrap()
    }

    #[test]
    fn equal_histograms_have_all_of_the_area_and_order_is_nothing() {
        assert!((area(PAPER, &[3, 5, 0, 2], &[6, 10, 0, 4]) - 1.0).abs() < 1e-15);
        let (p, q) = ([4, 0, 7, 9], [3, 5, 0, 12]);
        let found = area(PAPER, &p, &q);
        for other in [area(PAPER, &[9, 7, 0, 4], &[12, 0, 5, 3]), area(PAPER, &q, &p)] {
            assert!((other - found).abs() < 1e-14, "{other} {found}");
        }
    }

    #[test]
    fn histograms_without_a_common_bin_have_the_area_of_a_beta_function() {
        // KL(Q‖R) = −ln(1−w), KL(P‖R) = −ln w: ∫ w^c d(1−(1−w)^c) = c·B(c+1, c) = 5·5!·4!/10! for c = 5.
        let area = area(Frontier { points: 4001, ..PAPER }, &[1, 0], &[0, 1]);
        let expected = 5.0 * 120.0 * 24.0 / 3_628_800.0;
        // The error of trapezia falls as the square of their width, 2.5e-4.
        assert!((area - expected).abs() < 1e-7, "{area} {expected}");
    }

    #[test]
    fn smoothing_is_rows_in_every_bin() {
        let smoothed = area(Frontier { smoothing: 1.0, ..PAPER }, &[1, 0, 3], &[0, 2, 4]);
        assert!((smoothed - area(PAPER, &[2, 1, 4], &[1, 3, 5])).abs() < 1e-15);
    }

    #[test]
    fn what_is_no_curve_is_named() {
        let message = |frontier: Frontier| frontier.check().unwrap_err().to_string();
        assert_eq!(
            message(Frontier { scaling: 0.0, ..PAPER }),
            "scaling: expected a positive number, got 0"
        );
        assert_eq!(message(Frontier { points: 1, ..PAPER }), "points: expected 2 to 100000, got 1");
        assert_eq!(
            message(Frontier { smoothing: -1.0, ..PAPER }),
            "smoothing: expected 0 or more, got -1"
        );
    }
}
