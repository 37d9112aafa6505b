//! The integer tile on AVX2: `vpmaddubsw` takes 32 products an instruction.
//!
//! It multiplies an unsigned by a signed byte and adds neighbours in 16 bits with saturation. With │c_x│
//! and sign(c_x)·c_y both within ±127 a sum of two is at most 32,258, so nothing ever saturates.

use std::arch::x86_64::{
    __m256i, _mm256_abs_epi8, _mm256_add_epi32, _mm256_loadu_si256, _mm256_madd_epi16,
    _mm256_maddubs_epi16, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_setzero_si256,
    _mm256_sign_epi8, _mm256_storeu_si256,
};

use super::{GROUP, GROUP_BYTES, PANEL, Sifted, Tile};

/// Queries that stand in registers at once.
const TALL: usize = 4;
/// Vectors of a base panel's group.
const HALVES: usize = 2;

/// As [`super::sift`].
///
/// # Safety
/// The processor must have AVX2, and the tile must have the sizes that [`super::sift`] checks.
#[target_feature(enable = "avx2")]
#[allow(clippy::needless_range_loop)] // iterators keep the sums in memory
pub(super) unsafe fn sift(tile: &Tile<'_>, mutual: bool, sifted: &mut Sifted) {
    let (groups, length) = (tile.groups(), tile.query.len());
    let ones = _mm256_set1_epi16(1);
    for panel in 0..tile.base_tests.len() {
        for first in (0..PANEL).step_by(TALL) {
            let mut sums = [[_mm256_setzero_si256(); HALVES]; TALL];
            // SAFETY: a group of a panel is 64 bytes, and there are `groups` of them in every panel; a
            // query's four codes lie within its group.
            unsafe {
                let query = tile.query.as_ptr().add(first * GROUP);
                let base = tile.base.as_ptr().add(panel * length);
                for group in 0..groups {
                    let mut right = [ones; HALVES];
                    for half in 0..HALVES {
                        let codes = base.add(group * GROUP_BYTES + half * 32);
                        right[half] = _mm256_loadu_si256(codes.cast());
                    }
                    for q in 0..TALL {
                        let codes = query.add(group * GROUP_BYTES + q * GROUP);
                        let left = _mm256_set1_epi32(codes.cast::<i32>().read_unaligned());
                        let magnitude = _mm256_abs_epi8(left);
                        for half in 0..HALVES {
                            let signed = _mm256_sign_epi8(right[half], left);
                            let pairs = _mm256_maddubs_epi16(magnitude, signed);
                            let fours = _mm256_madd_epi16(pairs, ones);
                            sums[q][half] = _mm256_add_epi32(sums[q][half], fours);
                        }
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

/// The sums of one query with a panel.
#[inline(always)]
pub(super) fn spilled(sums: [__m256i; HALVES]) -> [i32; PANEL] {
    let mut dots = [0_i32; PANEL];
    let (low, high) = dots.split_at_mut(PANEL / 2);
    // SAFETY: each half of the array holds one vector; unaligned stores.
    unsafe {
        _mm256_storeu_si256(low.as_mut_ptr().cast(), sums[0]);
        _mm256_storeu_si256(high.as_mut_ptr().cast(), sums[1]);
    }
    dots
}
