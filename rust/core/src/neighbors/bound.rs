//! The certificate: what the codes of two rows say of their distance. Level 2.
//!
//! With codes c, scales s, ‖x̂‖² = A, ‖ŷ‖² = B, residuals e and I = ⟨c_x, c_y⟩, the decoded distance is
//! d̂² = A + B − 2·s_x·s_y·I, and d̂ − e_x − e_y ≤ ‖x−y‖ ≤ d̂ + e_x + e_y. So y is farther from x than τ if
//! d̂ > τ + e_x + e_y, which as a condition on the integer I is
//!
//! I < \[A − (τ+e_x)²\]/(2s_x) · 1/s_y + 1/(2s_x) · (B − e_y²)/s_y − (τ+e_x)/s_x · e_y/s_y
//!
//! and the same with x and y exchanged for a τ of y's own. All lengths are in units of the frame and all
//! numbers `f32`, sixteen rows together. Where a number must not be too large or too small it is moved to the safe
//! side, by [`SLACK`] of what it is the difference of: six times and more what the roundings of its products and sums
//! can add up to. Rows so short or long that a number might overflow have a scale of NaN, with which the kernels
//! keep every pair and no bound is known.

use tailwatch_kernels::Codes;
use tailwatch_kernels::tile8::{BaseTest, PANEL, QueryTest};

/// Relative room for rounding: 64 roundings of 2⁻²⁴.
const SLACK: f32 = 1.0 / 262_144.0;
/// Scales beyond this many units, or below its inverse, are not tested but kept.
const WILD: f32 = 1.099_511_6e12;
/// The least unit of a frame: 2⁻⁴⁰⁰.
pub(crate) const LEAST_UNIT: f64 = f64::from_bits((1023 - 400) << 52);
/// Differences whose squares underflow in `f64` are below the root of this.
const UNDERFLOW: f64 = 1e-290;
/// ‖z‖² is right to this share of itself, with what entering the frame in `f32` did to z.
const NORM: f32 = 8.0 * SLACK;

/// What is known of the coded rows ẑ = s·c of a panel, in units.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
pub(crate) struct Coded {
    /// s; NaN where it is not to be relied on.
    scale: [f32; PANEL],
    /// ‖ẑ‖², rounded.
    square: [f32; PANEL],
    /// At least ‖ẑ‖.
    length: [f32; PANEL],
    /// ‖z‖², to within [`NORM`] of it.
    norm: [f32; PANEL],
    /// At least ‖z − ẑ‖.
    residual: [f32; PANEL],
    /// Σc.
    sum: [i32; PANEL],
}

impl Coded {
    /// What codes of rows of `columns` values say; `trust` multiplies the residuals and is 1.
    pub(crate) fn new(codes: &Codes, trust: f64, columns: usize) -> Self {
        let mut coded = Self::default();
        for slot in 0..PANEL {
            // Of codes that are all zero any scale is the right one.
            let scale = if codes.scale[slot] > 0.0 { codes.scale[slot] } else { 1.0 };
            let relied_on = (WILD.recip()..=WILD).contains(&scale) && codes.norm[slot].is_finite();
            let square = f64::from(scale).powi(2) * f64::from(codes.squares[slot]);
            coded.scale[slot] = if relied_on { scale } else { f32::NAN };
            coded.sum[slot] = if relied_on { codes.sum[slot] } else { 0 };
            coded.square[slot] = square as f32;
            coded.length[slot] = (square.sqrt() * (1.0 + 1e-6)) as f32;
            coded.norm[slot] = codes.norm[slot] as f32;
            let residual = residual(codes.residual[slot], codes.norm[slot], columns);
            coded.residual[slot] = (trust * residual * (1.0 + 1e-6)) as f32;
        }
        coded
    }

    /// A number that is equal for equal rows, and hardly ever for others.
    pub(crate) fn print(&self, slot: usize) -> u64 {
        let lengths = [self.scale[slot], self.square[slot], self.norm[slot], self.residual[slot]];
        let parts = lengths.map(f32::to_bits).into_iter().chain([self.sum[slot].cast_unsigned()]);
        parts.fold(0_u64, |print, part| {
            (print ^ u64::from(part)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
        })
    }

    /// What is known of single rows of panels, together.
    pub(crate) fn gather<'a>(rows: impl Iterator<Item = (&'a Self, usize)>) -> Self {
        let mut coded = Self::default();
        for (slot, (from, place)) in rows.enumerate() {
            coded.scale[slot] = from.scale[place];
            coded.square[slot] = from.square[place];
            coded.length[slot] = from.length[place];
            coded.norm[slot] = from.norm[place];
            coded.residual[slot] = from.residual[place];
            coded.sum[slot] = from.sum[place];
        }
        coded
    }
}

/// A bound on ‖z − ẑ‖ from its square and ‖z‖² as summed in `f32`.
///
/// 2⁻¹⁷·‖z‖ is three times what entering the frame can lose in roundings of 2⁻²⁴: one for the centre, three for
/// what a code misses, and at most 34 for a rotation. Squares below 2⁻¹²⁶ may have been lost, and those of distances
/// below 10⁻¹⁴⁵ when they are measured: 2⁻⁶⁰ of a unit that is not below [`LEAST_UNIT`] is wide of both.
fn residual(squared: f64, norm: f64, columns: usize) -> f64 {
    let lost = (columns as f64).sqrt() * 2.0_f64.powi(-60);
    squared.sqrt() * (1.0 + 2.0_f64.powi(-18)) + norm.sqrt() * 2.0_f64.powi(-17) + lost
}

/// A squared length that a pair's measured squared distance is not within `squared` unless its distance is
/// within the root.
pub(crate) fn reach(squared: f64, columns: usize) -> f64 {
    (squared + UNDERFLOW * columns as f64) * (1.0 + 2e-12)
}

/// A squared length within which a pair is only if its measured squared distance is within `squared`; 0 or
/// below, where no pair is certain.
pub(crate) fn certain_reach(squared: f64, columns: usize) -> f64 {
    (squared - UNDERFLOW * columns as f64) * (1.0 - 2e-12)
}

/// A squared length in units as `f32`, rounded up.
pub(crate) fn above(squared: f64, inverse: f64) -> f32 {
    // Two steps, because the square of the unit may underflow; exact, because it is a power of two.
    (squared * inverse * inverse * (1.0 + 1e-6)) as f32 + f32::MIN_POSITIVE
}

/// A squared length in units as `f32`, rounded down.
pub(crate) fn below(squared: f64, inverse: f64) -> f32 {
    // What is beyond the largest number must not become infinite.
    ((squared * inverse * inverse * (1.0 - 1e-6)) as f32).min(f32::MAX)
}

/// Bounds on the squared distance of two rows, given by panel and place, from the product of their codes: lower,
/// upper, in units.
///
/// Two certificates, of which the better one counts. The triangle inequality is sharp where rows are near
/// each other; where they are about as far apart as from the centre, it is better to take their own lengths
/// as known: ‖x−y‖² = ‖x‖² + ‖y‖² − 2⟨x, y⟩ and │⟨x, y⟩ − ⟨x̂, ŷ⟩│ ≤ ‖x̂‖·e_y + e_x·(‖ŷ‖ + e_y).
#[inline]
pub(crate) fn squared_distance(
    (x, i): (&Coded, usize),
    (y, j): (&Coded, usize),
    dot: i32,
) -> (f32, f32) {
    let product = product((x, i), (y, j), dot);
    let total = x.square[i] + y.square[j];
    let (decoded, room) = (total - product, total * SLACK);
    // Each bound has a rounding of its own, which `SLACK` of it is wide of.
    let nearest = greater(decoded - room, 0.0).sqrt() * (1.0 - SLACK);
    let farthest = (greater(decoded, 0.0) + room).sqrt() * (1.0 + SLACK);
    let residual = (x.residual[i] + y.residual[j]) * (1.0 + SLACK);
    let (near, far) = (greater(nearest - residual, 0.0), farthest + residual);
    let (known, miss) = by_lengths((x, i), (y, j), product);
    let lower = greater(known - miss, near * near * (1.0 - SLACK));
    let (upper, other) = (far * far * (1.0 + SLACK), greater(known + miss, 0.0));
    let upper = if other < upper { other } else { upper } + f32::MIN_POSITIVE;
    // Of rows that are not to be relied on, whose numbers are NaN, nothing is known.
    let relied_on = product.abs() <= f32::MAX;
    (if relied_on { lower } else { 0.0 }, if relied_on { upper } else { f32::INFINITY })
}

/// At least the squared distances, in units, of a row to the rows of a panel, from the products of their codes:
/// the second of the certificates of [`squared_distance`].
pub(crate) fn at_most(x: (&Coded, usize), y: &Coded, dots: &[i32; PANEL]) -> [f32; PANEL] {
    let mut most = [0.0; PANEL];
    for j in 0..PANEL {
        let (known, miss) = by_lengths(x, (y, j), product(x, (y, j), dots[j]));
        let upper = known + miss + f32::MIN_POSITIVE;
        most[j] = if upper <= f32::MAX { upper } else { f32::INFINITY };
    }
    most
}

/// 2⟨x̂, ŷ⟩.
#[inline]
fn product((x, i): (&Coded, usize), (y, j): (&Coded, usize), dot: i32) -> f32 {
    2.0 * (x.scale[i] * y.scale[j]) * dot as f32
}

/// The certificate by known lengths: a squared distance, and what it is off at most, rounding and all.
#[inline]
fn by_lengths((x, i): (&Coded, usize), (y, j): (&Coded, usize), product: f32) -> (f32, f32) {
    let (lengths, squares) = (x.norm[i] + y.norm[j], x.square[i] + y.square[j]);
    let miss = x.length[i] * y.residual[j] + x.residual[i] * (y.length[j] + y.residual[j]);
    (lengths - product, 2.0 * miss * (1.0 + SLACK) + lengths * NORM + squares * SLACK)
}

/// The greater of two, the second where one is NaN; what `max` gives takes longer.
#[inline]
fn greater(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// At least the length of a squared length; one below zero reaches nothing.
fn length(squared: f32) -> f32 {
    squared.max(0.0).sqrt() * (1.0 + SLACK)
}

/// At most the difference of two squares.
fn difference(square: f32, other: f32) -> f32 {
    (square - other) - (square + other) * SLACK
}

/// What the first `count` rows of a panel bring to the tests of queries.
pub(crate) fn base_test(panel: &Coded, count: usize) -> BaseTest {
    let mut test = BaseTest::default();
    for slot in 0..PANEL {
        let (scale, residual) = (panel.scale[slot], panel.residual[slot]);
        test.inverse[slot] = scale.recip();
        test.lift[slot] = difference(panel.square[slot], residual * residual) / scale;
        test.spread[slot] = residual / scale * (1.0 + SLACK);
    }
    // Places beyond the last row are far from everything.
    for slot in count..PANEL {
        (test.inverse[slot], test.spread[slot]) = (1.0, 0.0);
        (test.lift[slot], test.own_lift[slot]) = (1e30, 1e30);
    }
    test
}

/// Adds the reaches of the first `count` rows of a panel, as squared lengths, to what they bring.
pub(crate) fn base_reach(test: &mut BaseTest, panel: &Coded, count: usize, reach: &[f32; PANEL]) {
    for slot in 0..count {
        let scale = panel.scale[slot];
        let reach = (length(reach[slot]) + panel.residual[slot]) * (1.0 + SLACK);
        test.own_lift[slot] = difference(panel.square[slot], reach * reach) / scale;
        // Where the lift is minus infinity the rest does not count.
        test.own_spread[slot] =
            if reach.is_finite() { -reach / scale * (1.0 + SLACK) } else { 0.0 };
    }
}

/// What the first `count` queries of a panel ask, from their reaches as squared lengths.
pub(crate) fn query_test(panel: &Coded, count: usize, reach: &[f32; PANEL]) -> QueryTest {
    let mut test = QueryTest { sums: panel.sum, ..QueryTest::default() };
    for slot in 0..PANEL {
        let (scale, residual) = (panel.scale[slot], panel.residual[slot]);
        let half = 0.5 / scale;
        let reach = (length(reach[slot]) + residual) * (1.0 + SLACK);
        test.g[slot] = half;
        test.p[slot] = difference(panel.square[slot], reach * reach) * half;
        test.r[slot] = if reach.is_finite() { -reach / scale * (1.0 + SLACK) } else { 0.0 };
        test.q[slot] = difference(panel.square[slot], residual * residual) * half;
        test.e[slot] = residual / scale * (1.0 + SLACK);
    }
    for slot in count..PANEL {
        (test.g[slot], test.r[slot], test.e[slot]) = (0.0, 0.0, 0.0);
        (test.p[slot], test.q[slot]) = (f32::INFINITY, f32::INFINITY);
    }
    test
}
