//! From the inner products of a tile to the values of kernels and their sums, in `f64`.
//!
//! | kernel | value |
//! |---|---|
//! | [`squared_from_products`] | ‖x‖² + ‖y‖² − 2⟨x, y⟩ |
//! | [`distances`] | −√s of squared distances s |
//! | [`gaussians`] | exp(−s/c), by [`exponential`] |
//! | [`second_differences`] | the polynomial kernel's, see there |
//!
//! A tile is a row-major slice of rows as long as the slice of what belongs to its columns, a multiple
//! of [`LANES`]. Plain Rust, compiled for every instruction set; AVX2 and AVX-512 give the same bits,
//! portable code rounds products too. Cost: at 768 columns, from a twentieth (roots) to a tenth
//! (exponentials, cubes) of what the inner products cost.

use crate::Isa;
use crate::gram::fused;
use crate::lanes::{LANES, total};

/// Compiles a plain function for every instruction set and chooses among them; its first constant says
/// whether fused operations are there.
macro_rules! for_every_isa {
    ($(#[$note:meta])* $name:ident = $plain:ident($($argument:ident: $type:ty),*) $(-> $out:ty)?) => {
        $(#[$note])*
        pub fn $name(isa: Isa, $($argument: $type),*) $(-> $out)? {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($argument: $type),*) $(-> $out)? {
                $plain::<true>($($argument),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,fma")]
            fn avx512($($argument: $type),*) $(-> $out)? {
                $plain::<true>($($argument),*)
            }
            match fused(isa) {
                #[cfg(target_arch = "x86_64")]
                // SAFETY: the processor has AVX2 and FMA.
                Isa::Avx2 => unsafe { avx2($($argument),*) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: the processor has AVX-512F, of which FMA is a part.
                Isa::Avx512 => unsafe { avx512($($argument),*) },
                _ => $plain::<false>($($argument),*),
            }
        }
    };
}

/// x·y + z, rounded once if `FUSED`.
#[inline(always)]
fn multiply_add<const FUSED: bool>(x: f64, y: f64, z: f64) -> f64 {
    if FUSED { x.mul_add(y, z) } else { x * y + z }
}

/// Below what share of ‖x‖² + ‖y‖², and below what sum of them, a squared distance is to be measured
/// again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Doubt {
    /// The share.
    pub share: f64,
    /// The sum.
    pub sum: f64,
}

for_every_isa! {
    /// Writes ‖x‖² + ‖y‖² − 2⟨x, y⟩ and says how many of them are in doubt.
    ///
    /// # Panics
    /// If the tile is not rows(x) × rows(y), or the processor lacks `isa`.
    squared_from_products = squared_plain(
        products: &[f64], norms_x: &[f64], norms_y: &[f64], doubt: Doubt, out: &mut [f64]
    ) -> usize
}

for_every_isa! {
    /// Writes −√s of squared distances s.
    ///
    /// # Panics
    /// If the tiles differ in size, or the processor lacks `isa`.
    distances = distances_plain(squared: &[f64], scale: f64, out: &mut [f64])
}

for_every_isa! {
    /// Writes exp(−rate · s) of squared distances s.
    ///
    /// # Panics
    /// If the tiles differ in size, or the processor lacks `isa`.
    gaussians = gaussians_plain(squared: &[f64], rate: f64, out: &mut [f64])
}

/// What [`second_differences`] needs of one row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PolynomialRow<'a> {
    /// a + u.
    pub base: f64,
    /// The coefficients of v, v², … in the mixed terms.
    pub mixed: &'a [f64],
}

for_every_isa! {
    /// Writes p(a+u+v+w) − p(a+u) − p(a+v) + p(a) with p = (·)^degree and w = `gamma` · product, for
    /// one row and the v of several others, as w·Σ s^i (s+w)^(degree−1−i) + Σ mixed, s = a+u+v.
    ///
    /// # Panics
    /// If the slices differ in size, or the processor lacks `isa`.
    second_differences = second_differences_plain(
        products: &[f64], gamma: f64, row: PolynomialRow<'_>, v: &[f64], degree: u32, out: &mut [f64]
    )
}

for_every_isa! {
    /// Adds the values of a tile to the sums of its rows and columns and returns Σ of their squares.
    ///
    /// # Panics
    /// If the tile is not rows × columns, columns are no multiple of [`LANES`], or the processor lacks
    /// `isa`.
    add_up = add_up_plain(values: &[f64], rows: &mut [f64], columns: &mut [f64]) -> f64
}

#[inline(always)]
fn squared_plain<const FUSED: bool>(
    products: &[f64],
    norms_x: &[f64],
    norms_y: &[f64],
    doubt: Doubt,
    out: &mut [f64],
) -> usize {
    let m = norms_y.len();
    assert!(products.len() == norms_x.len() * m && out.len() == products.len(), "tile size");
    let mut doubtful = 0_u64;
    let rows = products.chunks_exact(m).zip(out.chunks_exact_mut(m));
    for ((products, out), norm_x) in rows.zip(norms_x) {
        for ((out, product), norm_y) in out.iter_mut().zip(products).zip(norms_y) {
            let sum = norm_x + norm_y;
            let squared = multiply_add::<FUSED>(-2.0, *product, sum);
            doubtful += u64::from(in_doubt(squared, sum, doubt));
            *out = squared;
        }
    }
    doubtful as usize
}

/// Whether a squared distance, of two rows whose squared norms add up to `sum`, is to be measured again.
#[inline(always)]
#[must_use]
#[allow(clippy::needless_bitwise_bool)] // a branch would keep loops from being vectorised
pub fn in_doubt(squared: f64, sum: f64, doubt: Doubt) -> bool {
    (squared < doubt.share * sum) | (sum < doubt.sum)
}

#[inline(always)]
fn distances_plain<const FUSED: bool>(squared: &[f64], scale: f64, out: &mut [f64]) {
    assert_eq!(squared.len(), out.len(), "tile size");
    for (out, squared) in out.iter_mut().zip(squared) {
        *out = -(squared.sqrt() * scale);
    }
}

#[inline(always)]
fn gaussians_plain<const FUSED: bool>(squared: &[f64], rate: f64, out: &mut [f64]) {
    assert_eq!(squared.len(), out.len(), "tile size");
    for (out, squared) in out.iter_mut().zip(squared) {
        *out = exponential::<FUSED>(-rate * squared);
    }
}

/// e^x for x ≤ 0 within 2 units in the last place; 0 below −708, where eˣ is about to leave the normal
/// numbers.
///
/// x = n·ln 2 + r with |r| ≤ ln 2 / 2, eʳ by its Taylor polynomial of degree 13 (whose remainder is below
/// 5·10⁻¹⁸), 2ⁿ into the exponent's bits. No branch and no table, so that loops over it are vectorised.
#[inline(always)]
fn exponential<const FUSED: bool>(x: f64) -> f64 {
    // 1.5·2^52: adding it leaves the nearest integer in the low bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    // ln 2 in two parts; 21 trailing zeros of the first make its product with n exact.
    const HIGH: f64 = 6.931_471_803_691_238e-1;
    const LOW: f64 = 1.908_214_929_270_587_7e-10;
    const LOWEST: f64 = -708.0;
    // 1/13!, 1/12!, …, 1/2!.
    const TAYLOR: [f64; 12] = [
        1.0 / 6_227_020_800.0,
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        1.0 / 2.0,
    ];
    let inside = if x < LOWEST { LOWEST } else { x };
    let shifted = multiply_add::<FUSED>(inside, std::f64::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = multiply_add::<FUSED>(-n, LOW, multiply_add::<FUSED>(-n, HIGH, inside));
    let mut sum = TAYLOR[0];
    for coefficient in &TAYLOR[1..] {
        sum = multiply_add::<FUSED>(sum, r, *coefficient);
    }
    let fraction = multiply_add::<FUSED>(sum * r, r, r) + 1.0;
    let value = f64::from_bits(fraction.to_bits().wrapping_add(shifted.to_bits() << 52));
    if x < LOWEST { 0.0 } else { value }
}

#[inline(always)]
fn second_differences_plain<const FUSED: bool>(
    products: &[f64],
    gamma: f64,
    row: PolynomialRow<'_>,
    v: &[f64],
    degree: u32,
    out: &mut [f64],
) {
    // A loop of known length inside leaves the one over pairs to be vectorised.
    match degree {
        1 => of_degree::<FUSED, 1>(products, gamma, row, v, degree, out),
        2 => of_degree::<FUSED, 2>(products, gamma, row, v, degree, out),
        3 => of_degree::<FUSED, 3>(products, gamma, row, v, degree, out),
        4 => of_degree::<FUSED, 4>(products, gamma, row, v, degree, out),
        _ => of_degree::<FUSED, 0>(products, gamma, row, v, degree, out),
    }
}

/// `DEGREE` is the degree, or 0 where it is known at run time only.
#[inline(always)]
fn of_degree<const FUSED: bool, const DEGREE: u32>(
    products: &[f64],
    gamma: f64,
    row: PolynomialRow<'_>,
    v: &[f64],
    degree: u32,
    out: &mut [f64],
) {
    assert!(products.len() == v.len() && out.len() == v.len(), "row size");
    let degree = if DEGREE == 0 { degree } else { DEGREE };
    let mixed = &row.mixed[..degree as usize - 1];
    for ((out, product), v) in out.iter_mut().zip(products).zip(v) {
        let (w, s) = (gamma * product, row.base + v);
        let moved = s + w;
        let (mut slope, mut power, mut sum) = (1.0, 1.0, 0.0);
        for coefficient in mixed.iter().rev() {
            power *= moved;
            slope = multiply_add::<FUSED>(slope, s, power);
            sum = (sum + coefficient) * v;
        }
        *out = multiply_add::<FUSED>(w, slope, sum);
    }
}

#[inline(always)]
fn add_up_plain<const FUSED: bool>(values: &[f64], rows: &mut [f64], columns: &mut [f64]) -> f64 {
    let m = columns.len();
    assert!(m.is_multiple_of(LANES) && values.len() == rows.len() * m, "tile size");
    let mut squares = [0.0; LANES];
    for (row, values) in rows.iter_mut().zip(values.chunks_exact(m)) {
        let mut sum = [0.0; LANES];
        let blocks = values.chunks_exact(LANES).zip(columns.chunks_exact_mut(LANES));
        for (values, columns) in blocks {
            for l in 0..LANES {
                sum[l] += values[l];
                columns[l] += values[l];
                squares[l] = multiply_add::<FUSED>(values[l], values[l], squares[l]);
            }
        }
        *row += total(sum);
    }
    total(squares)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_DOUBT: Doubt = Doubt { share: 0.0, sum: 0.0 };

    #[test]
    fn exponentials_are_within_two_units_in_the_last_place() {
        let squared: Vec<f64> =
            (0..200_000).map(|i| f64::from(i) * 0.003_539).chain([0.0, 1e-300, 707.999]).collect();
        for isa in Isa::available() {
            let mut found = vec![f64::NAN; squared.len()];
            gaussians(isa, &squared, 1.0, &mut found);
            for (s, found) in squared.iter().zip(found) {
                let exact = (-s).exp();
                assert!((found - exact).abs() <= 2.0 * f64::EPSILON * exact, "{isa} {s}: {found}");
            }
        }
    }

    #[test]
    fn exponentials_end_at_zero() {
        for isa in Isa::available() {
            let mut found = [f64::NAN; 5];
            gaussians(isa, &[0.0, 708.0, 709.0, 1e4, f64::INFINITY], 1.0, &mut found);
            assert_eq!(found[0], 1.0);
            assert!(found[1] > 0.0);
            assert_eq!(found[2..], [0.0; 3], "{isa}");
        }
    }

    #[test]
    fn not_a_number_stays_one() {
        for isa in Isa::available() {
            let mut found = [0.0; 2];
            gaussians(isa, &[f64::NAN, 1.0], 1.0, &mut found);
            assert!(found[0].is_nan(), "{isa}");
            distances(isa, &[f64::NAN, 1.0], 1.0, &mut found);
            assert!(found[0].is_nan(), "{isa}");
        }
    }

    #[test]
    fn a_tile_is_measured_doubted_and_added_up() {
        // Rows 0 and 3 on a line against eight others, two of which they are.
        let (x, y) = ([0.0, 3.0], [0.0, 1.0, 3.0, 7.0, -2.0, 5.0, 2.0, 4.0]);
        let products: Vec<f64> = x.iter().flat_map(|x| y.map(|y| x * y)).collect();
        let square = |value: &f64| value * value;
        let (norms_x, norms_y) = (x.each_ref().map(square), y.each_ref().map(square));
        let expected: Vec<f64> = x.iter().flat_map(|x| y.map(|y| (x - y) * (x - y))).collect();
        for isa in Isa::available() {
            let mut squared = vec![f64::NAN; 16];
            let doubt = Doubt { share: 0.06, sum: 0.5 };
            let doubtful =
                squared_from_products(isa, &products, &norms_x, &norms_y, doubt, &mut squared);
            assert_eq!(squared, expected);
            // (0, 0) for its sum; (3, 3), (3, 4) for their share: 0/18 and 1/25, but not 1/13 of (3, 2).
            assert_eq!(doubtful, 3, "{isa}");
            let none =
                squared_from_products(isa, &products, &norms_x, &norms_y, NO_DOUBT, &mut squared);
            assert_eq!(none, 0);
            let mut values = vec![f64::NAN; 16];
            distances(isa, &squared, 2.0, &mut values);
            let (mut rows, mut columns) = ([10.0, 20.0], [100.0; 8]);
            let squares = add_up(isa, &values, &mut rows, &mut columns);
            assert_eq!(rows, [10.0 - 2.0 * 24.0, 20.0 - 2.0 * 18.0]);
            assert_eq!(columns[..3], [100.0 - 6.0, 100.0 - 6.0, 100.0 - 6.0]);
            assert_eq!(squares, 4.0 * expected.iter().sum::<f64>());
        }
    }

    #[test]
    #[should_panic(expected = "tile size")]
    fn a_tile_of_another_size_is_refused() {
        squared_from_products(Isa::Portable, &[0.0; 8], &[0.0], &[0.0; 4], NO_DOUBT, &mut [0.0; 8]);
    }
}
