//! Integer tiles on every instruction set, panels within the second-level cache, so that it is arithmetic
//! that is timed and not memory.
//!
//! Items are integer operations, two for each pair and column: the rate is Gop/s, to be held against four
//! times the float32 peak on processors with dot-product instructions.

mod cases;

use cases::{Case, cases};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use tailwatch_kernels::tile8::{
    BaseTest, GROUP, GROUP_BYTES, PANEL, Panels, QueryTest, SPAN, Sifted, laid, lay, sweep,
};

/// Query panels that meet the same base panels, as they do in a search.
const PANELS: usize = 12;

fn main() {
    divan::main();
}

/// Codes without structure; their values do not change the time.
fn codes(panels: usize, columns: usize) -> Panels {
    let mut codes = Panels::zeros(panels * columns.div_ceil(GROUP) * GROUP_BYTES);
    let values = codes.iter_mut().enumerate();
    values.for_each(|(i, code)| *code = ((i * 7919 % 255) as i16 - 127) as i8);
    codes
}

/// No pair is kept, as of nearly all pairs in a search.
fn time(bencher: Bencher<'_, '_>, case: Case, mutual: bool) {
    let (queries, base) = (codes(PANELS, case.columns), codes(SPAN, case.columns));
    let length = queries.len() / PANELS;
    let mut ready = Panels::zeros(PANELS * laid(case.isa, length));
    let rooms = ready.chunks_exact_mut(laid(case.isa, length));
    queries.chunks_exact(length).zip(rooms).for_each(|(panel, room)| lay(case.isa, panel, room));
    let far = [f32::INFINITY; PANEL];
    let asks = [QueryTest { p: far, q: far, ..QueryTest::default() }; PANELS];
    let brings = [BaseTest { inverse: [1.0; PANEL], ..BaseTest::default() }; SPAN];
    let (mut first, mut second) = (Sifted::default(), Sifted::default());
    let operations = 2 * PANELS * PANEL * SPAN * PANEL * case.columns;
    bencher.counter(ItemsCount::new(operations)).bench_local(|| {
        let (queries, base) = (black_box(&ready), black_box(&base));
        let sifted = [&mut first, &mut second];
        sweep(case.isa, queries, &asks, base, &brings, mutual, sifted, |_, sifted| {
            black_box(&sifted.kept);
        });
    });
}

#[divan::bench(args = cases())]
fn queries_ask(bencher: Bencher<'_, '_>, case: Case) {
    time(bencher, case, false);
}

#[divan::bench(args = cases())]
fn both_ask(bencher: Bencher<'_, '_>, case: Case) {
    time(bencher, case, true);
}
