//! Sliced Wasserstein distance. Level 3.
//!
//! SW_p = (mean over directions u of W_p^p between the projections on u)^(1/p) (Rabin et al. 2011; Bonneel et al.
//! 2015). On the line W_p is that of the sorted numbers, exact for samples of any two sizes. Directions are
//! taken some at a time: all rows are projected on them, then each thread sorts one direction after the
//! other. Cost: O((n + m)·q·(d + log(n + m))) time; memory a few numbers for each row and thread.
//!
//! Costs are summed in units of a power of two that belongs to the direction, so that neither powers of
//! the largest projections overflow nor those of the smallest vanish.

use rayon::prelude::*;

use super::projection::{Directions, Projections, check_directions, projection_origin};
use crate::control::Control;
use crate::error::{Error, Result};
use crate::rows::{Rows, check_pair};
use crate::subsets::Subsets;
use crate::univariate::sort::{sort, sort_by_key};
use crate::univariate::transport::{Power, cost};

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
    let costs = along_directions(&samples, directions, control, |projections, direction| {
        let mut lines = [Vec::new(), Vec::new()];
        let mut spare = Vec::new();
        for (line, of_sample) in lines.iter_mut().zip(projections) {
            of_sample.write_line(direction, line);
            sort(line, &mut spare, control)?;
        }
        let [x, y] = &lines;
        let unit = unit_of(&[x, y]);
        Ok((unit, cost(x, y, power, unit)))
    })?;
    Ok(power_mean(&costs, power))
}

/// SW_p^p of each subset of a reference against that of each candidate: `[candidate][subset]`.
pub(crate) fn subset_costs(
    reference: (&Rows<'_>, &Subsets),
    candidates: &[(&Rows<'_>, &Subsets)],
    directions: &[f64],
    p: f64,
    control: &Control,
) -> Result<Vec<Vec<f64>>> {
    let power = power_of(p)?;
    let samples: Vec<(&Rows<'_>, &Subsets)> =
        std::iter::once(reference).chain(candidates.iter().copied()).collect();
    let rows: Vec<&Rows<'_>> = samples.iter().map(|(rows, _)| *rows).collect();
    let count = reference.1.count();
    let costs = along_directions(&rows, directions, control, |projections, direction| {
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
        let mut found = Vec::with_capacity(candidates.len() * count);
        for subset in 0..count {
            control.check()?;
            keep(&lines[0], subset, &mut x);
            for line in &lines[1..] {
                keep(line, subset, &mut y);
                let unit = unit_of(&[&x, &y]);
                found.push((unit, cost(&x, &y, power, unit)));
            }
        }
        Ok(found)
    })?;
    let of = |candidate: usize| {
        let place = |subset: usize| subset * candidates.len() + candidate;
        let mean = |subset: usize| {
            let terms = costs.iter().map(|of_direction| of_direction[place(subset)]);
            power.raise(power_mean(&terms.collect::<Vec<_>>(), power))
        };
        (0..count).map(mean).collect()
    };
    Ok((0..candidates.len()).map(of).collect())
}

/// What `work` finds along each direction, in their order.
fn along_directions<T: Send>(
    samples: &[&Rows<'_>],
    directions: &[f64],
    control: &Control,
    work: impl Fn(&[Projections], usize) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let columns = samples[0].columns();
    check_directions(directions, columns)?;
    let rows: usize = samples.iter().map(|rows| rows.len()).sum();
    // A direction counts once for its projections and once for what follows.
    control.begin("projections", 2 * (rows * (directions.len() / columns)) as u64);
    let origin = projection_origin(samples[0]);
    let together = Directions::together(TOGETHER.max(control.threads()), control);
    let mut found = Vec::with_capacity(directions.len() / columns);
    for some in directions.chunks(together * columns) {
        let panel = Directions::of(some, &origin, columns, control);
        let projections: Vec<Projections> =
            samples.iter().map(|rows| panel.project(rows, control)).collect::<Result<_>>()?;
        let of_direction = |direction: usize| {
            let value = work(&projections, direction)?;
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
    Err(Error::Input(format!("p: expected a finite number of at least 1, got {p}")))
}

/// A power of two near the largest difference of two numbers of ascending samples; the least where there is none.
fn unit_of(samples: &[&Vec<f64>]) -> f64 {
    let low = samples.iter().filter_map(|line| line.first()).fold(f64::INFINITY, |a, &b| a.min(b));
    let high =
        samples.iter().filter_map(|line| line.last()).fold(f64::NEG_INFINITY, |a, &b| a.max(b));
    // All bits but those of the exponent are cleared.
    let unit = f64::from_bits((high - low).to_bits() & 0x7ff0_0000_0000_0000);
    unit.max(f64::MIN_POSITIVE)
}

/// (mean unit^p · cost)^(1/p).
fn power_mean(costs: &[(f64, f64)], power: Power) -> f64 {
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
