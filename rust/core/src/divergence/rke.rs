//! Order-2 Rényi kernel entropy: how many modes a sample has. Level 3.
//!
//! RKE = exp(−ln ‖K/n‖²) = n²/Σ k(x, x')² over all pairs, with the Gaussian kernel k = exp(−‖x−x'‖²/2σ²) and the
//! Frobenius norm (Jalali, Li & Farnia 2023). The square of the kernel is the kernel of bandwidth σ/√2, whose sums
//! over pairs are those of MMD². Cost: n²/2 inner products of d columns, O(n) memory.

use std::f64::consts::FRAC_1_SQRT_2;

use super::frame::Frame;
use super::kernel::{Kernel, check_kernels};
use super::pairs::{PairSums, pair_sums};
use crate::control::Control;
use crate::error::Result;
use crate::rows::{Rows, check_rows};

/// The score of `rows` with a bandwidth σ, from 1 to their number.
pub fn rke(rows: &Rows<'_>, bandwidth: f64, control: &Control) -> Result<f64> {
    check_rows(rows, "embeddings", 1)?;
    let of = |bandwidth| [Kernel::Gaussian { bandwidth }];
    check_kernels(&of(bandwidth))?;
    let n = rows.len();
    control.begin("kernels", (n * n) as u64);
    let frame = Frame::of(&[rows], control)?;
    let sums = pair_sums(rows, None, &of(bandwidth * FRAC_1_SQRT_2), &frame, control)?;
    let total: f64 = sums.iter().map(PairSums::total).sum();
    let n = n as f64;
    // A row with itself has a kernel of 1.
    Ok(n * n / (total + n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn copies_count_once_and_rows_far_apart_one_each() {
        let control = Control::with_threads(2);
        let data = array![[0.0, 0.0], [0.0, 0.0], [100.0, 0.0], [0.0, 100.0]];
        let rows = Rows::from_f64(data.view());
        assert!((rke(&rows, 1.0, &control).unwrap() - 16.0 / 6.0).abs() < 1e-14);
        let one = array![[2.0, 3.0]];
        assert_eq!(rke(&Rows::from_f64(one.view()), 1.0, &control), Ok(1.0));
        assert!(rke(&rows, 0.0, &control).is_err());
    }
}
