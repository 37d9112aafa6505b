//! The integer tile on 64-bit ARM: `smull` and `sadalp`, which every such processor has.
//!
//! Products of bytes in ±127 are added in pairs within 16 bits (at most 32,258) before they are widened.

use std::arch::aarch64::{
    int32x4_t, vaddq_s32, vdupq_n_s32, vget_high_s8, vget_low_s8, vld1q_s8, vmull_s8, vpaddlq_s16,
    vpaddq_s32, vreinterpretq_s8_s32, vst1q_s32,
};

use super::{GROUP, GROUP_BYTES, PANEL, Sifted, Tile};

/// Queries that stand in registers at once.
const TALL: usize = 4;
/// Vectors of a base panel's group.
const QUARTERS: usize = 4;

/// As [`super::sift`].
///
/// # Safety
/// The tile must have the sizes that [`super::sift`] checks.
#[target_feature(enable = "neon")]
#[allow(clippy::needless_range_loop)] // iterators keep the sums in memory
pub(super) unsafe fn sift(tile: &Tile<'_>, mutual: bool, sifted: &mut Sifted) {
    let (groups, length) = (tile.groups(), tile.query.len());
    for panel in 0..tile.base_tests.len() {
        for first in (0..PANEL).step_by(TALL) {
            let mut sums: [[int32x4_t; QUARTERS]; TALL] = [[vdupq_n_s32(0); QUARTERS]; TALL];
            // SAFETY: a group of a panel is 64 bytes, and there are `groups` of them in every panel; a
            // query's four codes lie within its group.
            unsafe {
                let query = tile.query.as_ptr().add(first * GROUP);
                let base = tile.base.as_ptr().add(panel * length);
                for group in 0..groups {
                    for q in 0..TALL {
                        let codes = query.add(group * GROUP_BYTES + q * GROUP);
                        let left = vdupq_n_s32(codes.cast::<i32>().read_unaligned());
                        let left = vreinterpretq_s8_s32(left);
                        for quarter in 0..QUARTERS {
                            let codes = base.add(group * GROUP_BYTES + quarter * 16);
                            let right = vld1q_s8(codes);
                            let low = vmull_s8(vget_low_s8(left), vget_low_s8(right));
                            let high = vmull_s8(vget_high_s8(left), vget_high_s8(right));
                            let fours = vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high));
                            sums[q][quarter] = vaddq_s32(sums[q][quarter], fours);
                        }
                    }
                }
            }
            for q in 0..TALL {
                let mut dots = [0_i32; PANEL];
                for quarter in 0..QUARTERS {
                    // SAFETY: four values of the array stand behind the pointer.
                    unsafe { vst1q_s32(dots[quarter * 4..].as_mut_ptr(), sums[q][quarter]) };
                }
                tile.note(mutual, first + q, panel, &dots, sifted);
            }
        }
    }
}
