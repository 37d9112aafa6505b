//! Weighted sums of one row of half-precision values, without writing it out as `f64` first.
//!
//! Level 0. The same bits as `weighted_sum` and `weighted_bits` of the values as `f64`. For the bits that
//! needs no 64-bit product: an `f64` that came from an `f16` has ten binary digits behind its
//! exponent, so that its bits are h·2⁴² with h < 2²², and Σ bits·c = (Σ h·c mod 2²²)·2⁴². Of
//! `f32` bits b ≠ ±0, h is b >> 13 with 896 added to the exponent and the sign moved up.
//! Cost: a conversion, two products and two sums for each value of a sum, in vectors of sixteen.

use crate::isa::Isa;
use crate::weigh::{LANES, add_lanes};

/// The bits that a sum of `half_bits` is made of.
const KEPT: u32 = (1 << 22) - 1;

macro_rules! dispatched {
    ($(#[$doc:meta])* $name:ident(&[$factor:ty]) -> $out:ty) => {
        $(#[$doc])*
        ///
        /// # Panics
        /// If the lengths differ, or the processor lacks the instruction set.
        #[must_use]
        pub fn $name(isa: Isa, values: &[u16], factors: &[$factor]) -> $out {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,f16c")]
            fn avx2(values: &[u16], factors: &[$factor]) -> $out {
                // SAFETY: this function is compiled for AVX2 and F16C.
                each::$name(values, factors, |halves| unsafe { x86::convert_avx2(halves) })
            }

            assert_eq!(values.len(), factors.len(), "one factor for each value");
            assert!(isa.is_available(), "this processor has no {isa}");
            match isa.vectors() {
                #[cfg(target_arch = "x86_64")]
                // SAFETY: the processor has AVX-512F and VL, as was just asserted.
                Isa::Avx512 => unsafe { avx512::$name(values, factors) },
                #[cfg(target_arch = "x86_64")]
                Isa::Avx2 | Isa::AvxVnni if std::arch::is_x86_feature_detected!("f16c") => {
                    // SAFETY: the processor has AVX2, as was just asserted, and F16C.
                    unsafe { avx2(values, factors) }
                }
                _ => each::$name(values, factors, each::convert),
            }
        }
    };
}

dispatched! {
    /// Σ xⱼ·wⱼ of values given by their bits.
    half_sum(&[f64]) -> f64
}

dispatched! {
    /// Σ bits(xⱼ + 0)·cⱼ modulo 2⁶⁴, of finite values given by their bits as `f16`, with bits(x) those of
    /// x as `f64`; of the factors the lower 22 bits count, the others may be anything.
    half_bits(&[u32]) -> u64
}

mod each {
    use super::{KEPT, LANES, add_lanes};

    /// As `f32`, which is exact: a smaller exponent field is scaled up, so that subnormals come right.
    #[inline(always)]
    pub(super) fn convert(halves: &[u16; LANES]) -> [f32; LANES] {
        const SCALE: f32 = f32::from_bits((127 + 112) << 23);
        const INFINITE: u32 = 0x7c00 << 13;
        let mut values = [0.0; LANES];
        for (value, &half) in values.iter_mut().zip(halves) {
            let rest = u32::from(half & 0x7fff) << 13;
            let scaled = (f32::from_bits(rest) * SCALE).to_bits();
            let infinite = if rest >= INFINITE { 0x7f80_0000 } else { 0 };
            *value = f32::from_bits(scaled | infinite | (u32::from(half & 0x8000) << 16));
        }
        values
    }

    #[inline(always)]
    pub(super) fn half_sum(
        values: &[u16],
        factors: &[f64],
        convert: impl Fn(&[u16; LANES]) -> [f32; LANES],
    ) -> f64 {
        let mut lanes = [0.0; LANES];
        let (heads, tail) = values.as_chunks::<LANES>();
        let (others, other_tail) = factors.as_chunks::<LANES>();
        for (halves, w) in heads.iter().zip(others) {
            let x = convert(halves);
            for ((lane, x), w) in lanes.iter_mut().zip(x).zip(w) {
                *lane += f64::from(x) * w;
            }
        }
        finish_sum(lanes, tail, other_tail)
    }

    /// Adds what is left of a row, and the lanes.
    #[inline(always)]
    pub(super) fn finish_sum(mut lanes: [f64; LANES], tail: &[u16], factors: &[f64]) -> f64 {
        if !tail.is_empty() {
            for ((lane, x), w) in lanes.iter_mut().zip(convert(&padded(tail))).zip(factors) {
                *lane += f64::from(x) * w;
            }
        }
        add_lanes(lanes)
    }

    #[inline(always)]
    pub(super) fn half_bits(
        values: &[u16],
        factors: &[u32],
        convert: impl Fn(&[u16; LANES]) -> [f32; LANES],
    ) -> u64 {
        let mut lanes = [0_u32; LANES];
        let (heads, tail) = values.as_chunks::<LANES>();
        let (others, other_tail) = factors.as_chunks::<LANES>();
        for (halves, c) in heads.iter().zip(others) {
            let x = convert(halves);
            for ((lane, x), c) in lanes.iter_mut().zip(x).zip(c) {
                *lane = lane.wrapping_add(upper_bits(x).wrapping_mul(*c));
            }
        }
        finish_bits(lanes, tail, other_tail)
    }

    /// Adds what is left of a row, and the lanes.
    #[inline(always)]
    pub(super) fn finish_bits(lanes: [u32; LANES], tail: &[u16], factors: &[u32]) -> u64 {
        let mut sum = lanes.iter().fold(0_u32, |sum, lane| sum.wrapping_add(*lane));
        if !tail.is_empty() {
            for (x, c) in convert(&padded(tail)).into_iter().zip(factors) {
                sum = sum.wrapping_add(upper_bits(x).wrapping_mul(*c));
            }
        }
        u64::from(sum & KEPT) << 42
    }

    /// Bits 42 to 63 of x + 0 as `f64`, for an `f32` that an `f16` is exact for.
    #[inline(always)]
    fn upper_bits(x: f32) -> u32 {
        let bits = x.to_bits();
        let (sign, rest) = ((bits >> 10) & (1 << 21), (bits >> 13) & 0x3_ffff);
        if bits << 1 == 0 { 0 } else { rest + (896 << 10) + sign }
    }

    fn padded(tail: &[u16]) -> [u16; LANES] {
        let mut halves = [0; LANES];
        halves[..tail.len()].copy_from_slice(tail);
        halves
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::LANES;
    use std::arch::x86_64::{_mm_loadu_si128, _mm256_cvtph_ps, _mm256_storeu_ps};

    /// # Safety
    /// Must be inlined into code that is compiled for, and runs on, a processor with AVX2 and F16C.
    #[inline(always)]
    pub(super) unsafe fn convert_avx2(halves: &[u16; LANES]) -> [f32; LANES] {
        let mut values = [0.0; LANES];
        for half in [0, LANES / 2] {
            // SAFETY: both arrays hold eight values from there on; unaligned load and store.
            unsafe {
                let loaded = _mm_loadu_si128(halves.as_ptr().add(half).cast());
                _mm256_storeu_ps(values.as_mut_ptr().add(half), _mm256_cvtph_ps(loaded));
            }
        }
        values
    }
}

/// Written out, since the compiler takes half of what a vector holds.
#[cfg(target_arch = "x86_64")]
mod avx512 {
    use super::{LANES, each};
    use std::arch::x86_64::{
        __m512, __m512i, _mm256_castpd_ps, _mm256_loadu_si256, _mm512_add_epi32, _mm512_add_pd,
        _mm512_and_si512, _mm512_castps_pd, _mm512_castps_si512, _mm512_castps512_ps256,
        _mm512_cvtph_ps, _mm512_cvtps_pd, _mm512_extractf64x4_pd, _mm512_loadu_pd,
        _mm512_loadu_si512, _mm512_maskz_add_epi32, _mm512_mul_pd, _mm512_mullo_epi32,
        _mm512_or_si512, _mm512_set1_epi32, _mm512_setzero_pd, _mm512_setzero_si512,
        _mm512_srli_epi32, _mm512_storeu_pd, _mm512_storeu_si512, _mm512_test_epi32_mask,
    };

    #[target_feature(enable = "avx512f,avx512vl")]
    pub(super) fn half_sum(values: &[u16], factors: &[f64]) -> f64 {
        let (heads, tail) = values.as_chunks::<LANES>();
        let (others, other_tail) = factors.as_chunks::<LANES>();
        let (mut low, mut high) = (_mm512_setzero_pd(), _mm512_setzero_pd());
        for (halves, w) in heads.iter().zip(others) {
            let x = load(halves);
            let upper = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(x)));
            // SAFETY: the array holds sixteen weights; unaligned loads.
            let (first, second) =
                unsafe { (_mm512_loadu_pd(w.as_ptr()), _mm512_loadu_pd(w.as_ptr().add(8))) };
            // Not fused: the other instruction sets round the product, too.
            let of_low = _mm512_mul_pd(_mm512_cvtps_pd(_mm512_castps512_ps256(x)), first);
            low = _mm512_add_pd(low, of_low);
            high = _mm512_add_pd(high, _mm512_mul_pd(_mm512_cvtps_pd(upper), second));
        }
        let mut lanes = [0.0; LANES];
        // SAFETY: the array holds sixteen values; unaligned stores.
        unsafe {
            _mm512_storeu_pd(lanes.as_mut_ptr(), low);
            _mm512_storeu_pd(lanes.as_mut_ptr().add(8), high);
        }
        each::finish_sum(lanes, tail, other_tail)
    }

    #[target_feature(enable = "avx512f,avx512vl")]
    pub(super) fn half_bits(values: &[u16], factors: &[u32]) -> u64 {
        let (heads, tail) = values.as_chunks::<LANES>();
        let (others, other_tail) = factors.as_chunks::<LANES>();
        let mut sums = _mm512_setzero_si512();
        for (halves, c) in heads.iter().zip(others) {
            // SAFETY: the array holds sixteen factors; unaligned load.
            let factors = unsafe { _mm512_loadu_si512(c.as_ptr().cast()) };
            let products = _mm512_mullo_epi32(upper_bits(load(halves)), factors);
            sums = _mm512_add_epi32(sums, products);
        }
        let mut lanes = [0; LANES];
        // SAFETY: the array holds sixteen values; unaligned store.
        unsafe { _mm512_storeu_si512(lanes.as_mut_ptr().cast(), sums) };
        each::finish_bits(lanes, tail, other_tail)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512vl")]
    fn load(halves: &[u16; LANES]) -> __m512 {
        // SAFETY: the array holds sixteen values; unaligned load.
        _mm512_cvtph_ps(unsafe { _mm256_loadu_si256(halves.as_ptr().cast()) })
    }

    /// As `each::upper_bits`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512vl")]
    fn upper_bits(x: __m512) -> __m512i {
        let bits = _mm512_castps_si512(x);
        let sign = _mm512_and_si512(_mm512_srli_epi32::<10>(bits), _mm512_set1_epi32(1 << 21));
        let rest = _mm512_and_si512(_mm512_srli_epi32::<13>(bits), _mm512_set1_epi32(0x3_ffff));
        let is_some = _mm512_test_epi32_mask(bits, _mm512_set1_epi32(i32::MAX));
        _mm512_maskz_add_epi32(is_some, _mm512_or_si512(sign, rest), _mm512_set1_epi32(896 << 10))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw;
    use crate::weigh::{weighted_bits, weighted_sum};

    /// An `f16` by its definition.
    fn value(half: u16) -> f64 {
        let (exponent, fraction) = (i32::from(half >> 10 & 31), f64::from(half & 1023));
        let size = if exponent == 0 {
            fraction * 2_f64.powi(-24)
        } else {
            (1024.0 + fraction) * 2_f64.powi(exponent - 25)
        };
        if half >> 15 == 1 { -size } else { size }
    }

    fn finite() -> Vec<u16> {
        (0..=u16::MAX).filter(|half| half >> 10 & 31 != 31).collect()
    }

    #[test]
    fn the_bits_of_every_finite_value_count_as_those_of_f64() {
        for isa in Isa::available() {
            for half in finite() {
                for factor in [1_u64, 0x9e37_79b9_7f4a_7c15] {
                    let exact = weighted_bits(Isa::Portable, &[value(half)], &[factor]);
                    assert_eq!(half_bits(isa, &[half], &[factor as u32]), exact, "{half:#x}");
                }
            }
        }
    }

    #[test]
    fn every_instruction_set_gives_the_bits_of_the_sums_of_f64() {
        let all = finite();
        for length in (0..70).chain([512, 1000]) {
            // A step that is prime to their number mixes signs, zeros and subnormals.
            let halves: Vec<u16> = (0..length).map(|j| all[j * 7919 % all.len()]).collect();
            let values: Vec<f64> = halves.iter().copied().map(value).collect();
            let weights = draw::values(length, 7);
            let factors: Vec<u64> = weights.iter().map(|w| w.to_bits() | 1).collect();
            let lower: Vec<u32> = factors.iter().map(|&c| c as u32).collect();
            let sum = weighted_sum(Isa::Portable, &values, &weights);
            let bits = weighted_bits(Isa::Portable, &values, &factors);
            for isa in Isa::available() {
                assert_eq!(half_sum(isa, &halves, &weights).to_bits(), sum.to_bits());
                assert_eq!(half_bits(isa, &halves, &lower), bits);
            }
        }
    }

    #[test]
    fn infinities_and_nan_show_in_the_sum() {
        for isa in Isa::available() {
            for (half, nan) in [(0x7c00, false), (0xfc00, false), (0x7e00, true), (0x7c01, true)] {
                for place in [0, 15, 16, 20] {
                    let mut halves = [0x3c00; 21];
                    halves[place] = half;
                    let sum = half_sum(isa, &halves, &[0.5; 21]);
                    assert!(if nan { sum.is_nan() } else { sum.is_infinite() });
                }
            }
        }
    }
}
