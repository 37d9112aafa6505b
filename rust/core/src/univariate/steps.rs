//! The difference of two distribution functions, step by step. Level 2.
//!
//! F(v) = (observations of x up to v)/n, G likewise for y and m. Between two neighbouring values of the pooled
//! sample both are constant, so that every integral of F − G is a sum over the steps; the differences are
//! integers over nm, exact however close F and G come. Cost: O(n + m) of sorted samples, in parts that
//! are added up in order: results do not depend on threads.
//!
//! | function | value |
//! |---|---|
//! | [`wasserstein`] | ∫\|F−G\| dv = W₁ |
//! | [`energy`] | 2∫(F−G)² dv = 2E\|x−y\| − E\|x−x'\| − E\|y−y'\| |
//! | [`kolmogorov_smirnov`] | max \|F−G\| and where |
//! | [`cramer_von_mises`] | nm/(n+m)² Σ(F−G)² over all observations (Anderson 1962), ties in proportion |

use rayon::prelude::*;

use super::number::Number;
use super::sample::Sample;
use super::transport::paired;
use crate::control::Control;
use crate::error::Result;

/// Values of the larger sample that one part walks along.
const PART: usize = 1 << 16;

/// A place on the line: a value, and the observations up to and with it.
#[derive(Clone, Copy)]
pub(super) struct Step<T> {
    pub(super) value: T,
    pub(super) x: u64,
    pub(super) y: u64,
}

/// Two sorted samples that are walked along together.
pub(super) struct Walk<'a, T> {
    x: &'a Sample<T>,
    y: &'a Sample<T>,
    pub(super) n: u64,
    pub(super) m: u64,
}

impl<'a, T: Number> Walk<'a, T> {
    pub(super) fn along(x: &'a Sample<T>, y: &'a Sample<T>) -> Self {
        Self { x, y, n: x.total(), m: y.total() }
    }

    /// nm(F − G), which is an integer.
    #[inline]
    fn excess(&self, step: &Step<T>) -> i128 {
        i128::from(step.x) * i128::from(self.m) - i128::from(step.y) * i128::from(self.n)
    }

    /// |F − G|.
    #[inline]
    fn difference(&self, step: &Step<T>) -> f64 {
        self.signed(step).abs()
    }

    /// F − G: both distribution functions are at most 1, but their product of sizes may be large.
    #[inline]
    fn signed(&self, step: &Step<T>) -> f64 {
        let pairs = self.pairs();
        // Conversions of `i128` are slow.
        if pairs < i64::MAX as f64 {
            let (x, y) = (step.x as i64 * self.m as i64, step.y as i64 * self.n as i64);
            (x - y) as f64 / pairs
        } else {
            self.excess(step) as f64 / pairs
        }
    }

    fn pairs(&self) -> f64 {
        self.n as f64 * self.m as f64
    }

    /// The places at which parts begin; equal values are never parted.
    fn cuts(&self) -> Vec<(usize, usize)> {
        let (x, y) = (self.x.values(), self.y.values());
        let larger = if x.len() > y.len() { x } else { y };
        let cut = |&value: &T| {
            (x.partition_point(|&other| other < value), y.partition_point(|&other| other < value))
        };
        let mut cuts = vec![(0, 0)];
        cuts.extend(larger.iter().step_by(PART).skip(1).map(cut));
        cuts.push((x.len(), y.len()));
        cuts.dedup();
        cuts
    }

    /// Folds each part over its steps: `add(sum, before, step)`, where `before` is the step that precedes.
    pub(super) fn parts<A: Send>(
        &self,
        control: &Control,
        start: impl Fn() -> A + Sync,
        add: impl Fn(&mut A, Option<&Step<T>>, &Step<T>) + Sync,
    ) -> Result<Vec<A>> {
        let cuts = self.cuts();
        control.begin("steps", cuts.len() as u64 - 1);
        let part = |ends: &[(usize, usize)]| {
            let (mut i, mut j) = ends[0];
            let (x, y) = (self.x.values(), self.y.values());
            let larger = |a: T, b: T| if a < b { b } else { a };
            let before = match (i.checked_sub(1), j.checked_sub(1)) {
                (Some(i), Some(j)) => Some(larger(x[i], y[j])),
                (Some(i), None) => Some(x[i]),
                (None, Some(j)) => Some(y[j]),
                (None, None) => None,
            };
            let mut before =
                before.map(|value| Step { value, x: self.x.upto(i), y: self.y.upto(j) });
            let mut sum = start();
            let (x, y) = (&x[..ends[1].0], &y[..ends[1].1]);
            while i < x.len() || j < y.len() {
                let value = match (x.get(i), y.get(j)) {
                    (Some(&a), Some(&b)) => {
                        if b < a {
                            b
                        } else {
                            a
                        }
                    }
                    (Some(&a), None) => a,
                    (None, Some(&b)) => b,
                    (None, None) => unreachable!("one of them goes on"),
                };
                while x.get(i).is_some_and(|&other| other == value) {
                    i += 1;
                }
                while y.get(j).is_some_and(|&other| other == value) {
                    j += 1;
                }
                let step = Step { value, x: self.x.upto(i), y: self.y.upto(j) };
                add(&mut sum, before.as_ref(), &step);
                before = Some(step);
            }
            control.advance(1)?;
            Ok(sum)
        };
        control.run(|| cuts.par_windows(2).map(part).collect())
    }
}

/// W₁ of two samples with at least one observation each.
pub fn wasserstein<T: Number>(x: &Sample<T>, y: &Sample<T>, control: &Control) -> Result<f64> {
    if x.is_plain() && y.is_plain() && x.total() == y.total() {
        return paired(x.values(), y.values(), control);
    }
    let walk = Walk::along(x, y);
    let parts = walk.parts(
        control,
        || 0.0,
        |sum, before, step| {
            if let Some(before) = before {
                *sum += walk.difference(before) * step.value.above(before.value);
            }
        },
    )?;
    Ok(parts.iter().sum())
}

/// The energy distance of two samples with at least one observation each.
pub fn energy<T: Number>(x: &Sample<T>, y: &Sample<T>, control: &Control) -> Result<f64> {
    let walk = Walk::along(x, y);
    let parts = walk.parts(
        control,
        || 0.0,
        |sum, before, step| {
            if let Some(before) = before {
                *sum += walk.difference(before).powi(2) * step.value.above(before.value);
            }
        },
    )?;
    Ok(2.0 * parts.iter().sum::<f64>())
}

/// The largest |F−G| of two samples with at least one observation each, and the first value that has it.
pub fn kolmogorov_smirnov<T: Number>(
    x: &Sample<T>,
    y: &Sample<T>,
    control: &Control,
) -> Result<(f64, T)> {
    let walk = Walk::along(x, y);
    let parts = walk.parts(
        control,
        || (-1.0, T::default()),
        |largest, _, step| {
            let difference = walk.difference(step);
            if difference > largest.0 {
                *largest = (difference, step.value);
            }
        },
    )?;
    let first = |best: (f64, T), part: (f64, T)| if part.0 > best.0 { part } else { best };
    Ok(parts.into_iter().fold((-1.0, T::default()), first))
}

/// T = nm/(n+m)² Σ (F−G)² over the observations of both samples.
///
/// Over w tied observations F − G goes from a to b in w equal steps: Σ (a + j(b−a)/w)² for j = 1 to w, which is
/// w(a² + ab + b²)/3 + (b−a)²/6w and a part, (b² − a²)/2, that adds up to nothing. So the numbers −v have the
/// same T. Without ties this is Anderson's statistic of ranks. With ties that one, from mid-ranks, grows with
/// the difference of n and m however close F and G are; this one stays the integral that it stands for.
pub fn cramer_von_mises<T: Number>(x: &Sample<T>, y: &Sample<T>, control: &Control) -> Result<f64> {
    let walk = Walk::along(x, y);
    let parts = walk.parts(
        control,
        || 0.0,
        |sum, before, step| {
            let seen = before.map_or(0, |before| before.x + before.y);
            let tied = (step.x + step.y - seen) as f64;
            let (a, b) = (before.map_or(0.0, |before| walk.signed(before)), walk.signed(step));
            let change = b - a;
            *sum += tied * (a * a + a * b + b * b) / 3.0 + change * change / (6.0 * tied);
        },
    )?;
    let (n, m) = (walk.n as f64, walk.m as f64);
    Ok(parts.iter().sum::<f64>() * (n / (n + m)) * (m / (n + m)))
}

#[cfg(test)]
mod tests {
    use super::{PART, cramer_von_mises, energy, kolmogorov_smirnov, wasserstein};
    use crate::control::Control;
    use crate::streams::Stream;
    use crate::univariate::sample::Sample;

    fn control() -> Control {
        Control::with_threads(2)
    }

    fn sample(values: &[i64]) -> Sample<i64> {
        Sample::of(values.to_vec(), &control()).unwrap()
    }

    /// Σ over unit steps of f(F − G), for integers.
    fn integral(x: &[i64], y: &[i64], f: impl Fn(f64) -> f64) -> f64 {
        let share = |values: &[i64], v: i64| {
            values.iter().filter(|&&value| value <= v).count() as f64 / values.len() as f64
        };
        let all = || x.iter().chain(y).copied();
        (all().min().unwrap()..all().max().unwrap()).map(|v| f(share(x, v) - share(y, v))).sum()
    }

    #[test]
    fn integrals_are_sums_over_the_steps() {
        let mut stream = Stream::new(2, "test", 0);
        for (n, m) in [(1, 1), (1, 6), (9, 9), (9, 5), (40, 17)] {
            let mut draw = |count: usize| -> Vec<i64> {
                (0..count).map(|_| stream.below(12) as i64 - 6).collect()
            };
            let (x, y) = (draw(n), draw(m));
            let (a, b) = (sample(&x), sample(&y));
            let close = |found: f64, expected: f64| (found - expected).abs() <= 1e-13;
            assert!(close(wasserstein(&a, &b, &control()).unwrap(), integral(&x, &y, f64::abs)));
            let squares = integral(&x, &y, |difference| 2.0 * difference * difference);
            assert!(close(energy(&a, &b, &control()).unwrap(), squares));
        }
    }

    #[test]
    fn counted_values_are_values_that_come_more_than_once() {
        let (x, y) = (sample(&[3, 1, 1, 1, 7]), sample(&[2, 2, 9]));
        let counted = Sample::counted(vec![7, 1, 3, 1, 5], &[1, 2, 1, 1, 0]);
        assert_eq!((counted.total(), counted.at(0), counted.at(3), counted.at(4)), (5, 1, 3, 7));
        let control = control();
        assert_eq!(wasserstein(&counted, &y, &control), wasserstein(&x, &y, &control));
        assert_eq!(energy(&counted, &y, &control), energy(&x, &y, &control));
        assert_eq!(kolmogorov_smirnov(&counted, &y, &control), Ok((0.6, 1)));
    }

    #[test]
    fn more_pairs_than_an_integer_of_64_bits_holds() {
        let large = 1 << 40;
        let x = Sample::counted(vec![0.0, 1.0], &[large, large]);
        let y = Sample::counted(vec![0.0, 1.0], &[large, 3 * large]);
        assert_eq!(wasserstein(&x, &y, &control()), Ok(0.25));
        assert_eq!(kolmogorov_smirnov(&x, &y, &control()), Ok((0.25, 0.0)));
    }

    #[test]
    fn ties_are_not_parted() {
        // Every part would begin amid equal values.
        let n = 3 * PART;
        let x: Vec<i64> = (0..n).map(|i| (i / (2 * PART)) as i64).collect();
        let (x, y) = (sample(&x), sample(&[0, 0, 1]));
        assert_eq!(kolmogorov_smirnov(&x, &y, &control()), Ok((0.0, 0)));
        assert_eq!(wasserstein(&x, &y, &control()), Ok(0.0));
        assert_eq!(cramer_von_mises(&x, &y, &control()), Ok(0.0));
    }

    #[test]
    fn ties_of_cramer_von_mises_are_steps_of_equal_size() {
        let mut stream = Stream::new(3, "test", 0);
        for (n, m) in [(1, 1), (5, 5), (9, 4), (40, 17)] {
            let mut draw =
                |count: usize| -> Vec<i64> { (0..count).map(|_| stream.below(5) as i64).collect() };
            let (x, y) = (draw(n), draw(m));
            let (mut before, mut sum) = (0.0, 0.0);
            for value in 0..5 {
                let upto = |values: &[i64]| {
                    values.iter().filter(|&&other| other <= value).count() as f64
                        / values.len() as f64
                };
                let tied = x.iter().chain(&y).filter(|&&other| other == value).count();
                let after = upto(&x) - upto(&y);
                for step in 1..=tied {
                    let at: f64 = before + (after - before) * step as f64 / tied as f64;
                    sum += at * at;
                }
                before = after;
            }
            let (n, m) = (n as f64, m as f64);
            let expected = sum * n * m / (n + m) / (n + m);
            let turned = |values: &[i64]| sample(&values.iter().map(|v| -v).collect::<Vec<_>>());
            for (a, b) in [(sample(&x), sample(&y)), (turned(&x), turned(&y))] {
                let found = cramer_von_mises(&a, &b, &control()).unwrap();
                assert!((found - expected).abs() < 1e-13, "{found} {expected}");
            }
        }
    }
}
