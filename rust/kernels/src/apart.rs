//! One row against rows that lie apart in memory, as they came.
//!
//! Σ(x−y)² in the fixed order of `lanes`, the same bits as [`crate::squared_distances`] of the same values
//! padded with zeros: `f32` is widened on its way to a register, which is exact, instead of to a panel of
//! `f64` first. Cost: 3 operations a pair and column, and the time that the rows take to arrive.

use crate::Isa;
#[cfg(target_arch = "x86_64")]
use crate::lanes::{Avx2, Avx512};
use crate::lanes::{LANES, Lanes, Portable, total};

/// Rows measured at once: their sums run side by side.
const ROWS: usize = 4;

/// Writes Σ(x−y)² of `query` and each of `rows` to `out`.
///
/// # Panics
/// If a row is not as long as `query`, `out` not as long as `rows`, or the processor lacks `isa`.
pub fn squared_distances_apart(isa: Isa, query: &[f64], rows: &[&[f32]], out: &mut [f64]) {
    assert!(rows.iter().all(|row| row.len() == query.len()), "rows differ in columns");
    assert_eq!(out.len(), rows.len(), "output size");
    assert!(isa.is_available(), "this processor has no {isa}");
    match isa.vectors() {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has AVX2; the rows were measured above.
        Isa::Avx2 | Isa::AvxVnni => unsafe { each_avx2(query, rows, out) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has AVX-512F; the rows were measured above.
        Isa::Avx512 => unsafe { each_avx512(query, rows, out) },
        // SAFETY: portable lanes need nothing; the rows were measured above.
        _ => unsafe { each::<Portable>(query, rows, out) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn each_avx2(query: &[f64], rows: &[&[f32]], out: &mut [f64]) {
    // SAFETY: compiled with AVX2; the caller vouches for the processor and the rows.
    unsafe { each::<Avx2>(query, rows, out) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn each_avx512(query: &[f64], rows: &[&[f32]], out: &mut [f64]) {
    // SAFETY: compiled with AVX-512F; the caller vouches for the processor and the rows.
    unsafe { each::<Avx512>(query, rows, out) }
}

/// # Safety
/// As [`Lanes`], and every row must be as long as `query`.
#[inline(always)]
unsafe fn each<V: Lanes>(query: &[f64], rows: &[&[f32]], out: &mut [f64]) {
    let (fours, ones) = rows.as_chunks::<ROWS>();
    let (of_fours, of_ones) = out.split_at_mut(fours.len() * ROWS);
    for (rows, out) in fours.iter().zip(of_fours.as_chunks_mut::<ROWS>().0) {
        // SAFETY: the caller's promise is passed on.
        *out = unsafe { together::<V, ROWS>(query, rows) };
    }
    for (row, out) in ones.iter().zip(of_ones) {
        // SAFETY: the caller's promise is passed on.
        [*out] = unsafe { together::<V, 1>(query, &[row]) };
    }
}

/// # Safety
/// As [`each`].
#[inline(always)]
#[allow(clippy::needless_range_loop)] // iterators keep the sums in memory
unsafe fn together<V: Lanes, const N: usize>(query: &[f64], rows: &[&[f32]; N]) -> [f64; N] {
    let whole = query.len() / LANES * LANES;
    // SAFETY: every load lies within the whole lanes of a row, or within an array of one; the caller's
    // promise is passed on.
    unsafe {
        let mut sums = [V::zero(); N];
        let mut column = 0;
        while column < whole {
            let left = V::load(query.as_ptr().add(column));
            for n in 0..N {
                let difference = left.sub(V::widen(rows[n].as_ptr().add(column)));
                sums[n] = sums[n].add(difference.mul(difference));
            }
            column += LANES;
        }
        if whole < query.len() {
            let rest = query.len() - whole;
            let mut left = [0.0; LANES];
            left[..rest].copy_from_slice(&query[whole..]);
            for n in 0..N {
                let mut right = [0.0; LANES];
                right[..rest].copy_from_slice(&rows[n][whole..]);
                let difference = V::load(left.as_ptr()).sub(V::widen(right.as_ptr()));
                sums[n] = sums[n].add(difference.mul(difference));
            }
        }
        let mut out = [0.0; N];
        for n in 0..N {
            out[n] = total(sums[n].to_array());
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::squared_distances_apart;
    use crate::draw::values;
    use crate::{Isa, LANES, squared_distances};

    #[test]
    fn every_instruction_set_gives_the_bits_of_padded_panels() {
        for columns in [1_usize, 7, 8, 9, 64, 100, 771] {
            let stride = columns.next_multiple_of(LANES);
            for count in [0, 1, 3, 4, 5, 8, 9] {
                let query = values(columns, 1);
                let rows: Vec<Vec<f32>> = (0..count)
                    .map(|row| values(columns, 2 + row).iter().map(|&x| x as f32).collect())
                    .collect();
                let mut padded = vec![0.0; stride];
                padded[..columns].copy_from_slice(&query);
                let mut panel = vec![0.0; count as usize * stride];
                for (slots, row) in panel.chunks_exact_mut(stride).zip(&rows) {
                    slots.iter_mut().zip(row).for_each(|(slot, &x)| *slot = f64::from(x));
                }
                let mut expected = vec![0.0; rows.len()];
                squared_distances(Isa::Portable, &padded, &panel, stride, &mut expected);
                let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
                for isa in Isa::available() {
                    let mut out = vec![0.0; rows.len()];
                    squared_distances_apart(isa, &query, &rows, &mut out);
                    assert_eq!(out, expected, "{isa} {columns} {count}");
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "differ in columns")]
    fn a_row_of_another_length_is_refused() {
        squared_distances_apart(Isa::Portable, &[0.0; 8], &[&[0.0; 7]], &mut [0.0]);
    }
}
