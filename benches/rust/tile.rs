//! Tiles on every instruction set: a small panel of queries against a larger one of base rows, both
//! within a megabyte, so that it is arithmetic that is timed and not memory.
//!
//! Items are pairs × columns, so that the rate is comparable between shapes: a squared distance costs
//! three operations per item, a dot product two.

mod cases;

use cases::{Case, cases};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use tailwatch_kernels::{Isa, dot_products, squared_distances};

const QUERIES: usize = 16;
const BASE: usize = 64;

type Kernel = fn(Isa, &[f64], &[f64], usize, &mut [f64]);

fn main() {
    divan::main();
}

/// Rows without structure; their values do not change the time.
fn panel(rows: usize, columns: usize) -> Vec<f64> {
    (0..rows * columns).map(|i| ((i * 7919) % 1024) as f64 / 512.0 - 1.0).collect()
}

fn time(bencher: Bencher<'_, '_>, case: Case, kernel: Kernel) {
    let (queries, base) = (panel(QUERIES, case.columns), panel(BASE, case.columns));
    let mut out = vec![0.0; QUERIES * BASE];
    bencher.counter(ItemsCount::new(QUERIES * BASE * case.columns)).bench_local(|| {
        kernel(case.isa, black_box(&queries), black_box(&base), case.columns, &mut out);
        black_box(out[0])
    });
}

#[divan::bench(args = cases())]
fn squared_distance(bencher: Bencher<'_, '_>, case: Case) {
    time(bencher, case, squared_distances);
}

#[divan::bench(args = cases())]
fn dot_product(bencher: Bencher<'_, '_>, case: Case) {
    time(bencher, case, dot_products);
}
