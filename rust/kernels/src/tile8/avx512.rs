//! The integer tile on AVX-512 VNNI: `vpdpbusd` takes 64 products an instruction.
//!
//! Eight queries by up to three base panels stand in 24 registers. `vpdpbusd` multiplies an unsigned by a
//! signed byte, so 128 is added to the base codes (one exclusive or) and 128·Σc_x taken off at the start.

use std::arch::x86_64::{
    __m512, __m512i, _CMP_NLT_UQ, _mm512_cmp_ps_mask, _mm512_cvtepi32_ps, _mm512_dpbusd_epi32,
    _mm512_fmadd_ps, _mm512_load_ps, _mm512_loadu_si512, _mm512_min_ps, _mm512_mul_ps,
    _mm512_set1_epi8, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_si512, _mm512_storeu_si512,
    _mm512_xor_si512,
};

use super::{BaseTest, GROUP, GROUP_BYTES, PANEL, QueryTest, SPAN, Sifted, Tile};

/// Queries that stand in registers at once.
const TALL: usize = 8;

/// A loop written out: what is indexed by its counter stays in registers.
macro_rules! unrolled {
    ($counter:ident in $($value:literal)* $body:block) => {
        $({
            #[allow(non_upper_case_globals)]
            const $counter: usize = $value;
            $body
        })*
    };
}

/// As [`super::sift`].
///
/// # Safety
/// The processor must have AVX-512 F, BW and VNNI, and the tile must have the sizes that [`super::sift`]
/// checks.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) unsafe fn sift(tile: &Tile<'_>, mutual: bool, sifted: &mut Sifted) {
    // SAFETY: as the caller vouches.
    unsafe {
        match (tile.base_tests.len(), mutual) {
            (1, false) => rows::<1, false>(tile, sifted),
            (2, false) => rows::<2, false>(tile, sifted),
            (SPAN, false) => rows::<SPAN, false>(tile, sifted),
            (1, true) => rows::<1, true>(tile, sifted),
            (2, true) => rows::<2, true>(tile, sifted),
            _ => rows::<SPAN, true>(tile, sifted),
        }
    }
}

#[inline(always)]
#[allow(clippy::needless_range_loop)] // iterators keep the sums in memory
unsafe fn rows<const WIDE: usize, const MUTUAL: bool>(tile: &Tile<'_>, sifted: &mut Sifted) {
    let (groups, length) = (tile.groups(), tile.query.len());
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
            let mut kept = [0_u64; TALL];
            for b in 0..WIDE {
                let brings = Brings::<MUTUAL>::load(&tile.base_tests[b]);
                unrolled!(q in 0 1 2 3 4 5 6 7 {
                    let lanes = brings.kept(tile.query_test, first + q, sums[q][b]);
                    kept[q] |= u64::from(lanes) << (b * PANEL);
                });
            }
            unrolled!(q in 0 1 2 3 4 5 6 7 {
                sifted.kept[first + q] = kept[q];
                for b in 0..WIDE {
                    let dots = sifted.dots[first + q].as_mut_ptr().add(b * PANEL);
                    _mm512_storeu_si512(dots.cast(), sums[q][b]);
                }
            });
        }
    }
}

/// Says which pairs are kept, of products that stand in memory.
///
/// # Safety
/// The processor must have AVX-512 F, BW and VNNI.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) unsafe fn decide(
    asks: &QueryTest,
    base_tests: &[BaseTest],
    mutual: bool,
    sifted: &mut Sifted,
) {
    // SAFETY: as the caller vouches.
    unsafe {
        if mutual {
            decide_by::<true>(asks, base_tests, sifted);
        } else {
            decide_by::<false>(asks, base_tests, sifted);
        }
    }
}

#[inline(always)]
unsafe fn decide_by<const MUTUAL: bool>(
    asks: &QueryTest,
    base_tests: &[BaseTest],
    sifted: &mut Sifted,
) {
    let mut kept = [[0_u64; SPAN]; PANEL];
    for (panel, test) in base_tests.iter().take(SPAN).enumerate() {
        // SAFETY: as the caller vouches; a row of products has room for SPAN panels.
        unsafe {
            let brings = Brings::<MUTUAL>::load(test);
            unrolled!(q in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 {
                let dots = sifted.dots[q].as_ptr().add(panel * PANEL);
                let lanes = brings.kept(asks, q, _mm512_loadu_si512(dots.cast()));
                kept[q][panel] = u64::from(lanes) << (panel * PANEL);
            });
        }
    }
    unrolled!(q in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 {
        sifted.kept[q] = kept[q][0] | kept[q][1] | kept[q][2];
    });
}

/// What the rows of a base panel bring, in registers.
struct Brings<const MUTUAL: bool> {
    inverse: __m512,
    lift: __m512,
    spread: __m512,
    own_lift: __m512,
    own_spread: __m512,
}

impl<const MUTUAL: bool> Brings<MUTUAL> {
    #[inline(always)]
    unsafe fn load(test: &BaseTest) -> Self {
        // SAFETY: a test is aligned to 64 bytes and so is each of its arrays.
        unsafe {
            Self {
                inverse: _mm512_load_ps(test.inverse.as_ptr()),
                lift: _mm512_load_ps(test.lift.as_ptr()),
                spread: _mm512_load_ps(test.spread.as_ptr()),
                own_lift: _mm512_load_ps(test.own_lift.as_ptr()),
                own_spread: _mm512_load_ps(test.own_spread.as_ptr()),
            }
        }
    }

    /// The lanes whose pair with a query is kept.
    #[inline(always)]
    unsafe fn kept(&self, asks: &QueryTest, query: usize, dots: __m512i) -> u16 {
        // SAFETY: as the caller vouches.
        unsafe {
            let g = _mm512_set1_ps(asks.g[query]);
            let mut threshold = _mm512_mul_ps(g, self.lift);
            threshold = _mm512_fmadd_ps(_mm512_set1_ps(asks.p[query]), self.inverse, threshold);
            threshold = _mm512_fmadd_ps(_mm512_set1_ps(asks.r[query]), self.spread, threshold);
            if MUTUAL {
                let mut own = _mm512_mul_ps(g, self.own_lift);
                own = _mm512_fmadd_ps(_mm512_set1_ps(asks.q[query]), self.inverse, own);
                own = _mm512_fmadd_ps(_mm512_set1_ps(asks.e[query]), self.own_spread, own);
                threshold = _mm512_min_ps(threshold, own);
            }
            _mm512_cmp_ps_mask::<_CMP_NLT_UQ>(_mm512_cvtepi32_ps(dots), threshold)
        }
    }
}
