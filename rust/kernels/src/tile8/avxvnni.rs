//! The integer tile on AVX-VNNI: the 256-bit `vpdpbusd` takes 32 products an instruction.
//!
//! As on AVX-512: 128 is added to the base codes and 128·Σc_x taken off at the start. The body takes the
//! dot-product instruction as an argument, so that a processor that has only its AVX-512 encoding can
//! test all but that one instruction.

use std::arch::x86_64::{
    __m256i, _mm256_dpbusd_avx_epi32, _mm256_loadu_si256, _mm256_set1_epi8, _mm256_set1_epi32,
    _mm256_setzero_si256, _mm256_xor_si256,
};

use super::avx2::spilled;
use super::{GROUP, GROUP_BYTES, PANEL, Sifted, Tile};

/// Queries that stand in registers at once.
const TALL: usize = 4;
/// Vectors of a base panel's group.
const HALVES: usize = 2;

/// As [`super::sift`].
///
/// # Safety
/// The processor must have AVX2 and AVX-VNNI, and the tile must have the sizes that [`super::sift`] checks.
#[target_feature(enable = "avx2,avxvnni")]
pub(super) unsafe fn sift(tile: &Tile<'_>, mutual: bool, sifted: &mut Sifted) {
    // SAFETY: as the caller vouches.
    unsafe { rows(tile, mutual, sifted, |sum, a, b| _mm256_dpbusd_avx_epi32(sum, a, b)) }
}

#[inline(always)]
#[allow(clippy::needless_range_loop)] // iterators keep the sums in memory
unsafe fn rows(
    tile: &Tile<'_>,
    mutual: bool,
    sifted: &mut Sifted,
    dot: impl Fn(__m256i, __m256i, __m256i) -> __m256i,
) {
    let (groups, length) = (tile.groups(), tile.query.len());
    for panel in 0..tile.base_tests.len() {
        for first in (0..PANEL).step_by(TALL) {
            // SAFETY: a group of a panel is 64 bytes, and there are `groups` of them in every panel; a
            // query's four codes lie within its group.
            unsafe {
                let shift = _mm256_set1_epi8(i8::MIN);
                let mut sums = [[_mm256_setzero_si256(); HALVES]; TALL];
                for q in 0..TALL {
                    sums[q] = [_mm256_set1_epi32(-128 * tile.query_test.sums[first + q]); HALVES];
                }
                let query = tile.query.as_ptr().add(first * GROUP);
                let base = tile.base.as_ptr().add(panel * length);
                for group in 0..groups {
                    let mut right = [shift; HALVES];
                    for half in 0..HALVES {
                        let codes = base.add(group * GROUP_BYTES + half * 32);
                        right[half] = _mm256_xor_si256(_mm256_loadu_si256(codes.cast()), shift);
                    }
                    for q in 0..TALL {
                        let codes = query.add(group * GROUP_BYTES + q * GROUP);
                        let left = _mm256_set1_epi32(codes.cast::<i32>().read_unaligned());
                        for half in 0..HALVES {
                            sums[q][half] = dot(sums[q][half], right[half], left);
                        }
                    }
                }
                for q in 0..TALL {
                    let dots = spilled(sums[q]);
                    tile.note(mutual, first + q, panel, &dots, sifted);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::arch::x86_64::_mm256_dpbusd_epi32;

    use super::super::{BaseTest, GROUP_BYTES, QueryTest, portable};
    use super::*;

    #[target_feature(enable = "avx2,avx512vl,avx512vnni")]
    unsafe fn by_the_other_encoding(tile: &Tile<'_>, mutual: bool, sifted: &mut Sifted) {
        // SAFETY: as the caller vouches.
        unsafe { rows(tile, mutual, sifted, |sum, a, b| _mm256_dpbusd_epi32(sum, a, b)) }
    }

    #[test]
    fn the_body_gives_what_portable_code_gives() {
        if !(std::arch::is_x86_feature_detected!("avx512vl")
            && std::arch::is_x86_feature_detected!("avx512vnni"))
        {
            return;
        }
        let codes = |count: usize, factor: usize| -> Vec<i8> {
            (0..count).map(|i| (i * factor % 255) as i8 ^ i8::MIN).map(|c| c.max(-127)).collect()
        };
        let (query, base) = (codes(9 * GROUP_BYTES, 7919), codes(18 * GROUP_BYTES, 104_729));
        let mut asks = QueryTest { p: [20_000.0; PANEL], ..QueryTest::default() };
        for (row, sum) in asks.sums.iter_mut().enumerate() {
            let groups = query.chunks_exact(GROUP_BYTES);
            let of_row = groups.flat_map(|group| &group[row * GROUP..][..GROUP]);
            *sum = of_row.map(|&code| i32::from(code)).sum();
        }
        let brings = [BaseTest { inverse: [1.0; PANEL], ..BaseTest::default() }; 2];
        let tile = Tile { query: &query, query_test: &asks, base: &base, base_tests: &brings };
        let mut sifted = [Sifted::default(), Sifted::default()];
        portable::sift(&tile, false, &mut sifted[0]);
        // SAFETY: the processor has the instructions, and the panels have their sizes.
        unsafe { by_the_other_encoding(&tile, false, &mut sifted[1]) };
        let count: u32 = sifted[0].kept.iter().map(|bits| bits.count_ones()).sum();
        assert!(count > 0 && count < 512);
        assert_eq!(sifted[1].kept, sifted[0].kept);
        assert_eq!(sifted[1].dots, sifted[0].dots);
    }
}
