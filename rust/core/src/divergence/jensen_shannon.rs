//! Jensen–Shannon divergence from nearest neighbours. Level 3.
//!
//! JS = ½KL(X‖M) + ½KL(Y‖M) with the mixture M = ½X + ½Y, whatever the sizes of the samples. The ball of a
//! row x of X reaches to its k-th nearest other row of X. It holds κ other rows of X (k, or more where
//! distances tie) and c rows of Y, so that X has about p = κ/(n−1) and Y about q = c/m of its mass in it,
//! and x adds ln p − ln ½(p+q) to KL(X‖M); rows of Y likewise. No dimension enters, and where rows coincide
//! the balls of radius zero compare the masses of atoms.
//!
//! The mean of the logarithm of a mass of which κ rows were seen is less than the logarithm of the mean:
//! were the mass Gamma(κ), by ln κ − ψ(κ). A mixture is a sum of two such masses of unequal scale, of which
//! (p+q)²/(p²/κ + q²/c) rows were seen in effect (Satterthwaite 1946). At equal sizes these are κ + c, and
//! the sum over x is that of Ross (2014), whose estimate of mutual information, ψ(N) − ψ(n) + ψ(k) − ψ(m),
//! is then the divergence; for unequal sizes the formula was derived here.
//!
//! If both distributions are equal and have densities, c is negative hypergeometric whatever they are: the
//! rows of Y before the k-th of the others of X in random order. So the mean J₀ of the estimate J is known,
//! and ln 2 · (J − J₀)/(ln 2 − J₀) has none, at any sizes, while samples far apart stay at ln 2 (as mutual
//! information is adjusted for chance by Vinh, Epps & Bailey 2010). At equal sizes J₀ is of order 1/n.
//!
//! Cost: O((n² + m² + nm)·d) time, O((n + m)·k) memory.

use std::f64::consts::LN_2;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::control::Control;
use crate::error::Result;
use crate::neighbors::{Meet, Set, across, check_k, within};
use crate::rows::{Rows, check_pair};

/// The Jensen–Shannon divergence of two samples in nats.
pub fn knn_jensen_shannon(
    reference: &Rows<'_>,
    candidate: &Rows<'_>,
    k: usize,
    control: &Control,
) -> Result<f64> {
    check_pair(reference, "reference", candidate, "candidate")?;
    check_k(k, reference.len() - 1, "reference", true)?;
    check_k(k, candidate.len() - 1, "candidate", true)?;
    let (n, m) = (reference.len() as u64, candidate.len() as u64);
    control.begin("neighbours", n * n + m * m + n * m);
    let [set_x, set_y] = Set::together([reference, candidate], control)?;
    let (of_x, of_y) = (Balls::of(&set_x, k, control)?, Balls::of(&set_y, k, control)?);
    let [in_y, in_x] = crossed([&set_y, &set_x], [&of_y.squared, &of_x.squared], control)?;
    let (n, m) = (n as f64, m as f64);
    let found = f64::midpoint(of_x.divergence(&in_x, m), of_y.divergence(&in_y, n));
    let by_chance = f64::midpoint(expected(k, n, m), expected(k, m, n));
    Ok(LN_2 * (found - by_chance) / (LN_2 - by_chance))
}

/// What a row of a sample of `n` adds whose ball holds `own` other rows of it and `other` of the other
/// sample's `m`.
fn term(own: f64, other: f64, n: f64, m: f64) -> f64 {
    let (p, q) = (own / (n - 1.0), other / m);
    // The square of q over its count, which may be zero.
    let seen = (p + q) * (p + q) / (p * p / own + q / m);
    (p / f64::midpoint(p, q)).ln() + excess(seen) - excess(own)
}

/// The mean of the terms of balls of `k` rows if both distributions are equal.
fn expected(k: usize, n: f64, m: f64) -> f64 {
    let (k, others) = (k as f64, n - 1.0);
    // Of c = 0: the k nearest are all of the own sample. Logarithms, for it may be tiny.
    let mut log =
        (0..k as u64).map(|i| ((others - i as f64) / (others + m - i as f64)).ln()).sum::<f64>();
    let mut mean = 0.0;
    for c in 0..=m as u64 {
        let c = c as f64;
        mean += log.exp() * term(k, c, n, m);
        log += ((k + c) / (c + 1.0) * (m - c) / (others - k + m - c)).ln();
    }
    mean
}

/// The balls of a sample and how many of its other rows each holds.
struct Balls {
    squared: Vec<f64>,
    holding: Vec<u32>,
}

impl Balls {
    fn of(set: &Set<'_>, k: usize, control: &Control) -> Result<Self> {
        let others = set.rows().len() - 1;
        let blocks = within(set, (k + 1).min(others), control, |lists| {
            let mut tied = false;
            let radius = |row| {
                let list = lists.list(row);
                let radius = list[k - 1].squared;
                tied |= list.get(k).is_some_and(|next| next.squared == radius);
                radius
            };
            let squared: Vec<f64> = lists.queries().map(radius).collect();
            Ok((squared, tied))
        })?;
        let tied = blocks.iter().any(|block| block.1);
        let squared: Vec<f64> = blocks.into_iter().flat_map(|block| block.0).collect();
        let holding = if tied {
            let [all, _] = crossed([set, set], [&squared, &squared], control)?;
            // Every ball holds its own centre.
            all.into_iter().map(|count| count - 1).collect()
        } else {
            vec![k as u32; squared.len()]
        };
        Ok(Self { squared, holding })
    }

    /// The divergence from the mixture with a sample of `m` rows, of which the balls hold `others`.
    fn divergence(&self, others: &[u32], m: f64) -> f64 {
        let n = self.holding.len() as f64;
        let pairs = self.holding.iter().zip(others);
        pairs.map(|(&own, &other)| term(own.into(), other.into(), n, m)).sum::<f64>() / n
    }
}

/// How many rows of the other set each ball holds, for the balls of queries and of base rows.
fn crossed(sets: [&Set<'_>; 2], squared: [&[f64]; 2], control: &Control) -> Result<[Vec<u32>; 2]> {
    let of_base: Vec<AtomicU32> = squared[1].iter().map(|_| AtomicU32::new(0)).collect();
    let blocks = across(
        sets[0],
        sets[1],
        0,
        Some(squared),
        control,
        |block| Tally {
            squared,
            first: block.start,
            of_queries: vec![0; block.len()],
            of_base: &of_base,
        },
        |tally, _| Ok(tally.of_queries),
    )?;
    Ok([blocks.concat(), of_base.into_iter().map(AtomicU32::into_inner).collect()])
}

/// Counts for one block of queries.
struct Tally<'a> {
    squared: [&'a [f64]; 2],
    first: usize,
    of_queries: Vec<u32>,
    of_base: &'a [AtomicU32],
}

impl Meet for Tally<'_> {
    fn meet(&mut self, query: usize, base: usize, squared: f64) {
        self.of_queries[query - self.first] += u32::from(squared <= self.squared[0][query]);
        if squared <= self.squared[1][base] {
            // The order of threads cannot show in a sum of integers.
            self.of_base[base].fetch_add(1, Ordering::Relaxed);
        }
    }

    fn meet_unmeasured(
        &mut self,
        query: usize,
        base: usize,
        [of_query, of_base]: [bool; 2],
    ) -> bool {
        self.of_queries[query - self.first] += u32::from(of_query);
        if of_base {
            self.of_base[base].fetch_add(1, Ordering::Relaxed);
        }
        true
    }
}

/// ln x − ψ(x): by how much the logarithm of a Gamma(x) falls short of that of its mean.
pub(super) fn excess(x: f64) -> f64 {
    // Upwards by ψ(x) = ψ(x + 1) − 1/x, until eight terms of the asymptotic series are exact enough.
    let (mut at, mut steps) = (x, 0.0);
    while at < 12.0 {
        steps += at.recip();
        at += 1.0;
    }
    let y = (at * at).recip();
    let series = y
        * (1.0 / 12.0
            - y * (1.0 / 120.0
                - y * (1.0 / 252.0 - y * (1.0 / 240.0 - y * (1.0 / 132.0 - y * 691.0 / 32760.0)))));
    (x / at).ln() + steps + 0.5 / at + series
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::Stream;
    use ndarray::Array2;

    #[test]
    fn the_digamma_function_has_its_known_values() {
        let euler = 0.577_215_664_901_532_9;
        for (x, digamma) in [
            (1.0, -euler),
            (0.5, -euler - 2.0 * LN_2),
            (5.0, 25.0 / 12.0 - euler),
            (100.0, 4.600_161_852_738_087),
        ] {
            assert!((f64::ln(x) - excess(x) - digamma).abs() < 4e-15, "{x}");
        }
    }

    #[test]
    fn samples_far_apart_are_ln_2_apart_and_counts_of_ties_are_whole() {
        let control = Control::with_threads(2);
        let mut stream = Stream::new(23, "test", 0);
        let mut draw =
            |rows, shift| Array2::from_shape_simple_fn((rows, 17), || stream.normal() + shift);
        let (x, y) = (draw(70, 0.0), draw(50, 1e3));
        let js = |x: &Array2<f64>, y: &Array2<f64>, k| {
            let (x, y) = (Rows::from_f64(x.view()), Rows::from_f64(y.view()));
            knn_jensen_shannon(&x, &y, k, &control).unwrap()
        };
        assert!((js(&x, &y, 3) - LN_2).abs() < 1e-15);
        // One atom each, of all rows: the masses are equal.
        let (x, y) = (Array2::ones((9, 2)), Array2::ones((5, 2)));
        let found = f64::midpoint(term(8.0, 5.0, 9.0, 5.0), term(4.0, 9.0, 5.0, 9.0));
        let by_chance = f64::midpoint(expected(2, 9.0, 5.0), expected(2, 5.0, 9.0));
        let adjusted = LN_2 * (found - by_chance) / (LN_2 - by_chance);
        assert!((js(&x, &y, 2) - adjusted).abs() < 1e-15);
    }

    #[test]
    fn chance_is_the_mean_over_all_orders() {
        // Two other rows of X and three of Y in all 10 orders, k = 1: c is 0, 1, 2, 3 in 4, 3, 2, 1.
        let terms = [(0.0, 0.4), (1.0, 0.3), (2.0, 0.2), (3.0, 0.1)];
        let mean: f64 = terms.iter().map(|(c, share)| share * term(1.0, *c, 3.0, 3.0)).sum();
        assert!((expected(1, 3.0, 3.0) - mean).abs() < 1e-15);
        // All other rows of X are within: all of Y that are not last, c = 3 in 4 of 10.
        let terms = [(0.0, 0.1), (1.0, 0.2), (2.0, 0.3), (3.0, 0.4)];
        let mean: f64 = terms.iter().map(|(c, share)| share * term(2.0, *c, 3.0, 3.0)).sum();
        assert!((expected(2, 3.0, 3.0) - mean).abs() < 1e-15);
        // Probabilities that underflow do no harm.
        assert!(expected(1500, 1600.0, 90_000.0).abs() < 0.01);
    }
}
