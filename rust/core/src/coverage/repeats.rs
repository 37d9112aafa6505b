//! How much equal rows keep to one sample, and what that does to a tail. Level 3.
//!
//! A test of who is in a tail takes rows for independent. Copies of rows of their own sample are not: they
//! are in the tail together, so that the number of rows of a sample there varies by more. Equal rows of a
//! discrete distribution are independent, and are of one sample as often as any two rows are. Fisher's
//! intraclass correlation ρ of what sample a row is of, over groups of equal rows, tells them apart: 0 where
//! equal rows are independent, 1 where each group is of one sample. Of a tail in which groups of s rows are by
//! a share w, the variance is that of independent rows times the design effect (Kish, 1965)
//!
//! 1 + ρ·Σw²s(s − 1) / Σw²s.
//!
//! ρ is estimated from the rows outside the tail, as a tail that was lost would be taken for copies, and counts
//! only if it is more than [`CLEAR`] standard deviations from 0: else the test stays exact. It is estimated for
//! groups of 2 or 3 rows, of 4 to 7, and so on, each for itself: copies come in a few, while values that many
//! rows share by chance come in large groups, outside the tail more often than in it.
//!
//! Equal rows are found by a 64-bit hash of their values (see [`crate::hashes`] for its errors).
//! Cost: one pass over the rows, 16 bytes for each.

use rayon::prelude::*;

use super::edge::Edge;
use crate::control::Control;
use crate::error::Result;
use crate::hashes::hash_of_values;
use crate::rows::Rows;

/// Standard deviations from which on equal rows are not independent.
const CLEAR: f64 = 4.0;

/// Rows hashed between two looks at the caller's wish to stop.
const BLOCK: usize = 1024;

/// Rows that are equal, two or more.
pub(crate) struct Repeat {
    /// How many are of the reference and of the candidate.
    rows: [usize; 2],
    /// How rare each of them is.
    rarity: f64,
}

/// Groups of 2 or 3 equal rows, of 4 to 7, and so on.
#[derive(Clone, Copy, Default)]
struct Class {
    /// Pairs of equal rows outside the tail.
    pairs: f64,
    /// The sum, over these pairs, of the products of the deviations of their labels.
    products: f64,
    /// Σw²s(s − 1) of the groups in the tail.
    together: f64,
}

impl Class {
    /// ρ, where the variance of a label is `chance`.
    fn correlation(&self, chance: f64) -> f64 {
        // Pairs of independent labels are uncorrelated, whatever group they are of.
        let clear = self.products > CLEAR * chance * self.pairs.sqrt();
        if clear { (self.products / (chance * self.pairs)).min(1.0) } else { 0.0 }
    }
}

/// The hash of each row of two samples with the sample and the row, equal rows one after the other.
pub(crate) fn sorted_hashes(
    samples: [&Rows<'_>; 2],
    control: &Control,
) -> Result<Vec<(u64, u8, u32)>> {
    let mut hashes: Vec<(u64, u8, u32)> = Vec::new();
    for (sample, rows) in samples.into_iter().enumerate() {
        let of_block = |block: usize| {
            control.check()?;
            let (mut row, mut bytes) = (vec![0.0; rows.columns()], Vec::new());
            let of = |index: usize| {
                rows.read(index, &mut row);
                (hash_of_values(&row, &mut bytes), sample as u8, index as u32)
            };
            let range = block * BLOCK..((block + 1) * BLOCK).min(rows.len());
            Ok(range.map(of).collect::<Vec<_>>())
        };
        let blocks: Result<Vec<_>> =
            control.run(|| (0..rows.len().div_ceil(BLOCK)).into_par_iter().map(of_block).collect());
        hashes.extend(blocks?.into_iter().flatten());
    }
    control.run(|| hashes.par_sort_unstable());
    Ok(hashes)
}

/// Groups of two and more equal rows among sorted hashes.
pub(crate) fn equal_rows(hashes: &[(u64, u8, u32)]) -> impl Iterator<Item = &[(u64, u8, u32)]> {
    hashes.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1)
}

/// The groups of equal rows of two samples of `sizes` rows.
pub(crate) struct Repeats {
    sizes: [usize; 2],
    groups: Vec<Repeat>,
}

impl Repeats {
    /// Looks for them in a pooled sample, in which `rarity_of` a sample and a row is known.
    pub(crate) fn of(
        samples: [&Rows<'_>; 2],
        rarity_of: impl Fn(usize, usize) -> f64,
        control: &Control,
    ) -> Result<Self> {
        let hashes = sorted_hashes(samples, control)?;
        let equal = equal_rows(&hashes);
        let groups = equal.map(|group| {
            let candidate = group.iter().filter(|member| member.1 == 1).count();
            let (_, sample, row) = group[0];
            Repeat {
                rows: [group.len() - candidate, candidate],
                rarity: rarity_of(sample.into(), row as usize),
            }
        });
        Ok(Self { sizes: samples.map(Rows::len), groups: groups.collect() })
    }

    /// By how much the variance of the rows of a sample in the tail exceeds that of independent rows.
    pub(crate) fn design_effect(&self, edge: &Edge) -> f64 {
        let [n, m] = self.sizes.map(|size| size as f64);
        let chance = (n / (n + m)) * (m / (n + m));
        let inside = edge.count(0, 1);
        let mut classes = [Class::default(); usize::BITS as usize];
        for group in &self.groups {
            let [a, c] = group.rows.map(|rows| rows as f64);
            let size = a + c;
            let class = &mut classes[group.rows.iter().sum::<usize>().ilog2() as usize];
            if group.rarity < edge.value {
                // Unchanged to the bit when the samples change places.
                let deviation = (c * n - a * m) / (n + m);
                let own = (c * (n * n) + a * (m * m)) / ((n + m) * (n + m));
                class.pairs += size * (size - 1.0) / 2.0;
                class.products += (deviation * deviation - own) / 2.0;
            } else {
                let share = if group.rarity > edge.value { 1.0 } else { inside };
                class.together += share * share * size * (size - 1.0);
            }
        }
        // Σw²s of all rows in the tail.
        let rows = edge.beyond as f64 + inside * inside * edge.tied as f64;
        classes
            .iter()
            .fold(1.0, |effect, class| effect + class.correlation(chance) * class.together / rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effect(sizes: [usize; 2], groups: &[([usize; 2], f64)], edge: &Edge) -> f64 {
        let groups = groups.iter().map(|&(rows, rarity)| Repeat { rows, rarity }).collect();
        Repeats { sizes, groups }.design_effect(edge)
    }

    #[test]
    fn pairs_of_one_sample_double_the_variance_and_pairs_of_both_do_not() {
        // 40 pairs outside a tail of 10 pairs: s(s − 1)/s = 1.
        let edge = Edge { value: 1.0, places: 20, beyond: 18, tied: 2 };
        let pairs = |of: fn(usize) -> [usize; 2]| {
            let rarity = |group: usize| if group < 40 { 0.5 } else { 2.0 };
            (0..49).map(|i| (of(i), rarity(i))).chain([(of(49), 1.0)]).collect::<Vec<_>>()
        };
        let own = pairs(|i| if i % 2 == 0 { [2, 0] } else { [0, 2] });
        assert_eq!(effect([50, 50], &own, &edge), 2.0);
        let both = pairs(|_| [1, 1]);
        assert_eq!(effect([50, 50], &both, &edge), 1.0);
        // As chance would have it: a quarter, a half and a quarter.
        let any = pairs(|i| [[2, 0], [1, 1], [1, 1], [0, 2]][i % 4]);
        assert_eq!(effect([50, 50], &any, &edge), 1.0);
        // Half of them copies, and half as chance would have it.
        let of = [[2, 0], [0, 2], [2, 0], [0, 2], [2, 0], [1, 1], [1, 1], [0, 2]];
        let rarity = |group: usize| if group < 80 { 0.5 } else { 2.0 - (group / 89) as f64 };
        let half: Vec<_> = (0..90).map(|i| (of[i % 8], rarity(i))).collect();
        assert_eq!(effect([90, 90], &half, &edge), 1.5);
        // Large groups, which are of both samples, say nothing of pairs, which are copies.
        let large: Vec<_> = own.iter().copied().chain([([300, 300], 0.5); 3]).collect();
        assert_eq!(effect([950, 950], &large, &edge), 2.0);
        // A tail that one sample has lost is no sign of copies.
        let lost: Vec<_> = own.iter().map(|&(rows, rarity)| (rows, rarity + 1.0)).collect();
        assert_eq!(effect([50, 50], &lost, &edge), 1.0);
    }

    #[test]
    fn equal_rows_are_found_in_both_samples() {
        let x = ndarray::array![[1.0, 2.0], [0.0, 3.0], [5.0, 5.0]];
        let y = ndarray::array![[-0.0, 3.0], [1.0, 2.0], [1.0, 2.0], [7.0, 7.0]];
        let (x, y) = (Rows::from_f64(x.view()), Rows::from_f64(y.view()));
        let rarity = |sample: usize, row: usize| (10 * sample + row) as f64;
        let found = Repeats::of([&x, &y], rarity, &Control::with_threads(2)).unwrap();
        let mut groups: Vec<_> = found.groups.iter().map(|g| (g.rows, g.rarity)).collect();
        groups.sort_by(|a, b| a.1.total_cmp(&b.1));
        assert_eq!(groups, [([1, 2], 0.0), ([1, 1], 1.0)]);
    }
}
