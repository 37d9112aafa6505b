//! Integer tiles: which pairs of coded rows could be close?
//!
//! Codes lie in panels of [`PANEL`] rows: for each group of [`GROUP`] columns the four codes of row 0, of
//! row 1 and so on, zeros beyond the last column. One panel of queries meets up to [`SPAN`] panels of base
//! rows. With I = ⟨c_x, c_y⟩, exact in `i32`, a pair is *kept* unless I lies below a threshold that is
//! linear in what is known of x and of y:
//!
//! t = g·lift + p·inverse + r·spread, and, where base rows ask too, at most
//! t' = g·own_lift + q·inverse + e·own_spread.
//!
//! What the letters must be for a certificate is the caller's business. Thresholds are `f32`: their rounding
//! differs between instruction sets by a few units in the last place, which the caller allows for. A comparison
//! with NaN keeps the pair; where base rows ask too, a row that is to be kept has NaN in both thresholds. All products are handed over, and which pairs are kept as bits: which they will be
//! nobody can guess, and a processor that goes ahead on a wrong guess throws away products of the next tile.
//! Cost: 2·16·16·d integer operations a panel pair.

pub(crate) mod amx;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod avxvnni;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;

use crate::Isa;

/// Rows of a panel.
pub const PANEL: usize = 16;
/// Columns whose codes lie together.
pub const GROUP: usize = 4;
/// Bytes of one group of columns in a panel.
pub const GROUP_BYTES: usize = PANEL * GROUP;
/// Base panels that one call takes at most.
pub const SPAN: usize = 3;
/// Base rows that one call takes at most.
pub const WIDTH: usize = PANEL * SPAN;
/// Columns up to which an `i32` holds every inner product, and every step on the way to it.
pub const MOST_COLUMNS: usize = 65_536;

/// One group of columns of a panel, in one cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Group([i8; GROUP_BYTES]);

/// Panels, each group of columns in a cache line of its own: matrix units take several times as long for rows of
/// tiles that lie in two.
#[derive(Clone, Default)]
pub struct Panels(Vec<Group>);

impl Panels {
    /// Room for `length` codes, all zero.
    ///
    /// # Panics
    /// If they are no whole groups.
    #[must_use]
    pub fn zeros(length: usize) -> Self {
        let mut panels = Self::default();
        panels.resize(length);
        panels
    }

    /// Makes room for `length` codes; what is new is zero.
    ///
    /// # Panics
    /// If they are no whole groups.
    pub fn resize(&mut self, length: usize) {
        assert!(length.is_multiple_of(GROUP_BYTES), "ragged panel");
        self.0.resize(length / GROUP_BYTES, Group([0; GROUP_BYTES]));
    }
}

impl std::ops::Deref for Panels {
    type Target = [i8];

    fn deref(&self) -> &[i8] {
        let length = self.0.len() * GROUP_BYTES;
        // SAFETY: a group is its codes and nothing else, and groups lie without gaps.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), length) }
    }
}

impl std::ops::DerefMut for Panels {
    fn deref_mut(&mut self) -> &mut [i8] {
        let length = self.0.len() * GROUP_BYTES;
        // SAFETY: as above, and any codes make a group.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast(), length) }
    }
}

/// What the queries of a panel ask for, one value a row.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
pub struct QueryTest {
    /// Factor of the base row's lift.
    pub g: [f32; PANEL],
    /// Factor of its inverse scale.
    pub p: [f32; PANEL],
    /// Factor of its spread.
    pub r: [f32; PANEL],
    /// Factor of its inverse scale, in the base row's own threshold.
    pub q: [f32; PANEL],
    /// Factor of its own spread.
    pub e: [f32; PANEL],
    /// Sums of the codes.
    pub sums: [i32; PANEL],
}

/// What the base rows of a panel bring, one value a row.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
pub struct BaseTest {
    /// One over the scale.
    pub inverse: [f32; PANEL],
    /// Squared length, less the residual's, over the scale.
    pub lift: [f32; PANEL],
    /// Residual over the scale.
    pub spread: [f32; PANEL],
    /// As `lift`, for the row's own threshold.
    pub own_lift: [f32; PANEL],
    /// As `spread`, for the row's own threshold.
    pub own_spread: [f32; PANEL],
}

/// What comes of one call: queries by base rows, counted from the first of the base panels.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub struct Sifted {
    /// ⟨c_x, c_y⟩, for the base panels that the call took.
    pub dots: [[i32; WIDTH]; PANEL],
    /// Which pairs are kept: bit y of word x.
    pub kept: [u64; PANEL],
}

impl Default for Sifted {
    fn default() -> Self {
        Self { dots: [[0; WIDTH]; PANEL], kept: [0; PANEL] }
    }
}

impl Sifted {
    /// Says anew which pairs are kept, of the same products by other tests.
    pub fn decide(&mut self, query_test: &QueryTest, base_tests: &[BaseTest], mutual: bool) {
        for (query, (dots, kept)) in self.dots.iter().zip(&mut self.kept).enumerate() {
            *kept = 0;
            for (panel, (dots, brings)) in dots.as_chunks().0.iter().zip(base_tests).enumerate() {
                *kept |= kept_of(query_test, query, brings, dots, mutual) << (panel * PANEL);
            }
        }
    }

    /// Hands the pairs that are kept to `take`, query by query: query, base row, product.
    #[inline]
    pub fn each(&self, mut take: impl FnMut(usize, usize, i32)) {
        let mut kept = self.kept;
        let mut some = 0_u32;
        for (query, bits) in kept.iter().enumerate() {
            some |= u32::from(*bits != 0) << query;
        }
        // One way through all of them: where one query ends and the next begins nobody can guess.
        while some != 0 {
            let query = some.trailing_zeros() as usize % PANEL;
            let bits = kept[query];
            let base = bits.trailing_zeros() as usize % WIDTH;
            kept[query] = bits & bits.wrapping_sub(1);
            some ^= u32::from(kept[query] == 0) << query;
            take(query, base, self.dots[query][base]);
        }
    }
}

/// Bytes that a query panel of `length` bytes takes once it is laid.
#[must_use]
pub fn laid(isa: Isa, length: usize) -> usize {
    if isa == Isa::Amx { amx::laid(length) } else { length }
}

/// Lays a panel as queries are read, all of `out`.
///
/// # Panics
/// If `out` has not the bytes that [`laid`] says.
pub fn lay(isa: Isa, panel: &[i8], out: &mut [i8]) {
    assert_eq!(out.len(), laid(isa, panel.len()), "room for a query panel");
    if isa == Isa::Amx { amx::lay(panel, out) } else { out.copy_from_slice(panel) }
}

/// Multiplies a panel of queries, which is laid, by base panels and says which pairs are kept.
///
/// `mutual` says whether base rows ask too.
///
/// # Panics
/// If `base` is not one to [`SPAN`] panels, one test a panel, if `query` is not a panel as long, laid, or if the
/// processor lacks `isa`.
pub fn sift(
    isa: Isa,
    query: &[i8],
    query_test: &QueryTest,
    base: &[i8],
    base_tests: &[BaseTest],
    mutual: bool,
    sifted: &mut Sifted,
) {
    let tile = Tile::checked(isa, query, query_test, base, base_tests);
    sifted.kept = [0; PANEL];
    match isa {
        Isa::Portable => portable::sift(&tile, mutual, sifted),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has AVX2; the panels were measured above.
        Isa::Avx2 => unsafe { avx2::sift(&tile, mutual, sifted) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has AVX-VNNI; the panels were measured above.
        Isa::AvxVnni => unsafe { avxvnni::sift(&tile, mutual, sifted) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has AVX-512 with VNNI; the panels were measured above.
        Isa::Avx512 => unsafe { avx512::sift(&tile, mutual, sifted) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has the tiles and AVX-512, and they are granted; the panels were measured above.
        Isa::Amx => unsafe {
            let mut unit = amx::Processor;
            amx::Unit::configure(&mut unit, amx::rest(tile.length()));
            amx::multiply(&mut unit, &tile, sifted);
            amx::Unit::release(&mut unit);
            avx512::decide(query_test, base_tests, mutual, sifted);
        },
        #[cfg(target_arch = "aarch64")]
        // SAFETY: NEON is part of the architecture; the panels were measured above.
        Isa::Neon => unsafe { neon::sift(&tile, mutual, sifted) },
        #[allow(unreachable_patterns)] // which of them are left depends on the architecture
        _ => unreachable!("not available on this architecture"),
    }
}

/// Sifts several panels of queries, laid one after the other, with the same base panels. What comes of each goes to
/// `take` with its number, while the products of the next are on their way.
///
/// # Panics
/// As [`sift`], and if there is not one of `query_tests` a panel.
#[allow(clippy::too_many_arguments)] // what is multiplied and asked, on both sides, and where it goes
pub fn sweep(
    isa: Isa,
    queries: &[i8],
    query_tests: &[QueryTest],
    base: &[i8],
    base_tests: &[BaseTest],
    mutual: bool,
    [mut now, mut earlier]: [&mut Sifted; 2],
    mut take: impl FnMut(usize, &Sifted),
) {
    let length = laid(isa, base.len() / base_tests.len().max(1));
    assert_eq!(queries.len(), query_tests.len() * length, "one test a query panel");
    let panels = queries.chunks_exact(length).zip(query_tests);
    #[cfg(target_arch = "x86_64")]
    if isa == Isa::Amx {
        let tiles = panels.map(|(query, test)| Tile::checked(isa, query, test, base, base_tests));
        // SAFETY: the processor has the tiles and AVX-512, and they are granted; the panels were measured.
        let decide = |sifted: &mut Sifted, test: &QueryTest| unsafe {
            avx512::decide(test, base_tests, mutual, sifted);
        };
        // SAFETY: as above.
        unsafe { amx::sweep(&mut amx::Processor, tiles, [now, earlier], decide, take) };
        return;
    }
    for (panel, (query, test)) in panels.enumerate() {
        sift(isa, query, test, base, base_tests, mutual, now);
        std::mem::swap(&mut now, &mut earlier);
        if let Some(panel) = panel.checked_sub(1) {
            take(panel, now);
        }
    }
    if let Some(last) = query_tests.len().checked_sub(1) {
        take(last, earlier);
    }
}

/// The arguments of [`sift`], their sizes checked.
struct Tile<'a> {
    query: &'a [i8],
    query_test: &'a QueryTest,
    base: &'a [i8],
    base_tests: &'a [BaseTest],
}

impl<'a> Tile<'a> {
    #[inline]
    fn checked(
        isa: Isa,
        query: &'a [i8],
        query_test: &'a QueryTest,
        base: &'a [i8],
        base_tests: &'a [BaseTest],
    ) -> Self {
        let panels = base_tests.len();
        assert!((1..=SPAN).contains(&panels), "{panels} base panels");
        let length = base.len() / panels;
        assert!(base.len() == panels * length, "panels differ in columns");
        assert!(length.is_multiple_of(GROUP_BYTES), "ragged panel");
        assert!(length / PANEL <= MOST_COLUMNS, "more than {MOST_COLUMNS} columns");
        assert_eq!(query.len(), laid(isa, length), "panels differ in columns");
        assert!(isa.is_available(), "this processor has no {isa}");
        Self { query, query_test, base, base_tests }
    }

    /// Bytes of a base panel.
    fn length(&self) -> usize {
        self.base.len() / self.base_tests.len()
    }

    /// Groups of columns.
    fn groups(&self) -> usize {
        self.length() / GROUP_BYTES
    }

    /// Notes the products of one query with one base panel, and which pairs are kept.
    #[inline(always)]
    fn note(
        &self,
        mutual: bool,
        query: usize,
        panel: usize,
        dots: &[i32; PANEL],
        sifted: &mut Sifted,
    ) {
        let kept = kept_of(self.query_test, query, &self.base_tests[panel], dots, mutual);
        sifted.kept[query] |= kept << (panel * PANEL);
        sifted.dots[query][panel * PANEL..][..PANEL].copy_from_slice(dots);
    }
}

/// The rows of a base panel whose pair with a query is kept, as bits.
#[inline(always)]
#[allow(clippy::needless_range_loop)] // one counter for all that is known of a row
fn kept_of(
    asks: &QueryTest,
    query: usize,
    brings: &BaseTest,
    dots: &[i32; PANEL],
    mutual: bool,
) -> u64 {
    let mut kept = 0;
    for row in 0..PANEL {
        let mut threshold = asks.g[query] * brings.lift[row]
            + asks.p[query] * brings.inverse[row]
            + asks.r[query] * brings.spread[row];
        if mutual {
            let own = asks.g[query] * brings.own_lift[row]
                + asks.q[query] * brings.inverse[row]
                + asks.e[query] * brings.own_spread[row];
            // As the vector instruction: the second where either is NaN.
            threshold = if threshold < own { threshold } else { own };
        }
        let far =
            matches!((dots[row] as f32).partial_cmp(&threshold), Some(std::cmp::Ordering::Less));
        kept |= u64::from(!far) << row;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small generator, enough for arithmetic tests.
    struct Lcg(u64);

    impl Lcg {
        fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            self.0 >> 33
        }

        fn code(&mut self) -> i8 {
            (self.next() % 255) as i8 ^ i8::MIN
        }
    }

    struct Case {
        query: Vec<i8>,
        base: Vec<i8>,
        asks: QueryTest,
        brings: Vec<BaseTest>,
        dots: Vec<i32>,
    }

    /// Random codes between −127 and 127, with all their extremes in the first rows.
    fn case(groups: usize, panels: usize, seed: u64) -> Case {
        let mut lcg = Lcg(seed);
        let mut panel = |extreme: i8| -> Vec<i8> {
            let mut codes: Vec<i8> =
                (0..groups * GROUP_BYTES).map(|_| lcg.code().max(-127)).collect();
            for group in 0..groups {
                codes[group * GROUP_BYTES..][..GROUP].fill(extreme);
                codes[group * GROUP_BYTES + GROUP..][..GROUP].fill(-extreme);
            }
            codes
        };
        let query = panel(127);
        let base: Vec<i8> = (0..panels).flat_map(|_| panel(-127)).collect();
        let at = |codes: &[i8], row: usize, column: usize| {
            let panel = row / PANEL * groups * GROUP_BYTES;
            let place = column / GROUP * GROUP_BYTES + row % PANEL * GROUP + column % GROUP;
            i32::from(codes[panel + place])
        };
        let mut dots = Vec::new();
        for x in 0..PANEL {
            for y in 0..panels * PANEL {
                dots.push(
                    (0..groups * GROUP).map(|j| at(&query, x, j) * at(&base, y, j)).sum::<i32>(),
                );
            }
        }
        let mut asks = QueryTest::default();
        for x in 0..PANEL {
            asks.sums[x] = (0..groups * GROUP).map(|j| at(&query, x, j)).sum();
        }
        Case { query, base, asks, brings: vec![BaseTest::default(); panels], dots }
    }

    fn laid_query(isa: Isa, case: &Case) -> Vec<i8> {
        // What stood there before does not matter.
        let mut query = vec![99; laid(isa, case.query.len())];
        lay(isa, &case.query, &mut query);
        query
    }

    fn sifted(isa: Isa, case: &Case, mutual: bool) -> Vec<(usize, usize, i32)> {
        // What an earlier call left does not matter.
        let mut sifted = Sifted { dots: [[7; WIDTH]; PANEL], kept: [u64::MAX; PANEL] };
        let query = laid_query(isa, case);
        sift(isa, &query, &case.asks, &case.base, &case.brings, mutual, &mut sifted);
        let mut found = Vec::new();
        sifted.each(|query, base, dot| found.push((query, base, dot)));
        assert!(found.is_sorted(), "{isa}");
        found
    }

    #[test]
    fn inner_products_are_exact_on_every_instruction_set() {
        for isa in Isa::available() {
            let sizes = [(1, 1), (2, 3), (15, 2), (16, 2), (17, 3), (48, 1), (193, 3), (16_384, 1)];
            for (groups, panels) in sizes {
                let mut case = case(groups, panels, groups as u64);
                // A threshold of minus infinity keeps every pair.
                case.asks.p = [f32::NEG_INFINITY; PANEL];
                case.brings.iter_mut().for_each(|test| test.inverse = [1.0; PANEL]);
                let found = sifted(isa, &case, false);
                assert_eq!(found.len(), case.dots.len(), "{isa}");
                for (x, y, dot) in found {
                    assert_eq!(dot, case.dots[x * panels * PANEL + y], "{isa} {groups} {x} {y}");
                }
            }
        }
    }

    #[test]
    fn pairs_are_kept_by_either_threshold_and_by_nan() {
        for isa in Isa::available() {
            for mutual in [false, true] {
                let mut case = case(8, 3, 5);
                let mut lcg = Lcg(9);
                // Small integers: thresholds are exact, and ties with the product occur.
                let mut small = || ((lcg.next() % 65) as f32 - 32.0) * 1024.0;
                for x in 0..PANEL {
                    (case.asks.p[x], case.asks.q[x]) = (small(), small());
                    (case.asks.r[x], case.asks.e[x], case.asks.g[x]) = (2.0, -1.0, 0.5);
                }
                for test in &mut case.brings {
                    for y in 0..PANEL {
                        (test.lift[y], test.own_lift[y]) = (small(), small());
                        (test.spread[y], test.own_spread[y]) = (small(), small());
                        test.inverse[y] = 1.0;
                    }
                }
                let tie = case.dots[7 * SPAN * PANEL + 20] as f32;
                case.asks.p[7] = tie;
                (case.asks.g[7], case.asks.r[7], case.asks.e[7]) = (0.0, 0.0, 0.0);
                case.asks.q[7] = f32::INFINITY;
                case.asks.p[3] = f32::NAN;
                case.asks.q[3] = f32::NAN;
                let mut expected = Vec::new();
                for x in 0..PANEL {
                    for y in 0..SPAN * PANEL {
                        let (asks, test, row) = (&case.asks, &case.brings[y / PANEL], y % PANEL);
                        let t =
                            asks.g[x] * test.lift[row] + asks.p[x] + asks.r[x] * test.spread[row];
                        let own = asks.g[x] * test.own_lift[row]
                            + asks.q[x]
                            + asks.e[x] * test.own_spread[row];
                        let dot = case.dots[x * SPAN * PANEL + y];
                        let below = (dot as f32) < t && (!mutual || (dot as f32) < own);
                        if x == 3 || !below {
                            expected.push((x, y, dot));
                        }
                    }
                }
                let found = sifted(isa, &case, mutual);
                let mut later = Sifted::default();
                let nothing = QueryTest { sums: case.asks.sums, ..QueryTest::default() };
                let query = laid_query(isa, &case);
                sift(isa, &query, &nothing, &case.base, &case.brings, mutual, &mut later);
                later.decide(&case.asks, &case.brings, mutual);
                let mut decided = Vec::new();
                later.each(|query, base, dot| decided.push((query, base, dot)));
                assert_eq!(decided, found, "{isa} {mutual}");
                assert!(found.contains(&(7, 20, case.dots[7 * SPAN * PANEL + 20])));
                assert_eq!(found, expected, "{isa} {mutual}");
            }
        }
    }

    #[test]
    fn all_products_are_handed_over_whatever_is_kept() {
        for isa in Isa::available() {
            for panels in 1..=SPAN {
                let mut case = case(5, panels, 3);
                (case.asks.p, case.asks.q) = ([f32::INFINITY; PANEL], [f32::INFINITY; PANEL]);
                case.brings.iter_mut().for_each(|test| test.inverse = [1.0; PANEL]);
                let mut sifted = Sifted::default();
                let query = laid_query(isa, &case);
                sift(isa, &query, &case.asks, &case.base, &case.brings, true, &mut sifted);
                assert_eq!(sifted.kept, [0; PANEL], "{isa}");
                for (x, dots) in sifted.dots.iter().enumerate() {
                    let width = panels * PANEL;
                    assert_eq!(dots[..width], case.dots[x * width..][..width], "{isa} {x}");
                }
            }
        }
    }

    /// Query panels with small integers as thresholds, and base panels that they meet.
    fn cases(groups: usize, queries: usize, panels: usize) -> Vec<Case> {
        let mut lcg = Lcg(17);
        let mut small = || ((lcg.next() % 65) as f32 - 32.0) * 1024.0;
        let mut cases: Vec<Case> =
            (0..queries).map(|query| case(groups, panels, query as u64)).collect();
        let mut brings = vec![BaseTest::default(); panels];
        for test in &mut brings {
            for row in 0..PANEL {
                (test.inverse[row], test.lift[row], test.own_lift[row]) = (1.0, small(), small());
            }
        }
        let base = cases[0].base.clone();
        for case in &mut cases {
            for row in 0..PANEL {
                (case.asks.p[row], case.asks.q[row], case.asks.g[row]) = (small(), small(), 0.5);
            }
            (case.base, case.brings) = (base.clone(), brings.clone());
        }
        cases
    }

    #[test]
    fn a_sweep_gives_what_each_of_its_tiles_gives() {
        for isa in Isa::available() {
            for (groups, queries, panels) in [(1, 1, 1), (16, 2, 2), (25, 5, 3), (40, 4, 1)] {
                for mutual in [false, true] {
                    let cases = cases(groups, queries, panels);
                    let laid: Vec<i8> =
                        cases.iter().flat_map(|case| laid_query(isa, case)).collect();
                    let tests: Vec<QueryTest> = cases.iter().map(|case| case.asks).collect();
                    let Case { base, brings, .. } = &cases[0];
                    let [mut first, mut second] = [Sifted::default(), Sifted::default()];
                    let (mut found, both) = (Vec::new(), [&mut first, &mut second]);
                    sweep(isa, &laid, &tests, base, brings, mutual, both, |panel, sifted| {
                        sifted.each(|query, base, dot| found.push((panel, query, base, dot)));
                    });
                    let mut expected = Vec::new();
                    for (panel, case) in cases.iter().enumerate() {
                        let found = sifted(isa, case, mutual);
                        expected.extend(found.iter().map(|&(x, y, dot)| (panel, x, y, dot)));
                    }
                    assert_eq!(found, expected, "{isa} {groups} {mutual}");
                }
            }
        }
    }

    #[test]
    fn the_loop_for_matrix_units_is_right_over_tiles_in_memory() {
        for (groups, queries, panels) in [(1, 1, 1), (16, 2, 2), (25, 5, 3), (40, 4, 1), (64, 1, 3)]
        {
            for mutual in [false, true] {
                let cases = cases(groups, queries, panels);
                let laid: Vec<Vec<i8>> =
                    cases.iter().map(|case| laid_query(Isa::Amx, case)).collect();
                let Case { base, brings, .. } = &cases[0];
                let tiles = cases.iter().zip(&laid).map(|(case, query)| Tile {
                    query,
                    query_test: &case.asks,
                    base,
                    base_tests: brings,
                });
                let [mut first, mut second] = [Sifted::default(), Sifted::default()];
                let (mut found, mut unit) = (Vec::new(), amx::software::Software::default());
                let decide =
                    |sifted: &mut Sifted, asks: &QueryTest| sifted.decide(asks, brings, mutual);
                let take = |panel, sifted: &Sifted| {
                    sifted.each(|query, base, dot| found.push((panel, query, base, dot)));
                };
                // SAFETY: tiles in memory need nothing, and panels are as long as they must be.
                unsafe {
                    amx::sweep(&mut unit, tiles, [&mut first, &mut second], decide, take);
                }
                let mut expected = Vec::new();
                for (panel, case) in cases.iter().enumerate() {
                    let found = sifted(Isa::Portable, case, mutual);
                    expected.extend(found.iter().map(|&(x, y, dot)| (panel, x, y, dot)));
                }
                assert_eq!(found, expected, "{groups} {mutual}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "base panels")]
    fn too_many_panels_are_refused() {
        let (case, mut sifted) = (case(1, 4, 0), Sifted::default());
        sift(Isa::Portable, &case.query, &case.asks, &case.base, &case.brings, false, &mut sifted);
    }
}
