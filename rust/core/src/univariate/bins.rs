//! Two samples in common bins of numbers. Level 2.
//!
//! Where both samples together hold at most as many different numbers as there are bins, each number is a
//! bin. Else bin i holds the i-th of equal parts of the distribution whose quantiles part the line: a number
//! whose ties reach over several parts counts in each in proportion, in both samples alike. So no bin is
//! closed on one side: the bins of −v are those of v in the other order. Cost: O(n + m) of sorted samples.

use super::number::Number;
use super::sample::Sample;
use super::steps::{Step, Walk};
use crate::control::Control;
use crate::error::{Error, Result};

/// The most bins: with more, products of counts, sizes and bins would leave 128 bits.
pub const MOST_BINS: usize = 1 << 20;

/// Which sample's quantiles part the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantiles {
    /// Those of x.
    Reference,
    /// Those of both samples, each weighing a half.
    Mixture,
}

/// Observations of x and of y in each bin: whole numbers, but for ties that reach over several bins.
pub fn bin_counts<T: Number>(
    x: &Sample<T>,
    y: &Sample<T>,
    bins: usize,
    quantiles: Quantiles,
    control: &Control,
) -> Result<(Vec<f64>, Vec<f64>)> {
    if !(1..=MOST_BINS).contains(&bins) {
        let expected = format_args!("1 to {MOST_BINS}");
        return Err(Error::input("bins").expected(expected).got(bins));
    }
    if let Some(counts) = of_each_number(x, y, bins) {
        return Ok(counts);
    }
    let walk = Walk::along(x, y);
    let parts = Parts::of(&walk, bins, quantiles);
    let filled = walk.parts(control, Filling::default, |filling, before, step| {
        parts.add(filling, before, step);
    })?;
    let mut counts = (vec![0.0; bins], vec![0.0; bins]);
    for (bin, of_x, of_y) in filled.into_iter().flat_map(|filling| filling.found) {
        counts.0[bin] += of_x;
        counts.1[bin] += of_y;
    }
    Ok(counts)
}

/// How often each number was seen in x and in y; none if more than `most` numbers differ.
fn of_each_number<T: Number>(
    x: &Sample<T>,
    y: &Sample<T>,
    most: usize,
) -> Option<(Vec<f64>, Vec<f64>)> {
    let (mut i, mut j) = (0, 0);
    let mut counts = (Vec::new(), Vec::new());
    loop {
        let value = match (x.values().get(i), y.values().get(j)) {
            (Some(&a), Some(&b)) => {
                if b < a {
                    b
                } else {
                    a
                }
            }
            (Some(&one), None) | (None, Some(&one)) => one,
            (None, None) => return Some(counts),
        };
        if counts.0.len() == most {
            return None;
        }
        let beyond = |values: &[T], from: usize| {
            from + values[from..].partition_point(|&other| other <= value)
        };
        let (next_i, next_j) = (beyond(x.values(), i), beyond(y.values(), j));
        counts.0.push((x.upto(next_i) - x.upto(i)) as f64);
        counts.1.push((y.upto(next_j) - y.upto(j)) as f64);
        (i, j) = (next_i, next_j);
    }
}

/// Equal parts of a distribution: part i reaches from i · `whole` to (i + 1) · `whole`, where what lies up to a
/// number is a multiple of it by the number of bins.
struct Parts {
    of_x: u128,
    of_y: u128,
    whole: u128,
    bins: u128,
}

/// What one run of numbers puts into the bins.
#[derive(Default)]
struct Filling {
    /// Bin, observations of x, observations of y; bins may come more than once.
    found: Vec<(usize, f64, f64)>,
}

impl Parts {
    fn of<T: Number>(walk: &Walk<'_, T>, bins: usize, quantiles: Quantiles) -> Self {
        let (n, m, bins) = (u128::from(walk.n), u128::from(walk.m), bins as u128);
        match quantiles {
            Quantiles::Reference => Self { of_x: bins, of_y: 0, whole: n, bins },
            // Each observation of x weighs 1/2n, of y 1/2m.
            Quantiles::Mixture => Self { of_x: m * bins, of_y: n * bins, whole: 2 * n * m, bins },
        }
    }

    /// Puts the observations of one number into the bins that it reaches over.
    fn add<T>(&self, filling: &mut Filling, before: Option<&Step<T>>, step: &Step<T>) {
        let upto = |x: u64, y: u64| u128::from(x) * self.of_x + u128::from(y) * self.of_y;
        let (x, y) = before.map_or((0, 0), |before| (before.x, before.y));
        let (low, high) = (upto(x, y), upto(step.x, step.y));
        let counts = ((step.x - x) as f64, (step.y - y) as f64);
        if let Some(last) = filling.found.last_mut() {
            let lower = last.0 as u128 * self.whole;
            let upper = lower + self.whole;
            // Divisions of `u128` are slow, and most numbers lie in the bin of the one before.
            if low >= lower && high <= upper && (low < high || (low > lower && low < upper)) {
                last.1 += counts.0;
                last.2 += counts.1;
                return;
            }
        }
        let mut put = |bin: u128, share: f64| {
            filling.found.push((bin as usize, share * counts.0, share * counts.1));
        };
        if low < high {
            for bin in low / self.whole..=(high - 1) / self.whole {
                let from = low.max(bin * self.whole);
                let to = high.min((bin + 1) * self.whole);
                put(bin, (to - from) as f64 / (high - low) as f64);
            }
            return;
        }
        // A number of y alone, which has no part of the reference.
        let bin = low / self.whole;
        if low % self.whole == 0 && bin > 0 && bin < self.bins {
            // It lies between two parts.
            put(bin - 1, 0.5);
            put(bin, 0.5);
        } else {
            put(bin.min(self.bins - 1), 1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_BINS, Quantiles, bin_counts};
    use crate::control::Control;
    use crate::streams::Stream;
    use crate::univariate::sample::Sample;

    fn control() -> Control {
        Control::with_threads(2)
    }

    fn sample(values: &[i64]) -> Sample<i64> {
        Sample::of(values.to_vec(), &control()).unwrap()
    }

    fn counts(x: &[i64], y: &[i64], bins: usize, quantiles: Quantiles) -> (Vec<f64>, Vec<f64>) {
        bin_counts(&sample(x), &sample(y), bins, quantiles, &control()).unwrap()
    }

    #[test]
    fn few_numbers_are_their_own_bins() {
        for quantiles in [Quantiles::Reference, Quantiles::Mixture] {
            let found = counts(&[0, 0, 0], &[1, 1], 2, quantiles);
            assert_eq!(found, (vec![3.0, 0.0], vec![0.0, 2.0]));
            let found = counts(&[5, 5, 2], &[5, -7, 2, 2], 10, quantiles);
            assert_eq!(found, (vec![0.0, 1.0, 2.0], vec![1.0, 2.0, 1.0]));
        }
    }

    #[test]
    fn ties_count_in_proportion_and_gaps_halve() {
        // Bins of two of x: the threes lie half in each, and so do those of y; 0 is below all, 9 beyond.
        let found = counts(&[1, 3, 3, 4], &[0, 3, 3, 3, 9], 2, Quantiles::Reference);
        assert_eq!(found, (vec![2.0, 2.0], vec![2.5, 2.5]));
        // Between 2 and 4 nothing of x lies: a three there counts half in each bin.
        let found = counts(&[1, 2, 4, 5], &[3, 1, 6], 2, Quantiles::Reference);
        assert_eq!(found, (vec![2.0, 2.0], vec![1.5, 1.5]));
        // Of the mixture, x weighs 1/8 and y 1/4 each: the twos reach from 1/8 to 3/4.
        let found = counts(&[1, 2, 3, 3], &[2, 2], 2, Quantiles::Mixture);
        assert_eq!(found.0, [1.0 + 0.6, 0.4 + 2.0]);
        assert_eq!(found.1, [1.2, 0.8]);
    }

    /// The part of the unit interval that each bin and the observations up to and with a value share.
    fn plainly(x: &[i64], y: &[i64], bins: usize, of_both: bool) -> (Vec<f64>, Vec<f64>) {
        let share = |values: &[i64], holds: &dyn Fn(i64) -> bool| {
            values.iter().filter(|&&value| holds(value)).count() as f64 / values.len() as f64
        };
        let mut found = (vec![0.0; bins], vec![0.0; bins]);
        let mut all: Vec<i64> = x.iter().chain(y).copied().collect();
        all.sort_unstable();
        all.dedup();
        for value in all {
            let upto = |holds: &dyn Fn(i64) -> bool| {
                if of_both {
                    f64::midpoint(share(x, holds), share(y, holds))
                } else {
                    share(x, holds)
                }
            };
            let (low, high) = (upto(&|v| v < value), upto(&|v| v <= value));
            let seen = |values: &[i64]| values.iter().filter(|&&v| v == value).count() as f64;
            for bin in 0..bins {
                let (from, to) = (bin as f64 / bins as f64, (bin + 1) as f64 / bins as f64);
                let part = if high - low > 1e-9 {
                    (high.min(to) - low.max(from)).max(0.0) / (high - low)
                } else {
                    let near = |edge: f64| (low - edge).abs() < 1e-9;
                    let first = near(0.0) && bin == 0 || near(1.0) && bin + 1 == bins;
                    let inside = low > from + 1e-9 && low < to - 1e-9;
                    let amid = low > 1e-9 && low < 1.0 - 1e-9 && (near(from) || near(to));
                    if first || inside {
                        1.0
                    } else if amid {
                        0.5
                    } else {
                        0.0
                    }
                };
                found.0[bin] += part * seen(x);
                found.1[bin] += part * seen(y);
            }
        }
        found
    }

    #[test]
    fn bins_are_parts_of_the_distribution_and_turn_with_the_numbers() {
        let mut stream = Stream::new(5, "test", 0);
        for (n, m, most) in [(7, 9, 20), (40, 17, 12), (30, 30, 60), (12, 90, 8), (300, 200, 30)] {
            let mut draw = |count: usize| -> Vec<i64> {
                (0..count).map(|_| stream.below(most) as i64).collect()
            };
            let (x, y) = (draw(n), draw(m));
            let turned = |values: &[i64]| values.iter().map(|value| -value).collect::<Vec<_>>();
            for bins in [2, 3, 5] {
                for (quantiles, of_both) in
                    [(Quantiles::Reference, false), (Quantiles::Mixture, true)]
                {
                    let found = counts(&x, &y, bins, quantiles);
                    let expected = plainly(&x, &y, bins, of_both);
                    let mut back = counts(&turned(&x), &turned(&y), bins, quantiles);
                    back.0.reverse();
                    back.1.reverse();
                    for other in [&expected, &back] {
                        let pairs =
                            found.0.iter().zip(&other.0).chain(found.1.iter().zip(&other.1));
                        for (a, b) in pairs {
                            assert!((a - b).abs() < 1e-9, "{n} {m} {bins} {found:?} {other:?}");
                        }
                    }
                    assert!((found.0.iter().sum::<f64>() - n as f64).abs() < 1e-9);
                    assert!((found.1.iter().sum::<f64>() - m as f64).abs() < 1e-9);
                }
            }
        }
    }

    #[test]
    fn parts_that_threads_walk_along_make_no_difference() {
        let x: Vec<i64> = (0..300_000).map(|i| i / 3).collect();
        let y: Vec<i64> = (0..200_000).map(|i| i * 7 % 110_000).collect();
        for quantiles in [Quantiles::Reference, Quantiles::Mixture] {
            let found = counts(&x, &y, 10, quantiles);
            assert_eq!(found.1.iter().sum::<f64>(), 200_000.0);
            if quantiles == Quantiles::Reference {
                assert_eq!(found.0, vec![30_000.0; 10]);
            }
        }
    }

    #[test]
    fn as_many_bins_as_there_may_be_stay_within_128_bits() {
        let large = (1 << 52) - 1;
        let all: Vec<i64> = (0..=MOST_BINS as i64).collect();
        let mut counts = vec![0; all.len()];
        counts[0] = large;
        counts[7] = large;
        let x = Sample::counted(all.clone(), &vec![1; all.len()]);
        let y = Sample::counted(all, &counts);
        let found = bin_counts(&x, &y, MOST_BINS, Quantiles::Mixture, &control()).unwrap();
        assert!((found.1.iter().sum::<f64>() / (2.0 * large as f64) - 1.0).abs() < 1e-9);
        let error = bin_counts(&x, &y, MOST_BINS + 1, Quantiles::Mixture, &control()).unwrap_err();
        assert!(error.to_string().starts_with("bins: expected"), "{error}");
    }
}
