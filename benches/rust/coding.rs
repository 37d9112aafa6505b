//! Rows as codes, on every instruction set: entering a panel, the rotation, and the codes themselves.
//!
//! Items are values, so the rate times four is bytes of `f32` a second, to be held against what memory gives.

mod cases;

use cases::{Case, cases};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use tailwatch_kernels::tile8::{GROUP, GROUP_BYTES, PANEL};
use tailwatch_kernels::{Column, into_panel, quantize, rotate};

fn main() {
    divan::main();
}

/// A panel of values without structure.
fn panel(columns: usize) -> Vec<Column> {
    let value = |i: usize| (i * 7919 % 1009) as f32 / 504.5 - 1.0;
    (0..columns).map(|j| std::array::from_fn(|lane| value(j * PANEL + lane))).collect()
}

fn values(case: Case) -> ItemsCount {
    ItemsCount::new(PANEL * case.columns)
}

#[divan::bench(args = cases())]
fn enter(bencher: Bencher<'_, '_>, case: Case) {
    let rows: Vec<f32> = panel(case.columns).into_flattened();
    let (centre, mut out) = (vec![0.1; case.columns], panel(case.columns));
    bencher.counter(values(case)).bench_local(|| {
        let mut lying = black_box(&rows).chunks_exact(case.columns);
        let rows = std::array::from_fn(|_| lying.next().unwrap_or_default());
        into_panel(case.isa, &rows, &centre, 0.5, &mut out);
        black_box(&out);
    });
}

/// An isometry, so that the same panel can be rotated again and again.
#[divan::bench(args = cases())]
fn mix(bencher: Bencher<'_, '_>, case: Case) {
    let (signs, mut panel) = (vec![1.0; case.columns], panel(case.columns));
    bencher.counter(values(case)).bench_local(|| rotate(case.isa, &signs, black_box(&mut panel)));
}

#[divan::bench(args = cases())]
fn code(bencher: Bencher<'_, '_>, case: Case) {
    let panel = panel(case.columns);
    let mut codes = vec![0; case.columns.div_ceil(GROUP) * GROUP_BYTES];
    let code = || quantize(case.isa, black_box(&panel), &mut codes);
    bencher.counter(values(case)).bench_local(code);
}
