//! Rows of `f32` as the columns of a panel: sixteen rows in sixteen lanes.
//!
//! With a row in each lane, what is done to rows one after the other is done to sixteen at once, whatever
//! the instruction set, and a sum over columns never crosses lanes. Each value x is written as (x − c)·f,
//! two roundings. Cost: one pass; on AVX-512 blocks of 16 × 16 values are transposed in registers.

use crate::Isa;
use crate::tile8::PANEL;

/// One value of each row of a panel.
pub type Column = [f32; PANEL];

/// Writes `rows`, less `centre` and times `factor`, to the columns of `panel`.
///
/// # Panics
/// If rows, centre and panel differ in columns, or the processor lacks `isa`.
pub fn into_panel(
    isa: Isa,
    rows: &[&[f32]; PANEL],
    centre: &[f32],
    factor: f32,
    panel: &mut [Column],
) {
    assert_eq!(centre.len(), panel.len(), "columns of the centre");
    assert!(rows.iter().all(|row| row.len() == panel.len()), "rows differ in columns");
    assert!(isa.is_available(), "this processor has no {isa}");
    match isa.vectors() {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => {
            let whole = panel.len() / PANEL * PANEL;
            // SAFETY: the processor has AVX-512F; rows, centre and panel are as long as each other.
            unsafe { blocks_avx512(rows, centre, factor, &mut panel[..whole]) };
            each(rows, centre, factor, whole, panel);
        }
        _ => each(rows, centre, factor, 0, panel),
    }
}

/// The columns from `first` on, one after the other.
fn each(rows: &[&[f32]; PANEL], centre: &[f32], factor: f32, first: usize, panel: &mut [Column]) {
    for (lane, row) in rows.iter().enumerate() {
        let values = row.iter().zip(centre).skip(first);
        for (column, (&value, &centre)) in panel[first..].iter_mut().zip(values) {
            column[lane] = (value - centre) * factor;
        }
    }
}

/// # Safety
/// The processor must have AVX-512F; `panel` must hold whole blocks of columns, no more than the rows and the
/// centre do.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
#[allow(clippy::needless_range_loop)] // closures and iterators lose the instruction set
unsafe fn blocks_avx512(rows: &[&[f32]; PANEL], centre: &[f32], factor: f32, panel: &mut [Column]) {
    use std::arch::x86_64::{
        _mm512_castpd_ps, _mm512_castps_pd, _mm512_loadu_ps, _mm512_mul_ps, _mm512_set1_ps,
        _mm512_setzero_ps, _mm512_shuffle_f32x4, _mm512_storeu_ps, _mm512_sub_ps,
        _mm512_unpackhi_pd, _mm512_unpackhi_ps, _mm512_unpacklo_pd, _mm512_unpacklo_ps,
    };
    /// Of the 128-bit lanes of two vectors, the even ones and the odd ones.
    const EVEN: i32 = 0x88;
    const ODD: i32 = 0xdd;
    let factor = _mm512_set1_ps(factor);
    for first in (0..panel.len()).step_by(PANEL) {
        // SAFETY: sixteen values from `first` on lie within each row, the centre and the panel.
        unsafe {
            let centre = _mm512_loadu_ps(centre.as_ptr().add(first));
            let mut stand = [_mm512_setzero_ps(); PANEL];
            for row in 0..PANEL {
                let values = _mm512_loadu_ps(rows[row].as_ptr().add(first));
                stand[row] = _mm512_mul_ps(_mm512_sub_ps(values, centre), factor);
            }
            let mut pairs = stand;
            for two in 0..PANEL / 2 {
                let (a, b) = (stand[2 * two], stand[2 * two + 1]);
                pairs[2 * two] = _mm512_unpacklo_ps(a, b);
                pairs[2 * two + 1] = _mm512_unpackhi_ps(a, b);
            }
            // Vector 4i + j: in its lane l column 4l + j of rows 4i to 4i + 3.
            for four in 0..PANEL / 4 {
                for half in 0..2 {
                    let a = _mm512_castps_pd(pairs[4 * four + half]);
                    let b = _mm512_castps_pd(pairs[4 * four + half + 2]);
                    stand[4 * four + 2 * half] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
                    stand[4 * four + 2 * half + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
                }
            }
            for column in 0..4 {
                let (a, b) = (stand[column], stand[4 + column]);
                let (c, d) = (stand[8 + column], stand[12 + column]);
                let low = [_mm512_shuffle_f32x4::<EVEN>(a, b), _mm512_shuffle_f32x4::<EVEN>(c, d)];
                let high = [_mm512_shuffle_f32x4::<ODD>(a, b), _mm512_shuffle_f32x4::<ODD>(c, d)];
                let out = panel.as_mut_ptr().add(first + column);
                let store = |place: usize, values| {
                    _mm512_storeu_ps(out.add(place).cast::<f32>(), values);
                };
                store(0, _mm512_shuffle_f32x4::<EVEN>(low[0], low[1]));
                store(4, _mm512_shuffle_f32x4::<EVEN>(high[0], high[1]));
                store(8, _mm512_shuffle_f32x4::<ODD>(low[0], low[1]));
                store(12, _mm512_shuffle_f32x4::<ODD>(high[0], high[1]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_comes_to_its_place_on_every_instruction_set() {
        for columns in [1, 15, 16, 17, 40, 64] {
            let value = |row: usize, column: usize| (row * 100 + column) as f32;
            let rows: Vec<Vec<f32>> =
                (0..PANEL).map(|row| (0..columns).map(|j| value(row, j)).collect()).collect();
            let rows: [&[f32]; PANEL] = std::array::from_fn(|row| rows[row].as_slice());
            let centre: Vec<f32> = (0..columns).map(|column| column as f32 / 2.0).collect();
            for isa in Isa::available() {
                let mut panel = vec![[f32::NAN; PANEL]; columns];
                into_panel(isa, &rows, &centre, 0.25, &mut panel);
                for (column, values) in panel.iter().enumerate() {
                    for (row, &found) in values.iter().enumerate() {
                        let expected = (value(row, column) - centre[column]) * 0.25;
                        assert_eq!(found, expected, "{isa}: row {row}, column {column}");
                    }
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "rows differ in columns")]
    fn a_row_of_another_length_is_refused() {
        let rows: [&[f32]; PANEL] = [&[0.0; 3]; PANEL];
        into_panel(Isa::Portable, &rows, &[0.0; 2], 1.0, &mut [[0.0; PANEL]; 2]);
    }
}
