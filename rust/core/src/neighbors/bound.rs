//! The certificate: what the codes of two rows say of their distance. Level 2.
//!
//! With codes c, scales s, ‖x̂‖² = A, ‖ŷ‖² = B, residuals e and I = ⟨c_x, c_y⟩, the decoded distance is
//! d̂² = A + B − 2·s_x·s_y·I, and d̂ − e_x − e_y ≤ ‖x−y‖ ≤ d̂ + e_x + e_y. So y is farther from x than τ if
//! d̂ > τ + e_x + e_y, which as a condition on the integer I is
//!
//! I < \[A − (τ+e_x)²\]/(2s_x) · 1/s_y + 1/(2s_x) · (B − e_y²)/s_y − (τ+e_x)/s_x · e_y/s_y
//!
//! and the same with x and y exchanged for a τ of y's own. Lengths are divided by a common unit, so that
//! `f32` holds all of it; each factor is moved to the safe side by [`SLACK`], 64 times what the roundings
//! of three products and their sum can add up to. Rows so short, long or coarse that a factor might
//! overflow get NaN, with which the kernels keep every pair.

use tailwatch_kernels::tile8::{BaseTest, PANEL, QueryTest};

use super::codes::Coded;

/// Relative room for the rounding of the tests.
const SLACK: f64 = 1.0 / 262_144.0;
/// Scales beyond this many units, or below its inverse, are not tested but kept.
const WILD: f64 = 1.099_511_627_776e12;
/// Differences whose squares underflow in `f64` are below the root of this.
const UNDERFLOW: f64 = 1e-290;

/// A bound on ‖z − ẑ‖ from its square and ‖z‖² as summed in `f64`.
///
/// 2⁻⁴⁵·‖z‖ is wide of the rounding of the frame: half a unit in the last place for the centre, two dozen
/// for a rotation.
pub(crate) fn residual(squared: f64, norm: f64, columns: usize) -> f64 {
    let underflow = UNDERFLOW * columns as f64;
    (squared + underflow).sqrt() * (1.0 + 1e-12) + norm.sqrt() * 2.0_f64.powi(-45)
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

/// Bounds on the squared distance of two rows from the product of their codes: lower, upper, in units of
/// which `inverse` is one over the length.
///
/// Two certificates, of which the better one counts. The triangle inequality is sharp where rows are near
/// each other; where they are about as far apart as from the centre, it is better to take their own lengths
/// as known: ‖x−y‖² = ‖x‖² + ‖y‖² − 2⟨x, y⟩ and │⟨x, y⟩ − ⟨x̂, ŷ⟩│ ≤ ‖x̂‖·e_y + e_x·(‖ŷ‖ + e_y).
pub(crate) fn squared_distance(x: &Coded, y: &Coded, dot: i32, inverse: f64) -> (f32, f32) {
    let product = x.scale * y.scale * f64::from(dot);
    let total = x.square + y.square;
    let decoded = total - 2.0 * product;
    let room = total * 2.0_f64.powi(-50);
    // The rounding of `decoded` is below `room`. Where the square is not as small as that, the root is wrong
    // by less than 2⁻³⁶ of the lengths.
    let far_enough = decoded > total * 2.0_f64.powi(-30);
    let farthest = (decoded.max(0.0) + if far_enough { 0.0 } else { room }).sqrt();
    let nearest = if far_enough { farthest } else { 0.0 };
    let residual = x.residual + y.residual + (x.length + y.length) * 2.0_f64.powi(-36);
    let lengths = x.norm + y.norm;
    let known = lengths - 2.0 * product;
    let miss = 2.0 * (x.length * y.residual + x.residual * (y.length + y.residual))
        + lengths * 2.0_f64.powi(-40);
    let (near, far) = ((nearest - residual).max(0.0), farthest + residual);
    let lower = (near * near).max(known - miss);
    let upper = (far * far).min((known + miss).max(0.0));
    (below(lower, inverse), above(upper, inverse))
}

/// The length of a squared length in units; one below zero reaches nothing.
fn length(squared: f32, unit: f64) -> f64 {
    f64::from(squared).max(0.0).sqrt() * unit
}

fn is_wild(row: &Coded, unit: f64) -> bool {
    let scale = row.scale / unit;
    !(WILD.recip()..=WILD).contains(&scale) || row.residual > WILD * row.scale
}

fn down(value: f64) -> f32 {
    (value - value.abs() * SLACK) as f32
}

fn up(value: f64) -> f32 {
    (value + value.abs() * SLACK) as f32
}

/// What the rows of a panel bring to the tests of queries.
pub(crate) fn base_test(panel: &[Coded], unit: f64) -> BaseTest {
    let mut test = BaseTest::default();
    for (slot, row) in panel.iter().enumerate() {
        test.inverse[slot] = if is_wild(row, unit) { f32::NAN } else { (unit / row.scale) as f32 };
        test.lift[slot] = down((row.square - row.residual * row.residual) / row.scale / unit);
        test.spread[slot] = up(row.residual / row.scale);
    }
    // Places beyond the last row are far from everything.
    for slot in panel.len()..PANEL {
        (test.inverse[slot], test.lift[slot], test.own_lift[slot]) = (1.0, 1e30, 1e30);
    }
    test
}

/// Adds the reaches of the rows of a panel, as squared lengths in units, to what they bring.
pub(crate) fn base_reach(
    test: &mut BaseTest,
    panel: &[Coded],
    unit: f64,
    reach: impl Fn(usize) -> f32,
) {
    for (slot, row) in panel.iter().enumerate() {
        let reach = length(reach(slot), unit) + row.residual;
        test.own_lift[slot] = down((row.square - reach * reach) / row.scale / unit);
        // Where the lift is minus infinity the rest does not count.
        test.own_spread[slot] = if reach.is_finite() { down(-reach / row.scale) } else { 0.0 };
    }
}

/// What the queries of a panel ask, from their reaches as squared lengths in units.
pub(crate) fn query_test(panel: &[Coded], unit: f64, reach: impl Fn(usize) -> f32) -> QueryTest {
    let mut test = QueryTest::default();
    for (slot, row) in panel.iter().enumerate() {
        let reach = length(reach(slot), unit) + row.residual;
        let twice = 2.0 * row.scale;
        let wild = is_wild(row, unit);
        test.sums[slot] = row.sum;
        test.g[slot] = (unit / twice) as f32;
        test.p[slot] =
            if wild { f32::NAN } else { down((row.square - reach * reach) / twice / unit) };
        test.r[slot] = if reach.is_finite() { down(-reach / row.scale) } else { 0.0 };
        test.q[slot] = if wild {
            f32::NAN
        } else {
            down((row.square - row.residual * row.residual) / twice / unit)
        };
        test.e[slot] = up(row.residual / row.scale);
    }
    for slot in panel.len()..PANEL {
        (test.p[slot], test.q[slot]) = (f32::INFINITY, f32::INFINITY);
    }
    test
}
