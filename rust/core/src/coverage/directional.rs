//! Tails along directions. Level 3.
//!
//! For a unit direction u: the share of Y beyond the α/2 and 1 − α/2 quantiles of X along u, over α.
//! 1 = tails kept, towards 0 = tails lost, far above 1 = widened. The first directions are the leading
//! principal axes of X that have variance (half of the directions at most), the others uniform on the sphere. Quantiles interpolate
//! linearly, as NumPy's do. Rows that lie on a quantile count in proportion: by the share of the rows of X there
//! that it takes for just α/2 of X to lie beyond. Cost: O((n + m)·d·q) + O(min(n, d)³) time, O(n + m) memory.

use faer::Mat;
use ndarray::{Array2, Array4, ArrayView2, ArrayView4};
use rayon::prelude::*;
use tailwatch_kernels::dot_products;

use super::tail::check_levels;
use crate::control::Control;
use crate::covariance::Material;
use crate::dense;
use crate::error::{Error, Result};
use crate::moments::centre;
use crate::rows::{Rows, check_columns, check_pair, check_rows};
use crate::streams::Stream;
use crate::subsets::Subsets;

/// Directions projected on at a time: bounds the memory to this many numbers a row.
const BATCH: usize = 16;

/// Unit vectors, row by row: leading principal axes of `rows`, then random ones.
pub fn directions(rows: &Rows<'_>, count: usize, seed: u64, control: &Control) -> Result<Vec<f64>> {
    if count == 0 {
        return Err(Error::input("directions").expected("at least 1").got(0));
    }
    check_rows(rows, "reference", 2)?;
    let d = rows.columns();
    control.begin("principal axes", rows.len() as u64);
    let material = Material::of(rows, control)?;
    let axes = control.detached(move || axes_of(&material))??;
    let leading = axes.ncols().min(count / 2);
    let mut values = Vec::with_capacity(count * d);
    for axis in 0..leading {
        values.extend_from_slice(axes.col_as_slice(axis));
    }
    for index in leading..count {
        let mut stream = Stream::new(seed, "directions", index as u64);
        let normal: Vec<f64> = (0..d).map(|_| stream.normal()).collect();
        let norm = normal.iter().map(|x| x * x).sum::<f64>().sqrt();
        values.extend(normal.iter().map(|x| x / norm));
    }
    Ok(values)
}

/// Principal axes with some variance, as columns, largest first.
fn axes_of(material: &Material) -> Result<Mat<f64>> {
    match material {
        Material::Moments(moments) => dense::principal_axes(moments.covariance().as_ref()),
        Material::Data(data) => {
            // Few rows: the axes are the centred data times the eigenvectors of their Gram matrix.
            let mut centred = data.as_ref().clone();
            centre(centred.as_mut());
            let gram = centred.transpose() * &centred;
            let mut axes = &centred * dense::principal_axes(gram.as_ref())?;
            for column in 0..axes.ncols() {
                let norm = axes.col(column).norm_l2();
                axes.col_as_slice_mut(column).iter_mut().for_each(|value| *value /= norm);
            }
            Ok(axes)
        }
    }
}

/// Where the tails of a reference begin along each direction, in each of its subsets.
pub struct Thresholds {
    level: f64,
    columns: usize,
    /// Row by row.
    directions: Vec<f64>,
    /// `[direction][subset]`.
    quantiles: Vec<Vec<[Quantile; 2]>>,
}

impl Thresholds {
    /// The quantiles of `reference` along `directions`.
    pub(crate) fn of(
        (rows, subsets): (&Rows<'_>, &Subsets),
        directions: Vec<f64>,
        level: f64,
        control: &Control,
    ) -> Result<Self> {
        let columns = rows.columns();
        let of_line = |_, line: &Line<'_>| line.thresholds(level);
        let quantiles = along((rows, subsets), &directions, control, of_line)?;
        Ok(Self { level, columns, directions, quantiles })
    }

    /// The quantiles of all rows of `reference` along `directions`, row by row.
    pub fn of_rows(
        reference: &Rows<'_>,
        directions: &[f64],
        level: f64,
        control: &Control,
    ) -> Result<Self> {
        check_rows(reference, "reference", 1)?;
        check_levels(&[level])?;
        let subsets = Subsets::whole(reference.len());
        Self::of((reference, &subsets), directions.to_vec(), level, control)
    }

    /// Thresholds that were kept, as [`Thresholds::numbers`] gave them.
    pub fn new(
        directions: ArrayView2<'_, f64>,
        quantiles: ArrayView4<'_, f64>,
        level: f64,
    ) -> Result<Self> {
        check_levels(&[level])?;
        let ((count, columns), shape) = (directions.dim(), quantiles.dim());
        if columns == 0 || count == 0 || shape != (count, shape.1, 2, 2) {
            return Err(Error::dimension("quantiles")
                .expected(format_args!("two quantiles of two numbers for {count} directions"))
                .got(format_args!("{shape:?}")));
        }
        let of_subset = |direction: usize, subset: usize| {
            [Side::Below, Side::Above].map(|side| {
                let end = usize::from(matches!(side, Side::Above));
                let [value, inside] = [0, 1].map(|part| quantiles[[direction, subset, end, part]]);
                Quantile { value, side, inside }
            })
        };
        let of_direction =
            |direction: usize| (0..shape.1).map(|subset| of_subset(direction, subset)).collect();
        Ok(Self {
            level,
            columns,
            directions: directions.iter().copied().collect(),
            quantiles: (0..count).map(of_direction).collect(),
        })
    }

    /// Directions, row by row, and the quantiles: `[direction][subset][below, above][value, share of what lies on it
    /// that is beyond]`.
    #[must_use]
    pub fn numbers(&self) -> (Array2<f64>, Array4<f64>) {
        let (count, subsets, d) = (self.directions(), self.subsets(), self.columns);
        let directions = Array2::from_shape_fn((count, d), |(i, j)| self.directions[i * d + j]);
        let quantiles =
            Array4::from_shape_fn((count, subsets, 2, 2), |(direction, subset, end, part)| {
                let quantile = self.quantiles[direction][subset][end];
                if part == 0 { quantile.value } else { quantile.inside }
            });
        (directions, quantiles)
    }

    /// The share of all rows of `candidate` beyond the quantiles along each direction, over the level.
    pub fn tails(&self, candidate: &Rows<'_>, control: &Control) -> Result<Vec<f64>> {
        check_columns(candidate, "candidate", self.columns)?;
        self.check_subsets(1)?;
        self.ratios(candidate, &Subsets::whole(candidate.len()), control)
    }

    /// Number of columns.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Subsets of the reference that there are quantiles of.
    fn subsets(&self) -> usize {
        self.quantiles.first().map_or(0, Vec::len)
    }

    /// Fails unless there are quantiles of so many subsets.
    pub(crate) fn check_subsets(&self, count: usize) -> Result<()> {
        if self.subsets() == count {
            return Ok(());
        }
        Err(Error::dimension("quantiles")
            .expected(format_args!("those of {count} subsets"))
            .got(self.subsets()))
    }

    /// The level of both tails together.
    pub(crate) fn level(&self) -> f64 {
        self.level
    }

    /// Number of directions.
    pub(crate) fn directions(&self) -> usize {
        self.directions.len() / self.columns
    }

    /// The shares of `rows` beyond the quantiles, over the level: subset by subset of each direction.
    pub(crate) fn ratios(
        &self,
        rows: &Rows<'_>,
        subsets: &Subsets,
        control: &Control,
    ) -> Result<Vec<f64>> {
        let of_line = |direction: usize, line: &Line<'_>| {
            let shares = line.shares_beyond(&self.quantiles[direction]);
            shares.into_iter().map(|share| share / self.level).collect::<Vec<_>>()
        };
        Ok(along((rows, subsets), &self.directions, control, of_line)?.concat())
    }
}

/// What `work` finds on the line along each direction, in their order.
fn along<T: Send>(
    (rows, subsets): (&Rows<'_>, &Subsets),
    directions: &[f64],
    control: &Control,
    work: impl Fn(usize, &Line<'_>) -> T + Sync,
) -> Result<Vec<T>> {
    let d = rows.columns();
    let batches = (directions.len() / d).div_ceil(BATCH);
    control.begin("directional tails", (rows.len() * batches) as u64);
    let mut all = Vec::with_capacity(directions.len() / d);
    for (batch, some) in directions.chunks(BATCH * d).enumerate() {
        let projected = project(rows, some, control)?;
        let of_direction = |(place, values): (usize, &Vec<f64>)| {
            control.check()?;
            Ok(work(batch * BATCH + place, &Line::of(values, subsets)))
        };
        let found: Result<Vec<T>> =
            control.run(|| projected.par_iter().enumerate().map(of_direction).collect());
        all.extend(found?);
    }
    Ok(all)
}

/// Each direction's share of the candidate beyond the reference's quantiles, over `level`.
pub fn directional_tails(
    reference: &Rows<'_>,
    candidate: &Rows<'_>,
    directions: &[f64],
    level: f64,
    control: &Control,
) -> Result<Vec<f64>> {
    check_pair(reference, "reference", candidate, "candidate")?;
    Thresholds::of_rows(reference, directions, level, control)?.tails(candidate, control)
}

/// The projections of all rows on each direction: `[direction][row]`.
fn project(rows: &Rows<'_>, directions: &[f64], control: &Control) -> Result<Vec<Vec<f64>>> {
    const BLOCK: usize = 256;
    let (d, stride, n) = (rows.columns(), rows.stride(), rows.len());
    let count = directions.len() / d;
    let mut panel = vec![0.0; count * stride];
    for (padded, direction) in panel.chunks_exact_mut(stride).zip(directions.chunks_exact(d)) {
        padded[..d].copy_from_slice(direction);
    }
    let blocks: Vec<Vec<f64>> = control.run(|| {
        let block = |block: usize| {
            let range = block * BLOCK..((block + 1) * BLOCK).min(n);
            let (mut queries, mut out) = (Vec::new(), vec![0.0; range.len() * count]);
            rows.pack(range.clone(), &mut queries);
            dot_products(control.isa(), &panel, &queries, stride, &mut out);
            control.advance(range.len() as u64)?;
            Ok(out)
        };
        (0..n.div_ceil(BLOCK)).into_par_iter().map(block).collect::<Result<_>>()
    })?;
    let mut lines = vec![Vec::with_capacity(n); count];
    for block in blocks {
        let rows = block.len() / count;
        for (line, part) in lines.iter_mut().zip(block.chunks_exact(rows)) {
            line.extend_from_slice(part);
        }
    }
    Ok(lines)
}

/// Projections on one direction, ascending, with the subsets that each belongs to.
struct Line<'a> {
    sorted: Vec<(f64, u64)>,
    subsets: &'a Subsets,
}

impl<'a> Line<'a> {
    fn of(values: &[f64], subsets: &'a Subsets) -> Self {
        let mut sorted: Vec<_> =
            values.iter().enumerate().map(|(row, &x)| (x, subsets.mask(row))).collect();
        sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        Self { sorted, subsets }
    }

    /// The `level/2` and `1 − level/2` quantiles of each subset.
    fn thresholds(&self, level: f64) -> Vec<[Quantile; 2]> {
        (0..self.subsets.count())
            .map(|subset| {
                let size = self.subsets.size(subset);
                // The upper quantile mirrors the lower one, so both walks stay within the tails.
                let position = (size - 1) as f64 * (level / 2.0);
                let whole = position.floor();
                let (rank, part) = (whole as usize, position - whole);
                let member = |&&(_, mask): &&(f64, u64)| mask >> subset & 1 == 1;
                let interpolate = |mut values: Box<dyn Iterator<Item = &(f64, u64)> + '_>| {
                    let near = values.nth(rank).map_or(f64::NAN, |value| value.0);
                    let next = values.next().map_or(near, |value| value.0);
                    near + part * (next - near)
                };
                let low = interpolate(Box::new(self.sorted.iter().filter(member)));
                let high = interpolate(Box::new(self.sorted.iter().rev().filter(member)));
                let target = size as f64 * (level / 2.0);
                [(low, Side::Below), (high, Side::Above)].map(|(value, side)| {
                    let [beyond, on] = self.beyond_and_on(value, side, subset);
                    // Nothing of X lies on a quantile between two of its rows, and as good as nothing of Y.
                    let inside = if on == 0 { 0.0 } else { (target - beyond as f64) / on as f64 };
                    Quantile { value, side, inside: inside.clamp(0.0, 1.0) }
                })
            })
            .collect()
    }

    /// The rows of a subset beyond a value, and those on it.
    fn beyond_and_on(&self, value: f64, side: Side, subset: usize) -> [usize; 2] {
        let first = self.sorted.partition_point(|row| row.0 < value);
        let last = first + self.sorted[first..].partition_point(|row| row.0 == value);
        let beyond = match side {
            Side::Below => &self.sorted[..first],
            Side::Above => &self.sorted[last..],
        };
        let members =
            |rows: &[(f64, u64)]| rows.iter().filter(|&&(_, mask)| mask >> subset & 1 == 1).count();
        [members(beyond), members(&self.sorted[first..last])]
    }

    /// The share of each subset beyond either threshold.
    fn shares_beyond(&self, thresholds: &[[Quantile; 2]]) -> Vec<f64> {
        let share = |(subset, quantiles): (usize, &[Quantile; 2])| {
            let count = |quantile: &Quantile| {
                let [beyond, on] = self.beyond_and_on(quantile.value, quantile.side, subset);
                beyond as f64 + on as f64 * quantile.inside
            };
            quantiles.iter().map(count).sum::<f64>() / self.subsets.size(subset) as f64
        };
        thresholds.iter().enumerate().map(share).collect()
    }
}

/// Which end of a line a quantile cuts off.
#[derive(Clone, Copy)]
enum Side {
    Below,
    Above,
}

/// A quantile, and the share of what lies on it that is beyond.
#[derive(Clone, Copy)]
struct Quantile {
    value: f64,
    side: Side,
    inside: f64,
}
