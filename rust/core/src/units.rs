//! Rows divided by their lengths. Level 2.
//!
//! Each is read and divided when it is asked for: nothing is kept. The length is that of `f64`, right to a few
//! units in the last place for rows of any magnitude.

use std::sync::Arc;

use crate::rows::{Chunk, Rows};

/// The rows divided by their lengths; those of length zero as they are.
pub(crate) fn unit_rows<'a>(rows: &Rows<'a>) -> Rows<'a> {
    let units: Arc<dyn Chunk + 'a> = Arc::new(Units(rows.clone()));
    Rows::new(vec![units]).expect("one chunk")
}

struct Units<'a>(Rows<'a>);

impl Chunk for Units<'_> {
    fn shape(&self) -> (usize, usize) {
        (self.0.len(), self.0.columns())
    }
    fn digits(&self) -> u32 {
        f64::MANTISSA_DIGITS
    }
    fn read(&self, row: usize, out: &mut [f64]) {
        self.0.read(row, out);
        let mut square = sum_of_squares(out);
        if !(1e-280..=1e280).contains(&square) {
            // Of a tiny or huge row the squares are not accurate; in units of its largest value they are.
            let largest = out.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
            if largest == 0.0 {
                return;
            }
            out.iter_mut().for_each(|value| *value /= largest);
            square = sum_of_squares(out);
        }
        let scale = square.sqrt().recip();
        out.iter_mut().for_each(|value| *value *= scale);
    }
    fn prefetch(&self, row: usize) {
        self.0.prefetch(row);
    }
}

/// In lanes, which the compiler adds side by side.
fn sum_of_squares(values: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (whole, rest) = values.as_chunks::<8>();
    for values in whole {
        for (lane, value) in lanes.iter_mut().zip(values) {
            *lane += value * value;
        }
    }
    lanes.iter().sum::<f64>() + rest.iter().map(|value| value * value).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_any_magnitude_have_length_1_and_zeros_stay() {
        let scales = [1.0, 1e-300, 5e-324, 1e150, -3.0];
        let data = ndarray::Array2::from_shape_fn((6, 9), |(i, j)| {
            scales.get(i).map_or(0.0, |scale| scale * (1 + j / (i + 1)) as f64)
        });
        let rows = Rows::from_f64(data.view());
        let units = unit_rows(&rows);
        let mut row = [0.0; 9];
        for index in 0..5 {
            units.read(index, &mut row);
            assert!((sum_of_squares(&row) - 1.0).abs() < 1e-15, "{index} {row:?}");
        }
        units.read(5, &mut row);
        assert_eq!(row, [0.0; 9]);
    }
}
