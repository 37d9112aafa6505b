//! Hints that values will be read soon: they change nothing but the time that reading takes.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{_MM_HINT_T0, _MM_HINT_T1, _mm_prefetch};

/// Bytes of a cache line.
#[cfg(target_arch = "x86_64")]
const LINE: usize = 64;

/// Asks for the cache lines of `values`.
#[inline]
pub fn prefetch<T>(values: &[T]) {
    #[cfg(target_arch = "x86_64")]
    ask::<_MM_HINT_T0, T>(values);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = values;
}

/// Asks for the cache lines of `values` in the second-level cache: what is in use stays in the first.
#[inline]
pub fn prefetch_near<T>(values: &[T]) {
    #[cfg(target_arch = "x86_64")]
    ask::<_MM_HINT_T1, T>(values);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = values;
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn ask<const HINT: i32, T>(values: &[T]) {
    for offset in (0..size_of_val(values)).step_by(LINE) {
        // SAFETY: a prefetch reads nothing and never faults, and the address lies within the slice.
        unsafe { _mm_prefetch::<HINT>(values.as_ptr().cast::<i8>().add(offset)) };
    }
}
