//! One register of `f32` or `f64` on each instruction set, for the Gram tiles and the rotation.
//!
//! Unlike the lanes of `lanes`, whose count is part of a result's definition, these run over pairs or rows:
//! every lane belongs to another one, so the width shows in no value.

/// A register of several scalars.
///
/// # Safety
/// An implementation may use the instructions of its set in every method, so all of them must only
/// be called from code compiled for, and running on, a processor that has it.
pub(crate) unsafe trait Register: Copy {
    type Scalar: Copy;
    const LANES: usize;
    unsafe fn zero() -> Self;
    /// Reads [`Register::LANES`] values from `source`, which need not be aligned.
    unsafe fn load(source: *const Self::Scalar) -> Self;
    unsafe fn splat(value: Self::Scalar) -> Self;
    /// `self` + `x` · `y`, rounded once where the instruction set can.
    unsafe fn multiply_add(self, x: Self, y: Self) -> Self;
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    /// Writes [`Register::LANES`] values to `target`, which need not be aligned.
    unsafe fn store(self, target: *mut Self::Scalar);
}

/// Plain Rust; the product is rounded too, because the baseline has no fused instruction.
#[derive(Clone, Copy)]
pub(crate) struct Plain<T, const L: usize>([T; L]);

macro_rules! plain {
    ($scalar:ty, $lanes:literal) => {
        // SAFETY: uses no instruction beyond the baseline.
        unsafe impl Register for Plain<$scalar, $lanes> {
            type Scalar = $scalar;
            const LANES: usize = $lanes;
            #[inline(always)]
            unsafe fn zero() -> Self {
                Self([0.0; $lanes])
            }
            #[inline(always)]
            unsafe fn load(source: *const $scalar) -> Self {
                // SAFETY: the caller vouches for the readable values.
                Self(unsafe { source.cast::<[$scalar; $lanes]>().read_unaligned() })
            }
            #[inline(always)]
            unsafe fn splat(value: $scalar) -> Self {
                Self([value; $lanes])
            }
            #[inline(always)]
            unsafe fn multiply_add(self, x: Self, y: Self) -> Self {
                Self(std::array::from_fn(|l| self.0[l] + x.0[l] * y.0[l]))
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
            unsafe fn store(self, target: *mut $scalar) {
                // SAFETY: the caller vouches for the writable values.
                unsafe { target.cast::<[$scalar; $lanes]>().write_unaligned(self.0) };
            }
        }
    };
}

plain!(f32, 4);
plain!(f64, 2);

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{F32x8, F32x16, F64x4, F64x8};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Register;
    use std::arch::x86_64::{
        __m256, __m256d, __m512, __m512d, _mm256_add_pd, _mm256_add_ps, _mm256_fmadd_pd,
        _mm256_fmadd_ps, _mm256_loadu_pd, _mm256_loadu_ps, _mm256_mul_pd, _mm256_mul_ps,
        _mm256_set1_pd, _mm256_set1_ps, _mm256_setzero_pd, _mm256_setzero_ps, _mm256_storeu_pd,
        _mm256_storeu_ps, _mm256_sub_pd, _mm256_sub_ps, _mm512_add_pd, _mm512_add_ps,
        _mm512_fmadd_pd, _mm512_fmadd_ps, _mm512_loadu_pd, _mm512_loadu_ps, _mm512_mul_pd,
        _mm512_mul_ps, _mm512_set1_pd, _mm512_set1_ps, _mm512_setzero_pd, _mm512_setzero_ps,
        _mm512_storeu_pd, _mm512_storeu_ps, _mm512_sub_pd, _mm512_sub_ps,
    };

    macro_rules! register {
        (
            $(#[$note:meta])*
            $name:ident($inner:ty): $scalar:ty, $lanes:literal,
            $zero:ident, $load:ident, $splat:ident, $fused:ident, $add:ident, $sub:ident, $mul:ident, $store:ident
        ) => {
            $(#[$note])*
            #[derive(Clone, Copy)]
            pub(crate) struct $name($inner);

            // SAFETY: the trait's contract grants the instructions used here.
            unsafe impl Register for $name {
                type Scalar = $scalar;
                const LANES: usize = $lanes;
                #[inline(always)]
                unsafe fn zero() -> Self {
                    // SAFETY: as the trait says.
                    Self(unsafe { $zero() })
                }
                #[inline(always)]
                unsafe fn load(source: *const $scalar) -> Self {
                    // SAFETY: the caller vouches for the readable values; unaligned loads.
                    Self(unsafe { $load(source) })
                }
                #[inline(always)]
                unsafe fn splat(value: $scalar) -> Self {
                    // SAFETY: as the trait says.
                    Self(unsafe { $splat(value) })
                }
                #[inline(always)]
                unsafe fn multiply_add(self, x: Self, y: Self) -> Self {
                    // SAFETY: as the trait says.
                    Self(unsafe { $fused(x.0, y.0, self.0) })
                }
                #[inline(always)]
                unsafe fn add(self, other: Self) -> Self {
                    // SAFETY: as the trait says.
                    Self(unsafe { $add(self.0, other.0) })
                }
                #[inline(always)]
                unsafe fn sub(self, other: Self) -> Self {
                    // SAFETY: as the trait says.
                    Self(unsafe { $sub(self.0, other.0) })
                }
                #[inline(always)]
                unsafe fn mul(self, other: Self) -> Self {
                    // SAFETY: as the trait says.
                    Self(unsafe { $mul(self.0, other.0) })
                }
                #[inline(always)]
                unsafe fn store(self, target: *mut $scalar) {
                    // SAFETY: the caller vouches for the writable values; unaligned stores.
                    unsafe { $store(target, self.0) };
                }
            }
        };
    }

    register!(
        /// AVX2 with FMA.
        F32x8(__m256): f32, 8,
        _mm256_setzero_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_add_ps,
        _mm256_sub_ps, _mm256_mul_ps, _mm256_storeu_ps
    );
    register!(
        /// AVX2 with FMA.
        F64x4(__m256d): f64, 4,
        _mm256_setzero_pd, _mm256_loadu_pd, _mm256_set1_pd, _mm256_fmadd_pd, _mm256_add_pd,
        _mm256_sub_pd, _mm256_mul_pd, _mm256_storeu_pd
    );
    register!(
        /// AVX-512F.
        F32x16(__m512): f32, 16,
        _mm512_setzero_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_add_ps,
        _mm512_sub_ps, _mm512_mul_ps, _mm512_storeu_ps
    );
    register!(
        /// AVX-512F.
        F64x8(__m512d): f64, 8,
        _mm512_setzero_pd, _mm512_loadu_pd, _mm512_set1_pd, _mm512_fmadd_pd, _mm512_add_pd,
        _mm512_sub_pd, _mm512_mul_pd, _mm512_storeu_pd
    );
}
