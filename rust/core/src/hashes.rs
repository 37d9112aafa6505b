//! A 64-bit hash of each row, by which copies are found in bounded memory. Level 1.
//!
//! XXH3 with seed 0 of a row's bytes as they lie: rows are equal to it if they are of one type and equal
//! in every bit. Of n different rows, some two share a hash with a probability of at most n²/2⁶⁵: 3·10⁻⁶
//! for ten million. Reference: Y. Collet, "XXH3", xxHash specification 0.8. Cost: one pass over the
//! bytes, 8 bytes for each row.

use ndarray::ArrayView2;
use rayon::prelude::*;
use twox_hash::XxHash3_64;

use crate::control::Control;
use crate::error::{Error, Result};

/// Rows hashed between two looks at the caller's wish to stop.
const BLOCK: usize = 1024;

/// The hash of each row.
///
/// # Errors
/// If the rows have no bytes or do not lie one after the other, or the call was cancelled.
pub fn row_hashes(bytes: ArrayView2<'_, u8>, control: &Control) -> Result<Vec<u64>> {
    let (rows, width) = bytes.dim();
    let Some(all) = bytes.to_slice().filter(|_| width > 0) else {
        return Err(Error::input("bytes")
            .expected("rows one after the other")
            .got(format_args!("{rows} × {width} with gaps or no columns")));
    };
    control.begin("hashes", rows as u64);
    let mut hashes = vec![0; rows];
    control.run(|| {
        hashes.par_chunks_mut(BLOCK).zip(all.par_chunks(BLOCK * width)).try_for_each(
            |(slots, block)| {
                for (slot, row) in slots.iter_mut().zip(block.chunks_exact(width)) {
                    *slot = XxHash3_64::oneshot(row);
                }
                control.advance(slots.len() as u64)
            },
        )
    })?;
    Ok(hashes)
}

/// The hash of the values of a row, whatever type they are stored as; zeros have one sign.
pub(crate) fn hash_of_values(row: &[f64], bytes: &mut Vec<u8>) -> u64 {
    bytes.clear();
    bytes.extend(row.iter().flat_map(|value| (value + 0.0).to_bits().to_le_bytes()));
    XxHash3_64::oneshot(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, Axis};

    #[test]
    fn a_hash_is_that_of_the_specification_at_any_length_and_on_any_threads() {
        for width in [1, 3, 8, 16, 100, 240, 241, 1024, 3000] {
            let bytes =
                Array2::from_shape_fn((2100, width), |(i, j)| (i * 7 + j * 13 + i * j) as u8);
            let one = row_hashes(bytes.view(), &Control::with_threads(1)).unwrap();
            assert_eq!(one, row_hashes(bytes.view(), &Control::with_threads(3)).unwrap());
            for (row, &hash) in bytes.rows().into_iter().zip(&one) {
                assert_eq!(hash, XxHash3_64::oneshot(row.to_slice().unwrap()));
            }
        }
        // Test vectors of the reference implementation, `XXH3_64bits` of one zero byte and of "abc".
        let control = Control::with_threads(1);
        let zero = Array2::<u8>::zeros((1, 1));
        assert_eq!(row_hashes(zero.view(), &control).unwrap(), [0xc44b_dff4_074e_ecdb]);
        let abc = Array2::from_shape_vec((1, 3), b"abc".to_vec()).unwrap();
        assert_eq!(row_hashes(abc.view(), &control).unwrap(), [0x78af_5f94_892f_3950]);
    }

    #[test]
    fn gaps_are_refused_and_a_cancelled_call_stops() {
        let (bytes, control) = (Array2::<u8>::zeros((4, 6)), Control::with_threads(1));
        for view in [5, 0].map(|width| bytes.view().split_at(Axis(1), width).0) {
            assert!(matches!(row_hashes(view, &control), Err(Error::Input(_))));
        }
        assert!(row_hashes(Array2::zeros((0, 6)).view(), &control).unwrap().is_empty());
        control.cancel();
        assert_eq!(row_hashes(bytes.view(), &control), Err(Error::Cancelled));
    }
}
