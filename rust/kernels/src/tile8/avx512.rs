//! The integer tile on AVX-512 VNNI: `vpdpbusd` takes 64 products an instruction.
//!
//! Eight queries by up to three base panels stand in 24 registers. `vpdpbusd` multiplies an unsigned by a
//! signed byte, so 128 is added to the base codes (one exclusive or) and 128·Σc_x taken off at the start.

use std::arch::x86_64::{
    __m512i, _CMP_NLT_UQ, _mm512_cmp_ps_mask, _mm512_cvtepi32_ps, _mm512_dpbusd_epi32,
    _mm512_fmadd_ps, _mm512_load_ps, _mm512_loadu_si512, _mm512_min_ps, _mm512_mul_ps,
    _mm512_set1_epi8, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_si512, _mm512_storeu_si512,
    _mm512_xor_si512,
};

use super::{BaseTest, GROUP, GROUP_BYTES, Hit, PANEL, SPAN, Tile};

/// Queries that stand in registers at once.
const TALL: usize = 8;

/// As [`super::sift`].
///
/// # Safety
/// The processor must have AVX-512 F, BW and VNNI, and the tile must have the sizes that [`super::sift`]
/// checks.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) unsafe fn sift(tile: &Tile<'_>, mutual: bool, hits: &mut [Hit]) -> usize {
    // SAFETY: as the caller vouches.
    unsafe {
        match (tile.base_tests.len(), mutual) {
            (1, false) => rows::<1, false>(tile, hits),
            (2, false) => rows::<2, false>(tile, hits),
            (SPAN, false) => rows::<SPAN, false>(tile, hits),
            (1, true) => rows::<1, true>(tile, hits),
            (2, true) => rows::<2, true>(tile, hits),
            _ => rows::<SPAN, true>(tile, hits),
        }
    }
}

#[inline(always)]
#[allow(clippy::needless_range_loop)] // iterators keep the sums in memory
unsafe fn rows<const WIDE: usize, const MUTUAL: bool>(tile: &Tile<'_>, hits: &mut [Hit]) -> usize {
    let (groups, length) = (tile.groups(), tile.query.len());
    let mut count = 0;
    for first in [0, TALL] {
        // SAFETY: a group of every panel is 64 bytes, and there are `groups` of them in each of WIDE base
        // panels; a query's four codes lie within its group.
        unsafe {
            let query = tile.query.as_ptr().add(first * GROUP);
            let base = tile.base.as_ptr();
            let shift = _mm512_set1_epi8(i8::MIN);
            let mut sums = [[_mm512_setzero_si512(); WIDE]; TALL];
            for q in 0..TALL {
                let start = _mm512_set1_epi32(-128 * tile.query_test.sums[first + q]);
                for b in 0..WIDE {
                    sums[q][b] = start;
                }
            }
            for group in 0..groups {
                let mut right = [shift; WIDE];
                for b in 0..WIDE {
                    let codes = base.add(b * length + group * GROUP_BYTES);
                    right[b] = _mm512_xor_si512(_mm512_loadu_si512(codes.cast()), shift);
                }
                for q in 0..TALL {
                    let codes = query.add(group * GROUP_BYTES + q * GROUP);
                    let left = _mm512_set1_epi32(codes.cast::<i32>().read_unaligned());
                    for b in 0..WIDE {
                        sums[q][b] = _mm512_dpbusd_epi32(sums[q][b], right[b], left);
                    }
                }
            }
            // The lanes of all base panels that are kept, for each query.
            let mut masks = [0_u64; TALL];
            for q in 0..TALL {
                for b in 0..WIDE {
                    let mask = kept::<MUTUAL>(tile, first + q, &tile.base_tests[b], sums[q][b]);
                    masks[q] |= u64::from(mask) << (b * PANEL);
                }
            }
            // Mostly none is.
            if masks == [0; TALL] {
                continue;
            }
            for q in 0..TALL {
                if masks[q] != 0 {
                    count = collect(&sums[q], masks[q], first + q, hits, count);
                }
            }
        }
    }
    count
}

/// Adds the pairs of one query that are kept to `hits`, from `count` on.
#[inline(always)]
unsafe fn collect<const WIDE: usize>(
    sums: &[__m512i; WIDE],
    mut mask: u64,
    query: usize,
    hits: &mut [Hit],
    mut count: usize,
) -> usize {
    let mut dots = [0_i32; SPAN * PANEL];
    for (dots, &sum) in dots.chunks_exact_mut(PANEL).zip(sums) {
        // SAFETY: a chunk holds one vector; an unaligned store.
        unsafe { _mm512_storeu_si512(dots.as_mut_ptr().cast(), sum) };
    }
    while mask != 0 {
        let base = mask.trailing_zeros() as usize;
        mask &= mask - 1;
        hits[count] = Hit { dot: dots[base], query: query as u8, base: base as u8 };
        count += 1;
    }
    count
}

/// The lanes whose pair is kept.
#[inline(always)]
unsafe fn kept<const MUTUAL: bool>(
    tile: &Tile<'_>,
    query: usize,
    brings: &BaseTest,
    dots: __m512i,
) -> u16 {
    let asks = tile.query_test;
    // SAFETY: the tests are aligned to 64 bytes and so is each of their arrays.
    unsafe {
        let g = _mm512_set1_ps(asks.g[query]);
        let inverse = _mm512_load_ps(brings.inverse.as_ptr());
        let mut threshold = _mm512_mul_ps(g, _mm512_load_ps(brings.lift.as_ptr()));
        threshold = _mm512_fmadd_ps(_mm512_set1_ps(asks.p[query]), inverse, threshold);
        let spread = _mm512_load_ps(brings.spread.as_ptr());
        threshold = _mm512_fmadd_ps(_mm512_set1_ps(asks.r[query]), spread, threshold);
        if MUTUAL {
            let mut own = _mm512_mul_ps(g, _mm512_load_ps(brings.own_lift.as_ptr()));
            own = _mm512_fmadd_ps(_mm512_set1_ps(asks.q[query]), inverse, own);
            let spread = _mm512_load_ps(brings.own_spread.as_ptr());
            own = _mm512_fmadd_ps(_mm512_set1_ps(asks.e[query]), spread, own);
            threshold = _mm512_min_ps(threshold, own);
        }
        _mm512_cmp_ps_mask::<_CMP_NLT_UQ>(_mm512_cvtepi32_ps(dots), threshold)
    }
}
