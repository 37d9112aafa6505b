//! The distance of two quantile functions: ∫|F⁻¹(t) − G⁻¹(t)|^p dt. Level 2.
//!
//! On the line the best transport takes the t-quantile of one sample to that of the other (Villani 2003, 2.2).
//! Both quantile functions are steps, of widths 1/n and 1/m: with n = m the i-th smallest numbers meet,
//! else every overlap of two steps is a term, its width an integer over nm. Cost: O(n + m) of sorted
//! numbers. Sums run in blocks, so that their rounding does not grow with the samples.

use rayon::prelude::*;

use super::number::Number;
use crate::control::Control;
use crate::error::Result;

/// Terms whose sum is one term of the next sum.
const BLOCK: usize = 1 << 12;
/// Sums that run beside each other, so that one need not wait for another.
const LANES: usize = 8;

/// The exponent p ≥ 1 of a transport cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Power {
    /// |x − y|.
    One,
    /// (x − y)².
    Two,
    /// |x − y|^p.
    Other(f64),
}

impl Power {
    /// The exponent `p`.
    pub(crate) fn of(p: f64) -> Self {
        match p {
            1.0 => Self::One,
            2.0 => Self::Two,
            _ => Self::Other(p),
        }
    }

    /// v^p.
    pub(crate) fn raise(self, value: f64) -> f64 {
        match self {
            Self::One => value,
            Self::Two => value * value,
            Self::Other(p) => value.powf(p),
        }
    }

    /// v^(1/p).
    pub(crate) fn root(self, value: f64) -> f64 {
        match self {
            Self::One => value,
            Self::Two => value.sqrt(),
            Self::Other(p) => value.powf(p.recip()),
        }
    }
}

/// The largest |F⁻¹ − G⁻¹| of two ascending samples, neither of them empty; of exponents 1 and 2, whose terms
/// it then scales exactly, a power of two near it. The least normal number where there is no difference.
pub(crate) fn unit_of(x: &[f64], y: &[f64], power: Power) -> f64 {
    let largest = if x.len() == y.len() {
        let mut lanes = [0.0_f64; LANES];
        for (x, y) in x.chunks(LANES).zip(y.chunks(LANES)) {
            for ((lane, x), y) in lanes.iter_mut().zip(x).zip(y) {
                let apart = (x - y).abs();
                *lane = if apart > *lane { apart } else { *lane };
            }
        }
        lanes.into_iter().fold(0.0, f64::max)
    } else {
        let mut largest = 0.0_f64;
        let wider = |most: f64, _, x: f64, y: f64| most.max((x - y).abs());
        overlaps(x, y, wider, |most| largest = largest.max(most));
        largest
    };
    let unit = match power {
        // All bits but those of the exponent are cleared.
        Power::One | Power::Two => f64::from_bits(largest.to_bits() & 0x7ff0_0000_0000_0000),
        Power::Other(_) => largest,
    };
    unit.max(f64::MIN_POSITIVE)
}

/// ∫|F⁻¹ − G⁻¹|^p / unit^p of two ascending samples, neither of them empty.
pub(crate) fn cost(x: &[f64], y: &[f64], power: Power, unit: f64) -> f64 {
    let scale = unit.recip();
    match power {
        Power::One => mean(x, y, |difference| difference.abs() * scale),
        Power::Two => mean(x, y, |difference| {
            let scaled = difference * scale;
            scaled * scaled
        }),
        // A quotient by the largest is at most 1, a product with its inverse may be more.
        Power::Other(p) => mean(x, y, |difference| (difference.abs() / unit).powf(p)),
    }
}

fn mean(x: &[f64], y: &[f64], term: impl Fn(f64) -> f64) -> f64 {
    if x.len() == y.len() {
        let block = |(x, y): (&[f64], &[f64])| in_lanes(x, y, |x, y| term(x - y));
        return x.chunks(BLOCK).zip(y.chunks(BLOCK)).map(block).sum::<f64>() / x.len() as f64;
    }
    let mut total = 0.0;
    let add = |sum, width, x, y| sum + width as f64 * term(x - y);
    overlaps(x, y, add, |sum| total += sum);
    total / (x.len() as f64 * (y.len() / gcd(x.len(), y.len())) as f64)
}

/// Folds the overlaps of the steps of two quantile functions, from 0 by blocks of steps of x: each overlap with
/// its width in equal parts and the two numbers that meet in it. Each block's outcome goes to `end`.
fn overlaps(
    x: &[f64],
    y: &[f64],
    add: impl Fn(f64, usize, f64, f64) -> f64,
    mut end: impl FnMut(f64),
) {
    let common = gcd(x.len(), y.len());
    // A step of x is `of_x` parts wide, one of y `of_y`, and there are as many parts of each.
    let (of_x, of_y) = (y.len() / common, x.len() / common);
    let (mut i, mut j, mut left_x, mut left_y) = (0, 0, of_x, of_y);
    while i < x.len() {
        let mut sum = 0.0;
        let last = (i + BLOCK).min(x.len());
        while i < last {
            let width = left_x.min(left_y);
            sum = add(sum, width, x[i], y[j]);
            left_x -= width;
            left_y -= width;
            // Both may end here.
            if left_y == 0 {
                j += 1;
                left_y = of_y;
            }
            if left_x == 0 {
                i += 1;
                left_x = of_x;
            }
        }
        end(sum);
    }
}

/// Mean |xᵢ − yᵢ| of two ascending samples of equally many numbers.
pub(crate) fn paired<T: Number>(x: &[T], y: &[T], control: &Control) -> Result<f64> {
    let apart = |x: T, y: T| if x < y { y.above(x) } else { x.above(y) };
    let part = |(x, y): (&[T], &[T])| {
        control.check()?;
        Ok(in_lanes(x, y, apart))
    };
    let parts: Result<Vec<f64>> = control
        .run(|| x.par_chunks(BLOCK).zip(y.par_chunks(BLOCK)).with_min_len(16).map(part).collect());
    Ok(parts?.iter().sum::<f64>() / x.len() as f64)
}

/// Σ term(xᵢ, yᵢ), the i-th term in sum i mod [`LANES`].
fn in_lanes<T: Copy>(x: &[T], y: &[T], term: impl Fn(T, T) -> f64) -> f64 {
    let mut sums = [0.0; LANES];
    let (x, y) = (x.chunks(LANES), y.chunks(LANES));
    for (x, y) in x.zip(y) {
        for ((sum, &x), &y) in sums.iter_mut().zip(x).zip(y) {
            *sum += term(x, y);
        }
    }
    sums.iter().sum()
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, Power, cost, paired};
    use crate::control::Control;

    /// ∫|F⁻¹ − G⁻¹|^p over nm equal parts of [0, 1], as the definition says.
    fn plainly(x: &[f64], y: &[f64], p: f64) -> f64 {
        let parts = x.len() * y.len();
        let term = |part: usize| (x[part / y.len()] - y[part / x.len()]).abs().powf(p);
        (0..parts).map(term).sum::<f64>() / parts as f64
    }

    #[test]
    fn every_overlap_of_two_steps_is_a_term() {
        let line =
            |n: usize, slope: f64| (0..n).map(|i| slope * (i * i) as f64).collect::<Vec<_>>();
        for (n, m) in [(1, 1), (1, 5), (5, 1), (6, 6), (6, 4), (7, 5), (30, 100)] {
            let (x, y) = (line(n, 1.0), line(m, -0.5));
            for p in [1.0, 2.0, 2.5] {
                let (expected, unit) = (plainly(&x, &y, p), 8.0);
                let power = Power::of(p);
                for found in [cost(&x, &y, power, unit), cost(&y, &x, power, unit)] {
                    let found = found * power.raise(unit);
                    assert!((found - expected).abs() <= 1e-14 * expected, "{n} {m} {p}");
                }
            }
            if n == m {
                let found = paired(&x, &y, &Control::with_threads(2)).unwrap();
                assert!((found - plainly(&x, &y, 1.0)).abs() <= 1e-14 * found);
            }
        }
    }

    #[test]
    fn sums_of_several_blocks_are_those_of_one_sequence() {
        for extra in [0, 1, 7] {
            let x: Vec<f64> = (0..2 * BLOCK + extra).map(|i| i as f64).collect();
            let y: Vec<f64> = x.iter().map(|value| value + 3.0).collect();
            assert_eq!(cost(&x, &y, Power::Two, 1.0), 9.0);
            assert_eq!(paired(&x, &y, &Control::with_threads(1)), Ok(3.0));
        }
    }

    #[test]
    fn powers_and_roots_undo_each_other() {
        for p in [1.0, 2.0, 3.5] {
            let power = Power::of(p);
            assert!((power.root(power.raise(7.0)) - 7.0).abs() < 1e-14);
        }
    }
}
