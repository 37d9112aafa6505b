//! Sixteen rows as `i8` codes, each with its own scale: x ≈ s·c with c in −127..=127.
//!
//! | part | value | `NumPy` |
//! |---|---|---|
//! | scale s | max│x│ / 127 | `abs(x).max() / 127` |
//! | code c | x / s, to the nearest | `rint(x / s)` |
//! | residual | ‖x − s·c‖² | `((x - s * c) ** 2).sum()` |
//!
//! Sums over columns run in `f32` over [`RUN`] of them and in `f64` over those, so that they are right to 2⁻¹⁹ of
//! themselves however many there are. Cost: two passes over the rows.

use crate::Isa;
use crate::into_panel::Column;
use crate::tile8::{GROUP, GROUP_BYTES, MOST_COLUMNS, PANEL};

/// What is kept of the rows of a panel besides their codes, one value a row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Codes {
    /// The length that a code of 1 stands for; 0 for a row that is coded as zero.
    pub scale: [f32; PANEL],
    /// Σc.
    pub sum: [i32; PANEL],
    /// Σc².
    pub squares: [i32; PANEL],
    /// Σ(x − s·c)².
    pub residual: [f64; PANEL],
    /// Σx²; not a finite number where a value is none.
    pub norm: [f64; PANEL],
}

/// Rows whose largest magnitude is below this are coded as zero: the inverse of a scale must be finite.
const LEAST_MAGNITUDE: f32 = 1e-15;
/// Columns whose squares add up in `f32`.
const RUN: usize = 4 * GROUP;

/// Codes the rows of `panel` into `codes`, which is a panel of the integer tiles.
///
/// # Panics
/// If `codes` has not one place for each value, to a whole group of columns, there are more columns than sums
/// of integers hold, or the processor lacks `isa`.
#[must_use]
pub fn quantize(isa: Isa, panel: &[Column], codes: &mut [i8]) -> Codes {
    assert_eq!(codes.len(), panel.len().div_ceil(GROUP) * GROUP_BYTES, "one code per value");
    assert!(panel.len() <= MOST_COLUMNS, "more than {MOST_COLUMNS} columns");
    assert!(isa.is_available(), "this processor has no {isa}");
    match isa.vectors() {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has AVX2.
        Isa::Avx2 | Isa::AvxVnni => unsafe { quantize_avx2(panel, codes) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has AVX-512.
        Isa::Avx512 => unsafe { quantize_avx512(panel, codes) },
        _ => quantize_columns(panel, codes),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn quantize_avx2(panel: &[Column], codes: &mut [i8]) -> Codes {
    quantize_columns(panel, codes)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn quantize_avx512(panel: &[Column], codes: &mut [i8]) -> Codes {
    quantize_columns(panel, codes)
}

#[inline(always)]
#[allow(clippy::needless_range_loop)] // closures and iterators lose the instruction set
fn quantize_columns(panel: &[Column], codes: &mut [i8]) -> Codes {
    let mut most = [0.0_f32; PANEL];
    for column in panel {
        for lane in 0..PANEL {
            let size = column[lane].abs();
            most[lane] = if size > most[lane] { size } else { most[lane] };
        }
    }
    let (mut scale, mut inverse) = ([0.0; PANEL], [0.0; PANEL]);
    for lane in 0..PANEL {
        if most[lane] >= LEAST_MAGNITUDE {
            (scale[lane], inverse[lane]) = (most[lane] / 127.0, 127.0 / most[lane]);
        }
    }
    let mut kept = Codes { scale, ..Codes::default() };
    for (run, codes) in panel.chunks(RUN).zip(codes.chunks_mut(RUN / GROUP * GROUP_BYTES)) {
        let mut sums = Sums::default();
        for (group, codes) in run.chunks(GROUP).zip(codes.as_chunks_mut::<GROUP_BYTES>().0) {
            // A group of fewer columns is the last one.
            let words = if let Some(group) = group.as_array::<GROUP>() {
                sums.code(group, &scale, &inverse)
            } else {
                let mut whole = [[0.0; PANEL]; GROUP];
                whole[..group.len()].copy_from_slice(group);
                sums.code(&whole, &scale, &inverse)
            };
            let (places, _) = codes.as_chunks_mut::<GROUP>();
            for lane in 0..PANEL {
                places[lane] = words[lane].to_le_bytes().map(|byte| byte as i8);
            }
        }
        for lane in 0..PANEL {
            kept.sum[lane] = kept.sum[lane].wrapping_add(sums.codes[lane]);
            kept.squares[lane] = kept.squares[lane].wrapping_add(sums.squares[lane]);
            kept.residual[lane] += f64::from(sums.residuals[lane]);
            kept.norm[lane] += f64::from(sums.norms[lane]);
        }
    }
    kept
}

/// Sums over a run of columns.
#[derive(Default)]
struct Sums {
    codes: [i32; PANEL],
    squares: [i32; PANEL],
    residuals: [f32; PANEL],
    norms: [f32; PANEL],
}

impl Sums {
    /// Adds a group of columns; returns the codes of each row, the first one lowest.
    #[inline(always)]
    #[allow(clippy::needless_range_loop)] // as above
    fn code(
        &mut self,
        group: &[Column; GROUP],
        scale: &[f32; PANEL],
        inverse: &[f32; PANEL],
    ) -> [u32; PANEL] {
        // Adding and taking off 1.5·2²³ rounds to the nearest integer without a call; in between, the last
        // bits of the sum are the integer.
        const ROUND: f32 = 12_582_912.0;
        let mut words = [0; PANEL];
        for place in 0..GROUP {
            for lane in 0..PANEL {
                let value = group[place][lane];
                let shifted = value * inverse[lane] + ROUND;
                let rounded = shifted - ROUND;
                let difference = value - rounded * scale[lane];
                self.residuals[lane] += difference * difference;
                self.norms[lane] += value * value;
                // Of what is no number it may be any: then the norm is none either.
                let code = shifted.to_bits().wrapping_sub(ROUND.to_bits()) as i32;
                self.codes[lane] = self.codes[lane].wrapping_add(code);
                self.squares[lane] = self.squares[lane].wrapping_add(code.wrapping_mul(code));
                words[lane] |= (code as u32 & 0xff) << (8 * place);
            }
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(columns: usize, unit: f32) -> Vec<Column> {
        let value = |lane, j| ((j * 7919 + lane * 131 + 13) % 1009) as f32 / 504.5 - 1.0;
        (0..columns).map(|j| std::array::from_fn(|lane| value(lane, j) * unit)).collect()
    }

    #[test]
    fn codes_and_sums_match_their_definition_on_every_instruction_set() {
        for columns in [1_usize, 3, 4, 15, 16, 17, 64, 771] {
            for unit in [1.0, 1e-12, 1e15] {
                let panel = panel(columns, unit);
                let mut reference = vec![1; columns.div_ceil(GROUP) * GROUP_BYTES];
                let expected = quantize(Isa::Portable, &panel, &mut reference);
                for lane in 0..PANEL {
                    let row: Vec<f64> = panel.iter().map(|c| f64::from(c[lane])).collect();
                    let code = |j: usize| {
                        i32::from(reference[j / GROUP * GROUP_BYTES + lane * GROUP + j % GROUP])
                    };
                    let scale = f64::from(expected.scale[lane]);
                    let largest = row.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
                    assert!((scale - largest / 127.0).abs() <= 1e-7 * scale);
                    let (mut residual, mut norm) = (0.0, 0.0);
                    for (j, x) in row.iter().enumerate() {
                        let missed = x - f64::from(code(j)) * scale;
                        assert!(missed.abs() <= 0.5001 * scale);
                        residual += missed * missed;
                        norm += x * x;
                    }
                    // What is missed of a value is right to the rounding of the value.
                    let (near, far) = (2e-7 * norm.sqrt(), 2.0_f64.powi(-19));
                    assert!((expected.residual[lane].sqrt() - residual.sqrt()).abs() <= near);
                    assert!((expected.norm[lane] - norm).abs() <= far * norm);
                    assert_eq!(expected.sum[lane], (0..columns).map(code).sum::<i32>());
                    let squares: i32 = (0..columns).map(|j| code(j) * code(j)).sum();
                    assert_eq!(expected.squares[lane], squares);
                    for j in columns..columns.next_multiple_of(GROUP) {
                        assert_eq!(code(j), 0, "beyond the last column");
                    }
                }
                for isa in Isa::available() {
                    let mut codes = vec![1; reference.len()];
                    assert_eq!(quantize(isa, &panel, &mut codes), expected, "{isa}");
                    assert_eq!(codes, reference, "{isa}");
                }
            }
        }
    }

    #[test]
    fn rows_of_nothing_are_coded_as_zero_and_rows_of_no_number_are_seen() {
        let mut columns = vec![[0.0; PANEL]; 5];
        columns[2][1] = 1e-16;
        columns[2][2] = f32::INFINITY;
        columns[3][3] = f32::NAN;
        for isa in Isa::available() {
            let mut codes = [1; 2 * GROUP_BYTES];
            let kept = quantize(isa, &columns, &mut codes);
            for lane in [0, 1] {
                assert_eq!((kept.scale[lane], kept.sum[lane], kept.squares[lane]), (0.0, 0, 0));
                let place = |group: usize| group * GROUP_BYTES + lane * GROUP;
                assert_eq!(codes[place(0)..place(0) + GROUP], [0; GROUP]);
            }
            assert!((kept.residual[1] - 1e-32).abs() < 1e-35);
            assert!(!kept.norm[2].is_finite() && !kept.norm[3].is_finite());
        }
    }

    #[test]
    #[should_panic(expected = "one code per value")]
    fn a_wrong_length_is_refused() {
        let _ = quantize(Isa::Portable, &[[0.0; PANEL]; 8], &mut [0; GROUP_BYTES]);
    }
}
