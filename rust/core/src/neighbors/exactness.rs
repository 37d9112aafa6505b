//! The filter against measuring every pair: the same bits, on data that try it.

use std::sync::Arc;

use half::f16;
use ndarray::Array2;
use proptest::prelude::*;
use tailwatch_kernels::Isa;

use super::candidates::Meet;
use super::codes::Codes;
use super::search::{Set, across, nearest_across, within};
use super::topk::{Entry, Nearest};
use crate::control::Control;
use crate::rows::{Chunk, Rows};
use crate::streams::Stream;

const KINDS: [&str; 17] = [
    "gaussian",
    "low rank",
    "clusters",
    "heavy",
    "sparse",
    "constant",
    "copies",
    "half equal",
    "all equal",
    "few positions",
    "one-hot",
    "binary",
    "integers",
    "offset",
    "large",
    "small",
    "tiny",
];

fn draw(kind: &str, rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    let mut stream = Stream::new(seed, kind, columns as u64);
    let shape = (rows, columns);
    let mut normal = Array2::from_shape_simple_fn(shape, || stream.normal());
    match kind {
        "low rank" => {
            let (mut axes, rank) = (Stream::new(1, "axes", columns as u64), columns.min(2));
            let axes = Array2::from_shape_simple_fn((rank, columns), || axes.normal());
            Array2::from_shape_fn(shape, |(i, j)| {
                (0..rank).map(|axis| normal[[i, axis]] * axes[[axis, j]]).sum()
            })
        }
        "clusters" => {
            let mut centres = Stream::new(1, "centres", columns as u64);
            let centres = Array2::from_shape_simple_fn((5, columns), || 50.0 * centres.normal());
            for (row, mut values) in normal.rows_mut().into_iter().enumerate() {
                values *= 1e-3;
                values += &centres.row(row % 5);
            }
            normal
        }
        // The ratio of a normal number to a power of a uniform one has a tail index of 1.5.
        "heavy" => normal.mapv(|x| x * stream.uniform().powf(-1.0 / 1.5)),
        "sparse" => normal.mapv(|x| (x - 1.0).max(0.0)),
        "constant" => {
            for mut column in normal.columns_mut().into_iter().step_by(2) {
                column.fill(3.5);
            }
            normal
        }
        "copies" => {
            for row in 0..rows {
                let original = normal.row(row / 3).to_owned();
                normal.row_mut(row).assign(&original);
            }
            normal
        }
        "half equal" | "all equal" => {
            let step = if kind == "all equal" { 1 } else { 2 };
            let first = normal.row(0).to_owned();
            for mut row in normal.rows_mut().into_iter().step_by(step) {
                row.assign(&first);
            }
            normal
        }
        // The same positions whatever the seed, in an order that is not theirs.
        "few positions" => {
            let mut pool = Stream::new(1, "pool", columns as u64);
            let pool = Array2::from_shape_simple_fn((40, columns), || pool.normal());
            for mut row in normal.rows_mut() {
                row.assign(&pool.row(stream.below(40) as usize));
            }
            normal
        }
        "one-hot" => {
            normal.fill(0.0);
            for mut row in normal.rows_mut() {
                row[stream.below(columns as u64) as usize] = 1.0;
            }
            normal
        }
        "binary" => normal.mapv(|x| f64::from(x > 0.0)),
        "integers" => normal.mapv(|x| (2.0 * x).round()),
        "offset" => normal + 1e6,
        "large" => normal * 1e20,
        "small" => normal * 1e-20,
        // Squares of some differences underflow, so that rows tie which differ.
        "tiny" => normal * 3e-162,
        _ => normal,
    }
}

/// All pairs within reach, by (query, base).
struct Met(Vec<(usize, usize, f64)>);

impl Meet for Met {
    fn meet(&mut self, query: usize, base: usize, squared: f64) {
        self.0.push((query, base, squared));
    }
}

/// Which reaches hold each pair, by (query, base): distances are taken only where nothing else tells.
struct Held<'a> {
    pairs: Vec<(usize, usize, [bool; 2])>,
    reaches: [&'a [f64]; 2],
}

impl Meet for Held<'_> {
    fn meet(&mut self, query: usize, base: usize, squared: f64) {
        let [of_query, of_base] = [self.reaches[0][query], self.reaches[1][base]];
        self.pairs.push((query, base, [squared <= of_query, squared <= of_base]));
    }

    fn meet_unmeasured(&mut self, query: usize, base: usize, held: [bool; 2]) -> bool {
        // What neither holds need not be told.
        if held != [false; 2] {
            self.pairs.push((query, base, held));
        }
        true
    }
}

fn held(
    y: &Set<'_>,
    x: &Set<'_>,
    depth: usize,
    reaches: [&[f64]; 2],
    control: &Control,
) -> Vec<(usize, usize, [bool; 2])> {
    let begin = |_| Held { pairs: Vec::new(), reaches };
    let blocks = across(y, x, depth, Some(reaches), control, begin, |held, _| Ok(held.pairs));
    let mut pairs = blocks.unwrap().concat();
    pairs.sort_unstable();
    pairs
}

#[derive(Debug, PartialEq)]
struct Found {
    within: Vec<Entry>,
    across: Vec<Entry>,
    met: Vec<(usize, usize, f64)>,
    held: [Vec<(usize, usize, [bool; 2])>; 2],
}

fn found(x: &Set<'_>, y: &Set<'_>, k: usize, control: &Control) -> Found {
    let lists = within(x, k, control, Ok).unwrap();
    let radius = |lists: &Nearest, row| lists.list(row).last().map_or(0.0, |e| e.squared);
    let of_x: Vec<f64> = lists.iter().flat_map(|l| l.queries().map(|row| radius(l, row))).collect();
    let of_y: Vec<f64> = (0..y.rows().len()).map(|row| of_x[row % of_x.len()] * 0.5).collect();
    let blocks = across(
        y,
        x,
        k.min(2),
        Some([&of_y, &of_x]),
        control,
        |_| Met(Vec::new()),
        |met, _| Ok(met.0),
    );
    let mut met = blocks.unwrap().concat();
    met.sort_unstable_by_key(|pair| (pair.0, pair.1));
    let entries = |lists: Vec<Nearest>| lists.into_iter().flat_map(Nearest::into_entries).collect();
    Found {
        within: entries(lists),
        across: entries(nearest_across(y, x, k, control).unwrap()),
        met,
        held: [0, k.min(2)].map(|depth| held(y, x, depth, [&of_y, &of_x], control)),
    }
}

fn compare(x: &Array2<f64>, y: &Array2<f64>, k: usize, trust: f64, control: &Control) -> bool {
    agree(&Rows::from_f64(x.view()), &Rows::from_f64(y.view()), k, trust, control)
}

fn agree(x: &Rows<'_>, y: &Rows<'_>, k: usize, trust: f64, control: &Control) -> bool {
    let coded = |rows| Codes::of_any_width(rows, x, trust, control);
    let all = [x, y].map(|rows| Set::with(rows, None, control));
    let some = [x, y].map(|rows| Set::with(rows, Some(coded(rows)), control));
    let [measured, filtered] = [all, some].map(|[x, y]| found(&x, &y, k, control));
    measured == filtered
}

#[test]
fn codes_never_lose_a_neighbour() {
    let narrow = [(1, 450), (3, 450), (4, 193), (7, 450), (63, 450), (64, 192), (65, 450)];
    // What some blocks of columns more change is the same for all kinds: each meets one such width.
    let wide = [(511, 250), (768, 250), (2049, 200)];
    for (number, kind) in KINDS.into_iter().enumerate() {
        for (columns, rows) in narrow.into_iter().chain([wide[number % wide.len()]]) {
            let (x, y) = (draw(kind, rows, columns, 1), draw(kind, rows / 2 + 1, columns, 2));
            let control = Control::with_threads(2);
            assert!(compare(&x, &y, 5, 1.0, &control), "{kind} {rows} x {columns}");
        }
    }
}

#[test]
fn long_lists_and_lists_of_everything_are_right() {
    for kind in ["gaussian", "clusters", "copies"] {
        for k in [1, 60, 199] {
            let (x, y) = (draw(kind, 200, 20, 3), draw(kind, 33, 20, 4));
            assert!(compare(&x, &y, k, 1.0, &Control::with_threads(2)), "{kind} {k}");
        }
    }
}

fn rows<'a>(chunk: impl Chunk + 'a) -> Rows<'a> {
    Rows::new(vec![Arc::new(chunk)]).unwrap()
}

#[test]
fn narrow_types_and_mixed_ones_are_right() {
    for (number, kind) in KINDS.into_iter().enumerate() {
        for columns in [1, if number % 2 == 0 { 20 } else { 70 }] {
            let (x, y) = (draw(kind, 300, columns, 1), draw(kind, 150, columns, 2));
            let single = |data: &Array2<f64>| data.mapv(|value| value as f32);
            let half = |data: &Array2<f64>| data.mapv(f16::from_f64);
            // `f16` holds neither end, nor differences of what is far from zero.
            let wide = ["large", "small", "tiny", "offset", "heavy"].contains(&kind);
            let (x32, y32, x16, y16) = (single(&x), single(&y), half(&x), half(&y));
            let x = [rows(x32.view()), rows(x.view()), rows(x16.view())];
            let y = [rows(y32.view()), rows(y.view()), rows(y16.view())];
            let types = if wide { 2 } else { 3 };
            for (x, y) in x[..types].iter().flat_map(|x| y[..types].iter().map(move |y| (x, y))) {
                let digits = (x.digits(), y.digits());
                assert!(agree(x, y, 4, 1.0, &Control::with_threads(2)), "{kind} {digits:?}");
            }
        }
    }
}

#[test]
fn queries_in_tall_blocks_are_right() {
    // From 15,360 rows on; the last block is not a whole one.
    let (x, y) = (draw("clusters", 250, 17, 5), draw("gaussian", 15_500, 17, 6));
    assert!(compare(&x, &y, 3, 1.0, &Control::with_threads(2)));
}

#[test]
fn rows_far_longer_than_the_unit_or_far_shorter_are_right() {
    // The unit rests on a sample, so a row may be anything in it; `f32` holds neither end.
    let [mut x, mut y] = [(400, 1), (200, 2)].map(|(rows, seed)| draw("gaussian", rows, 20, seed));
    for (data, factors) in [(&mut x, [1e45, 1e-45, 1e25]), (&mut y, [1e-45, 1e45, 1e-25])] {
        for (row, factor) in [3, 11, 17].into_iter().zip(factors) {
            data.row_mut(row).mapv_inplace(|value| value * factor);
            let copy = data.row(row).to_owned();
            data.row_mut(row + 2).assign(&copy);
        }
    }
    assert!(compare(&x, &y, 5, 1.0, &Control::with_threads(2)));
}

#[test]
fn halved_residuals_are_noticed() {
    // Two clusters tighter than a step of the codes, which they straddle: what codes miss of two rows points
    // apart, and is longer than the distances between rows.
    let clusters = |rows, columns, seed| {
        let mut data = 0.1 * draw("gaussian", rows, columns, seed);
        for (row, mut values) in data.rows_mut().into_iter().enumerate() {
            let side = if row % 2 == 0 { 1.0 } else { -1.0 };
            values.iter_mut().skip(1).for_each(|value| *value += 10.0 * side);
            values[0] += 40.0 * side;
        }
        data
    };
    // The second width is the least that is coded without being asked for.
    for columns in [2, 16] {
        let seen = (0..20).filter(|&seed| {
            let (x, y) = (clusters(450, columns, seed), clusters(200, columns, seed + 100));
            let control = Control::with_threads(1);
            assert!(compare(&x, &y, 5, 1.0, &control));
            !compare(&x, &y, 5, 0.5, &control)
        });
        let seen = seen.count();
        assert!(seen >= 15, "{seen} of 20 with {columns} columns");
    }
}

#[test]
fn pairs_that_are_certain_are_counted_unmeasured() {
    // Rows within 10 of two centres 1,000 apart: reaches of 100 leave no doubt.
    let mut data = draw("gaussian", 400, 32, 1);
    for mut values in data.rows_mut().into_iter().step_by(2) {
        values += 1000.0;
    }
    let rows = Rows::from_f64(data.view());
    let (control, reach) = (Control::with_threads(2), vec![100.0_f64.powi(2); 400]);
    let [y, x] = Set::together([&rows, &rows], &control).unwrap();
    let pairs = held(&y, &x, 0, [&reach, &reach], &control);
    assert_eq!(pairs.len(), 2 * 200 * 200);
    assert_eq!(control.measured(), 0);
}

#[test]
fn equal_rows_cost_no_measurement_of_their_pairs() {
    let control = || Control::with_threads(2);
    for kind in ["half equal", "all equal", "few positions", "one-hot"] {
        let (x, y) = (draw(kind, 2000, 32, 1), draw(kind, 1000, 32, 2));
        let (x, y) = (Rows::from_f64(x.view()), Rows::from_f64(y.view()));
        let alone = control();
        let [set] = Set::together([&x], &alone).unwrap();
        within(&set, 5, &alone, Ok).unwrap();
        let across = control();
        let [x, y] = Set::together([&x, &y], &across).unwrap();
        nearest_across(&y, &x, 5, &across).unwrap();
        for (measured, queries) in [(alone.measured(), 2000), (across.measured(), 1000)] {
            assert!(measured <= 60 * queries, "{kind}: {measured} for {queries} queries");
        }
    }
}

#[test]
fn few_pairs_are_measured_and_no_more_of_more_rows() {
    // Of isotropic data, where all distances are much the same: the hardest case.
    let per_query = |rows: usize| {
        let (x, y) = (draw("gaussian", rows, 64, 1), draw("gaussian", 400, 64, 2));
        let control = Control::with_threads(1);
        let (x, y) = (Rows::from_f64(x.view()), Rows::from_f64(y.view()));
        let [x, y] = Set::together([&x, &y], &control).unwrap();
        nearest_across(&y, &x, 5, &control).unwrap();
        control.measured() as f64 / 400.0
    };
    let [few, many] = [1000, 16_000].map(per_query);
    assert!((5.0..=40.0).contains(&few), "{few} of 1,000 rows");
    assert!(many <= 1.5 * few, "{many} of 16,000 rows, {few} of 1,000");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_data_threads_and_instruction_set_give_the_same_bits(
        kind in 0..KINDS.len(),
        rows in 2_usize..500,
        others in 1_usize..500,
        columns in 1_usize..70,
        k in 1_usize..40,
        seed in any::<u64>(),
    ) {
        let k = k.min(rows - 1);
        let (x, y) = (draw(KINDS[kind], rows, columns, seed), draw(KINDS[kind], others, columns, !seed));
        for isa in Isa::available() {
            let control = Control::with_threads(1 + (seed % 4) as usize).with_isa(isa);
            prop_assert!(compare(&x, &y, k, 1.0, &control), "{} on {isa}", KINDS[kind]);
        }
    }
}
