use std::sync::Arc;

use ndarray::{Array2, ArrayView1, Axis};
use proptest::prelude::*;
use tailwatch_kernels::Isa;

use super::*;
use crate::divergence::frame::origin_of;
use crate::error::Error;
use crate::streams::Stream;

const KERNELS: [Kernel; 4] = [
    Kernel::Polynomial { degree: 3, gamma: 0.25, coef0: 1.0 },
    Kernel::Polynomial { degree: 1, gamma: 0.5, coef0: 0.0 },
    Kernel::Gaussian { bandwidth: 2.0 },
    Kernel::Distance,
];

/// Rows enough to be multiplied as `f32`.
const SINGLE: usize = 1024;

fn normal(seed: u64, rows: usize, columns: usize) -> Array2<f64> {
    let mut stream = Stream::new(seed, "test", 0);
    Array2::from_shape_simple_fn((rows, columns), || stream.normal())
}

fn singles(view: &Array2<f32>) -> Rows<'_> {
    Rows::new(vec![Arc::new(view.view())]).unwrap()
}

fn squared(x: ArrayView1<'_, f64>, y: ArrayView1<'_, f64>) -> f64 {
    x.iter().zip(y).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// A kernel by its definition, less what depends on one row about `origin`.
fn value(
    kernel: Kernel,
    origin: ArrayView1<'_, f64>,
    x: ArrayView1<'_, f64>,
    y: ArrayView1<'_, f64>,
) -> f64 {
    match kernel {
        Kernel::Gaussian { bandwidth } => (-squared(x, y) / (2.0 * bandwidth * bandwidth)).exp(),
        Kernel::Distance => {
            squared(x, origin).sqrt() + squared(y, origin).sqrt() - squared(x, y).sqrt()
        }
        Kernel::Polynomial { degree, gamma, coef0 } => {
            let p = |a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>| {
                (gamma * a.dot(&b) + coef0).powi(degree as i32)
            };
            p(x, y) - p(x, origin) - p(origin, y) + p(origin, origin)
        }
    }
}

/// The sums by a double loop, and the largest value.
fn plainly(
    x: &Array2<f64>,
    y: Option<&Array2<f64>>,
    kernel: Kernel,
    origin: &[f64],
) -> (PairSums, f64) {
    let (other, origin) = (y.unwrap_or(x), ArrayView1::from(&origin[..x.ncols()]));
    let mut sums = PairSums::zeros(x.nrows(), other.nrows());
    let mut largest = 0.0_f64;
    for (i, a) in x.rows().into_iter().enumerate() {
        for (j, b) in other.rows().into_iter().enumerate() {
            let value = value(kernel, origin, a, b);
            largest = largest.max(value.abs());
            if y.is_none() && i == j {
                sums.diagonal.push(value);
                continue;
            }
            sums.rows[i] += value;
            sums.columns[j] += value;
            sums.squares += value * value;
        }
    }
    (sums, largest)
}

fn assert_near(found: &PairSums, (expected, largest): &(PairSums, f64), relative: f64) {
    let near = |found: &[f64], expected: &[f64], terms: usize| {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            let error = (found - expected).abs();
            assert!(error <= relative * largest * terms as f64, "{found} for {expected}");
        }
    };
    let (n, m) = (expected.rows.len(), expected.columns.len());
    near(&found.rows, &expected.rows, m);
    near(&found.columns, &expected.columns, n);
    near(&found.diagonal, &expected.diagonal, 1);
    assert!(
        (found.squares - expected.squares).abs() <= relative * largest * largest * (n * m) as f64
    );
}

/// Small integers, with many copies.
fn lattice(rows: usize, columns: usize) -> impl Strategy<Value = Array2<f64>> {
    proptest::collection::vec(-2_i8..=2, rows * columns).prop_map(move |values| {
        Array2::from_shape_vec((rows, columns), values.into_iter().map(f64::from).collect())
            .unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn sums_are_those_of_the_double_loop_for_every_isa_and_thread_count(
        (x, y) in (1_usize..90, 1_usize..90, 1_usize..9)
            .prop_flat_map(|(n, m, d)| (lattice(n, d), lattice(m, d))),
    ) {
        let (first, second) = (Rows::from_f64(x.view()), Rows::from_f64(y.view()));
        for isa in Isa::available() {
            let mut bits = Vec::new();
            for threads in 1..=2 {
                let control = Control::with_threads(threads).with_isa(isa);
                let frame = Frame::of(&[&first, &second], &control).unwrap();
                let across = pair_sums(&first, Some(&second), &KERNELS, &frame, &control).unwrap();
                let within = pair_sums(&first, None, &KERNELS, &frame, &control).unwrap();
                for (index, &kernel) in KERNELS.iter().enumerate() {
                    let origin = frame.origin();
                    assert_near(&across[index], &plainly(&x, Some(&y), kernel, origin), 1e-13);
                    assert_near(&within[index], &plainly(&x, None, kernel, origin), 1e-13);
                }
                bits.push((across, within));
            }
            prop_assert_eq!(&bits[0], &bits[1]);
        }
    }
}

#[test]
fn several_strips_and_batches_of_single_rows_are_added_up_the_same_way_on_any_thread() {
    // Rows beyond one shared strip and one batch, in f32.
    let (n, m) = (SHARED_ROWS + 200, 700);
    let x = normal(1, n, 64).mapv(|value| value as f32);
    let y = normal(2, m, 64).mapv(|value| (0.5 * value + 0.25) as f32);
    let (first, second) = (singles(&x), singles(&y));
    let sums = |threads: usize| {
        let control = Control::with_threads(threads);
        let frame = Frame::of(&[&first, &second], &control).unwrap();
        assert!(frame.is_single());
        let turned = pair_sums(&second, Some(&first), &KERNELS, &frame, &control).unwrap();
        (pair_sums(&first, None, &KERNELS, &frame, &control).unwrap(), turned, frame)
    };
    let (within, across, frame) = sums(1);
    let (again, also, _) = sums(2);
    assert_eq!((&within, &across), (&again, &also));
    let (wide_x, wide_y) = (x.mapv(f64::from), y.mapv(f64::from));
    for (index, &kernel) in KERNELS.iter().enumerate() {
        let expected = plainly(&wide_y, Some(&wide_x), kernel, frame.origin());
        assert_near(&across[index], &expected, 1e-7);
        let (few, origin) = (wide_x.select(Axis(0), &[0, 5, n - 1]), frame.origin());
        let (expected, largest) = plainly(&few, Some(&wide_x), kernel, origin);
        for (place, row) in [0, 5, n - 1].into_iter().enumerate() {
            let expected = expected.rows[place] - value_with_itself(kernel, origin, &wide_x, row);
            assert!((within[index].rows[row] - expected).abs() <= 1e-7 * largest * n as f64);
        }
        assert_eq!(within[index].rows, within[index].columns);
    }
}

fn value_with_itself(kernel: Kernel, origin: &[f64], x: &Array2<f64>, row: usize) -> f64 {
    value(kernel, ArrayView1::from(&origin[..x.ncols()]), x.row(row), x.row(row))
}

/// Rows about `offset`, times `scale`, of which some are copies and some a step of `f32` apart.
fn with_copies(seed: u64, rows: usize, columns: usize, offset: f64, scale: f64) -> Array2<f32> {
    let mut x = normal(seed, rows, columns).mapv(|value| ((value + offset) * scale) as f32);
    let (first, last) = (x.row(0).to_owned(), rows - 1);
    x.row_mut(last).assign(&first);
    x.row_mut(last - 1).assign(&first);
    x[[last - 1, columns - 1]] = first[columns - 1].next_up();
    x
}

/// ‖x−μ‖ of all rows as the frame has them.
fn lengths(frame: &Frame, rows: &Rows<'_>, control: &Control) -> Vec<f64> {
    let norms = if frame.is_single() {
        frame.pack::<f32>(rows, 0..rows.len(), 1, control).norms
    } else {
        frame.pack::<f64>(rows, 0..rows.len(), 1, control).norms
    };
    norms.into_iter().map(|norm| norm.sqrt() / frame.scale()).collect()
}

#[test]
fn every_distance_keeps_within_its_bound_whatever_the_offset_and_scale() {
    // The rows are many enough for `f32`; some are looked at.
    let places =
        [(0.0, 1.0), (3.0, 1.0), (1e4, 1.0), (0.0, 1e20), (0.0, 1e-20), (1e3, 1e-20), (0.0, 1e-38)];
    // The two wide ones, which take the time, share the places.
    for (columns, first, step) in
        [(1, 0, 1), (3, 0, 1), (7, 0, 1), (64, 0, 1), (65, 0, 1), (768, 0, 2), (2049, 1, 2)]
    {
        for (offset, scale) in places.into_iter().skip(first).step_by(step) {
            let x = with_copies(3, SINGLE, columns, offset, scale);
            let (rows, wide) = (singles(&x), x.mapv(f64::from));
            for isa in Isa::available() {
                let control = Control::with_threads(1).with_isa(isa);
                let frame = Frame::of(&[&rows], &control).unwrap();
                assert_eq!(frame.is_single(), columns >= 64);
                let unit =
                    if columns >= 64 { f64::from(f32::EPSILON) / 2.0 } else { f64::EPSILON / 2.0 };
                let centre = ArrayView1::from(&frame.origin()[..columns]);
                let lengths = lengths(&frame, &rows, &control);
                let mut errors = Vec::new();
                for place in [0, 1, SINGLE - 2, SINGLE - 1] {
                    let one = rows.clone().select(Arc::from([place])).unwrap();
                    let found = pair_sums(&rows, Some(&one), &[Kernel::Distance], &frame, &control)
                        .unwrap();
                    let of_rows = wide.rows().into_iter().zip(&lengths);
                    for ((x, length), found) in of_rows.zip(&found[0].rows) {
                        let y = wide.row(place);
                        let exact = squared(x, y);
                        let sum = squared(x, centre) + squared(y, centre);
                        let found = length + lengths[place] - found;
                        let error = (found * found - exact).abs();
                        let what = format!("{isa} {columns} {offset} {scale:e}: {exact:e}");
                        if exact < sum / 1e6 {
                            // Copies and what is next to one: measured again.
                            let lost = (found - exact.sqrt()).abs();
                            assert!(lost <= 1e-15 * (length + lengths[place]), "{what}");
                        } else {
                            assert!(
                                error <= (72.0 + columns as f64 / 256.0) * unit * sum,
                                "{what}"
                            );
                        }
                        if sum > 0.0 {
                            errors.push(error / sum);
                        }
                    }
                }
                let seen = (errors.iter().map(|error| error * error).sum::<f64>()
                    / errors.len() as f64)
                    .sqrt();
                // Rounding once more in `f64` does not get smaller with columns.
                let expected = if columns >= 64 { (columns as f64).sqrt().recip() } else { 1.0 };
                assert!(seen <= 4.0 * unit * expected, "{isa} {columns}: {seen:e}");
            }
        }
    }
}

#[test]
fn one_far_row_hides_no_distance_between_the_others() {
    // Beside 1e20 or 1e30, the squares of the others are nothing in f32.
    for (far, single) in [(1e20, true), (1e30, false)] {
        let mut x = normal(4, SINGLE + 1, 64).mapv(|value| value as f32);
        x[[SINGLE, 0]] = far;
        let (rows, wide) = (singles(&x), x.mapv(f64::from));
        let control = Control::with_threads(1);
        let frame = Frame::of(&[&rows], &control).unwrap();
        assert_eq!(frame.is_single(), single);
        let one = rows.clone().select(Arc::from([3])).unwrap();
        let found = pair_sums(&rows, Some(&one), &[Kernel::Distance], &frame, &control).unwrap();
        let lengths = lengths(&frame, &rows, &control);
        let centre = ArrayView1::from(&frame.origin()[..64]);
        for (place, found) in found[0].rows.iter().enumerate() {
            if place == SINGLE {
                // In the limit of a far row this is how far the other reaches towards it.
                let (far, near) = (&wide.row(place) - &centre, &wide.row(3) - &centre);
                let exact = near.dot(&near).sqrt() + far.dot(&near) / far.dot(&far).sqrt();
                assert!((found - exact).abs() <= 1e-5 * exact, "{found} for {exact}");
            } else {
                let exact = squared(wide.row(place), wide.row(3)).sqrt();
                let found = lengths[place] + lengths[3] - found;
                assert!((found - exact).abs() <= 1e-6 * (1.0 + exact), "{found} for {exact}");
            }
        }
    }
}

#[test]
fn tight_clusters_are_multiplied_in_double() {
    // Four clusters 1e4 apart: a quarter of all pairs lie within one.
    let x = Array2::from_shape_fn((SINGLE, 64), |(i, j)| {
        let (i, j) = (i as f32, j as f32);
        1e4 * (i % 4.0) * ((j % 3.0) - 1.0) + ((i * 7.0 + j * 13.0) % 11.0) / 11.0
    });
    let (rows, loose) = (singles(&x), normal(7, SINGLE, 64).mapv(|value| value as f32));
    let control = Control::with_threads(1);
    assert!(Frame::of(&[&singles(&loose)], &control).unwrap().is_single());
    assert!(!Frame::of(&[&rows], &control).unwrap().is_single());
}

#[test]
fn progress_ends_at_its_total_and_cancelling_stops() {
    let (x, y) = (normal(5, 300, 8), normal(6, 200, 8));
    let (x, y) = (Rows::from_f64(x.view()), Rows::from_f64(y.view()));
    let control = Control::with_threads(2);
    let frame = Frame::of(&[&x, &y], &control).unwrap();
    control.begin("kernels", u64::MAX);
    pair_sums(&x, Some(&y), &KERNELS, &frame, &control).unwrap();
    assert_eq!(control.progress().done, 300 * 200);
    pair_sums(&x, None, &KERNELS, &frame, &control).unwrap();
    assert_eq!(control.progress().done, 300 * 200 + 300 * 300);
    control.cancel();
    assert_eq!(pair_sums(&x, None, &KERNELS, &frame, &control), Err(Error::Cancelled));
}

#[test]
fn one_far_row_leaves_the_origin_amid_the_others() {
    let mut x = normal(4, 300, 3) + 5.0;
    x[[0, 1]] = 1e9;
    let origin = origin_of(&Rows::from_f64(x.view()));
    assert!(origin[..3].iter().all(|value| (value - 5.0).abs() < 0.5), "{origin:?}");
}
