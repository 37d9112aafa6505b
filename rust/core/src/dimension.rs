//! Intrinsic dimension from the two nearest neighbours. Level 3.
//!
//! Where a density hardly changes within the distance to the second neighbour, the ratio μ = r₂/r₁ of the
//! distances of a row to its two nearest others is Pareto: ln μ is exponential with the dimension as its
//! rate (Facco et al. 2017). The largest ratios are the ones that the assumption fails first, so a share of
//! them counts only as that large (Facco's fit leaves out a tenth). Of N ratios of which r are kept,
//! d = (r − 1)/(Σ ln μ of the kept + (N − r) · the largest of them) has no bias.
//!
//! Were the ratios independent, its standard error would be d/√r. They are not: rows that are each other's
//! neighbours share a distance. With the residuals e = [kept] − d · ln μ, cut off at the largest kept, the
//! variance of their sum is Σ e² and the products e·e′ of all pairs of rows of which one is among the two
//! nearest of the other; it takes the place of r where it is larger. (In simulations on cubes and normal
//! distributions of 1 to 10 dimensions, errors were 1.05 to 1.32 times those of independent ratios, and
//! 0.93 to 1.12 times those of this sum.)
//!
//! The dimension is one of where rows can be, not of how often they are there: a row that repeats another is
//! left out. Cost: O(n²·d) time, O(n) memory.

use std::sync::Arc;

use crate::control::Control;
use crate::error::{Error, Result};
use crate::neighbors::{Set, within};
use crate::rows::{Chunk, Rows, check_rows};

/// The dimension of the set that rows lie on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IntrinsicDimension {
    /// The estimate.
    pub value: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Different rows that it comes from.
    pub rows: usize,
}

/// The intrinsic dimension of `rows`, the share `discard` of the largest ratios kept out.
pub fn intrinsic_dimension(
    rows: &Rows<'_>,
    discard: f64,
    control: &Control,
) -> Result<IntrinsicDimension> {
    check_rows(rows, "embeddings", 3)?;
    let n = rows.len() as u64;
    control.begin("neighbours", n * n);
    let found = Ratios::of(rows, control)?;
    if found.different.len() == rows.len() {
        return found.dimension(discard);
    }
    if found.different.len() < 3 {
        return Err(Error::input("embeddings")
            .expected("at least 3 different rows")
            .got(found.different.len()));
    }
    let picked = Picked { rows: rows.clone(), indices: found.different };
    control.begin("neighbours", (picked.indices.len() as u64).pow(2));
    Ratios::of(&Rows::new(vec![Arc::new(picked)])?, control)?.dimension(discard)
}

/// What the two nearest other rows of each row say.
struct Ratios {
    /// ln(r₂/r₁) of each row.
    logs: Vec<f64>,
    /// Its two nearest other rows.
    nearest: Vec<[usize; 2]>,
    /// Rows that no row before them equals.
    different: Vec<usize>,
}

impl Ratios {
    fn of(rows: &Rows<'_>, control: &Control) -> Result<Self> {
        let [set] = Set::together([rows], control)?;
        let blocks = within(&set, 2, control, |lists| {
            let (mut logs, mut nearest, mut different) = (Vec::new(), Vec::new(), Vec::new());
            for row in lists.queries() {
                let [first, second] = lists.list(row) else { unreachable!("three rows or more") };
                logs.push(f64::midpoint(second.squared.ln(), -first.squared.ln()));
                nearest.push([first.index, second.index]);
                // Ties go to the lower index, so the first of all copies comes first.
                if first.squared > 0.0 || first.index > row {
                    different.push(row);
                }
            }
            Ok(Self { logs, nearest, different })
        })?;
        let mut all = Self { logs: Vec::new(), nearest: Vec::new(), different: Vec::new() };
        for block in blocks {
            all.logs.extend(block.logs);
            all.nearest.extend(block.nearest);
            all.different.extend(block.different);
        }
        Ok(all)
    }

    /// Maximum likelihood from exponentials of which the largest are known to be large only.
    fn dimension(mut self, discard: f64) -> Result<IntrinsicDimension> {
        let rows = self.logs.len();
        let kept = rows - (discard * rows as f64) as usize;
        if kept < 3 {
            return Err(Error::input("discard")
                .expected(format_args!("at least 3 of the {rows} different rows to be kept"))
                .got(kept));
        }
        let mut sorted = self.logs.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let largest = sorted[kept - 1];
        let total = sorted[..kept].iter().sum::<f64>() + (rows - kept) as f64 * largest;
        if total == 0.0 {
            return Err(Error::input("embeddings")
                .expected("rows at different distances")
                .got("rows from most of which the two nearest are equally far"));
        }
        let value = (kept - 1) as f64 / total;
        // From here on, the residuals.
        for log in &mut self.logs {
            *log = f64::from(*log <= largest) - value * log.min(largest);
        }
        let variance = self.variance_of_sum().max(kept as f64);
        let standard_error = value * variance.sqrt() / kept as f64;
        Ok(IntrinsicDimension { value, standard_error, rows })
    }

    /// The variance of the sum of what the rows have, of which only neighbours depend on each other.
    fn variance_of_sum(&self) -> f64 {
        let pairs = |(row, nearest): (usize, &[usize; 2])| {
            let of = |&other: &usize| {
                // Of two rows that are each other's neighbours the pair counts once.
                let mutual = self.nearest[other].contains(&row);
                if mutual && other < row { 0.0 } else { self.logs[row] * self.logs[other] }
            };
            nearest.iter().map(of).sum::<f64>()
        };
        let squares: f64 = self.logs.iter().map(|residual| residual * residual).sum();
        squares + 2.0 * self.nearest.iter().enumerate().map(pairs).sum::<f64>()
    }
}

/// Some of the rows of a set.
struct Picked<'a> {
    rows: Rows<'a>,
    indices: Vec<usize>,
}

impl Chunk for Picked<'_> {
    fn shape(&self) -> (usize, usize) {
        (self.indices.len(), self.rows.columns())
    }
    fn digits(&self) -> u32 {
        self.rows.digits()
    }
    fn read(&self, row: usize, out: &mut [f64]) {
        self.rows.read(self.indices[row], out);
    }
    fn prefetch(&self, row: usize) {
        self.rows.prefetch(self.indices[row]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::Stream;
    use ndarray::{Array2, Axis, Slice, concatenate};

    #[test]
    fn copies_do_not_count_and_a_plane_has_two_dimensions() {
        let mut stream = Stream::new(31, "test", 0);
        let mut plane = Array2::from_shape_simple_fn((900, 20), || 0.0);
        for mut row in plane.rows_mut() {
            (row[3], row[17]) = (stream.uniform(), stream.uniform());
        }
        let control = Control::with_threads(2);
        let of = |data: &Array2<f64>| {
            intrinsic_dimension(&Rows::from_f64(data.view()), 0.1, &control).unwrap()
        };
        let found = of(&plane);
        assert!((found.value - 2.0).abs() < 4.0 * found.standard_error, "{found:?}");
        let copies = plane.slice_axis(Axis(0), Slice::from(100..600));
        let doubled = concatenate![Axis(0), copies, plane, copies];
        let again = of(&doubled);
        assert_eq!(again.rows, 900);
        assert!((again.value - found.value).abs() < 1e-12 * found.value);
    }

    #[test]
    fn what_has_no_dimension_is_refused() {
        let control = Control::with_threads(1);
        let message = |data: Array2<f64>, discard| {
            let rows = Rows::from_f64(data.view());
            intrinsic_dimension(&rows, discard, &control).unwrap_err().to_string()
        };
        assert_eq!(
            message(Array2::ones((9, 2)), 0.1),
            "embeddings: expected at least 3 different rows, got 1"
        );
        let line = Array2::from_shape_fn((9, 1), |(row, _)| row as f64);
        assert_eq!(
            message(line.clone(), 0.8),
            "discard: expected at least 3 of the 9 different rows to be kept, got 2"
        );
        let ring = Array2::from_shape_vec((4, 2), vec![1., 0., 0., 1., -1., 0., 0., -1.]).unwrap();
        assert!(message(ring, 0.0).contains("equally far"));
    }
}
