//! Values of a narrower type as `f64`: exact, so that every way of doing it gives the same.

/// Writes `values` to `out`.
///
/// # Panics
/// If the lengths differ.
pub fn widen(values: &[f32], out: &mut [f64]) {
    assert_eq!(values.len(), out.len(), "one place per value");
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx512f") {
        // SAFETY: the processor has AVX-512F.
        return unsafe { widen_avx512(values, out) };
    }
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2.
        return unsafe { widen_avx2(values, out) };
    }
    each(values, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn widen_avx512(values: &[f32], out: &mut [f64]) {
    each(values, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn widen_avx2(values: &[f32], out: &mut [f64]) {
    each(values, out);
}

#[inline(always)]
fn each(values: &[f32], out: &mut [f64]) {
    for (slot, &value) in out.iter_mut().zip(values) {
        *slot = f64::from(value);
    }
}

#[cfg(test)]
mod tests {
    use super::widen;

    #[test]
    fn every_length_is_exact() {
        let values: Vec<f32> = (0..70_u8).map(|i| (f32::from(i) - 35.0) / 3.0).collect();
        for length in 0..70 {
            let mut out = vec![0.0; length];
            widen(&values[..length], &mut out);
            assert!(out.iter().zip(&values).all(|(&wide, &value)| wide == f64::from(value)));
        }
    }
}
