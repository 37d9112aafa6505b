//! Dense algebra on covariance-sized matrices. Level 2.
//!
//! Decompositions run on one thread and products are cut at fixed places, so that no bits depend on how
//! many threads there are; callers run several matrices side by side, or let the pieces of one. All
//! matrices are owned: see [`crate::Control::detached`].

use std::sync::Once;

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::tridiag;
use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::linalg::solvers::SelfAdjointEigen;
use faer::{Accum, Mat, MatMut, MatRef, Par, Side, Spec};
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::tridiagonal;

/// faer's convenience methods take their parallelism from a global; left alone it is rayon's global
/// pool, which hangs in forked children.
fn on_this_thread() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| faer::set_global_parallelism(Par::Seq));
}

/// Runs `work` on each item, side by side where `par` allows. The items fix the bits; `par` does not.
pub(crate) fn for_each<T: Send>(
    items: impl IndexedParallelIterator<Item = T>,
    par: Par,
    work: impl Fn(T) + Send + Sync,
) {
    let least = if par == Par::Seq { usize::MAX } else { 1 };
    items.with_min_len(least).for_each(work);
}

/// `sum` += `left`·`right`, on this thread.
pub(crate) fn add_product(sum: MatMut<'_, f64>, left: MatRef<'_, f64>, right: MatRef<'_, f64>) {
    matmul(sum, Accum::Add, left, right, 1.0, Par::Seq);
}

/// The lower triangle of `sum` += that of `factor`·`factor`ᵀ, on this thread.
pub(crate) fn add_lower_square(sum: MatMut<'_, f64>, factor: MatRef<'_, f64>) {
    let (lower, whole) = (BlockStructure::TriangularLower, BlockStructure::Rectangular);
    let (right, par) = (factor.transpose(), Par::Seq);
    triangular::matmul(sum, lower, Accum::Add, factor, whole, right, whole, 1.0, par);
}

/// Eigenvalues of a positive semi-definite matrix (its lower triangle), descending. Those that rounding
/// alone can explain are 0.
pub(crate) fn eigenvalues(matrix: MatRef<'_, f64>) -> Result<Vec<f64>> {
    check_finite(matrix)?;
    let n = matrix.nrows();
    if n == 0 {
        return Ok(Vec::new());
    }
    let mut reduced = matrix.to_owned();
    // Reflectors are not wanted afterwards, so not in blocks either.
    let mut reflectors = Mat::zeros(1, n - 1);
    let need = tridiag::tridiag_in_place_scratch::<f64>(n, Par::Seq, Spec::default());
    tridiag::tridiag_in_place(
        reduced.as_mut(),
        reflectors.as_mut(),
        Par::Seq,
        MemStack::new(&mut MemBuffer::new(need)),
        Spec::default(),
    );
    let mut values: Vec<f64> = (0..n).map(|i| reduced[(i, i)]).collect();
    let mut beside: Vec<f64> = (1..n).map(|i| reduced[(i, i - 1)]).collect();
    tridiagonal::eigenvalues(&mut values, &mut beside)?;
    values.reverse();
    let noise = noise_level(n, values[0]);
    for value in &mut values {
        if *value <= noise {
            *value = 0.0;
        }
    }
    Ok(values)
}

/// Eigenvectors of a positive semi-definite matrix (its lower triangle) as columns, largest first; only
/// those whose eigenvalue is more than rounding.
pub(crate) fn principal_axes(matrix: MatRef<'_, f64>) -> Result<Mat<f64>> {
    on_this_thread();
    check_finite(matrix)?;
    let eigen = matrix
        .self_adjoint_eigen(Side::Lower)
        .map_err(|_| Error::numerical("eigenvectors").problem("the iteration did not converge"))?;
    let kept = significant(&eigen);
    let vectors = eigen.U();
    Ok(Mat::from_fn(matrix.nrows(), kept.len(), |row, column| vectors[(row, kept[column])]))
}

/// A factor F of a positive semi-definite matrix (its lower triangle): F·Fᵀ equals it.
///
/// Cholesky where the matrix is safely of full rank; else eigenvectors scaled by the roots of the
/// eigenvalues that are more than rounding, so that no noise enters under a square root.
pub(crate) fn factor(matrix: MatRef<'_, f64>) -> Result<Mat<f64>> {
    on_this_thread();
    check_finite(matrix)?;
    let d = matrix.nrows();
    if let Ok(cholesky) = matrix.llt(Side::Lower) {
        let lower = cholesky.L();
        let pivots = (0..d).map(|i| lower[(i, i)] * lower[(i, i)]);
        let (least, most) = pivots.fold((f64::INFINITY, 0.0_f64), |(a, b), p| (a.min(p), b.max(p)));
        // Wide of the rounding in the pivots by a factor of 1e3.
        if least > 1e3 * noise_level(d, most) {
            return Ok(Mat::from_fn(d, d, |i, j| if i >= j { lower[(i, j)] } else { 0.0 }));
        }
    }
    let eigen = matrix
        .self_adjoint_eigen(Side::Lower)
        .map_err(|_| Error::numerical("eigenvectors").problem("the iteration did not converge"))?;
    let kept = significant(&eigen);
    let (vectors, values) = (eigen.U(), eigen.S().column_vector());
    Ok(Mat::from_fn(d, kept.len(), |i, j| vectors[(i, kept[j])] * values[kept[j]].sqrt()))
}

/// The places of the eigenvalues that are more than rounding, largest first.
fn significant(eigen: &SelfAdjointEigen<f64>) -> Vec<usize> {
    let values = eigen.S().column_vector();
    let d = values.nrows();
    let noise = noise_level(d, if d > 0 { values[d - 1] } else { 0.0 });
    (0..d).rev().filter(|&i| values[i] > noise).collect()
}

/// An eigenvalue up to here may be rounding of a zero.
fn noise_level(size: usize, largest: f64) -> f64 {
    size as f64 * f64::EPSILON * largest
}

/// The decompositions would not end on NaN.
pub(crate) fn check_finite(matrix: MatRef<'_, f64>) -> Result<()> {
    let finite =
        (0..matrix.ncols()).all(|j| (0..matrix.nrows()).all(|i| matrix[(i, j)].is_finite()));
    if finite {
        Ok(())
    } else {
        Err(Error::numerical("second moments").problem("they overflow").hint("rescale the data"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_reproduce_full_and_deficient_matrices() {
        let root = Mat::from_fn(6, 6, |i, j| ((i * 7 + j * 3) % 11) as f64 - 4.0);
        for rank in [6, 3, 1, 0] {
            let slim = root.as_ref().subcols(0, rank);
            let matrix = slim * slim.transpose();
            let factor = factor(matrix.as_ref()).unwrap();
            assert_eq!(factor.ncols(), rank);
            let back = &factor * factor.transpose();
            assert!((&back - &matrix).norm_max() <= 1e-12 * matrix.norm_max());
        }
    }

    #[test]
    fn eigenvalues_are_those_of_the_lower_triangle() {
        on_this_thread();
        for (n, rank) in [(1, 1), (2, 2), (5, 5), (40, 40), (40, 3), (90, 90)] {
            let root = Mat::from_fn(n, rank, |i, j| ((i * 31 + j * 17) % 23) as f64 - 11.0);
            let matrix = &root * root.transpose();
            let mut expected = matrix.self_adjoint_eigenvalues(Side::Lower).unwrap();
            expected.reverse();
            let lower = Mat::from_fn(n, n, |i, j| if i >= j { matrix[(i, j)] } else { f64::MAX });
            let found = eigenvalues(lower.as_ref()).unwrap();
            let bound = 4.0 * noise_level(n, expected[0]);
            for (found, expected) in found.iter().zip(&expected) {
                assert!((found - expected).abs() <= bound, "{n} {rank}: {found} {expected}");
            }
            assert!(found[rank..].iter().all(|&value| value == 0.0));
        }
        assert!(eigenvalues(Mat::zeros(0, 0).as_ref()).unwrap().is_empty());
    }

    #[test]
    fn an_overflow_is_an_error_and_not_an_endless_loop() {
        let matrix = Mat::from_fn(2, 2, |_, _| f64::INFINITY);
        assert!(matches!(eigenvalues(matrix.as_ref()), Err(Error::Numerical(_))));
    }
}
