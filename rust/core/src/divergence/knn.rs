//! Kullback–Leibler divergence from nearest neighbours. Level 3.
//!
//! KL(Y‖X) ≈ (d/m)·Σ ln(ν_k(y)/ρ_k(y)) + ln(n/(m−1)), in nats (Wang, Kulkarni & Verdú 2009; Pérez-Cruz
//! 2008): ν_k(y) is the distance of a candidate row to its k-th nearest of the n reference rows, ρ_k(y)
//! that to its k-th nearest other of the m candidate rows.
//!
//! Both distributions must have densities. A distance ν of zero says that the reference has an atom: there
//! is no estimate. A distance ρ of zero beside a positive ν says that the candidate has one where the
//! reference has none: the divergence is infinite, and so is the estimate.
//! Cost: O((m² + nm)·d) time, O(m·k) memory.

use rayon::prelude::*;

use crate::control::Control;
use crate::error::{Error, Result};
use crate::neighbors::rarity::{BySubset, Known, Rarity, depth, kth_of, measured};
use crate::neighbors::{Nearest, Set, check_k, nearest_across};
use crate::rows::{Rows, check_pair};
use crate::subsets::Subsets;

/// KL(candidate ‖ reference) in nats, with `dimension` for d.
pub fn knn_divergence(
    reference: &Rows<'_>,
    candidate: &Rows<'_>,
    k: usize,
    dimension: f64,
    control: &Control,
) -> Result<f64> {
    check_pair(reference, "reference", candidate, "candidate")?;
    check_k(k, reference.len(), "reference", false)?;
    check_k(k, candidate.len() - 1, "candidate", true)?;
    let (n, m) = (reference.len() as u64, candidate.len() as u64);
    control.begin("neighbours", m * m + n * m);
    let (of_x, of_y) = (Subsets::whole(reference.len()), Subsets::whole(candidate.len()));
    let [set_x, set_y] = Set::together([reference, candidate], control)?;
    let spacings = Spacings::of((&set_x, &of_x), (&set_y, &of_y), k, control)?;
    if let Some(row) = spacings.atom() {
        return Err(Error::input("candidate")
            .expected(format_args!("fewer than k = {k} rows of reference equal to a row"))
            .at(format_args!("row {row}"))
            .problem(format_args!(
                "row {row} equals {k} or more rows of reference (k = {k}), where the reference has no \
                 density: expected fewer copies than k"
            )));
    }
    Ok(spacings.divergence(dimension, 0))
}

/// The squared distances that the divergence of a candidate is made of, in each subset.
pub(crate) struct Spacings<'a> {
    of_x: &'a Subsets,
    of_y: &'a Subsets,
    /// ν², to the k-th nearest reference row.
    across: BySubset,
    /// ρ², to the k-th nearest other candidate row.
    within: BySubset,
}

impl<'a> Spacings<'a> {
    /// Searches the candidate's rows within themselves and across the reference.
    pub(crate) fn of(
        reference: (&Set<'_>, &'a Subsets),
        candidate: (&Set<'_>, &'a Subsets),
        k: usize,
        control: &Control,
    ) -> Result<Self> {
        let ((set_x, of_x), (set_y, of_y)) = (reference, candidate);
        let within = Rarity::within(set_y, of_y, k, false, control)?.radii;
        let depth = depth(k, of_x.count());
        let lists = nearest_across(set_y, set_x, depth.min(set_x.rows().len()), control)?;
        let of_block = |lists: &Nearest| {
            control.check()?;
            let mut found = Vec::with_capacity(lists.queries().len() * of_x.count());
            for row in lists.queries() {
                let mut kth = vec![f64::INFINITY; of_x.count()];
                let (mask, rows) = (of_y.mask(row), set_x.rows());
                let known = Known::cut(lists.list(row), of_x, lists.depth(), rows.len());
                if !kth_of(&[known], k, mask, &mut kth) {
                    let all = measured(set_y.rows(), row, rows, false, control)?;
                    kth_of(&[Known::whole(all.list(row), of_x)], k, mask, &mut kth);
                }
                found.extend(kth);
            }
            Ok(found)
        };
        let blocks: Result<Vec<Vec<f64>>> =
            control.run(|| lists.par_iter().map(of_block).collect());
        Ok(Self { of_x, of_y, across: BySubset::new(of_x.count(), blocks?.concat()), within })
    }

    /// The first candidate row that `k` or more reference rows equal.
    pub(crate) fn atom(&self) -> Option<usize> {
        self.of_y.members(0).find(|&row| self.across.get(row, 0) == 0.0)
    }

    /// The divergence in one subset, with `dimension` for d.
    pub(crate) fn divergence(&self, dimension: f64, subset: usize) -> f64 {
        let (n, m) = (self.of_x.size(subset) as f64, self.of_y.size(subset) as f64);
        // Squares may be as large and as small as numbers are: their ratio need not be a number.
        let log = |row| self.across.get(row, subset).ln() - self.within.get(row, subset).ln();
        let sum: f64 = self.of_y.members(subset).map(log).sum();
        dimension * sum / (2.0 * m) + (n / (m - 1.0)).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::Stream;
    use ndarray::{Array2, Axis};

    fn normal(rows: usize, columns: usize, index: u64) -> Array2<f64> {
        let mut stream = Stream::new(17, "test", index);
        Array2::from_shape_simple_fn((rows, columns), || stream.normal())
    }

    #[test]
    fn every_subset_has_the_divergence_of_its_rows() {
        let control = Control::with_threads(2);
        // k = 30 of halves of 65 makes lists end early; 3 columns are measured, 20 are coded.
        for (columns, k) in [(3, 1), (3, 30), (20, 5)] {
            let (x, y) = (normal(150, columns, 0), normal(130, columns, 1));
            let (rows_x, rows_y) = (Rows::from_f64(x.view()), Rows::from_f64(y.view()));
            let (of_x, of_y) = (Subsets::halves(150, 9, 1, 0), Subsets::halves(130, 9, 1, 1));
            let [set_x, set_y] = Set::together([&rows_x, &rows_y], &control).unwrap();
            let spacings = Spacings::of((&set_x, &of_x), (&set_y, &of_y), k, &control).unwrap();
            for subset in 0..10 {
                let part = |data: &Array2<f64>, subsets: &Subsets| {
                    data.select(Axis(0), &subsets.members(subset).collect::<Vec<_>>())
                };
                let (x, y) = (part(&x, &of_x), part(&y, &of_y));
                let (x, y) = (Rows::from_f64(x.view()), Rows::from_f64(y.view()));
                let alone = knn_divergence(&x, &y, k, 7.5, &control).unwrap();
                let found = spacings.divergence(7.5, subset);
                assert!((found - alone).abs() <= 1e-12 * alone.abs(), "{found} {alone}");
            }
        }
    }

    #[test]
    fn an_atom_of_the_candidate_is_infinitely_far_and_one_of_the_reference_is_refused() {
        let control = Control::with_threads(1);
        let (x, mut y) = (normal(40, 2, 2), normal(40, 2, 3));
        for row in 0..3 {
            y.row_mut(row).fill(0.25);
        }
        let divergence = |x: &Array2<f64>, y: &Array2<f64>, k| {
            let (x, y) = (Rows::from_f64(x.view()), Rows::from_f64(y.view()));
            knn_divergence(&x, &y, k, 2.0, &control)
        };
        assert_eq!(divergence(&x, &y, 2), Ok(f64::INFINITY));
        assert!(divergence(&x, &y, 3).unwrap().is_finite());
        assert!(matches!(divergence(&y, &x, 2), Ok(value) if value.is_finite()));
        let error = divergence(&y, &y, 3).unwrap_err().to_string();
        assert!(
            error.starts_with("candidate: row 0 equals 3 or more rows of reference"),
            "{error}"
        );
    }
}
