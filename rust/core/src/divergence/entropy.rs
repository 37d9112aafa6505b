//! Differential entropy from nearest neighbours. Level 3.
//!
//! H = ψ(n) − ψ(k) + ln V + (d/n) Σ ln r(x), with r(x) the distance of x to its k-th nearest other row and V the
//! volume of the unit ball in d dimensions, `π^(d/2)/Γ(d/2 + 1)` (Kozachenko & Leonenko 1987; for any k Goria et
//! al. 2005). Where more than k rows are equal the law has an atom, and its entropy is −∞.
//!
//! Cost: O(n²·d) time, O(n) memory.

use std::f64::consts::{PI, TAU};

use super::jensen_shannon::excess;
use crate::control::Control;
use crate::error::{Error, Result};
use crate::neighbors::{Set, check_k, within};
use crate::rows::{Rows, check_rows};

/// The entropy in nats of the law of `rows`, whose density is one over `dimension` dimensions.
pub fn knn_entropy(rows: &Rows<'_>, k: usize, dimension: f64, control: &Control) -> Result<f64> {
    check_rows(rows, "embeddings", 2)?;
    check_k(k, rows.len() - 1, "embeddings", true)?;
    if !(dimension > 0.0 && dimension.is_finite()) {
        return Err(Error::input("dimension").expected("a positive number").got(dimension));
    }
    let n = rows.len();
    control.begin("neighbours", (n * n) as u64);
    let [set] = Set::together([rows], control)?;
    let blocks = within(&set, k, control, |lists| {
        Ok(lists.queries().map(|row| 0.5 * lists.list(row)[k - 1].squared.ln()).collect::<Vec<_>>())
    })?;
    let mean = blocks.iter().flatten().sum::<f64>() / n as f64;
    let (n, k) = (n as f64, k as f64);
    let digammas = n.ln() - excess(n) - (k.ln() - excess(k));
    Ok(digammas + ln_volume(dimension) + dimension * mean)
}

/// ln of the volume of the unit ball.
fn ln_volume(dimension: f64) -> f64 {
    0.5 * dimension * PI.ln() - ln_gamma(0.5 * dimension + 1.0)
}

/// ln Γ(x) for x > 0, by Stirling's series from where seven terms of it are exact enough.
fn ln_gamma(x: f64) -> f64 {
    let (mut at, mut product) = (x, 1.0);
    while at < 12.0 {
        product *= at;
        at += 1.0;
    }
    let y = (at * at).recip();
    let series = (1.0 / 12.0
        - y * (1.0 / 360.0
            - y * (1.0 / 1260.0
                - y * (1.0 / 1680.0 - y * (1.0 / 1188.0 - y * (691.0 / 360_360.0 - y / 156.0))))))
        / at;
    (at - 0.5) * at.ln() - at + 0.5 * TAU.ln() + series - product.ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    #[test]
    fn the_logarithm_of_gamma_has_its_known_values() {
        for (x, gamma) in [(1.0, 1.0), (0.5, PI.sqrt()), (5.0, 24.0), (1.5, PI.sqrt() / 2.0)] {
            assert!((ln_gamma(x) - f64::ln(gamma)).abs() < 2e-14, "{x}");
        }
        // ln 170!, and the volume of the ball in one, two and three dimensions.
        assert!((ln_gamma(171.0) - 706.573_062_245_787_4).abs() < 1e-11);
        for (d, volume) in [(1.0, 2.0), (2.0, PI), (3.0, 4.0 * PI / 3.0)] {
            assert!((ln_volume(d) - f64::ln(volume)).abs() < 2e-14);
        }
    }

    #[test]
    fn four_rows_on_a_line_have_the_entropy_that_their_distances_say() {
        let data = array![[0.0], [1.0], [3.0], [7.0]];
        let rows = Rows::from_f64(data.view());
        let control = Control::with_threads(2);
        // ψ(4) − ψ(1) = 1 + 1/2 + 1/3; nearest at 1, 1, 2, 4.
        let expected = 11.0 / 6.0 + 2_f64.ln() + 8_f64.ln() / 4.0;
        assert!((knn_entropy(&rows, 1, 1.0, &control).unwrap() - expected).abs() < 1e-14);
        let equal = Array2::<f64>::ones((4, 1));
        let found = knn_entropy(&Rows::from_f64(equal.view()), 2, 1.0, &control).unwrap();
        assert_eq!(found, f64::NEG_INFINITY);
        assert!(knn_entropy(&rows, 4, 1.0, &control).is_err());
        assert!(knn_entropy(&rows, 1, 0.0, &control).is_err());
    }
}
