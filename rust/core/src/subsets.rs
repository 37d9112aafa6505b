//! Subsets of the rows of one sample: the whole, and random halves of it. Level 1.
//!
//! A half-sample replicate is a metric recomputed on a random half, drawn without replacement, of each
//! sample: copies of a row, which a bootstrap would make, are each other's neighbours and would ruin
//! every neighbour-based metric. Rows are dealt to [`GROUPS`] groups and a half is half of the groups,
//! so that membership of all subsets fits one word per row and group-wise sums serve every half.

use crate::streams::Stream;

/// Groups that the rows are dealt to.
pub const GROUPS: usize = 32;
/// Halves that fit a word beside the whole.
pub const MOST_HALVES: usize = 31;

/// Membership of each row in each subset; subset 0 is the whole sample.
#[derive(Clone, Debug)]
pub struct Subsets {
    masks: Vec<u32>,
    sizes: Vec<usize>,
    halves: Vec<[bool; GROUPS]>,
}

impl Subsets {
    /// The whole sample of `rows` rows and nothing else.
    #[must_use]
    pub fn whole(rows: usize) -> Self {
        Self { masks: vec![1; rows], sizes: vec![rows], halves: Vec::new() }
    }

    /// The whole and `count` random halves, drawn for sample number `sample` under `seed`.
    ///
    /// Row `i` is in group `i mod GROUPS`: the rows must come in random order.
    ///
    /// # Panics
    /// If `count` exceeds [`MOST_HALVES`].
    #[must_use]
    pub fn halves(rows: usize, count: usize, seed: u64, sample: u64) -> Self {
        Self::of_halves(
            rows,
            (0..count as u64).map(|half| random_half(seed, sample, half)).collect(),
        )
    }

    /// The whole and `count` random three-quarter samples.
    #[must_use]
    pub fn three_quarters(rows: usize, count: usize, seed: u64, sample: u64) -> Self {
        let part = |part: u64| {
            random_groups(seed, "three-quarter-sample", sample << 32 | part, GROUPS * 3 / 4)
        };
        Self::of_halves(rows, (0..count as u64).map(part).collect())
    }

    /// As [`Subsets::halves`], but every second half is the complement of the one before it, so that what
    /// is odd and what is even in the sampling error can be told apart.
    #[must_use]
    pub fn complementary_halves(rows: usize, count: usize, seed: u64, sample: u64) -> Self {
        let half = |index: u64| {
            let first = random_half(seed, sample, index / 2);
            if index.is_multiple_of(2) { first } else { first.map(|chosen| !chosen) }
        };
        Self::of_halves(rows, (0..count as u64).map(half).collect())
    }

    fn of_halves(rows: usize, halves: Vec<[bool; GROUPS]>) -> Self {
        let count = halves.len();
        assert!(count <= MOST_HALVES, "{count} halves");
        let of_group: [u32; GROUPS] = std::array::from_fn(|group| {
            halves
                .iter()
                .enumerate()
                .fold(1, |mask, (half, chosen)| mask | u32::from(chosen[group]) << (half + 1))
        });
        let masks: Vec<u32> = (0..rows).map(|row| of_group[row % GROUPS]).collect();
        let sizes = (0..=count)
            .map(|subset| masks.iter().filter(|&&mask| mask >> subset & 1 == 1).count())
            .collect();
        Self { masks, sizes, halves }
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
    pub fn mask(&self, row: usize) -> u32 {
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
        subset == 0 || self.halves[subset - 1][group]
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
pub(crate) fn bits(mut mask: u32) -> impl Iterator<Item = usize> {
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
    fn three_quarters_hold_three_quarters() {
        let subsets = Subsets::three_quarters(320, 30, 7, 1);
        assert!((1..31).all(|subset| subsets.size(subset) == 240));
        assert_ne!(subsets.mask(0), Subsets::three_quarters(320, 30, 8, 1).mask(0));
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
    fn bits_are_listed_in_order() {
        assert_eq!(bits(0b1001_0110).collect::<Vec<_>>(), [1, 2, 4, 7]);
        assert_eq!(bits(0).count(), 0);
    }
}
