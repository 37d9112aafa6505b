//! k-means against plain Lloyd, and what its results must not depend on.

use ndarray::Array2;
use proptest::prelude::*;
use tailwatch_kernels::Isa;

use super::*;
use crate::streams::Stream;

/// Every distance of every round.
fn plain_lloyd(rows: &Rows<'_>, mut centres: Centres) -> Clustering {
    let (n, d, k) = (rows.len(), rows.columns(), centres.count());
    let row = |index: usize| {
        let mut row = vec![0.0; d];
        rows.read(index, &mut row);
        row
    };
    let squared = |row: &[f64], centre: &[f64]| {
        let pairs = row.iter().zip(centre);
        pairs.map(|(a, b)| (a - b) * (a - b)).sum::<f64>()
    };
    let assign = |centres: &Centres| -> Vec<u32> {
        let nearest = |index: usize| {
            let row = row(index);
            let all = centres.values.chunks_exact(d).map(|centre| squared(&row, centre));
            all.enumerate().min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(label, _)| label as u32)
        };
        (0..n).map(nearest).collect()
    };
    let mut labels = assign(&centres);
    for _ in 1..ROUNDS {
        let mut left: Vec<(f64, usize)> = (0..n)
            .map(|i| (squared(&row(i), &centres.values[labels[i] as usize * d..][..d]), i))
            .collect();
        left.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let empty: Vec<u32> = (0..k as u32).filter(|label| !labels.contains(label)).collect();
        for (label, (far, index)) in empty.into_iter().zip(left) {
            if far > 0.0 {
                labels[index] = label;
            }
        }
        let mut means = centres.clone();
        for label in 0..k {
            let members: Vec<usize> = (0..n).filter(|&i| labels[i] as usize == label).collect();
            for j in 0..d {
                let sum: f64 = members.iter().map(|&i| row(i)[j]).sum();
                if !members.is_empty() {
                    means.values[label * d + j] = sum / members.len() as f64;
                }
            }
        }
        if means == centres {
            break;
        }
        centres = means;
        labels = assign(&centres);
    }
    Clustering { centres, labels }
}

/// Clumped rows: bounds hold, and centres come to rest at different times.
fn clumps(n: usize, d: usize, seed: u64) -> Array2<f64> {
    let mut stream = Stream::new(seed, "test", 0);
    let places = Array2::from_shape_simple_fn((6, d), || 8.0 * stream.normal());
    Array2::from_shape_fn((n, d), |(i, j)| places[[i % 6, j]] + stream.normal())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn settles_where_plain_lloyd_does(
        n in 2_usize..400, d in 1_usize..40, share in 1_usize..60, seed in 0_u64..1000,
    ) {
        let data = clumps(n, d, seed);
        let rows = Rows::from_f64(data.view());
        let control = Control::with_threads(2);
        let frame = Frame::of(&rows, &control);
        let frame = frame.as_ref();
        let set = Set::alone(&rows, frame, &control).unwrap();
        let clusters = (n * share / 100).max(1);
        let seeds = seeds::draw(&rows, &set, frame, clusters, seed, &control).unwrap();
        let found = lloyd::settle(&set, frame, seeds.clone(), &control).unwrap();
        let expected = plain_lloyd(&rows, seeds);
        prop_assert_eq!(&found.labels, &expected.labels);
        prop_assert_eq!(&found.centres, &expected.centres);
        let fitted = fit(&rows, clusters, seed, MOST_ROWS, &control).unwrap();
        prop_assert_eq!(&fitted, &expected);
    }
}

#[test]
fn well_separated_groups_are_found_whatever_the_seed() {
    let mut stream = Stream::new(4, "test", 0);
    let data = Array2::from_shape_fn((300, 2), |(i, j)| {
        let place = [[0.0, 0.0], [50.0, 0.0], [0.0, 50.0]][i % 3][j];
        place + stream.normal()
    });
    let rows = Rows::from_f64(data.view());
    for seed in 0..5 {
        let labels = k_means(&rows, "rows", 3, seed, &Control::with_threads(2)).unwrap().labels;
        assert!((0..300).all(|i| labels[i] == labels[i % 3]));
        assert!(labels[0] != labels[1] && labels[1] != labels[2] && labels[0] != labels[2]);
    }
}

#[test]
fn neither_threads_nor_instruction_sets_show() {
    let data = clumps(1500, 33, 5);
    let rows = Rows::from_f64(data.view());
    for most_rows in [MOST_ROWS, 1000] {
        let expected = fit(&rows, 120, 1, most_rows, &Control::with_threads(1)).unwrap();
        assert_eq!(
            expected.centres.assign(&rows, &Control::with_threads(2)).unwrap(),
            expected.labels
        );
        for isa in Isa::available() {
            for threads in 1..=3 {
                let control = Control::with_threads(threads).with_isa(isa);
                assert_eq!(fit(&rows, 120, 1, most_rows, &control).unwrap(), expected);
            }
        }
    }
}

#[test]
fn mini_batches_find_groups_and_come_near_to_what_lloyd_leaves() {
    let data = clumps(20_000, 8, 6);
    let rows = Rows::from_f64(data.view());
    let control = Control::with_threads(2);
    let left = |clustering: &Clustering| -> f64 {
        let squared = (0..rows.len()).map(|i| {
            let centre = &clustering.centres.values[clustering.labels[i] as usize * 8..][..8];
            data.row(i).iter().zip(centre).map(|(a, b)| (a - b) * (a - b)).sum::<f64>()
        });
        squared.sum()
    };
    let groups = fit(&rows, 6, 2, 1000, &control).unwrap().labels;
    assert!((0..20_000).all(|i| groups[i] == groups[i % 6]));
    let exact = left(&fit(&rows, 60, 2, MOST_ROWS, &control).unwrap());
    let batches = left(&fit(&rows, 60, 2, 1000, &control).unwrap());
    assert!(exact < batches && batches < 1.1 * exact, "{exact} {batches}");
}

#[test]
fn an_empty_cluster_takes_the_farthest_row() {
    let data = Array2::from_shape_vec((6, 1), vec![0.0, 0.0, 1.0, 1.0, 9.0, 30.0]).unwrap();
    let rows = Rows::from_f64(data.view());
    let control = Control::with_threads(1);
    let frame = Frame::of(&rows, &control);
    let frame = frame.as_ref();
    let set = Set::alone(&rows, frame, &control).unwrap();
    // All rows are nearest to the first centre or the second.
    let centres = Centres { values: vec![0.0, 2.0, 500.0], columns: 1 };
    let found = lloyd::settle(&set, frame, centres, &control).unwrap();
    assert_eq!(found.labels, [0, 0, 0, 0, 1, 2]);
    assert_eq!(found.centres.values, [0.5, 9.0, 30.0]);
}

#[test]
fn more_clusters_than_different_rows_is_no_trouble() {
    let data = Array2::<f64>::zeros((5, 2));
    let rows = Rows::from_f64(data.view());
    let control = Control::with_threads(1);
    assert_eq!(k_means(&rows, "rows", 4, 0, &control).unwrap().labels, [0; 5]);
    assert!(k_means(&rows, "rows", 6, 0, &control).is_err());
}

#[test]
fn cancelling_stops_each_stage() {
    let data = clumps(300, 20, 7);
    let rows = Rows::from_f64(data.view());
    let control = Control::with_threads(1);
    control.cancel();
    for most_rows in [MOST_ROWS, 100] {
        assert_eq!(fit(&rows, 30, 0, most_rows, &control).unwrap_err(), Error::Cancelled);
    }
}
