//! Eight `f64` lanes on each instruction set.
//!
//! Sums over columns run in eight lanes (column `j` goes to lane `j mod 8`) that are added up in one
//! fixed tree at the end. The lane count is part of the result's definition, not of the hardware:
//! AVX2 holds the eight lanes in two registers, portable code in an array, and all give the same
//! bits. For the same reason there is no fused multiply-add here: the baseline has none.

/// Lanes of one accumulator; panels are padded with zeros to a multiple of it.
pub const LANES: usize = 8;

/// Eight lanes of `f64`.
///
/// # Safety
/// An implementation may use the instructions of its set in every method, so all of them must only
/// be called from code compiled for, and running on, a processor that has it.
pub(crate) unsafe trait Lanes: Copy {
    unsafe fn zero() -> Self;
    /// Reads eight values from `source`, which need not be aligned.
    unsafe fn load(source: *const f64) -> Self;
    /// Reads eight values from `source`, which need not be aligned, as `f64`.
    unsafe fn widen(source: *const f32) -> Self;
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    unsafe fn to_array(self) -> [f64; LANES];
}

/// Adds the lanes up in the one fixed order.
#[inline(always)]
pub(crate) fn total(lanes: [f64; LANES]) -> f64 {
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

#[derive(Clone, Copy)]
pub(crate) struct Portable([f64; LANES]);

// SAFETY: uses no instruction beyond the baseline.
unsafe impl Lanes for Portable {
    #[inline(always)]
    unsafe fn zero() -> Self {
        Self([0.0; LANES])
    }
    #[inline(always)]
    unsafe fn load(source: *const f64) -> Self {
        // SAFETY: the caller vouches for eight readable values.
        Self(unsafe { source.cast::<[f64; LANES]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn widen(source: *const f32) -> Self {
        // SAFETY: the caller vouches for eight readable values.
        Self(unsafe { source.cast::<[f32; LANES]>().read_unaligned() }.map(f64::from))
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Self(std::array::from_fn(|l| self.0[l] + other.0[l]))
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        Self(std::array::from_fn(|l| self.0[l] - other.0[l]))
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        Self(std::array::from_fn(|l| self.0[l] * other.0[l]))
    }
    #[inline(always)]
    unsafe fn to_array(self) -> [f64; LANES] {
        self.0
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{LANES, Lanes};
    use std::arch::x86_64::{
        __m256d, __m512d, _mm_loadu_ps, _mm256_add_pd, _mm256_cvtps_pd, _mm256_loadu_pd,
        _mm256_loadu_ps, _mm256_mul_pd, _mm256_setzero_pd, _mm256_storeu_pd, _mm256_sub_pd,
        _mm512_add_pd, _mm512_cvtps_pd, _mm512_loadu_pd, _mm512_mul_pd, _mm512_setzero_pd,
        _mm512_storeu_pd, _mm512_sub_pd,
    };

    #[derive(Clone, Copy)]
    pub(crate) struct Avx2(__m256d, __m256d);

    // SAFETY: the trait's contract grants the AVX instructions used here.
    unsafe impl Lanes for Avx2 {
        #[inline(always)]
        unsafe fn zero() -> Self {
            // SAFETY: as the trait says.
            unsafe { Self(_mm256_setzero_pd(), _mm256_setzero_pd()) }
        }
        #[inline(always)]
        unsafe fn load(source: *const f64) -> Self {
            // SAFETY: the caller vouches for eight readable values; unaligned loads.
            unsafe { Self(_mm256_loadu_pd(source), _mm256_loadu_pd(source.add(4))) }
        }
        #[inline(always)]
        unsafe fn widen(source: *const f32) -> Self {
            // SAFETY: the caller vouches for eight readable values; unaligned loads.
            unsafe {
                let (low, high) = (_mm_loadu_ps(source), _mm_loadu_ps(source.add(4)));
                Self(_mm256_cvtps_pd(low), _mm256_cvtps_pd(high))
            }
        }
        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            // SAFETY: as the trait says.
            unsafe { Self(_mm256_add_pd(self.0, other.0), _mm256_add_pd(self.1, other.1)) }
        }
        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            // SAFETY: as the trait says.
            unsafe { Self(_mm256_sub_pd(self.0, other.0), _mm256_sub_pd(self.1, other.1)) }
        }
        #[inline(always)]
        unsafe fn mul(self, other: Self) -> Self {
            // SAFETY: as the trait says.
            unsafe { Self(_mm256_mul_pd(self.0, other.0), _mm256_mul_pd(self.1, other.1)) }
        }
        #[inline(always)]
        unsafe fn to_array(self) -> [f64; LANES] {
            let mut lanes = [0.0; LANES];
            // SAFETY: the array holds eight values; unaligned stores.
            unsafe {
                _mm256_storeu_pd(lanes.as_mut_ptr(), self.0);
                _mm256_storeu_pd(lanes.as_mut_ptr().add(4), self.1);
            }
            lanes
        }
    }

    #[derive(Clone, Copy)]
    pub(crate) struct Avx512(__m512d);

    // SAFETY: the trait's contract grants the AVX-512F instructions used here.
    unsafe impl Lanes for Avx512 {
        #[inline(always)]
        unsafe fn zero() -> Self {
            // SAFETY: as the trait says.
            unsafe { Self(_mm512_setzero_pd()) }
        }
        #[inline(always)]
        unsafe fn load(source: *const f64) -> Self {
            // SAFETY: the caller vouches for eight readable values; unaligned load.
            unsafe { Self(_mm512_loadu_pd(source)) }
        }
        #[inline(always)]
        unsafe fn widen(source: *const f32) -> Self {
            // SAFETY: the caller vouches for eight readable values; unaligned load.
            unsafe { Self(_mm512_cvtps_pd(_mm256_loadu_ps(source))) }
        }
        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            // SAFETY: as the trait says.
            unsafe { Self(_mm512_add_pd(self.0, other.0)) }
        }
        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            // SAFETY: as the trait says.
            unsafe { Self(_mm512_sub_pd(self.0, other.0)) }
        }
        #[inline(always)]
        unsafe fn mul(self, other: Self) -> Self {
            // SAFETY: as the trait says.
            unsafe { Self(_mm512_mul_pd(self.0, other.0)) }
        }
        #[inline(always)]
        unsafe fn to_array(self) -> [f64; LANES] {
            let mut lanes = [0.0; LANES];
            // SAFETY: the array holds eight values; unaligned store.
            unsafe { _mm512_storeu_pd(lanes.as_mut_ptr(), self.0) };
            lanes
        }
    }
}
