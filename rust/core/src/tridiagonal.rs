//! Eigenvalues of a symmetric tridiagonal matrix. Level 2.
//!
//! The QL iteration without square roots of Pal, Walker and Kahan (Parlett 1980, ch. 8), as in LAPACK's
//! `dsterf`: it works on the squares of the off-diagonal, with Wilkinson's shift. Each eigenvalue is within a
//! modest multiple of ε times the largest. Cost: two divisions in a row for each step, and some 0.9·n² steps.

use crate::error::{Error, Result};

/// Iterations for an eigenvalue after which there is something wrong with the matrix; three are usual.
const MOST_ITERATIONS: usize = 30;

/// Turns `diagonal` into the eigenvalues, ascending, of the matrix that has it and `beside` next to it.
///
/// All values are finite.
///
/// # Panics
/// If `beside` is not one value shorter than `diagonal`.
pub(crate) fn eigenvalues(diagonal: &mut [f64], beside: &mut [f64]) -> Result<()> {
    let n = diagonal.len();
    assert_eq!(beside.len() + 1, n.max(1), "values beside the diagonal");
    let largest =
        diagonal.iter().chain(&*beside).fold(0.0_f64, |most, value| most.max(value.abs()));
    if largest == 0.0 {
        return Ok(());
    }
    // A power of two, so that squares neither overflow nor underflow, and no digit is lost.
    let exponent = largest.log2().round().clamp(-1000.0, 1000.0);
    let unit = exponent.exp2();
    diagonal.iter_mut().for_each(|value| *value /= unit);
    beside.iter_mut().for_each(|value| *value = (*value / unit) * (*value / unit));
    let mut start = 0;
    while start < n {
        let end = end_of_block(diagonal, beside, start);
        let (diagonal, beside) = (&mut diagonal[start..=end], &mut beside[start..end]);
        // Large ones last: the small ones are found first, and keep their digits.
        if diagonal[0].abs() > diagonal[end - start].abs() {
            diagonal.reverse();
            beside.reverse();
        }
        iterate(diagonal, beside)?;
        start = end + 1;
    }
    diagonal.iter_mut().for_each(|value| *value *= unit);
    diagonal.sort_unstable_by(f64::total_cmp);
    Ok(())
}

/// The last row of the block that starts with row `start`: what is beside it counts for nothing.
fn end_of_block(diagonal: &[f64], squares: &[f64], start: usize) -> usize {
    let negligible = |row: usize| {
        let least = f64::EPSILON * f64::EPSILON * (diagonal[row] * diagonal[row + 1]).abs();
        squares[row] <= least
    };
    (start..squares.len()).find(|&row| negligible(row)).unwrap_or(squares.len())
}

/// Turns the diagonal of a block into its eigenvalues, in no order.
fn iterate(diagonal: &mut [f64], squares: &mut [f64]) -> Result<()> {
    let n = diagonal.len();
    let mut left = MOST_ITERATIONS * n;
    let mut first = 0;
    while first < n {
        let last = end_of_block(diagonal, squares, first);
        if last == first {
            first += 1;
        } else if last == first + 1 {
            let pair = pair(diagonal[first], squares[first], diagonal[last]);
            [diagonal[first], diagonal[last]] = pair;
            first += 2;
        } else if left == 0 {
            return Err(Error::numerical("eigenvalues").problem("the iteration did not converge"));
        } else {
            left -= 1;
            step(&mut diagonal[first..=last], &mut squares[first..last]);
        }
    }
    Ok(())
}

/// The eigenvalues of a matrix of two rows, of which the square of the off-diagonal is given.
fn pair(a: f64, square: f64, c: f64) -> [f64; 2] {
    let (sum, half) = (a + c, 0.5 * (a - c));
    let root = (half * half + square).sqrt();
    // The one of larger magnitude has all digits; the other follows from the determinant.
    let large = 0.5 * sum + if sum < 0.0 { -root } else { root };
    if large == 0.0 {
        return [0.0, 0.0];
    }
    let (most, least) = if a.abs() > c.abs() { (a, c) } else { (c, a) };
    [large, (most / large) * least - square / large]
}

/// One sweep from the last row to the first, shifted by what comes near the first eigenvalue.
fn step(diagonal: &mut [f64], squares: &mut [f64]) {
    let last = squares.len();
    let beside = squares[0].sqrt();
    let slope = (diagonal[1] - diagonal[0]) / (2.0 * beside);
    let shift = diagonal[0] - beside / (slope + slope.hypot(1.0).copysign(slope));
    let (mut cosine, mut sine) = (1.0, 0.0);
    let mut gamma = diagonal[last] - shift;
    let mut p = gamma * gamma;
    for row in (0..last).rev() {
        let square = squares[row];
        let r = p + square;
        if row + 1 < last {
            squares[row + 1] = sine * r;
        }
        let before = cosine;
        cosine = p / r;
        sine = square / r;
        let old = gamma;
        let alpha = diagonal[row];
        gamma = cosine * (alpha - shift) - sine * old;
        diagonal[row + 1] = old + (alpha - gamma);
        p = if cosine == 0.0 { before * square } else { gamma * gamma / cosine };
    }
    squares[0] = sine * p;
    diagonal[0] = shift + gamma;
}

#[cfg(test)]
mod tests {
    use faer::{Mat, Par, Side};

    use super::eigenvalues;
    use crate::streams::Stream;

    fn found(diagonal: &[f64], beside: &[f64]) -> Vec<f64> {
        let (mut diagonal, mut beside) = (diagonal.to_vec(), beside.to_vec());
        eigenvalues(&mut diagonal, &mut beside).unwrap();
        diagonal
    }

    /// Against faer's own decomposition of the whole matrix.
    fn check(diagonal: &[f64], beside: &[f64], name: &str) {
        faer::set_global_parallelism(Par::Seq);
        let n = diagonal.len();
        let matrix = Mat::from_fn(n, n, |i, j| match i.abs_diff(j) {
            0 => diagonal[i],
            1 => beside[i.min(j)],
            _ => 0.0,
        });
        let expected = matrix.self_adjoint_eigenvalues(Side::Lower).unwrap();
        let largest = expected.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
        // Both are off by some √n·ε.
        let bound = f64::EPSILON * largest * n.max(32) as f64;
        for (found, expected) in found(diagonal, beside).iter().zip(&expected) {
            assert!((found - expected).abs() <= bound, "{name} {n}: {found} {expected}");
        }
    }

    #[test]
    fn values_match_a_decomposition() {
        for n in [1, 2, 3, 4, 7, 33, 200] {
            let mut stream = Stream::new(n as u64, "test", 0);
            let mut draw =
                |count: usize| -> Vec<f64> { (0..count).map(|_| stream.normal()).collect() };
            let (diagonal, beside) = (draw(n), draw(n - 1));
            check(&diagonal, &beside, "normal");
            check(&vec![0.0; n], &beside, "no diagonal");
            check(&diagonal, &vec![0.0; n - 1], "diagonal alone");
            check(&vec![1.0; n], &vec![1e-9; n - 1], "close together");
            let parts: Vec<f64> =
                beside.iter().enumerate().map(|(i, x)| x * f64::from(i % 5 != 2)).collect();
            check(&diagonal, &parts, "blocks");
            let graded = |values: &[f64]| -> Vec<f64> {
                values.iter().enumerate().map(|(i, x)| x * 0.7_f64.powi(i as i32)).collect()
            };
            check(&graded(&diagonal), &graded(&beside), "graded");
        }
    }

    #[test]
    fn values_of_the_second_difference_are_those_of_its_formula() {
        let n = 500;
        let values = found(&vec![2.0; n], &vec![-1.0; n - 1]);
        for (k, value) in values.iter().enumerate() {
            let half = 0.5 * std::f64::consts::PI * (k + 1) as f64 / (n + 1) as f64;
            let expected = 4.0 * half.sin().powi(2);
            assert!(
                (value - expected).abs() <= 4.0 * 20.0 * f64::EPSILON,
                "{k}: {value} {expected}"
            );
        }
    }

    #[test]
    fn a_power_of_two_scales_them_to_the_bit() {
        let mut stream = Stream::new(3, "test", 0);
        let diagonal: Vec<f64> = (0..60).map(|_| stream.normal()).collect();
        let beside: Vec<f64> = (0..59).map(|_| stream.normal()).collect();
        let values = found(&diagonal, &beside);
        for exponent in [-900, -300, 300, 900] {
            let scale = 2.0_f64.powi(exponent);
            let scaled =
                |values: &[f64]| -> Vec<f64> { values.iter().map(|x| x * scale).collect() };
            assert_eq!(
                found(&scaled(&diagonal), &scaled(&beside)),
                scaled(&values),
                "2^{exponent}"
            );
        }
    }

    #[test]
    fn nothing_and_zeros_have_no_trouble() {
        assert!(found(&[], &[]).is_empty());
        assert_eq!(found(&[0.0; 4], &[0.0; 3]), [0.0; 4]);
        assert_eq!(found(&[0.0, 0.0], &[1.0]), [-1.0, 1.0]);
        assert_eq!(found(&[5.0], &[]), [5.0]);
    }
}
