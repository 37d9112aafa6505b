//! The Gram tiles against sums in `f64`, on every instruction set.

use crate::draw::values;

use super::{GROUP, Isa, RUN, Real, Shape, add_inner_products, inner_products, interleave, shape};

/// Rows as `T` holds them.
fn rows<T: Real>(count: usize, depth: usize, seed: u64) -> Vec<Vec<T>> {
    values(count * depth, seed).chunks(depth).map(narrow).collect()
}

fn narrow<T: Real>(row: &[f64]) -> Vec<T> {
    row.iter().map(|&value| T::narrow(value)).collect()
}

fn panel<T: Real>(rows: &[Vec<T>]) -> Vec<T> {
    let mut panel = vec![T::default(); rows.len() * rows[0].len()];
    for (index, row) in rows.iter().enumerate() {
        interleave(row, index, rows.len(), &mut panel);
    }
    panel
}

fn products<T: Real>(isa: Isa, left: &[Vec<T>], right: &[Vec<T>]) -> Vec<f64> {
    let mut out = vec![f64::NAN; left.len() * right.len()];
    inner_products(isa, &panel(left), &panel(right), left[0].len(), &mut out);
    out
}

/// ⟨x, y⟩ and Σ|xy|, in `f64`.
fn plainly<T: Real>(x: &[T], y: &[T]) -> (f64, f64) {
    let terms = || x.iter().zip(y).map(|(x, y)| x.widen() * y.widen());
    (terms().sum(), terms().map(f64::abs).sum())
}

/// Depths about the length of a run, and those of common embeddings.
const DEPTHS: [usize; 10] = [1, 3, 7, RUN - 1, RUN, RUN + 1, 2 * RUN, GROUP * RUN, 768, 2049];

fn errors_keep_within<T: Real>(roundoff: f64) {
    for isa in Isa::available() {
        let Shape { left, right } = shape::<T>(isa);
        for depth in DEPTHS {
            let (x, y) = (rows::<T>(left, depth, 1), rows::<T>(right, depth, 2));
            let found = products(isa, &x, &y);
            // With the products of portable code, and what `f64` leaves of both sums.
            let bound = (RUN + GROUP + 1) as f64 * roundoff + depth as f64 * f64::EPSILON;
            for (i, x) in x.iter().enumerate() {
                for (j, y) in y.iter().enumerate() {
                    let ((exact, size), found) = (plainly(x, y), found[i * right + j]);
                    let error = (found - exact).abs();
                    assert!(error <= bound * size, "{isa} {depth}: {error:e} of {size}");
                }
            }
        }
    }
}

#[test]
fn errors_keep_within_the_bound() {
    errors_keep_within::<f32>(f64::from(f32::EPSILON) / 2.0);
    errors_keep_within::<f64>(f64::EPSILON / 2.0);
}

#[test]
fn short_runs_are_much_better_than_one_long_one() {
    // Positive terms, whose partial sums grow: one f32 chain of 2,049 loses what 64 do not.
    let ones = |seed| rows::<f32>(1, 2049, seed)[0].iter().map(|x| x.abs()).collect::<Vec<_>>();
    let (x, y) = (ones(3), ones(4));
    let (exact, _) = plainly(&x, &y);
    let chain = x.iter().zip(&y).fold(0.0_f32, |sum, (x, y)| x.mul_add(*y, sum));
    for isa in Isa::available() {
        let Shape { left, right } = shape::<f32>(isa);
        let found = products(isa, &vec![x.clone(); left], &vec![y.clone(); right])[0];
        assert!(8.0 * (found - exact).abs() <= (f64::from(chain) - exact).abs(), "{isa}");
    }
}

fn small_integers_are_exact<T: Real>() {
    for isa in Isa::available() {
        let Shape { left, right } = shape::<T>(isa);
        for depth in DEPTHS {
            let whole = |count: usize, seed| -> Vec<Vec<T>> {
                let values: Vec<f64> =
                    values(count * depth, seed).iter().map(|x| (9.0 * x).round()).collect();
                values.chunks(depth).map(narrow).collect()
            };
            let (x, y) = (whole(left, 5), whole(right, 6));
            let found = products(isa, &x, &y);
            for (i, x) in x.iter().enumerate() {
                for (j, y) in y.iter().enumerate() {
                    assert_eq!(found[i * right + j], plainly(x, y).0, "{isa} {depth}");
                }
            }
        }
    }
}

#[test]
fn products_of_small_integers_are_exact() {
    small_integers_are_exact::<f32>();
    small_integers_are_exact::<f64>();
}

fn a_value_belongs_to_its_pair<T: Real>() {
    for depth in DEPTHS {
        let mut of_fused = Vec::new();
        for isa in Isa::available() {
            let Shape { left, right } = shape::<T>(isa);
            let (x, y) = (rows::<T>(left, depth, 7), rows::<T>(right, depth, 8));
            let found = products(isa, &x, &y);
            // Whichever of the two rows stands on the left, and wherever.
            let again: Vec<_> = x.iter().cycle().skip(1).take(right).cloned().collect();
            let turned = products(isa, &y[..left], &again);
            for i in 1..left {
                for j in 0..left {
                    assert_eq!(found[i * right + j], turned[j * right + i - 1], "{isa} {depth}");
                }
            }
            if super::fused(isa) != Isa::Portable {
                of_fused.push([found[0], found[right + 1], found[5 * right + 7]]);
            }
        }
        assert!(of_fused.windows(2).all(|pair| pair[0] == pair[1]), "{depth}: {of_fused:?}");
    }
}

#[test]
fn a_value_depends_on_its_two_rows_alone() {
    a_value_belongs_to_its_pair::<f32>();
    a_value_belongs_to_its_pair::<f64>();
}

#[test]
#[should_panic(expected = "output size")]
fn a_wrong_output_size_is_refused() {
    let Shape { left, right } = shape::<f32>(Isa::Portable);
    inner_products(Isa::Portable, &vec![0_f32; left], &vec![0.0; right], 1, &mut [0.0; 2]);
}

#[test]
fn pieces_of_four_runs_add_up_to_the_bits_of_the_whole() {
    for isa in Isa::available() {
        let Shape { left, right } = shape::<f32>(isa);
        let depth = 3 * GROUP * RUN - 5;
        let (x, y) = (rows::<f32>(left, depth, 3), rows::<f32>(right, depth, 4));
        let whole = products(isa, &x, &y);
        let (x, y) = (panel(&x), panel(&y));
        let mut sums = vec![0.0; left * right];
        let piece = GROUP * RUN;
        for (x, y) in x.chunks(left * piece).zip(y.chunks(right * piece)) {
            add_inner_products(isa, x, y, x.len() / left, &mut sums);
        }
        assert_eq!(sums, whole, "{isa}");
    }
}
