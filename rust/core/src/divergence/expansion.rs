//! The polynomial kernel, split so that nothing cancels. Level 2.
//!
//! The kernel is not translation-invariant: far from the origin it is a huge constant plus what matters.
//! With p = γ⟨x, y⟩ + c split at a fixed μ into a + u + v + w (a = γ⟨μ, μ⟩ + c, u = γ⟨μ, x−μ⟩,
//! v = γ⟨μ, y−μ⟩, w = γ⟨x−μ, y−μ⟩), the terms p(a+u), p(a+v) and p(a) depend on one row at most and cancel
//! in MMD² exactly; only p(a+u+v+w) − p(a+u) − p(a+v) + p(a) is summed, expanded. What depends on x
//! alone is computed once a row.

use tailwatch_kernels::{Isa, PolynomialRow, second_differences};

/// The polynomial p = (·)^degree about a.
#[derive(Clone, Debug)]
pub(crate) struct Expansion {
    degree: u32,
    a: f64,
    /// Exponents of u and v (both at least 1) with the coefficient of the term.
    mixed: Vec<(u32, u32, f64)>,
}

impl Expansion {
    pub(crate) fn about(degree: u32, a: f64) -> Self {
        let exponents = (1..degree).flat_map(|i| (1..=degree - i).map(move |j| (i, j)));
        let term = |(i, j): (u32, u32)| {
            let l = degree - i - j;
            (i, j, multinomial(i, j, l) * a.powi(l as i32))
        };
        Self { degree, a, mixed: exponents.map(term).collect() }
    }

    /// Coefficients of v, v², … in the mixed terms of each row's u, row after row.
    pub(crate) fn coefficients(&self, u: &[f64]) -> Vec<f64> {
        let width = self.degree as usize - 1;
        let mut found = vec![0.0; u.len() * width];
        for (row, &u) in u.iter().enumerate() {
            for &(i, j, c) in &self.mixed {
                found[row * width + j as usize - 1] += c * u.powi(i as i32);
            }
        }
        found
    }

    /// p(a+u+v+w) − p(a+u) − p(a+v) + p(a), with w = `gamma` · product, of one row and several others.
    /// `coefficients` are those of the rows u.
    #[allow(clippy::too_many_arguments)] // one call of a kernel, in the order of its formula
    pub(crate) fn second_differences(
        &self,
        isa: Isa,
        products: &[f64],
        gamma: f64,
        (row, u, coefficients): (usize, f64, &[f64]),
        v: &[f64],
        out: &mut [f64],
    ) {
        let width = self.degree as usize - 1;
        let mixed = &coefficients[row * width..(row + 1) * width];
        let row = PolynomialRow { base: self.a + u, mixed };
        second_differences(isa, products, gamma, row, v, self.degree, out);
    }
}

/// (i+j+l)! / (i! j! l!).
fn multinomial(i: u32, j: u32, l: u32) -> f64 {
    let choose = |n: u32, k: u32| (1..=k).fold(1.0, |c, t| c * f64::from(n - k + t) / f64::from(t));
    choose(i + j + l, i) * choose(j + l, j)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_difference_matches_its_definition() {
        for degree in 1..=6_u32 {
            let p = |x: f64| x.powi(degree as i32);
            for (a, u, v, w) in
                [(1.0, 0.5, -0.25, 2.0), (0.0, 1.0, 1.0, -1.0), (2.0, 0.0, 3.0, 0.5)]
            {
                let expected = p(a + u + v + w) - p(a + u) - p(a + v) + p(a);
                let expansion = Expansion::about(degree, a);
                let coefficients = expansion.coefficients(&[7.0, u]);
                for isa in Isa::available() {
                    let mut found = [0.0; 11];
                    expansion.second_differences(
                        isa,
                        &[2.0 * w; 11],
                        0.5,
                        (1, u, &coefficients),
                        &[v; 11],
                        &mut found,
                    );
                    for found in found {
                        assert!(
                            (found - expected).abs() <= 1e-12 * (1.0 + expected.abs()),
                            "{isa} {degree} {a} {u} {v} {w}"
                        );
                    }
                }
            }
        }
    }
}
