//! Where rows are centred, how they are scaled and in which precision they are multiplied. Level 2.
//!
//! Distances are translation-invariant and the polynomial kernel can be split anywhere, so rows are
//! multiplied relative to an origin amid them: norms are then as small as the data let them be. It is the
//! mean of the middle half in each column, not of all rows, which a single far row would draw away from all
//! others: then their kernel values are large, and add up to little. The origin is one vector for all samples
//! of a call, with the digits of an `f32`, so that taking it off rows in which it is large (between half and
//! twice a value) is exact. A power of two, exact too, keeps products of the largest values far from overflow
//! and those of the smallest from underflow.
//!
//! Rows stored as `f16` or `f32` are multiplied as `f32`, at twice the speed; the centred rows are rounded
//! to it, by at most 2⁻²⁴ of a value. Three cases stay in `f64`: rows of fewer than [`SINGLE_COLUMNS`]
//! columns, where the products are not what takes the time; fewer than [`SINGLE_ROWS`] rows, which take
//! little time and whose pairs are too few to average roundings away; and clusters so tight that distances
//! within them, of which there are many, would have to be measured again.

use rayon::prelude::*;
use std::ops::Range;
use tailwatch_kernels::{Doubt, Real, dot_products, in_doubt, interleave, squared_distances};

use crate::control::Control;
use crate::error::Result;
use crate::moments::add_scaled;
use crate::rows::Rows;
use crate::streams::Stream;

/// The fewest columns that are multiplied as `f32`.
const SINGLE_COLUMNS: usize = 64;
/// The fewest rows, in all samples together, that are multiplied as `f32`.
const SINGLE_ROWS: usize = 1024;
/// Pairs looked at for how many are too close for `f32`.
const PROBED: usize = 512;
/// The share of them that is too many: measuring one pair again costs some ten others.
const TOO_MANY: f64 = 1.0 / 32.0;

/// Rows whose middle half in each column has the origin as its mean.
const ORIGIN_ROWS: usize = 1024;

/// A scalar that pairs are computed in.
pub(crate) trait Precision: Real {
    /// The power of two that the largest centred value is brought to.
    const TOP: i32;
    /// When ‖x‖² + ‖y‖² − 2⟨x, y⟩ is measured again as Σ(x−y)².
    const DOUBT: Doubt;
}

impl Precision for f32 {
    // Runs of 64 products stay below 2^86; a product is normal down to 2^−85 of the largest value squared.
    const TOP: i32 = 39;
    const DOUBT: Doubt = Doubt { share: 1.0 / 64.0, sum: 1.0 / (1_u128 << 90) as f64 };
}

impl Precision for f64 {
    const TOP: i32 = 0;
    const DOUBT: Doubt = Doubt { share: 1.0 / 65_536.0, sum: 1e-280 };
}

/// What all passes over the pairs of a call share.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// Padded to whole lanes.
    origin: Vec<f64>,
    scale: f64,
    single: bool,
}

/// Centred rows, interleaved for the kernels and padded with rows of zeros to whole panels.
pub(crate) struct Panels<T> {
    pub(crate) values: Vec<T>,
    /// ‖s(x−μ)‖², of the values as they were rounded.
    pub(crate) norms: Vec<f64>,
    /// ⟨μ, x−μ⟩, neither scaled nor rounded.
    pub(crate) along: Vec<f64>,
}

impl Frame {
    /// The frame of several samples, the first of which gives the origin.
    pub(crate) fn of(samples: &[&Rows<'_>], control: &Control) -> Result<Self> {
        let (origin, columns) = (origin_of(samples[0]), samples[0].columns());
        let mut largest = 0.0_f64;
        for rows in samples {
            largest = largest.max(extent(rows, &origin, control)?);
        }
        let digits = samples.iter().map(|rows| rows.digits()).max().unwrap_or(0);
        let mut frame = Self { origin, scale: 1.0, single: false };
        let scaled = |top: i32| power_of_two(top.saturating_sub(exponent(largest)));
        let rows: usize = samples.iter().map(|rows| rows.len()).sum();
        if digits <= f32::MANTISSA_DIGITS && columns >= SINGLE_COLUMNS && rows >= SINGLE_ROWS {
            frame.scale = scaled(f32::TOP);
            frame.single = !frame.is_clustered(samples, control);
        }
        if !frame.single {
            frame.scale = scaled(f64::TOP);
        }
        Ok(frame)
    }

    /// Whether rows are multiplied as `f32`.
    pub(crate) fn is_single(&self) -> bool {
        self.single
    }

    /// The power of two that centred values are multiplied by.
    pub(crate) fn scale(&self) -> f64 {
        self.scale
    }

    /// μ, padded to whole lanes.
    #[cfg(test)]
    pub(crate) fn origin(&self) -> &[f64] {
        &self.origin
    }

    /// ‖μ‖².
    pub(crate) fn origin_norm(&self) -> f64 {
        self.origin.iter().map(|value| value * value).sum()
    }

    /// Packs the rows of `range` into panels of `width` rows.
    pub(crate) fn pack<T: Precision>(
        &self,
        rows: &Rows<'_>,
        range: Range<usize>,
        width: usize,
        control: &Control,
    ) -> Panels<T> {
        let (columns, stride, isa) = (rows.columns(), rows.stride(), control.isa());
        let padded = range.len().next_multiple_of(width);
        let mut panels = Panels {
            values: vec![T::default(); padded * columns],
            norms: vec![0.0; padded],
            along: vec![0.0; padded],
        };
        let (mut centred, mut rounded) = (vec![0.0; stride], vec![0.0; stride]);
        let mut narrow = vec![T::default(); columns];
        for (place, index) in range.enumerate() {
            rows.read(index, &mut centred[..columns]);
            add_scaled(&mut centred, &self.origin, -1.0);
            let along = std::slice::from_mut(&mut panels.along[place]);
            dot_products(isa, &self.origin, &centred, stride, along);
            for ((narrow, rounded), value) in narrow.iter_mut().zip(&mut rounded).zip(&centred) {
                *narrow = T::narrow(value * self.scale);
                *rounded = narrow.widen();
            }
            let norm = std::slice::from_mut(&mut panels.norms[place]);
            dot_products(isa, &rounded, &rounded, stride, norm);
            let size = width * columns;
            let panel = &mut panels.values[place / width * size..][..size];
            interleave(&narrow, place % width, width, panel);
        }
        panels
    }

    /// s²Σ(x−y)² of row `i` of `x` and the rows `others` of `y`, as stored.
    pub(crate) fn measure(
        &self,
        (x, i): (&Rows<'_>, usize),
        (y, others): (&Rows<'_>, &[usize]),
        control: &Control,
    ) -> Vec<f64> {
        let stride = x.stride();
        let mut rows = vec![0.0; (1 + others.len()) * stride];
        let (query, base) = rows.split_at_mut(stride);
        x.read(i, query);
        for (row, &j) in base.chunks_exact_mut(stride).zip(others) {
            y.read(j, row);
        }
        query.iter_mut().chain(base.iter_mut()).for_each(|value| *value *= self.scale);
        let mut squared = vec![0.0; others.len()];
        squared_distances(control.isa(), query, base, stride, &mut squared);
        squared
    }

    /// Whether many pairs are too close for `f32`, going by pairs drawn under a fixed seed.
    fn is_clustered(&self, samples: &[&Rows<'_>], control: &Control) -> bool {
        let mut stream = Stream::new(0, "close pairs", 0);
        let mut place = || {
            let sample = stream.below(samples.len() as u64) as usize;
            (sample, stream.below(samples[sample].len() as u64) as usize)
        };
        let pairs = (0..PROBED).map(|_| (place(), place()));
        let different = pairs.filter(|(first, second)| first != second);
        let close = different.filter(|&((first, i), (second, j))| {
            let (x, y) = (samples[first], samples[second]);
            let sum = [(x, i), (y, j)]
                .map(|(rows, index)| self.pack::<f32>(rows, index..index + 1, 1, control).norms[0])
                .iter()
                .sum();
            in_doubt(self.measure((x, i), (y, &[j]), control)[0], sum, f32::DOUBT)
        });
        close.count() as f64 > TOO_MANY * PROBED as f64
    }
}

/// The fixed μ: the mean of the middle half in each column of up to [`ORIGIN_ROWS`] rows, evenly spaced, with
/// the digits of an `f32`. Any fixed vector gives the same statistics; one amid most of the rows keeps their digits.
pub(crate) fn origin_of(rows: &Rows<'_>) -> Vec<f64> {
    let (count, columns) = (rows.len().min(ORIGIN_ROWS), rows.columns());
    let mut row = vec![0.0; columns];
    // Column after column.
    let mut values = vec![0.0; columns * count];
    for place in 0..count {
        rows.read((place as u128 * rows.len() as u128 / count as u128) as usize, &mut row);
        for (column, value) in row.iter().enumerate() {
            values[column * count + place] = *value;
        }
    }
    let kept = u64::MAX << (f64::MANTISSA_DIGITS - f32::MANTISSA_DIGITS);
    let mut origin = vec![0.0; rows.stride()];
    if count > 0 {
        let cut = count / 4;
        for (origin, values) in origin.iter_mut().zip(values.chunks_exact_mut(count)) {
            values.sort_unstable_by(f64::total_cmp);
            let middle = &values[cut..count - cut];
            let mean: f64 = middle.iter().map(|value| value / middle.len() as f64).sum();
            *origin = f64::from_bits(mean.to_bits() & kept);
        }
    }
    origin
}

/// The largest |x−μ| of any value.
fn extent(rows: &Rows<'_>, origin: &[f64], control: &Control) -> Result<f64> {
    const BLOCK: usize = 1024;
    let n = rows.len();
    let of_block = |block: usize| {
        control.check()?;
        let mut row = vec![0.0; rows.columns()];
        let mut largest = 0.0_f64;
        for index in block * BLOCK..((block + 1) * BLOCK).min(n) {
            rows.read(index, &mut row);
            for (value, origin) in row.iter().zip(origin) {
                largest = largest.max((value - origin).abs());
            }
        }
        Ok(largest)
    };
    control.run(|| {
        (0..n.div_ceil(BLOCK)).into_par_iter().map(of_block).try_reduce(|| 0.0, |a, b| Ok(a.max(b)))
    })
}

/// e with 2^e ≤ value < 2^(e+1), of a positive normal number; 0 for others.
fn exponent(value: f64) -> i32 {
    if value.is_normal() { (value.to_bits() >> 52 & 0x7ff) as i32 - 1023 } else { 0 }
}

/// 2^e, with e brought into the normal range.
fn power_of_two(e: i32) -> f64 {
    f64::from_bits(((e.clamp(-1000, 1000) + 1023) as u64) << 52)
}
