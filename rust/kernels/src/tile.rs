//! Tiles: every row of one small panel against every row of another, in `f64`.
//!
//! | kernel | value | `NumPy` |
//! |---|---|---|
//! | [`squared_distances`] | Σ(x−y)² | `((x[:, None] - y[None]) ** 2).sum(-1)` |
//! | [`dot_products`] | Σxy | `x @ y.T` |
//!
//! Panels are row-major with `stride` values per row, padded with zeros to a multiple of [`LANES`].
//! Each value is summed in the fixed order of `lanes`, so it depends on its two rows alone: not on
//! the tile it stands in, the instruction set or the thread. Cost: 3 (2) operations per pair and
//! column; registers hold 4 × 4 pairs on AVX-512 and 2 × 2 elsewhere.

use crate::Isa;
#[cfg(target_arch = "x86_64")]
use crate::lanes::{Avx2, Avx512};
use crate::lanes::{LANES, Lanes, Portable, total};

/// Writes Σ(x−y)² of `queries` row `i` and `base` row `j` to `out[i * rows(base) + j]`.
///
/// # Panics
/// If a panel is not a whole number of rows of `stride` values, `stride` is not a multiple of
/// [`LANES`], `out` has another length, or the processor lacks `isa`.
pub fn squared_distances(isa: Isa, queries: &[f64], base: &[f64], stride: usize, out: &mut [f64]) {
    dispatch::<SquaredDistance>(isa, queries, base, stride, out);
}

/// Writes Σxy of `queries` row `i` and `base` row `j` to `out[i * rows(base) + j]`.
///
/// # Panics
/// As [`squared_distances`].
pub fn dot_products(isa: Isa, queries: &[f64], base: &[f64], stride: usize, out: &mut [f64]) {
    dispatch::<Dot>(isa, queries, base, stride, out);
}

/// What is summed over the columns.
trait Term {
    /// # Safety
    /// As [`Lanes`].
    unsafe fn accumulate<V: Lanes>(sum: V, x: V, y: V) -> V;
}

struct SquaredDistance;
struct Dot;

impl Term for SquaredDistance {
    #[inline(always)]
    unsafe fn accumulate<V: Lanes>(sum: V, x: V, y: V) -> V {
        // SAFETY: the caller's promise is passed on.
        unsafe {
            let difference = x.sub(y);
            sum.add(difference.mul(difference))
        }
    }
}

impl Term for Dot {
    #[inline(always)]
    unsafe fn accumulate<V: Lanes>(sum: V, x: V, y: V) -> V {
        // SAFETY: the caller's promise is passed on.
        unsafe { sum.add(x.mul(y)) }
    }
}

fn dispatch<T: Term>(isa: Isa, queries: &[f64], base: &[f64], stride: usize, out: &mut [f64]) {
    assert!(
        stride > 0 && stride.is_multiple_of(LANES),
        "stride {stride} is not a multiple of {LANES}"
    );
    assert!(
        queries.len().is_multiple_of(stride) && base.len().is_multiple_of(stride),
        "ragged panel"
    );
    assert_eq!(out.len(), (queries.len() / stride) * (base.len() / stride), "output size");
    assert!(isa.is_available(), "this processor has no {isa}");
    match isa.vectors() {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has AVX2; the panels were measured above.
        Isa::Avx2 | Isa::AvxVnni => unsafe { panels_avx2::<T>(queries, base, stride, out) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has AVX-512F; the panels were measured above.
        Isa::Avx512 => unsafe { panels_avx512::<T>(queries, base, stride, out) },
        // NEON too: the compiler's own code, without contraction.
        // SAFETY: portable lanes need nothing; the panels were measured above.
        _ => unsafe { panels::<Portable, T, 2, 2>(queries, base, stride, out) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn panels_avx2<T: Term>(queries: &[f64], base: &[f64], stride: usize, out: &mut [f64]) {
    // SAFETY: compiled with AVX2; the caller vouches for the processor and the panels.
    unsafe { panels::<Avx2, T, 2, 2>(queries, base, stride, out) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn panels_avx512<T: Term>(queries: &[f64], base: &[f64], stride: usize, out: &mut [f64]) {
    // SAFETY: compiled with AVX-512F; the caller vouches for the processor and the panels.
    unsafe { panels::<Avx512, T, 4, 4>(queries, base, stride, out) }
}

/// Walks the two panels in blocks of `Q` × `B` pairs, single rows at the edges.
#[inline(always)]
unsafe fn panels<V: Lanes, T: Term, const Q: usize, const B: usize>(
    queries: &[f64],
    base: &[f64],
    stride: usize,
    out: &mut [f64],
) {
    let (n, m) = (queries.len() / stride, base.len() / stride);
    let mut i = 0;
    while i < n {
        let tall = i + Q <= n;
        let mut j = 0;
        while j < m {
            let wide = j + B <= m;
            // SAFETY: the blocks stay inside the panels by the two tests above.
            unsafe {
                match (tall, wide) {
                    (true, true) => block::<V, T, Q, B>(queries, base, stride, i, j, m, out),
                    (true, false) => block::<V, T, Q, 1>(queries, base, stride, i, j, m, out),
                    (false, true) => block::<V, T, 1, B>(queries, base, stride, i, j, m, out),
                    (false, false) => block::<V, T, 1, 1>(queries, base, stride, i, j, m, out),
                }
            }
            j += if wide { B } else { 1 };
        }
        i += if tall { Q } else { 1 };
    }
}

#[inline(always)]
#[allow(clippy::too_many_arguments, clippy::needless_range_loop)] // see the comment on index loops below
unsafe fn block<V: Lanes, T: Term, const Q: usize, const B: usize>(
    queries: &[f64],
    base: &[f64],
    stride: usize,
    i: usize,
    j: usize,
    m: usize,
    out: &mut [f64],
) {
    debug_assert!((i + Q) * stride <= queries.len() && (j + B) * stride <= base.len());
    // SAFETY: rows i..i+Q and j..j+B exist, so every offset below stays inside its panel.
    unsafe {
        let (x, y) = (queries.as_ptr().add(i * stride), base.as_ptr().add(j * stride));
        let mut sums = [[V::zero(); B]; Q];
        let mut column = 0;
        // Plain index loops: iterators and closures keep the sums in memory or lose the instruction set.
        while column < stride {
            let mut right = [V::zero(); B];
            for b in 0..B {
                right[b] = V::load(y.add(b * stride + column));
            }
            for q in 0..Q {
                let left = V::load(x.add(q * stride + column));
                for b in 0..B {
                    sums[q][b] = T::accumulate(sums[q][b], left, right[b]);
                }
            }
            column += LANES;
        }
        for q in 0..Q {
            for b in 0..B {
                out[(i + q) * m + j + b] = total(sums[q][b].to_array());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Isa, LANES, dot_products, squared_distances};
    use crate::draw::values;

    #[test]
    fn every_instruction_set_gives_the_bits_of_the_portable_one() {
        for (n, m, chunks) in [(1, 1, 1), (4, 4, 3), (5, 7, 2), (9, 13, 8), (3, 2, 97)] {
            let stride = chunks * LANES;
            let (x, y) = (values(n * stride, 1), values(m * stride, 2));
            let mut reference = vec![0.0; n * m];
            let mut out = vec![0.0; n * m];
            for kernel in [squared_distances, dot_products] {
                kernel(Isa::Portable, &x, &y, stride, &mut reference);
                for isa in Isa::available() {
                    kernel(isa, &x, &y, stride, &mut out);
                    assert_eq!(out, reference, "{isa} at {n} x {m} x {stride}");
                }
            }
        }
    }

    #[test]
    fn values_match_the_plain_double_loop() {
        let (n, m, stride) = (6, 5, 24);
        let (x, y) = (values(n * stride, 3), values(m * stride, 4));
        let (mut squares, mut dots) = (vec![0.0; n * m], vec![0.0; n * m]);
        squared_distances(Isa::best(), &x, &y, stride, &mut squares);
        dot_products(Isa::best(), &x, &y, stride, &mut dots);
        for i in 0..n {
            for j in 0..m {
                let pairs = || x[i * stride..][..stride].iter().zip(&y[j * stride..][..stride]);
                let square: f64 = pairs().map(|(a, b)| (a - b) * (a - b)).sum();
                let dot: f64 = pairs().map(|(a, b)| a * b).sum();
                assert!((squares[i * m + j] - square).abs() <= 1e-14 * square);
                assert!((dots[i * m + j] - dot).abs() <= 1e-14 * stride as f64);
            }
        }
    }

    #[test]
    #[should_panic(expected = "output size")]
    fn a_wrong_output_size_is_refused() {
        squared_distances(Isa::Portable, &[0.0; 8], &[0.0; 8], 8, &mut [0.0; 2]);
    }
}
