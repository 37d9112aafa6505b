//! Subsets of the rows of one sample: the whole, and random parts of it. Level 1.
//!
//! A half-sample replicate is a metric recomputed on a random half, drawn without replacement, of each
//! sample: copies of a row, which a bootstrap would make, are each other's neighbours and would ruin
//! every neighbour-based metric. Rows are dealt to [`GROUPS`] groups and a half is half of the groups,
//! so that membership of all subsets fits one word per row and group-wise sums serve every half.

use crate::streams::Stream;

/// Groups that the rows are dealt to.
pub const GROUPS: usize = 32;
/// Parts that fit a word beside the whole.
pub const MOST_PARTS: usize = 63;

/// Membership of each row in each subset; subset 0 is the whole sample.
#[derive(Clone, Debug)]
pub struct Subsets {
    masks: Vec<u64>,
    sizes: Vec<usize>,
    parts: Vec<[bool; GROUPS]>,
}

impl Subsets {
    /// The whole sample of `rows` rows and nothing else.
    #[must_use]
    pub fn whole(rows: usize) -> Self {
        Self { masks: vec![1; rows], sizes: vec![rows], parts: Vec::new() }
    }

    /// The whole and `count` random halves, drawn for sample number `sample` under `seed`.
    ///
    /// Row `i` is in group `i mod GROUPS`: the rows must come in random order.
    ///
    /// # Panics
    /// If `count` exceeds [`MOST_PARTS`].
    #[must_use]
    pub fn halves(rows: usize, count: usize, seed: u64, sample: u64) -> Self {
        let half = |half: u64| random_half(seed, sample, half);
        Self::of_parts(rows, (0..count as u64).map(half).collect())
    }

    /// The whole, the same halves, and after them `count` random three-quarter samples.
    ///
    /// # Panics
    /// If twice `count` exceeds [`MOST_PARTS`].
    #[must_use]
    pub fn halves_and_three_quarters(rows: usize, count: usize, seed: u64, sample: u64) -> Self {
        let half = |half: u64| random_half(seed, sample, half);
        let three_quarters = |part: u64| {
            random_groups(seed, "three-quarter-sample", sample << 32 | part, GROUPS * 3 / 4)
        };
        let parts = 0..count as u64;
        Self::of_parts(rows, parts.clone().map(half).chain(parts.map(three_quarters)).collect())
    }

    /// As [`Subsets::halves`], but every second half is the complement of the one before it, so that what
    /// is odd and what is even in the sampling error can be told apart.
    #[must_use]
    pub fn complementary_halves(rows: usize, count: usize, seed: u64, sample: u64) -> Self {
        let half = |index: u64| {
            let first = random_half(seed, sample, index / 2);
            if index.is_multiple_of(2) { first } else { first.map(|chosen| !chosen) }
        };
        Self::of_parts(rows, (0..count as u64).map(half).collect())
    }

    /// The whole, and after it the parts of random cuts of the groups: for each `(parts, cuts)` as many cuts
    /// into as many parts, the parts of a cut one after the other.
    ///
    /// # Panics
    /// If there are more than [`MOST_PARTS`] parts in all.
    #[must_use]
    pub fn partitions(rows: usize, repeats: &[(usize, usize)], seed: u64, sample: u64) -> Self {
        let mut all = Vec::new();
        for &(parts, cuts) in repeats {
            for cut in 0..cuts {
                let index = sample << 32 | (parts as u64) << 16 | cut as u64;
                let order = Stream::new(seed, "partition", index).sample(GROUPS, GROUPS);
                let first = all.len();
                all.resize(first + parts, [false; GROUPS]);
                for (place, group) in order.into_iter().enumerate() {
                    all[first + place % parts][group] = true;
                }
            }
        }
        Self::of_parts(rows, all)
    }

    fn of_parts(rows: usize, parts: Vec<[bool; GROUPS]>) -> Self {
        let count = parts.len();
        assert!(count <= MOST_PARTS, "{count} parts");
        let of_group: [u64; GROUPS] = std::array::from_fn(|group| {
            let add = |mask, (part, chosen): (usize, &[bool; GROUPS])| {
                mask | u64::from(chosen[group]) << (part + 1)
            };
            parts.iter().enumerate().fold(1, add)
        });
        let masks: Vec<u64> = (0..rows).map(|row| of_group[row % GROUPS]).collect();
        let sizes = (0..=count)
            .map(|subset| masks.iter().filter(|&&mask| mask >> subset & 1 == 1).count())
            .collect();
        Self { masks, sizes, parts }
    }

    /// Number of subsets, the whole included.
    #[must_use]
    pub fn count(&self) -> usize {
        self.sizes.len()
    }

    /// Rows in `subset`.
    #[must_use]
    pub fn size(&self, subset: usize) -> usize {
        self.sizes[subset]
    }

    /// Rows in the smallest subset.
    #[must_use]
    pub fn smallest(&self) -> usize {
        self.sizes.iter().copied().min().unwrap_or(0)
    }

    /// The subsets that `row` belongs to, a bit each.
    #[must_use]
    pub fn mask(&self, row: usize) -> u64 {
        self.masks[row]
    }

    /// The rows of `subset`, ascending.
    pub fn members(&self, subset: usize) -> impl Iterator<Item = usize> + '_ {
        self.masks
            .iter()
            .enumerate()
            .filter(move |(_, mask)| **mask >> subset & 1 == 1)
            .map(|(row, _)| row)
    }

    /// Whether group `group` belongs to `subset`.
    #[must_use]
    pub fn has_group(&self, subset: usize, group: usize) -> bool {
        subset == 0 || self.parts[subset - 1][group]
    }

    /// The share of all groups that belong to `subset`.
    #[must_use]
    pub fn share_of_groups(&self, subset: usize) -> f64 {
        let groups = (0..GROUPS).filter(|&group| self.has_group(subset, group)).count();
        groups as f64 / GROUPS as f64
    }
}

fn random_half(seed: u64, sample: u64, half: u64) -> [bool; GROUPS] {
    random_groups(seed, "half-sample", sample << 32 | half, GROUPS / 2)
}

fn random_groups(seed: u64, purpose: &str, index: u64, count: usize) -> [bool; GROUPS] {
    let mut chosen = [false; GROUPS];
    for group in Stream::new(seed, purpose, index).sample(GROUPS, count) {
        chosen[group] = true;
    }
    chosen
}

/// The positions of the set bits of `mask`, ascending.
pub(crate) fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        (mask != 0).then(|| {
            let bit = mask.trailing_zeros() as usize;
            mask &= mask - 1;
            bit
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_hold_half_of_the_groups_and_the_whole_everything() {
        let subsets = Subsets::halves(320, 30, 7, 1);
        assert_eq!((subsets.count(), subsets.size(0), subsets.smallest()), (31, 320, 160));
        for subset in 1..31 {
            assert_eq!(subsets.size(subset), 160);
            assert!(subsets.members(subset).all(|row| subsets.has_group(subset, row % GROUPS)));
        }
        let other = Subsets::halves(320, 30, 7, 2);
        assert!((0..320).any(|row| subsets.mask(row) != other.mask(row)));
    }

    #[test]
    fn three_quarters_hold_three_quarters_and_follow_the_halves() {
        let subsets = Subsets::halves_and_three_quarters(320, 30, 7, 1);
        let halves = Subsets::halves(320, 30, 7, 1);
        assert_eq!(subsets.count(), 61);
        assert!((31..61).all(|subset| subsets.size(subset) == 240));
        let below = (1 << 31) - 1;
        assert!((0..320).all(|row| subsets.mask(row) & below == halves.mask(row)));
        let other = Subsets::halves_and_three_quarters(320, 30, 8, 1);
        assert!((0..320).any(|row| subsets.mask(row) >> 31 != other.mask(row) >> 31));
    }

    #[test]
    fn complementary_halves_share_no_row_and_miss_none() {
        let subsets = Subsets::complementary_halves(100, 30, 7, 1);
        for row in 0..100 {
            for pair in 0..15 {
                let (first, second) = (
                    subsets.mask(row) >> (2 * pair + 1) & 1,
                    subsets.mask(row) >> (2 * pair + 2) & 1,
                );
                assert_eq!(first + second, 1);
            }
        }
    }

    #[test]
    fn the_parts_of_a_cut_share_no_row_and_miss_none() {
        let subsets = Subsets::partitions(100, &[(2, 2), (3, 1)], 7, 1);
        assert_eq!(subsets.count(), 8);
        let mut first = 1;
        for parts in [2, 2, 3] {
            let mask = ((1 << parts) - 1) << first;
            assert!((0..100).all(|row| (subsets.mask(row) & mask).is_power_of_two()));
            let shares: f64 = (first..first + parts).map(|s| subsets.share_of_groups(s)).sum();
            assert_eq!(shares, 1.0);
            first += parts;
        }
        let cut = |cut: u32| (0..100).map(move |row| (row, cut));
        assert!(cut(1).zip(cut(3)).any(|((row, a), (_, b))| {
            subsets.mask(row) >> a & 1 != subsets.mask(row) >> b & 1
        }));
    }

    #[test]
    fn bits_are_listed_in_order() {
        assert_eq!(bits(0b1001_0110).collect::<Vec<_>>(), [1, 2, 4, 7]);
        assert_eq!(bits(0).count(), 0);
    }
}
