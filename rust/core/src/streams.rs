//! Named streams of random numbers. Level 0.
//!
//! A stream is `ChaCha8` keyed by (seed, purpose, index): what is drawn for one purpose never depends
//! on what another purpose drew, nor on threads.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// One stream of random numbers.
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream of `purpose` number `index` under `seed`.
    #[must_use]
    pub fn new(seed: u64, purpose: &str, index: u64) -> Self {
        let mut key = [0_u8; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&index.to_le_bytes());
        // Two FNV-1a hashes (different starts) of the purpose: 128 bits keep purposes apart.
        for (start, slot) in [(0xcbf2_9ce4_8422_2325_u64, 16), (0x9ae1_6a3b_2f90_404f, 24)] {
            let hash = purpose
                .bytes()
                .fold(start, |h, byte| (h ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
            key[slot..slot + 8].copy_from_slice(&hash.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// A uniform integer below `bound` (Lemire's method, unbiased).
    ///
    /// # Panics
    /// If `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "an empty range");
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let wide = u128::from(self.0.next_u64()) * u128::from(bound);
            if wide as u64 >= threshold {
                return (wide >> 64) as u64;
            }
        }
    }

    /// A uniform number in [0, 1) with 53 random bits.
    pub fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A standard normal number (Marsaglia's polar method, the second of each pair unused).
    pub fn normal(&mut self) -> f64 {
        loop {
            let (u, v) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = u * u + v * v;
            if square > 0.0 && square < 1.0 {
                return u * (-2.0 * square.ln() / square).sqrt();
            }
        }
    }

    /// `size` different integers below `count` in random order (a partial Fisher–Yates shuffle).
    ///
    /// # Panics
    /// If `size` exceeds `count`.
    pub fn sample(&mut self, count: usize, size: usize) -> Vec<usize> {
        assert!(size <= count, "{size} of {count}");
        let mut values: Vec<usize> = (0..count).collect();
        for i in 0..size {
            let j = i + self.below((count - i) as u64) as usize;
            values.swap(i, j);
        }
        values.truncate(size);
        values
    }
}

#[cfg(test)]
mod tests {
    use super::Stream;

    #[test]
    fn streams_repeat_and_differ_by_each_part_of_the_key() {
        let draw = |seed, purpose, index| {
            let mut stream = Stream::new(seed, purpose, index);
            (0..8).map(|_| stream.below(1 << 40)).collect::<Vec<_>>()
        };
        let first = draw(1, "split", 0);
        assert_eq!(first, draw(1, "split", 0));
        for other in [draw(2, "split", 0), draw(1, "split", 1), draw(1, "directions", 0)] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn samples_are_distinct_and_uniform() {
        let mut counts = [0_u32; 10];
        for index in 0..20_000 {
            let sample = Stream::new(3, "test", index).sample(10, 3);
            assert!(sample[0] != sample[1] && sample[1] != sample[2] && sample[0] != sample[2]);
            for value in sample {
                counts[value] += 1;
            }
        }
        // Each count is binomial(20 000, 0.3): sd 64.8, bound z = 4.
        assert!(
            counts.iter().all(|&count| (f64::from(count) - 6_000.0).abs() < 4.0 * 64.8),
            "{counts:?}"
        );
    }

    #[test]
    fn normal_numbers_have_unit_variance() {
        let mut stream = Stream::new(5, "test", 0);
        let draws: Vec<f64> = (0..40_000).map(|_| stream.normal()).collect();
        let mean = draws.iter().sum::<f64>() / 40_000.0;
        let variance = draws.iter().map(|x| x * x).sum::<f64>() / 40_000.0;
        // sd of the mean 0.005, of the variance √(2/40 000) = 0.00707; bound z = 4.
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.0283, "{mean} {variance}");
    }
}
