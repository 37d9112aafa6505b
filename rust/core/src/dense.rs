//! Dense algebra on covariance-sized matrices. Level 2.
//!
//! Everything here runs on one thread, so that its bits do not depend on how many there are; callers
//! run several matrices side by side. All matrices are owned: see [`crate::Control::detached`].

use std::sync::Once;

use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::linalg::solvers::SelfAdjointEigen;
use faer::{Accum, Mat, MatRef, Par, Side};

use crate::error::{Error, Result};

/// faer's convenience methods take their parallelism from a global; left alone it is rayon's global
/// pool, which hangs in forked children.
fn on_this_thread() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| faer::set_global_parallelism(Par::Seq));
}

/// Adds the lower triangle of `centred`ᵀ·`centred` to `sum`.
pub(crate) fn add_scatter(sum: &mut Mat<f64>, centred: MatRef<'_, f64>) {
    triangular::matmul(
        sum.as_mut(),
        BlockStructure::TriangularLower,
        Accum::Add,
        centred.transpose(),
        BlockStructure::Rectangular,
        centred,
        BlockStructure::Rectangular,
        1.0,
        Par::Seq,
    );
}

/// Eigenvalues of a positive semi-definite matrix (its lower triangle), descending. Those that rounding
/// alone can explain are 0.
pub(crate) fn eigenvalues(matrix: MatRef<'_, f64>) -> Result<Vec<f64>> {
    on_this_thread();
    check_finite(matrix)?;
    let mut values = matrix
        .self_adjoint_eigenvalues(Side::Lower)
        .map_err(|_| Error::Numerical("eigenvalues: the iteration did not converge".into()))?;
    values.reverse();
    let noise = noise_level(matrix.nrows(), values.first().copied().unwrap_or(0.0));
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
        .map_err(|_| Error::Numerical("eigenvectors: the iteration did not converge".into()))?;
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
        .map_err(|_| Error::Numerical("eigenvectors: the iteration did not converge".into()))?;
    let kept = significant(&eigen);
    let (vectors, values) = (eigen.U(), eigen.S().column_vector());
    Ok(Mat::from_fn(d, kept.len(), |i, j| vectors[(i, kept[j])] * values[kept[j]].sqrt()))
}

/// Sum of the singular values of `left`ᵀ·`right`.
pub(crate) fn nuclear_norm_of_product(
    left: MatRef<'_, f64>,
    right: MatRef<'_, f64>,
) -> Result<f64> {
    on_this_thread();
    let product = left.transpose() * right;
    if product.nrows() == 0 || product.ncols() == 0 {
        return Ok(0.0);
    }
    check_finite(product.as_ref())?;
    let values = product
        .singular_values()
        .map_err(|_| Error::Numerical("singular values: the iteration did not converge".into()))?;
    // Smallest first: the fixed order that loses least.
    Ok(values.iter().rev().sum())
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
fn check_finite(matrix: MatRef<'_, f64>) -> Result<()> {
    let finite =
        (0..matrix.ncols()).all(|j| (0..matrix.nrows()).all(|i| matrix[(i, j)].is_finite()));
    if finite {
        Ok(())
    } else {
        Err(Error::Numerical("second moments overflow: rescale the data".into()))
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
    fn the_nuclear_norm_of_a_square_is_its_trace() {
        let root = Mat::from_fn(5, 4, |i, j| ((i * 5 + j * 3) % 7) as f64 - 2.0);
        let norm = nuclear_norm_of_product(root.as_ref(), root.as_ref()).unwrap();
        assert!((norm - root.squared_norm_l2()).abs() <= 1e-12 * norm);
    }

    #[test]
    fn an_overflow_is_an_error_and_not_an_endless_loop() {
        let matrix = Mat::from_fn(2, 2, |_, _| f64::INFINITY);
        assert!(matches!(eigenvalues(matrix.as_ref()), Err(Error::Numerical(_))));
    }
}
