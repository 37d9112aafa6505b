//! Numbers for the tests.

/// A small generator of values in (-1, 1), enough for arithmetic tests.
pub(crate) fn values(count: usize, mut state: u64) -> Vec<f64> {
    std::iter::repeat_with(|| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    })
    .take(count)
    .collect()
}
