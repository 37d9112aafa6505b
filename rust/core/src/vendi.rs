//! Vendi score: how many different rows a sample amounts to. Level 3.
//!
//! exp of the Rényi entropy of order q of the eigenvalues λ of K/n, where K holds the cosines of all pairs
//! of rows (Friedman & Dieng 2023; Pasarkar & Dieng 2024 for any q): exp(−Σ λ ln λ) at q = 1, 1/max λ at
//! q = ∞, the number of eigenvalues that are more than rounding at q = 0, else (Σ λ^q)^{1/(1−q)}.
//!
//! With U the rows divided by their lengths, UUᵀ/n and UᵀU/n have the same non-zero eigenvalues; the
//! smaller one is made. At q = 2 the entropy needs no eigenvalue: Σ λ² is the sum of the squares of either
//! matrix. *Truncated* at t, the mass beyond the t largest eigenvalues is spread evenly over these, λ + (1 − Σλ)/t (Ospanov
//! & Farnia 2025), so that far more than t rows give the score of all there are. Many rows of `f16` or `f32` are multiplied as `f32` (`single`, which says how far the score of
//! q = 1 and q ≥ 2 can be off for it); all others as `f64`. Cost: O(n·d·min(n, d)) + O(min(n, d)³) time, O(min(n, d)·d) memory.

mod single;

use faer::{Mat, MatRef};
use rayon::prelude::*;

use crate::control::Control;
use crate::covariance::{Groups, Material};
use crate::dense::{self, add_product};
use crate::error::{Error, Result};
use crate::moments::Moments;
use crate::rows::{Rows, check_rows};
use crate::subsets::Subsets;
use crate::units::unit_rows;

/// Columns of a piece of a product.
const PIECE: usize = 128;

/// The Vendi score of order `q` ≥ 0 with the cosine kernel, of all eigenvalues or truncated at so many.
pub fn vendi_score(
    rows: &Rows<'_>,
    q: f64,
    truncation: Option<usize>,
    control: &Control,
) -> Result<f64> {
    check_rows(rows, "embeddings", 1)?;
    if truncation == Some(0) {
        return Err(Error::input("truncation").expected("at least 1").got(0));
    }
    if q.is_nan() || q < 0.0 {
        return Err(Error::input("q").expected("a number of at least 0").got(q));
    }
    control.begin("similarities", rows.len() as u64);
    let units = unit_rows(rows);
    let gram = if single::is_enough(rows, q) {
        single::gram(&units, control)?
    } else {
        let gram = match Material::of(&units, control)? {
            Material::Moments(moments) => of_moments(&moments),
            Material::Data(data) => of_columns(data.as_ref().as_ref(), control)?,
        };
        zero_row(rows, gram.as_ref(), control).map_or(Ok(gram), Err)
    };
    let gram = gram.map_err(|row| {
        Error::input("embeddings")
            .expected("rows with a direction")
            .got("a row of zeros")
            .at(format_args!("row {row}"))
            .problem(format_args!("row {row} is zero and has no direction, so no cosine either"))
    })?;
    control.detached(move || score_of_largest(gram.as_ref(), q, truncation))?
}

/// The first row of length zero, if the trace of a Gram matrix of unit rows tells that there is one.
pub(crate) fn zero_row(rows: &Rows<'_>, gram: MatRef<'_, f64>, control: &Control) -> Option<usize> {
    let missing = rows.len() as f64 * (1.0 - trace(gram));
    if missing < 0.5 {
        return None;
    }
    let is_zero = |&row: &usize| {
        let mut values = vec![0.0; rows.columns()];
        rows.read(row, &mut values);
        values.iter().all(|&value| value == 0.0)
    };
    control.run(|| (0..rows.len()).into_par_iter().find_first(is_zero))
}

fn trace(matrix: MatRef<'_, f64>) -> f64 {
    (0..matrix.nrows()).map(|i| matrix[(i, i)]).sum()
}

/// The lower triangle of UᵀU/n from the moments of the unit rows.
fn of_moments(moments: &Moments) -> Mat<f64> {
    let (n, mean) = (moments.count() as f64, moments.mean());
    let mut gram = moments.covariance();
    for j in 0..gram.ncols() {
        let column = &mut gram.col_as_slice_mut(j)[j..];
        for (value, other) in column.iter_mut().zip(&mean[j..]) {
            *value = *value * ((n - 1.0) / n) + mean[j] * other;
        }
    }
    gram
}

/// The lower triangle of UUᵀ/n from the unit rows as columns, by pieces in parallel.
fn of_columns(columns: MatRef<'_, f64>, control: &Control) -> Result<Mat<f64>> {
    let n = columns.ncols();
    let mut gram = Mat::zeros(n, n);
    control.begin("similarities", n as u64);
    control.run(|| {
        gram.par_col_chunks_mut(PIECE).enumerate().try_for_each(|(index, mut piece)| {
            let (start, width) = (index * PIECE, piece.ncols());
            let below = columns.subcols(start, n - start);
            let left = below.transpose();
            add_product(
                piece.as_mut().subrows_mut(start, n - start),
                left,
                below.subcols(0, width),
            );
            control.advance(width as u64)
        })
    })?;
    gram *= faer::Scale((n as f64).recip());
    Ok(gram)
}

/// The Gram matrix of the unit rows of one subset, on this thread.
pub(crate) fn gram_of_subset(units: &Groups, subsets: &Subsets, subset: usize) -> Mat<f64> {
    match units {
        Groups::Moments(groups) => of_moments(&Moments::of_subset(groups, subsets, subset)),
        Groups::Data(data) => {
            let members: Vec<usize> = subsets.members(subset).collect();
            let (d, n) = (data.nrows(), members.len());
            let columns = Mat::from_fn(d, n, |i, j| data[(i, members[j])]);
            let (columns, size) = (columns.as_ref(), n.min(d));
            let mut gram = Mat::zeros(size, size);
            if n <= d {
                add_product(gram.as_mut(), columns.transpose(), columns);
            } else {
                add_product(gram.as_mut(), columns, columns.transpose());
            }
            gram *= faer::Scale((n as f64).recip());
            gram
        }
    }
}

/// The score of order `q` from the lower triangle of a Gram matrix of trace 1.
pub(crate) fn score(gram: MatRef<'_, f64>, q: f64) -> Result<f64> {
    if q == 2.0 {
        let column = |j: usize| {
            let below = (j + 1..gram.nrows()).map(|i| gram[(i, j)] * gram[(i, j)]).sum::<f64>();
            2.0 * below + gram[(j, j)] * gram[(j, j)]
        };
        return Ok((0..gram.ncols()).map(column).sum::<f64>().recip());
    }
    Ok(hill_number(&shares(gram)?, q))
}

/// The same, truncated at so many eigenvalues if at any.
fn score_of_largest(gram: MatRef<'_, f64>, q: f64, truncation: Option<usize>) -> Result<f64> {
    let Some(kept) = truncation else { return score(gram, q) };
    let mut shares = shares(gram)?;
    if kept < shares.len() {
        let each = shares.drain(kept..).sum::<f64>() / kept as f64;
        shares.iter_mut().for_each(|value| *value += each);
    }
    Ok(hill_number(&shares, q))
}

/// The eigenvalues above 0, largest first, over their sum.
fn shares(gram: MatRef<'_, f64>) -> Result<Vec<f64>> {
    let mut shares = dense::eigenvalues(gram)?;
    shares.retain(|&value| value > 0.0);
    let total: f64 = shares.iter().sum();
    shares.iter_mut().for_each(|value| *value /= total);
    Ok(shares)
}

/// exp of the Rényi entropy of order `q` of positive shares, largest first, that add up to 1.
fn hill_number(shares: &[f64], q: f64) -> f64 {
    let (count, largest) = (shares.len() as f64, shares[0]);
    if q == 0.0 {
        count
    } else if q.is_infinite() {
        largest.recip()
    } else if q == 1.0 {
        (-shares.iter().map(|p| p * p.ln()).sum::<f64>()).exp()
    } else if (q - 1.0).abs() < 0.5 {
        // Σ p^q − 1, of which little is left near q = 1.
        let change: f64 = shares.iter().map(|p| p * ((q - 1.0) * p.ln()).exp_m1()).sum();
        (change.ln_1p() / (1.0 - q)).exp()
    } else {
        // In units of the largest, whose power may underflow.
        let sum: f64 = shares.iter().map(|p| (p / largest).powf(q)).sum();
        ((q * largest.ln() + sum.ln()) / (1.0 - q)).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::Stream;
    use ndarray::{Array2, Axis};

    #[test]
    fn shares_of_any_order_have_their_closed_forms() {
        let shares = [0.5, 0.25, 0.25];
        let close = |q: f64, expected: f64| {
            let found = hill_number(&shares, q);
            assert!((found - expected).abs() < 1e-14 * expected, "{q}: {found} {expected}");
        };
        close(0.0, 3.0);
        close(1.0, f64::exp(1.5 * std::f64::consts::LN_2));
        close(2.0, 8.0 / 3.0);
        close(f64::INFINITY, 2.0);
        close(3.0, (5.0_f64 / 32.0).powf(-0.5));
        close(0.5, (0.5_f64.sqrt() + 1.0).powi(2));
        close(0.75, (0.5_f64.powf(0.75) + 2.0 * 0.25_f64.powf(0.75)).powi(4));
        // (Σ p^q)^{1/(1−q)} → 1/max p: ½·(½)^{1/q} and no underflow.
        assert!((hill_number(&shares, 1e6) - 2.0).abs() < 1e-5);
        // The slope in q at 1 is −Var(ln p)/2 of the entropy, so this is near and not equal.
        let beside = hill_number(&shares, 1.0 + 1e-9) / hill_number(&shares, 1.0) - 1.0;
        assert!((beside + 0.5e-9 * (std::f64::consts::LN_2 / 2.0).powi(2)).abs() < 1e-15);
    }

    #[test]
    fn both_gram_matrices_and_every_subset_give_one_score() {
        let control = Control::with_threads(2);
        let mut stream = Stream::new(37, "test", 0);
        for (n, d) in [(96, 5), (96, 60), (96, 200)] {
            let data = Array2::from_shape_simple_fn((n, d), || 1.0 + stream.normal());
            let rows = Rows::from_f64(data.view());
            let groups = Groups::of(&unit_rows(&rows), &control).unwrap();
            let subsets = Subsets::halves(n, 5, 1, 0);
            for q in [0.5, 1.0, 2.0] {
                for subset in 0..6 {
                    let members: Vec<usize> = subsets.members(subset).collect();
                    let part = data.select(Axis(0), &members);
                    let alone =
                        vendi_score(&Rows::from_f64(part.view()), q, None, &control).unwrap();
                    let gram = gram_of_subset(&groups, &subsets, subset);
                    let found = score(gram.as_ref(), q).unwrap();
                    assert!((found - alone).abs() < 1e-11 * alone, "{n} {d} {q}: {found} {alone}");
                }
            }
        }
    }

    #[test]
    fn lengths_do_not_count_down_to_the_smallest_and_zero_is_refused() {
        let control = Control::with_threads(1);
        let mut data = Array2::zeros((4, 3));
        for (row, length) in [1e-300, 1.0, 1e150, 5e-324].into_iter().enumerate() {
            data[[row, row % 3]] = length;
        }
        let score =
            |data: &Array2<f64>| vendi_score(&Rows::from_f64(data.view()), 2.0, None, &control);
        assert!((score(&data).unwrap() - 16.0 / 6.0).abs() < 1e-14);
        data[[2, 2]] = 0.0;
        let error = score(&data).unwrap_err().to_string();
        assert_eq!(error, "embeddings: row 2 is zero and has no direction, so no cosine either");
    }
}
