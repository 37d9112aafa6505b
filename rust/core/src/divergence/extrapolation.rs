//! Fréchet distance extrapolated to infinitely many rows. Level 3.
//!
//! The distance of samples is too large by B/N to first order, for N rows of which a share is kept in both
//! samples (Chong & Forsyth 2020): a straight line in 1/N ends, at 1/N = 0, where the distance of the
//! distributions is. Both samples are cut at random into j = 1, 2, … parts and the distances of all parts are
//! averaged. A cut uses every row once, so that what is linear in the sampling error is the same for every j
//! and does not tilt the line. With w_j the weights of the least-squares intercept on j = 1 … p, 1 and Σ w_j = 1,
//! Σ j·w_j = 0, the second-order part of the error has the variance κV₂ with κ = 1 + Σ w_j²(j−1)/cuts(j).
//!
//! The two parts V₁ and V₂ of the variance come from the cuts into halves, whose differences hold V₁ + 2V₂
//! and whose means V₂ (as `comparison/errors.py` says). Cost: one pass of O((n + m)·d²), and for each of about
//! 30·(p − 1) parts O(min(n, d)³); memory: 32 covariances for each sample, or the samples where those are less.

use faer::Par;
use rayon::prelude::*;

use super::frechet::distance_of;
use crate::control::Control;
use crate::covariance::{Fit, Groups, to_unit_scale};
use crate::error::{Error, Result};
use crate::gaussians::Gaussians;
use crate::rows::{Rows, check_columns, check_pair, check_rows};
use crate::streams::Stream;
use crate::subsets::{GROUPS, MOST_PARTS, Subsets};

/// Cuts into halves.
const HALVINGS: usize = 15;
/// Cuts into more parts.
const OTHER_CUTS: usize = 4;
/// The most parts of a cut: those of all cuts fit beside the whole.
pub const MOST_POINTS: usize = 4;
/// The least rows: two in each group.
const LEAST_ROWS: usize = 2 * GROUPS;
/// Of the mean square of differences; a smaller variance of means is the noise of it.
const NEGLIGIBLE: f64 = 0.25;

const _: () = assert!(2 * HALVINGS + OTHER_CUTS * (3 + 4) <= MOST_PARTS);

/// A line through distances at several numbers of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Extrapolated {
    /// Where the line ends.
    pub value: f64,
    /// Of the value.
    pub standard_error: f64,
    /// From how many independent squares the standard error comes.
    pub degrees_of_freedom: f64,
    /// By how much the line rises from one j to the next: the bias at all rows.
    pub slope: f64,
    /// The mean distance of the parts of a cut into j = 1, 2, …
    pub distances: Vec<f64>,
}

/// Cuts into j parts.
fn cuts(parts: usize) -> usize {
    match parts {
        1 => 1,
        2 => HALVINGS,
        _ => OTHER_CUTS,
    }
}

/// Extrapolates the Fréchet distance from cuts into 1 to `points` parts.
pub fn extrapolate(
    reference: &Rows<'_>,
    candidate: &Rows<'_>,
    points: usize,
    seed: u64,
    control: &Control,
) -> Result<Extrapolated> {
    check_pair(reference, "reference", candidate, "candidate")?;
    check_rows(reference, "reference", LEAST_ROWS)?;
    check_rows(candidate, "candidate", LEAST_ROWS)?;
    check_points(points)?;
    control.begin("moments", (reference.len() + candidate.len()) as u64);
    let reference = Parts::of(reference, REFERENCE, points, seed, control)?;
    let candidate = Parts::of(candidate, CANDIDATE, points, seed, control)?;
    let reference = move |part: usize| reference.fit(part);
    Ok(line(&distances(reference, candidate, control)?, points))
}

/// What [`extrapolate_to`] takes of a reference: the Gaussian of each of its parts.
pub fn gaussians_of_cuts(
    reference: &Rows<'_>,
    points: usize,
    seed: u64,
    control: &Control,
) -> Result<Gaussians> {
    check_rows(reference, "reference", LEAST_ROWS)?;
    check_points(points)?;
    let (rows, subsets) = cut(reference, REFERENCE, points, seed);
    Gaussians::of_subsets(&rows, &subsets, control)
}

/// [`extrapolate`] with a reference of which the Gaussians of the parts are there, cut under the same seed.
pub fn extrapolate_to(
    reference: Gaussians,
    candidate: &Rows<'_>,
    points: usize,
    seed: u64,
    control: &Control,
) -> Result<Extrapolated> {
    check_columns(candidate, "candidate", reference.columns())?;
    check_rows(candidate, "candidate", LEAST_ROWS)?;
    check_points(points)?;
    control.begin("moments", candidate.len() as u64);
    let candidate = Parts::of(candidate, CANDIDATE, points, seed, control)?;
    reference.check_count(candidate.subsets.count())?;
    let reference = move |part: usize| reference.fit(part);
    Ok(line(&distances(reference, candidate, control)?, points))
}

fn check_points(points: usize) -> Result<()> {
    if (2..=MOST_POINTS).contains(&points) {
        return Ok(());
    }
    Err(Error::input("points").expected(format_args!("2 to {MOST_POINTS}")).got(points))
}

/// Numbers of the samples, under which they are cut.
const REFERENCE: u64 = 0;
const CANDIDATE: u64 = 1;

/// The rows in random order, since groups are dealt by position, and the parts of all cuts.
fn cut<'a>(rows: &Rows<'a>, sample: u64, points: usize, seed: u64) -> (Rows<'a>, Subsets) {
    let repeats: Vec<(usize, usize)> = (2..=points).map(|parts| (parts, cuts(parts))).collect();
    let order = Stream::new(seed, "extrapolation", sample).sample(rows.len(), rows.len());
    (rows.pick(&order), Subsets::partitions(rows.len(), &repeats, seed, sample))
}

/// The parts of all cuts of a sample.
struct Parts {
    groups: Groups,
    subsets: Subsets,
}

impl Parts {
    fn of(
        rows: &Rows<'_>,
        sample: u64,
        points: usize,
        seed: u64,
        control: &Control,
    ) -> Result<Self> {
        let (rows, subsets) = cut(rows, sample, points, seed);
        Ok(Self { groups: Groups::of(&rows, control)?, subsets })
    }

    fn fit(&self, part: usize) -> Fit {
        Fit::of_subset(&self.groups, &self.subsets, part)
    }
}

/// The share of the groups and the distance of the whole samples and of their parts, one after the other.
fn distances(
    reference: impl Fn(usize) -> Fit + Send + Sync + 'static,
    candidate: Parts,
    control: &Control,
) -> Result<Vec<(f64, f64)>> {
    let count = candidate.subsets.count();
    control.begin("Fréchet distances", count as u64);
    let inner = control.clone();
    let one = move |part: usize| {
        inner.check()?;
        let mut fits = [reference(part), candidate.fit(part)];
        let unit = to_unit_scale(&mut fits);
        let distance = distance_of(&fits[0], &fits[1], Par::Seq)? * unit * unit;
        inner.advance(1)?;
        Ok((candidate.subsets.share_of_groups(part), distance))
    };
    control.detached(move || (0..count).into_par_iter().map(one).collect())?
}

/// The line through the means of the cuts, from (share of the groups, distance) of each part.
fn line(parts: &[(f64, f64)], points: usize) -> Extrapolated {
    let mut rest = parts;
    let mut means = Vec::with_capacity(points);
    let mut halves: &[(f64, f64)] = &[];
    for parts in 1..=points {
        let (these, others) = rest.split_at(parts * cuts(parts));
        // Weighted by rows, what is linear in them cancels, and 1/N averages to j/N.
        let sum: f64 = these.iter().map(|(share, distance)| share * distance).sum();
        means.push(sum / cuts(parts) as f64);
        if parts == 2 {
            halves = these;
        }
        rest = others;
    }
    let count = points as f64;
    let middle = f64::midpoint(count, 1.0);
    let places: Vec<f64> = (1..=points).map(|parts| parts as f64 - middle).collect();
    let spread: f64 = places.iter().map(|place| place * place).sum();
    let slope = places.iter().zip(&means).map(|(place, mean)| place * mean).sum::<f64>() / spread;
    let value = means.iter().sum::<f64>() / count - slope * middle;
    let second_order = (1..=points).zip(&places).map(|(parts, place)| {
        let weight = count.recip() - middle * place / spread;
        weight * weight * (parts - 1) as f64 / cuts(parts) as f64
    });
    let kappa = 1.0 + second_order.sum::<f64>();
    let (standard_error, degrees_of_freedom) = error_of(halves, kappa);
    Extrapolated { value, standard_error, degrees_of_freedom, slope, distances: means }
}

/// The standard error √(V₁ + κV₂) from complementary halves, and its degrees of freedom.
fn error_of(halves: &[(f64, f64)], kappa: f64) -> (f64, f64) {
    // In units of the largest, since squares of what the data allow may overflow.
    let unit = halves.iter().map(|half| half.1.abs()).fold(0.0, f64::max);
    let pairs = halves.len() / 2;
    if unit == 0.0 || !unit.is_finite() {
        return (unit, pairs as f64);
    }
    let pair = |pair: &[(f64, f64)]| {
        let (first, second) = (pair[0].1 / unit, pair[1].1 / unit);
        ((first - second) / 2.0, f64::midpoint(first, second))
    };
    let (odd, even): (Vec<f64>, Vec<f64>) = halves.chunks_exact(2).map(pair).unzip();
    let count = pairs as f64;
    let mean = even.iter().sum::<f64>() / count;
    let odd = odd.iter().map(|value| value * value).sum::<f64>() / count;
    let even =
        even.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (count - 1.0);
    let (variance, squares) = if odd < 2.0 * even {
        // V₁ would be negative, and odd/2 and even are as good a measurement of V₂ each.
        (kappa * f64::midpoint(odd / 2.0, even), 2.0 * count)
    } else if even < NEGLIGIBLE * odd {
        (odd, count)
    } else {
        (odd + (kappa - 2.0) * even, count)
    };
    // There are so many halves, and so many groups that they are made of.
    let degrees = (squares.recip() + (GROUPS as f64 - 1.0).recip()).recip();
    (unit * variance.sqrt(), degrees)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::divergence::frechet::frechet_distance;
    use ndarray::Array2;

    fn normal(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
        let mut stream = Stream::new(seed, "test", 0);
        Array2::from_shape_simple_fn((rows, columns), || stream.normal())
    }

    #[test]
    fn the_line_is_that_of_least_squares() {
        // Distances 2 + 3j of cuts into parts of equal size: a line from 2 that rises by 3.
        let mut parts = vec![(1.0, 5.0)];
        for j in 2..=4 {
            parts.extend(vec![
                (1.0 / f64::from(j), 2.0 + 3.0 * f64::from(j));
                j as usize * cuts(j as usize)
            ]);
        }
        for points in 2..=4 {
            let found = line(&parts, points);
            assert!((found.value - 2.0).abs() < 1e-13 && (found.slope - 3.0).abs() < 1e-13);
            assert!(found.standard_error < 1e-7, "{}", found.standard_error);
        }
    }

    #[test]
    fn the_first_distance_is_that_of_all_rows_and_parts_may_be_unequal() {
        for (rows, columns) in [(1000, 5), (70, 90)] {
            let (x, y) = (normal(rows, columns, 1), normal(rows + 7, columns, 2));
            let (x, y) = (Rows::from_f64(x.view()), Rows::from_f64(y.view()));
            let control = Control::with_threads(2);
            let whole = frechet_distance(&x, &y, &control).unwrap();
            let found = extrapolate(&x, &y, 4, 3, &control).unwrap();
            assert!((found.distances[0] - whole).abs() < 1e-10 * (1.0 + whole));
            assert!(found.distances.is_sorted(), "{:?}", found.distances);
            assert_eq!(found, extrapolate(&x, &y, 4, 3, &Control::with_threads(1)).unwrap());
        }
    }

    #[test]
    fn what_cannot_be_cut_is_refused() {
        let data = normal(80, 2, 1);
        let rows = Rows::from_f64(data.view());
        let control = Control::with_threads(1);
        let few = rows.pick(&(0..63).collect::<Vec<_>>());
        let error = extrapolate(&rows, &few, 2, 0, &control).unwrap_err();
        assert_eq!(error.to_string(), "candidate: expected at least 64 rows, got 63");
        let error = extrapolate(&rows, &rows, 5, 0, &control).unwrap_err();
        assert_eq!(error.to_string(), "points: expected 2 to 4, got 5");
    }
}
