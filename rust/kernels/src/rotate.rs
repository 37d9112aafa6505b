//! A signed block-Hadamard rotation: an isometry that spreads heavy coordinates over many.
//!
//! Signs are flipped, then the first B values go through a Walsh–Hadamard transform scaled by 1/√B,
//! B the largest power of two within the row; where B is less than the row, the last B values follow,
//! flipped again, so that every coordinate is mixed and no transform undoes the other. Each step is
//! orthogonal, and so is the whole: distances stay what they are, up to rounding of a few ε·‖x‖. In
//! place; cost: 2·B·log₂B additions.

/// Rotates `row` in place.
///
/// # Panics
/// If there are fewer signs than values.
pub fn rotate(signs: &[f64], row: &mut [f64]) {
    assert!(signs.len() >= row.len(), "{} signs for {} values", signs.len(), row.len());
    if row.is_empty() {
        return;
    }
    flip(row, signs.iter());
    let block = 1 << row.len().ilog2();
    hadamard(&mut row[..block]);
    let rest = row.len() - block;
    if rest > 0 {
        flip(row, signs[..row.len()].iter().rev());
        hadamard(&mut row[rest..]);
    }
}

fn flip<'a>(row: &mut [f64], signs: impl Iterator<Item = &'a f64>) {
    for (value, sign) in row.iter_mut().zip(signs) {
        *value *= sign;
    }
}

/// The Walsh–Hadamard transform of a power of two of values, scaled to be orthogonal.
fn hadamard(values: &mut [f64]) {
    let mut half = 1;
    while half < values.len() {
        for pair in values.chunks_exact_mut(2 * half) {
            let (left, right) = pair.split_at_mut(half);
            for (a, b) in left.iter_mut().zip(right) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half *= 2;
    }
    let scale = (values.len() as f64).sqrt().recip();
    values.iter_mut().for_each(|value| *value *= scale);
}

#[cfg(test)]
mod tests {
    use super::rotate;

    #[test]
    fn distances_stay_and_a_heavy_coordinate_is_spread() {
        let mut state = 1_u64;
        let mut sign = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            if state >> 63 == 0 { 1.0 } else { -1.0 }
        };
        let signs: Vec<f64> = (0..768).map(|_| sign()).collect();
        for count in [1, 2, 3, 64, 100, 768] {
            let mut x: Vec<f64> = (0..count).map(|i| (i % 7) as f64 - 3.0).collect();
            let mut y = vec![0.5; count];
            let square = |x: &[f64], y: &[f64]| -> f64 {
                x.iter().zip(y).map(|(a, b)| (a - b) * (a - b)).sum()
            };
            let before = square(&x, &y);
            rotate(&signs, &mut x);
            rotate(&signs, &mut y);
            assert!((square(&x, &y) - before).abs() <= 1e-13 * before, "{count}");
        }
        let mut heavy = vec![0.0; 768];
        heavy[300] = 1.0;
        rotate(&signs, &mut heavy);
        assert!(heavy.iter().all(|x| x.abs() <= 0.2));
    }
}
