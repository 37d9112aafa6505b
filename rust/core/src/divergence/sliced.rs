//! Sliced Wasserstein distance. Level 3.
//!
//! SW_p = (mean over directions u of W_p^p between the projections on u)^(1/p) (Rabin et al. 2011; Bonneel et al.
//! 2015). On the line W_p is that of the sorted numbers, exact for samples of any two sizes. Directions are
//! taken some at a time: all rows are projected on them, then each thread sorts one direction after the
//! other. Cost: O((n + m)·q·(d + log(n + m))) time; memory a few numbers for each row and thread.
//!
//! Costs are summed in units of the largest difference along the direction, so that its power is 1 and none
//! overflows, whatever the exponent; the powers of all directions in units of the largest.

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::projection::{Directions, Projections, check_directions, projection_origin};
use crate::control::Control;
use crate::error::{Error, Result};
use crate::rows::{Rows, check_pair};
use crate::subsets::Subsets;
use crate::univariate::sort::{Spare, sort, sort_by_key};
use crate::univariate::transport::{Power, cost, unit_of};

/// The fewest directions that are taken together, which share the reading of the rows.
const TOGETHER: usize = 28;

/// SW_p of two samples along `directions`, row by row; they need not have unit length.
pub fn sliced_wasserstein(
    reference: &Rows<'_>,
    candidate: &Rows<'_>,
    directions: &[f64],
    p: f64,
    control: &Control,
) -> Result<f64> {
    check_pair(reference, "reference", candidate, "candidate")?;
    let power = power_of(p)?;
    let samples = [reference, candidate];
    let along = |memory: &mut Memory, projections: &[Projections], direction: usize| {
        for (line, of_sample) in memory.lines.iter_mut().zip(projections) {
            of_sample.write_line(direction, line);
            sort(line, &mut memory.spare, control)?;
        }
        let [x, y] = &memory.lines;
        let unit = unit_of(x, y, power);
        Ok((unit, cost(x, y, power, unit)))
    };
    let costs = along_directions(&samples, directions, control, along)?;
    Ok(power_mean(&costs, power))
}

/// What a thread needs for one direction, and uses again for the next: new memory would cost a quarter of
/// the time.
#[derive(Default)]
struct Memory {
    lines: [Vec<f64>; 2],
    spare: Spare<f64>,
}

/// SW_p^p of each subset of a reference against that of a candidate.
pub(crate) fn subset_costs(
    reference: (&Rows<'_>, &Subsets),
    candidate: (&Rows<'_>, &Subsets),
    directions: &[f64],
    p: f64,
    control: &Control,
) -> Result<Vec<f64>> {
    let power = power_of(p)?;
    let samples = [reference, candidate];
    let rows = samples.map(|(rows, _)| rows);
    let count = reference.1.count();
    let along = |(): &mut (), projections: &[Projections], direction: usize| {
        let sorted = |(of_sample, (_, subsets)): (&Projections, &(&Rows<'_>, &Subsets))| {
            let mut line: Vec<(f64, u64)> = of_sample
                .line(direction)
                .enumerate()
                .map(|(row, value)| (value, subsets.mask(row)))
                .collect();
            control.check()?;
            sort_by_key(&mut line, |&(value, _)| value);
            Ok(line)
        };
        let lines: Vec<Vec<(f64, u64)>> =
            projections.iter().zip(&samples).map(sorted).collect::<Result<_>>()?;
        let (mut x, mut y) = (Vec::new(), Vec::new());
        let mut found = Vec::with_capacity(count);
        for subset in 0..count {
            control.check()?;
            keep(&lines[0], subset, &mut x);
            keep(&lines[1], subset, &mut y);
            let unit = unit_of(&x, &y, power);
            found.push((unit, cost(&x, &y, power, unit)));
        }
        Ok(found)
    };
    let costs = along_directions(&rows, directions, control, along)?;
    let mean = |subset: usize| {
        let terms = costs.iter().map(|of_direction| of_direction[subset]);
        power.raise(power_mean(&terms.collect::<Vec<_>>(), power))
    };
    Ok((0..count).map(mean).collect())
}

/// What `work` finds along each direction, in their order.
fn along_directions<T: Send, M: Default + Send>(
    samples: &[&Rows<'_>],
    directions: &[f64],
    control: &Control,
    work: impl Fn(&mut M, &[Projections], usize) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let columns = samples[0].columns();
    check_directions(directions, columns)?;
    let rows: usize = samples.iter().map(|rows| rows.len()).sum();
    // A direction counts once for its projections and once for what follows.
    control.begin("projections", 2 * (rows * (directions.len() / columns)) as u64);
    let origin = projection_origin(samples[0]);
    let together = Directions::together(TOGETHER.max(control.threads()), control);
    let mut found = Vec::with_capacity(directions.len() / columns);
    let mut projections: Vec<Projections> = Vec::new();
    projections.resize_with(samples.len(), Projections::default);
    let idle: Mutex<Vec<M>> = Mutex::default();
    for some in directions.chunks(together * columns) {
        let panel = Directions::of(some, &origin, columns, control);
        for (rows, found) in samples.iter().zip(&mut projections) {
            panel.project(rows, found, control)?;
        }
        let of_direction = |direction: usize| {
            let taken = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut memory = taken.unwrap_or_default();
            let value = work(&mut memory, &projections, direction)?;
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
            control.advance(rows as u64)?;
            Ok(value)
        };
        let of_panel: Result<Vec<T>> = control.run(|| {
            (0..some.len() / columns).into_par_iter().with_max_len(1).map(of_direction).collect()
        });
        found.extend(of_panel?);
    }
    Ok(found)
}

fn power_of(p: f64) -> Result<Power> {
    if p.is_finite() && p >= 1.0 {
        return Ok(Power::of(p));
    }
    Err(Error::input("p").expected("a finite number of at least 1").got(p))
}

/// (mean unit^p · cost)^(1/p).
fn power_mean(costs: &[(f64, f64)], power: Power) -> f64 {
    // Where nothing is apart, the unit is the least that there is.
    let largest = costs.iter().map(|cost| cost.0).fold(0.0, f64::max);
    let sum: f64 = costs.iter().map(|&(unit, cost)| power.raise(unit / largest) * cost).sum();
    largest * power.root(sum / costs.len() as f64)
}

/// Writes the numbers of one subset, which stay in order.
fn keep(line: &[(f64, u64)], subset: usize, out: &mut Vec<f64>) {
    out.resize(line.len(), 0.0);
    let mut kept = 0;
    // Membership is random: a branch would be mispredicted every other time.
    for &(value, mask) in line {
        out[kept] = value;
        kept += (mask >> subset & 1) as usize;
    }
    out.truncate(kept);
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::{sliced_wasserstein, subset_costs};
    use crate::control::Control;
    use crate::divergence::projection::random_directions;
    use crate::error::Error;
    use crate::rows::Rows;
    use crate::streams::Stream;
    use crate::subsets::Subsets;

    fn normal(rows: usize, columns: usize, index: u64) -> Array2<f64> {
        let mut stream = Stream::new(6, "test", index);
        Array2::from_shape_fn((rows, columns), |_| stream.normal())
    }

    #[test]
    fn along_an_axis_it_is_the_distance_of_that_column() {
        let x = Array2::from_shape_vec((3, 2), vec![0.0, 5.0, 1.0, 6.0, 2.0, 7.0]).unwrap();
        let y = Array2::from_shape_vec((3, 2), vec![2.0, 7.0, 3.0, 5.0, 4.0, 9.0]).unwrap();
        let (x, y, control) =
            (Rows::from_f64(x.view()), Rows::from_f64(y.view()), Control::with_threads(2));
        let along = |direction: [f64; 2], p| sliced_wasserstein(&x, &y, &direction, p, &control);
        assert_eq!(along([1.0, 0.0], 2.0), Ok(2.0));
        // 5, 6, 7 and 5, 7, 9.
        assert_eq!(along([0.0, 1.0], 1.0), Ok(1.0));
        assert!((along([0.0, -1.0], 2.0).unwrap() - (5.0_f64 / 3.0).sqrt()).abs() < 1e-15);
    }

    #[test]
    fn subsets_are_samples_of_their_own() {
        let (x, y) = (normal(70, 5, 0), normal(45, 5, 1) * 1.5);
        let (rows_x, rows_y) = (Rows::from_f64(x.view()), Rows::from_f64(y.view()));
        let (of_x, of_y) = (Subsets::halves(70, 3, 1, 0), Subsets::halves(45, 3, 1, 1));
        let control = Control::with_threads(2);
        let directions = random_directions(5, 40, 2, &control).unwrap();
        for p in [1.0, 2.0] {
            let candidate = (&rows_y, &of_y);
            let found =
                subset_costs((&rows_x, &of_x), candidate, &directions, p, &control).unwrap();
            for (subset, &cost) in found.iter().enumerate() {
                let (a, b): (Vec<_>, Vec<_>) =
                    (of_x.members(subset).collect(), of_y.members(subset).collect());
                let a = rows_x.clone().select(a.into()).unwrap();
                let b = rows_y.clone().select(b.into()).unwrap();
                let alone = sliced_wasserstein(&a, &b, &directions, p, &control).unwrap();
                // The origin of a subset is another one.
                assert!((cost - alone.powf(p)).abs() <= 1e-12 * cost, "{subset} {p}");
            }
        }
    }

    #[test]
    fn neither_threads_nor_instruction_sets_beyond_roundings_matter() {
        let (x, y) = (normal(600, 19, 2), normal(555, 19, 3));
        let (x, y) = (Rows::from_f64(x.view()), Rows::from_f64(y.view()));
        let directions = random_directions(19, 33, 4, &Control::with_threads(1)).unwrap();
        let on = |control: Control| sliced_wasserstein(&x, &y, &directions, 2.0, &control).unwrap();
        let alone = on(Control::with_threads(1));
        assert_eq!(on(Control::with_threads(3)), alone);
        for isa in tailwatch_kernels::Isa::available() {
            let found = on(Control::with_threads(1).with_isa(isa));
            assert!((found - alone).abs() <= 1e-13 * alone, "{isa}");
        }
    }

    #[test]
    fn squares_neither_overflow_nor_vanish() {
        let (x, y) = (normal(50, 3, 4), normal(40, 3, 5));
        let control = Control::with_threads(1);
        let directions = random_directions(3, 10, 0, &control).unwrap();
        let at = |scale: f64| {
            let (x, y) = (&x * scale, &y * scale);
            let (x, y) = (Rows::from_f64(x.view()), Rows::from_f64(y.view()));
            sliced_wasserstein(&x, &y, &directions, 2.0, &control).unwrap() / scale
        };
        let usual = at(1.0);
        for exponent in [-900, -300, 300, 490] {
            assert_eq!(at(2.0_f64.powi(exponent)), usual);
        }
    }

    #[test]
    fn large_exponents_neither_overflow_nor_vanish() {
        // Two directions, along which the numbers are 3, 0, 0 and 0.5, 0, 0 apart, at any scale.
        for scale in [1.0, 1e-200, 1e140] {
            let x = Array2::from_shape_vec((3, 2), vec![0.0, 0.0, 5.0, 6.0, 99.0, 9.0]).unwrap();
            let y = Array2::from_shape_vec((3, 2), vec![0.0, 0.5, 5.0, 6.0, 102.0, 9.0]).unwrap();
            let (x, y) = (x * scale, y * scale);
            let (x, y) = (Rows::from_f64(x.view()), Rows::from_f64(y.view()));
            let control = Control::with_threads(1);
            for p in [1.0, 2.0, 3.5, 10.0, 300.0, 700.0, 1100.0, 1e5, 1e300] {
                let directions = [1.0, 0.0, 0.0, 1.0];
                let found = sliced_wasserstein(&x, &y, &directions, p, &control).unwrap() / scale;
                let expected = 3.0 * ((1.0 + (0.5_f64 / 3.0).powf(p)) / 6.0).powf(1.0 / p);
                assert!((found - expected).abs() <= 1e-13 * expected, "{p} {scale}: {found}");
            }
        }
    }

    #[test]
    fn wrong_exponents_and_directions_are_refused() {
        let x = normal(4, 3, 6);
        let (x, control) = (Rows::from_f64(x.view()), Control::with_threads(1));
        let call = |directions: &[f64], p| sliced_wasserstein(&x, &x, directions, p, &control);
        for p in [0.5, f64::NAN, f64::INFINITY] {
            assert!(matches!(call(&[1.0, 0.0, 0.0], p), Err(Error::Input(_))), "{p}");
        }
        assert!(matches!(call(&[], 1.0), Err(Error::Dimension(_))));
        assert!(matches!(call(&[1.0; 4], 1.0), Err(Error::Dimension(_))));
        assert!(matches!(call(&[1.0, f64::NAN, 0.0], 1.0), Err(Error::NonFinite(_))));
    }
}
