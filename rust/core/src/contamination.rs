//! Scores of a linear probe with a model for each fold. Level 2.
//!
//! The fold of a row is a hash of its values as `f64`: Σⱼ bits(xⱼ)·cⱼ modulo 2⁶⁴ with odd constants cⱼ,
//! finished as in `SplitMix64`, of which the upper 32 bits are compared with the folds' bounds. The score
//! is Σⱼ wⱼxⱼ + b with the fold's weights, summed in `f64` in one fixed order and rounded to
//! `f32`: it depends on the row alone. Rows of `f16` are read as they lie, others as `f64`. Cost: two
//! passes over a row in the first cache; 4 bytes for each row.

use std::ops::Range;

use rayon::prelude::*;
use tailwatch_kernels::{Isa, half_bits, half_sum, weighted_bits, weighted_sum};

use crate::control::Control;
use crate::error::{Error, Result};
use crate::rows::{Rows, check_rows};

/// Rows scored between two looks at the caller's wish to stop.
const BLOCK: usize = 1024;

/// Rows between the one that is scored and the one that memory is asked for.
const AHEAD: usize = 4;

/// A linear model for each fold.
#[derive(Clone, Copy, Debug)]
pub struct Probe<'a> {
    /// Weights, fold by fold, as many for each as a row has columns.
    pub weights: &'a [f64],
    /// One for each fold.
    pub intercepts: &'a [f64],
    /// Fold k takes hashes from `bounds[k − 1]` up to `bounds[k]`; the last one is 2³².
    pub bounds: &'a [u64],
}

/// A row as it lies in memory, or as numbers.
#[derive(Clone, Copy)]
enum Values<'a> {
    Half(&'a [u16]),
    Double(&'a [f64]),
}

/// The score of each row, by the model of its content's fold or of `folds`.
pub fn scores(
    rows: &Rows<'_>,
    probe: Probe<'_>,
    folds: Option<&[u8]>,
    control: &Control,
) -> Result<Vec<f32>> {
    check_rows(rows, "rows", 0)?;
    let (count, d) = (probe.intercepts.len(), rows.columns());
    if probe.weights.len() != count * d || probe.bounds.len() != count || count == 0 {
        return Err(Error::dimension("weights")
            .expected(format_args!("{d} for each of {count} folds"))
            .got(format_args!("{} and {} bounds", probe.weights.len(), probe.bounds.len())));
    }
    if let Some(given) = folds
        && (given.len() != rows.len() || given.iter().any(|&fold| usize::from(fold) >= count))
    {
        return Err(Error::input("folds")
            .expected(format_args!("one below {count} for each of {} rows", rows.len())));
    }
    let (isa, factors) = (control.isa(), Factors::new(d));
    each_row(rows, "scores", control, |row, values| {
        let fold = match folds {
            Some(given) => usize::from(given[row]),
            None => factors.fold_of(isa, values, probe.bounds),
        };
        let weights = &probe.weights[fold * d..(fold + 1) * d];
        let sum = match values {
            Values::Half(halves) => half_sum(isa, halves, weights),
            Values::Double(values) => weighted_sum(isa, values, weights),
        };
        (sum + probe.intercepts[fold]) as f32
    })
}

/// The fold of each row by its content.
pub fn content_folds(rows: &Rows<'_>, bounds: &[u64], control: &Control) -> Result<Vec<u8>> {
    check_rows(rows, "rows", 0)?;
    if bounds.is_empty() || bounds.len() > 255 {
        return Err(Error::input("bounds").expected("1 to 255").got(bounds.len()));
    }
    let factors = Factors::new(rows.columns());
    each_row(rows, "folds", control, |_, values| {
        factors.fold_of(control.isa(), values, bounds) as u8
    })
}

/// Applies `of_row` to the number and the values of every row.
fn each_row<T: Send>(
    rows: &Rows<'_>,
    stage: &'static str,
    control: &Control,
    of_row: impl Fn(usize, Values<'_>) -> T + Sync,
) -> Result<Vec<T>> {
    let n = rows.len();
    control.begin(stage, n as u64);
    let block = |range: Range<usize>| {
        let mut values = vec![0.0; rows.columns()];
        let found: Vec<T> = range
            .clone()
            .map(|row| {
                if let Some(halves) = rows.halves(row) {
                    if row + AHEAD < n {
                        rows.prefetch(row + AHEAD);
                    }
                    return of_row(row, Values::Half(halves));
                }
                rows.read(row, &mut values);
                of_row(row, Values::Double(&values))
            })
            .collect();
        control.advance(range.len() as u64)?;
        Ok(found)
    };
    let blocks: Vec<Vec<T>> = control.run(|| {
        (0..n.div_ceil(BLOCK))
            .into_par_iter()
            .map(|index| block(index * BLOCK..((index + 1) * BLOCK).min(n)))
            .collect::<Result<_>>()
    })?;
    Ok(blocks.into_iter().flatten().collect())
}

/// An odd constant for each column, and what of it counts where values are `f16`.
struct Factors {
    whole: Vec<u64>,
    lower: Vec<u32>,
}

impl Factors {
    fn new(columns: usize) -> Self {
        let whole: Vec<u64> = (1..=columns as u64).map(|index| mixed(index) | 1).collect();
        let lower = whole.iter().map(|&factor| factor as u32).collect();
        Self { whole, lower }
    }

    fn fold_of(&self, isa: Isa, values: Values<'_>, bounds: &[u64]) -> usize {
        let sum = match values {
            Values::Half(halves) => half_bits(isa, halves, &self.lower),
            Values::Double(values) => weighted_bits(isa, values, &self.whole),
        };
        let hash = mixed(sum) >> 32;
        bounds.partition_point(|&bound| bound <= hash).min(bounds.len() - 1)
    }
}

/// The finalizer of `SplitMix64`.
fn mixed(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::Chunk;
    use ndarray::{Array1, Array2, Axis};
    use std::sync::Arc;

    const BOUNDS: [u64; 3] = [1 << 30, 3 << 30, 1 << 32];

    fn sample(n: usize, d: usize) -> Array2<f64> {
        Array2::from_shape_fn((n, d), |(i, j)| ((i * 31 + j * 17) % 101) as f64 / 7.0 - 7.0)
    }

    #[test]
    fn a_score_is_the_dot_product_of_its_folds_weights() {
        for d in [1, 7, 8, 9, 37] {
            let (x, weights) = (sample(50, d), sample(3, d));
            let probe = Probe {
                weights: weights.as_slice().unwrap(),
                intercepts: &[0.5, -1.0, 2.0],
                bounds: &BOUNDS,
            };
            let (rows, control) = (Rows::from_f64(x.view()), Control::with_threads(2));
            let folds = content_folds(&rows, &BOUNDS, &control).unwrap();
            let found = scores(&rows, probe, None, &control).unwrap();
            assert_eq!(found, scores(&rows, probe, Some(&folds), &control).unwrap());
            for (row, (&score, &fold)) in found.iter().zip(&folds).enumerate() {
                let fold = usize::from(fold);
                let exact = x.row(row).dot(&weights.row(fold)) + probe.intercepts[fold];
                assert!((f64::from(score) - exact).abs() <= 1e-6 * (1.0 + exact.abs()));
            }
        }
    }

    #[test]
    fn half_precision_gives_the_bits_of_double_on_every_instruction_set() {
        for d in [1, 16, 37] {
            let half = sample(60, d).mapv(|x| half::f16::from_f64(x / 3.0));
            let double = half.mapv(f64::from);
            let weights = sample(3, d);
            let probe = Probe {
                weights: weights.as_slice().unwrap(),
                intercepts: &[0.5, -1.0, 2.0],
                bounds: &BOUNDS,
            };
            let control = Control::with_threads(2);
            let plain = scores(&Rows::from_f64(double.view()), probe, None, &control).unwrap();
            // Rows across memory have no slice, and take the way of the other types.
            let turned = half.t().as_standard_layout().into_owned();
            let strided = Rows::new(vec![Arc::new(turned.t())]).unwrap();
            for isa in Isa::available() {
                let control = Control::with_threads(2).with_isa(isa);
                let rows = Rows::new(vec![Arc::new(half.view())]).unwrap();
                assert_eq!(scores(&rows, probe, None, &control).unwrap(), plain);
                assert_eq!(scores(&strided, probe, None, &control).unwrap(), plain);
            }
        }
    }

    #[test]
    fn threads_and_chunks_do_not_show() {
        let (x, weights) = (sample(2500, 19), sample(3, 19));
        let probe =
            Probe { weights: weights.as_slice().unwrap(), intercepts: &[0.0; 3], bounds: &BOUNDS };
        let whole =
            scores(&Rows::from_f64(x.view()), probe, None, &Control::with_threads(1)).unwrap();
        let (head, tail) = x.view().split_at(Axis(0), 7);
        let chunks: Vec<Arc<dyn Chunk + '_>> = vec![Arc::new(head), Arc::new(tail)];
        let rows = Rows::new(chunks).unwrap();
        assert_eq!(whole, scores(&rows, probe, None, &Control::with_threads(3)).unwrap());
    }

    #[test]
    fn folds_take_their_share_and_do_not_see_the_sign_of_zero() {
        let n = 40_000;
        let x = Array2::from_shape_fn((n, 3), |(i, j)| (i * 3 + j) as f64 * 1e-3);
        let control = Control::with_threads(1);
        let folds = content_folds(&Rows::from_f64(x.view()), &BOUNDS, &control).unwrap();
        for (fold, share) in [(0, 0.25), (1, 0.5), (2, 0.25)] {
            let count: f64 = folds.iter().map(|&found| f64::from(u8::from(found == fold))).sum();
            // Four standard deviations of a binomial count.
            assert!((count - share * n as f64).abs() < 4.0 * (0.25 * n as f64).sqrt());
        }
        let zeros = |sign: f64| Array2::from_shape_vec((1, 2), vec![1.5, sign * 0.0]).unwrap();
        let fold = |x: &Array2<f64>| {
            content_folds(&Rows::from_f64(x.view()), &BOUNDS, &control).unwrap()[0]
        };
        assert_eq!(fold(&zeros(1.0)), fold(&zeros(-1.0)));
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused_and_a_cancelled_call_stops() {
        let (x, weights) = (sample(5, 4), Array1::<f64>::zeros(8));
        let control = Control::with_threads(1);
        let rows = Rows::from_f64(x.view());
        let probe = |weights| Probe { weights, intercepts: &[0.0, 0.0], bounds: &[1, 1 << 32] };
        let all = weights.as_slice().unwrap();
        assert!(matches!(
            scores(&rows, probe(&all[1..]), None, &control),
            Err(Error::Dimension(_))
        ));
        for folds in [&[0_u8; 4][..], &[0, 0, 0, 0, 2]] {
            assert!(matches!(
                scores(&rows, probe(all), Some(folds), &control),
                Err(Error::Input(_))
            ));
        }
        assert!(matches!(content_folds(&rows, &[], &control), Err(Error::Input(_))));
        control.cancel();
        assert_eq!(scores(&rows, probe(all), None, &control), Err(Error::Cancelled));
    }
}
