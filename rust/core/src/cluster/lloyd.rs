//! Lloyd's algorithm to its fixed point. Level 3.
//!
//! Every round moves the centres to the means of their rows and assigns the rows to their nearest centre.
//! What is assigned is exactly what measuring all distances would assign; bounds only say which rows need
//! not be looked at, as everything else about them is known:
//!
//! 1. A row keeps an upper bound on the distance to its own centre and a lower one on that to any other
//!    (Hamerly 2010). Centres that move change both by at most their way; while they do not meet, the row
//!    stays where it is.
//! 2. Of the others, those whose own centre or a centre that moved is nearer than the lower bound was before
//!    the move, need no other centre (Kaukoranta, Fränti & Nevalainen 2000). Most centres stand still long
//!    before the last one does.
//! 3. The rest are searched exactly. A row also keeps a bound from above on the distance to one other centre:
//!    nothing farther can be its nearest or its second nearest, and codes alone tell that.
//!
//! An empty cluster takes the row that is farthest from its centre. Cost: O(n·k·d) time for a round in which
//! all centres move, O(n·d) for one in which hardly any does; O(n + k·d) memory.

use rayon::prelude::*;
use tailwatch_kernels::squared_distances;

use super::seeds::Pair;
use super::{Centres, Clustering, ROUNDS, nearest_of};
use crate::control::Control;
use crate::error::Result;
use crate::moments::add_scaled;
use crate::neighbors::{Entry, Frame, Set};
use crate::rows::Rows;

/// Relative allowance of each bound for the roundings of distances and of bounds: those of Σ(x−y)² stay
/// below it up to a million columns.
const SLACK: f64 = 1e-10;
/// Squared distances below are rounded coarsely; they bound nothing from below, and less than the root of
/// this from above.
const COARSE: f64 = 1e-280;
/// Rows that are looked at together.
const BLOCK: usize = 512;

/// At least the distance.
fn at_most(squared: f64) -> f64 {
    squared.max(COARSE).sqrt() * (1.0 + SLACK)
}

/// At most the distance.
fn at_least(squared: f64) -> f64 {
    if squared < COARSE { 0.0 } else { squared.sqrt() * (1.0 - SLACK) }
}

/// What is known of a row.
#[derive(Clone, Copy)]
struct Place {
    label: u32,
    /// At least the distance to its own centre.
    upper: f64,
    /// At most the distance to any other centre.
    lower: f64,
    /// One of the others; none if there is one centre.
    other: u32,
    /// At least the distance to it.
    reach: f64,
}

/// At least the square of a bound.
fn squared_limit(bound: f64) -> f64 {
    let bound = bound.max(0.0);
    bound * bound * (1.0 + SLACK)
}

impl Place {
    /// From the nearest centres, two of them where there are two.
    fn of(nearest: &[Entry]) -> Self {
        let second = nearest.get(1).copied().unwrap_or(Entry::NONE);
        Self {
            label: nearest[0].index as u32,
            upper: at_most(nearest[0].squared),
            lower: if second.is_some() { at_least(second.squared) } else { f64::INFINITY },
            other: if second.is_some() { second.index as u32 } else { u32::MAX },
            reach: if second.is_some() { at_most(second.squared) } else { f64::INFINITY },
        }
    }
}

/// Runs Lloyd's algorithm from `centres`.
#[cfg(test)]
pub(super) fn settle(
    rows: &Set<'_>,
    frame: Option<&Frame>,
    centres: Centres,
    control: &Control,
) -> Result<Clustering> {
    let depth = centres.count().min(2);
    let found = centres.nearest(rows, frame, depth, control)?;
    let mut nearest = vec![[Entry::NONE; 2]; rows.rows().len()];
    for (pair, found) in nearest.iter_mut().zip(found.chunks_exact(depth)) {
        pair[..depth].copy_from_slice(found);
    }
    settle_from(rows, frame, centres, &nearest, control)
}

/// Runs Lloyd's algorithm from `centres`, of which every row knows the two nearest.
pub(super) fn settle_from(
    rows: &Set<'_>,
    frame: Option<&Frame>,
    centres: Centres,
    nearest: &[Pair],
    control: &Control,
) -> Result<Clustering> {
    let mut state = State::begin(rows, frame, centres, nearest, control);
    for _ in 1..ROUNDS {
        control.begin("k-means", (rows.rows().len() * state.centres.count()) as u64);
        state.fill_empty_clusters()?;
        let moves = state.recentre()?;
        if moves.iter().all(|&way| way == 0.0) {
            break;
        }
        state.assign(&moves)?;
    }
    let labels = state.places.iter().map(|place| place.label).collect();
    Ok(Clustering { centres: state.centres, labels })
}

struct State<'a> {
    set: &'a Set<'a>,
    rows: &'a Rows<'a>,
    frame: Option<&'a Frame>,
    centres: Centres,
    places: Vec<Place>,
    /// Clusters whose rows are no longer those of their centre.
    changed: Vec<bool>,
    control: &'a Control,
}

impl<'a> State<'a> {
    fn begin(
        set: &'a Set<'a>,
        frame: Option<&'a Frame>,
        centres: Centres,
        nearest: &[Pair],
        control: &'a Control,
    ) -> Self {
        let (rows, count) = (set.rows(), centres.count());
        let places = nearest.iter().map(|pair| Place::of(pair)).collect();
        Self { set, rows, frame, centres, places, changed: vec![true; count], control }
    }

    /// The rows of each cluster, ascending.
    fn members(&self) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.centres.count()];
        for (row, place) in self.places.iter().enumerate() {
            members[place.label as usize].push(row);
        }
        members
    }

    /// Gives each empty cluster the row that is farthest from its centre, as long as there is one that is
    /// not at its centre; ties go to the lower row.
    fn fill_empty_clusters(&mut self) -> Result<()> {
        let mut empty = vec![true; self.centres.count()];
        for place in &self.places {
            empty[place.label as usize] = false;
        }
        let empty: Vec<usize> = (0..empty.len()).filter(|&cluster| empty[cluster]).collect();
        if empty.is_empty() {
            return Ok(());
        }
        let all: Vec<usize> = (0..self.rows.len()).collect();
        let squared = self.to_own_centre(&all)?;
        let mut order = all;
        order.sort_by(|&a, &b| squared[b].total_cmp(&squared[a]).then(a.cmp(&b)));
        for (cluster, row) in empty.into_iter().zip(order) {
            if squared[row] == 0.0 {
                break;
            }
            self.changed[self.places[row].label as usize] = true;
            self.changed[cluster] = true;
            self.places[row] = Place {
                label: cluster as u32,
                upper: f64::INFINITY,
                lower: 0.0,
                other: u32::MAX,
                reach: f64::INFINITY,
            };
        }
        Ok(())
    }

    /// Moves centres to the means of their rows, in row order: at least how far each went.
    fn recentre(&mut self) -> Result<Vec<f64>> {
        let (rows, control, columns) = (self.rows, self.control, self.centres.columns);
        let members = self.members();
        let changed = std::mem::replace(&mut self.changed, vec![false; members.len()]);
        let one = |((centre, members), changed): ((&mut [f64], &Vec<usize>), bool)| {
            if !changed || members.is_empty() {
                return Ok(0.0);
            }
            let (mut sum, mut row) = (vec![0.0; columns], vec![0.0; columns]);
            for (count, &index) in members.iter().enumerate() {
                if count.is_multiple_of(BLOCK) {
                    control.check()?;
                }
                rows.read(index, &mut row);
                add_scaled(&mut sum, &row, 1.0);
            }
            let mut squared = 0.0;
            let mut same = true;
            for (slot, sum) in centre.iter_mut().zip(sum) {
                let mean = sum / members.len() as f64;
                squared += (mean - *slot) * (mean - *slot);
                same &= mean == *slot;
                *slot = mean;
            }
            Ok(if same { 0.0 } else { at_most(squared) })
        };
        let centres = self.centres.values.par_chunks_exact_mut(columns);
        control.run(|| centres.zip(&members).zip(changed).map(one).collect())
    }

    /// Assigns every row to its nearest centre after the centres moved.
    fn assign(&mut self, moves: &[f64]) -> Result<()> {
        let (count, before) = (self.centres.count(), self.places.clone());
        let suspects = self.suspects(moves)?;
        let moved: Vec<usize> = (0..count).filter(|&cluster| moves[cluster] > 0.0).collect();
        let rest =
            if 2 * moved.len() < count { self.meet(&moved, &suspects, &before)? } else { suspects };
        self.search(&rest)?;
        for (old, new) in before.iter().zip(&self.places) {
            if old.label != new.label {
                self.changed[old.label as usize] = true;
                self.changed[new.label as usize] = true;
            }
        }
        Ok(())
    }

    /// Moves all bounds by what the centres moved, and gives the rows whose bounds meet.
    fn suspects(&mut self, moves: &[f64]) -> Result<Vec<usize>> {
        let farthest = |but: Option<usize>| {
            let others = (0..moves.len()).filter(|&cluster| Some(cluster) != but);
            others.max_by(|&a, &b| moves[a].total_cmp(&moves[b]))
        };
        let first = farthest(None);
        let way = |cluster: Option<usize>| cluster.map_or(0.0, |cluster| moves[cluster]);
        let (most, second) = (way(first), way(farthest(first)));
        let (mut suspects, mut hopeful) = (Vec::new(), Vec::new());
        for (row, place) in self.places.iter_mut().enumerate() {
            let own = place.label as usize;
            let others = if Some(own) == first { second } else { most };
            let nearest = place.upper - moves[own];
            place.upper = (place.upper + moves[own]) * (1.0 + SLACK);
            place.lower = place.lower * (1.0 - SLACK) - others;
            let moved = moves.get(place.other as usize).copied().unwrap_or(0.0);
            place.reach = (place.reach + moved) * (1.0 + SLACK);
            if place.upper >= place.lower {
                suspects.push(row);
                if nearest < place.lower {
                    hopeful.push(row);
                }
            }
        }
        // The bound on the own centre is one distance away from being exact, if that can be enough.
        for (&row, squared) in hopeful.iter().zip(self.to_own_centre(&hopeful)?) {
            self.places[row].upper = at_most(squared);
        }
        suspects.retain(|&row| self.places[row].upper >= self.places[row].lower);
        Ok(suspects)
    }

    /// Settles those of `suspects` that are nearer to their own centre or to one of the `moved` than any
    /// other centre can be; gives the rest.
    fn meet(
        &mut self,
        moved: &[usize],
        suspects: &[usize],
        before: &[Place],
    ) -> Result<Vec<usize>> {
        if suspects.is_empty() {
            return Ok(Vec::new());
        }
        let depth = moved.len().min(2);
        let stands =
            |&row: &usize| moved.binary_search(&(self.places[row].label as usize)).is_err();
        let standing: Vec<usize> = suspects.iter().copied().filter(stands).collect();
        let mut own = self.to_own_centre(&standing)?.into_iter().zip(standing).peekable();
        let centres = self.centres.rows()?.pick(moved);
        // What is farther than any centre that stands still could be is not looked at.
        let limits: Vec<f64> =
            suspects.iter().map(|&row| squared_limit(before[row].lower)).collect();
        let found = self.nearest(&centres, suspects, depth, &limits)?;
        let mut rest = Vec::new();
        for (&row, found) in suspects.iter().zip(found.chunks_exact(depth)) {
            let found = found.iter().filter(|entry| entry.is_some());
            let mut known: Vec<Entry> =
                found.map(|entry| Entry { index: moved[entry.index], ..*entry }).collect();
            if let Some((squared, _)) = own.next_if(|&(_, standing)| standing == row) {
                known.push(Entry { squared, index: self.places[row].label as usize });
                known.sort_by(Entry::order);
            }
            if known.is_empty() {
                rest.push(row);
                continue;
            }
            let mut place = Place::of(&known);
            if known.len() == 1 {
                // The centre that it had beside its own, or its own of before.
                let Place { label, upper, other, reach, .. } = self.places[row];
                (place.other, place.reach) =
                    if place.label == other { (label, upper) } else { (other, reach) };
            }
            // Of the centres that stand still, the row's own aside, none is nearer than this.
            let still = before[row].lower;
            if place.upper < still {
                self.places[row] = Place { lower: place.lower.min(still), ..place };
            } else {
                rest.push(row);
            }
        }
        Ok(rest)
    }

    /// Searches the nearest centres of the rows at `indices`.
    fn search(&mut self, indices: &[usize]) -> Result<()> {
        if indices.is_empty() {
            return Ok(());
        }
        let depth = self.centres.count().min(2);
        // Its own centre and another are no farther than this.
        let limit = |&row: &usize| {
            let Place { upper, reach, .. } = self.places[row];
            squared_limit(if depth == 2 { upper.max(reach) } else { upper })
        };
        let limits: Vec<f64> = indices.iter().map(limit).collect();
        let found = self.nearest(&self.centres.rows()?, indices, depth, &limits)?;
        for (&row, found) in indices.iter().zip(found.chunks_exact(depth)) {
            self.places[row] = Place::of(found);
        }
        Ok(())
    }

    /// The `depth` nearest of `centres` of each of the rows at `indices`, within `limits`.
    fn nearest(
        &self,
        centres: &Rows<'_>,
        indices: &[usize],
        depth: usize,
        limits: &[f64],
    ) -> Result<Vec<Entry>> {
        let limits = Some(limits);
        if indices.len() == self.rows.len() {
            return nearest_of(centres, self.set, self.frame, depth, limits, self.control);
        }
        let some = self.rows.pick(indices);
        let set = self.set.some(&some, indices, self.control);
        nearest_of(centres, &set, self.frame, depth, limits, self.control)
    }

    /// Squared distances of the rows at `indices` to their own centres.
    fn to_own_centre(&self, indices: &[usize]) -> Result<Vec<f64>> {
        let (rows, centres, control) = (self.rows, self.centres.rows()?, self.control);
        let (columns, stride) = (rows.columns(), rows.stride());
        let mut squared = vec![0.0; indices.len()];
        let measure = |(indices, squared): (&[usize], &mut [f64])| {
            control.check()?;
            let (mut row, mut centre) = (vec![0.0; stride], vec![0.0; stride]);
            for (&index, squared) in indices.iter().zip(squared) {
                rows.read(index, &mut row[..columns]);
                centres.read(self.places[index].label as usize, &mut centre[..columns]);
                let squared = std::slice::from_mut(squared);
                squared_distances(control.isa(), &row, &centre, stride, squared);
            }
            Ok(())
        };
        let blocks = indices.par_chunks(BLOCK).zip(squared.par_chunks_mut(BLOCK));
        control.run(|| blocks.try_for_each(measure))?;
        Ok(squared)
    }
}
