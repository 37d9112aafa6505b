//! One row as `i8` codes with its own scale: x ≈ s·c with c in −127..=127.
//!
//! | part | value | `NumPy` |
//! |---|---|---|
//! | scale s | max│x│ / 127 | `abs(x).max() / 127` |
//! | code c | x / s, to the nearest | `rint(x / s)` |
//! | residual | ‖x − s·c‖² | `((x - s * c) ** 2).sum()` |
//!
//! Sums run in `f64`; their rounding is the caller's to allow for. Cost: three passes over the row.

use crate::Isa;

/// What is kept of a row besides its codes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Code {
    /// The length that a code of 1 stands for; 0 for a row that is coded as zero.
    pub scale: f64,
    /// Σc.
    pub sum: i32,
    /// Σc².
    pub squares: i64,
    /// Σ(x − s·c)², as summed in `f64`.
    pub residual: f64,
    /// Σx², as summed in `f64`.
    pub norm: f64,
}

/// Rows whose largest magnitude is below this are coded as zero: the inverse of a scale must be finite.
const LEAST_MAGNITUDE: f64 = 1e-280;

/// Codes `row` into `codes`.
///
/// # Panics
/// If the lengths differ or the processor lacks `isa`.
#[must_use]
pub fn quantize(isa: Isa, row: &[f64], codes: &mut [i8]) -> Code {
    assert_eq!(row.len(), codes.len(), "one code per value");
    assert!(isa.is_available(), "this processor has no {isa}");
    match isa {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has AVX2.
        Isa::Avx2 | Isa::AvxVnni => unsafe { quantize_avx2(row, codes) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has AVX-512.
        Isa::Avx512 => unsafe { quantize_avx512(row, codes) },
        _ => quantize_lanes(row, codes),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn quantize_avx2(row: &[f64], codes: &mut [i8]) -> Code {
    quantize_lanes(row, codes)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn quantize_avx512(row: &[f64], codes: &mut [i8]) -> Code {
    quantize_lanes(row, codes)
}

/// Sums in eight lanes, so that the compiler can use vectors of any width and all give the same bits.
#[inline(always)]
fn quantize_lanes(row: &[f64], codes: &mut [i8]) -> Code {
    const LANES: usize = 8;
    // Adding and taking off 1.5·2⁵² rounds to the nearest integer without a call; in between, the last bits
    // of the sum are the integer.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let (blocks, rest) = row.as_chunks::<LANES>();
    let mut most = [0.0_f64; LANES];
    let mut norms = [0.0_f64; LANES];
    for block in blocks {
        for lane in 0..LANES {
            most[lane] = most[lane].max(block[lane].abs());
            norms[lane] += block[lane] * block[lane];
        }
    }
    let largest = most.iter().chain(rest).fold(0.0_f64, |a, b| a.max(b.abs()));
    let norm = norms.iter().sum::<f64>() + rest.iter().map(|x| x * x).sum::<f64>();
    if largest < LEAST_MAGNITUDE {
        codes.fill(0);
        return Code { residual: norm, norm, ..Code::default() };
    }
    let scale = largest / 127.0;
    let inverse = 127.0 / largest;
    let mut residuals = [0.0_f64; LANES];
    let mut sums = [0_i32; LANES];
    let mut squares = [0_i32; LANES];
    let (code_blocks, code_rest) = codes.as_chunks_mut::<LANES>();
    for (block, slots) in blocks.iter().zip(code_blocks) {
        for lane in 0..LANES {
            let shifted = block[lane] * inverse + ROUND;
            let difference = block[lane] - (shifted - ROUND) * scale;
            residuals[lane] += difference * difference;
            let code = shifted.to_bits() as i32;
            sums[lane] += code;
            squares[lane] += code * code;
            slots[lane] = code as i8;
        }
    }
    let mut residual: f64 = residuals.iter().sum();
    let mut sum: i32 = sums.iter().sum();
    let mut square: i64 = squares.iter().map(|&s| i64::from(s)).sum();
    for (value, slot) in rest.iter().zip(code_rest) {
        let code = (value * inverse + ROUND) - ROUND;
        let difference = value - code * scale;
        residual += difference * difference;
        sum += code as i32;
        square += (code * code) as i64;
        *slot = code as i8;
    }
    Code { scale, sum, squares: square, residual, norm }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(count: usize) -> Vec<f64> {
        (0..count).map(|i| ((i * 7919 + 13) % 1009) as f64 / 504.5 - 1.0).collect()
    }

    #[test]
    fn codes_and_sums_match_their_definition_on_every_instruction_set() {
        for count in [1, 7, 8, 9, 64, 771] {
            for unit in [1.0, 1e-20, 1e20] {
                let row: Vec<f64> = row(count).iter().map(|x| x * unit).collect();
                let largest = row.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
                let mut reference = vec![0; count];
                let expected = quantize(Isa::Portable, &row, &mut reference);
                assert!((expected.scale - largest / 127.0).abs() <= 1e-15 * largest);
                let mut residual = 0.0;
                for (x, &code) in row.iter().zip(&reference) {
                    assert!(
                        (x - f64::from(code) * expected.scale).abs() <= 0.5001 * expected.scale
                    );
                    residual += (x - f64::from(code) * expected.scale).powi(2);
                }
                assert!((expected.residual - residual).abs() <= 1e-12 * residual);
                assert_eq!(expected.sum, reference.iter().map(|&c| i32::from(c)).sum::<i32>());
                assert_eq!(
                    expected.squares,
                    reference.iter().map(|&c| i64::from(c).pow(2)).sum::<i64>()
                );
                for isa in Isa::available() {
                    let mut codes = vec![0; count];
                    assert_eq!(quantize(isa, &row, &mut codes), expected, "{isa}");
                    assert_eq!(codes, reference, "{isa}");
                }
            }
        }
    }

    #[test]
    fn a_row_of_nothing_is_coded_as_zero() {
        let mut codes = [1; 5];
        assert_eq!(quantize(Isa::best(), &[0.0; 5], &mut codes), Code::default());
        assert_eq!(codes, [0; 5]);
        let tiny = quantize(Isa::best(), &[1e-290; 5], &mut codes);
        assert_eq!((tiny.scale, codes), (0.0, [0; 5]));
    }

    #[test]
    #[should_panic(expected = "one code per value")]
    fn a_wrong_length_is_refused() {
        let _ = quantize(Isa::Portable, &[0.0; 8], &mut [0; 7]);
    }
}
