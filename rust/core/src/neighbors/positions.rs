//! Rows that are equal, as one position. Level 2.
//!
//! Equal rows are at the same distance from everything, so a search looks at one of them, the first, and what it
//! finds is said of all. The k nearest rows of a query lie at its k nearest positions, where those come by
//! (distance, first row): a row at any other position has the first rows of k positions before it.
//!
//! Positions are looked for where rows repeat often enough to cost time: the share of equal pairs is estimated from
//! what the codes say of a sample of rows. Rows that agree in that are then told apart by a hash of their
//! values, and those that agree in the hash by their values. Cost: a sample of rows where nothing repeats, else one
//! pass over the rows that may.

use rayon::prelude::*;

use super::topk::{Entry, Nearest};
use crate::control::Control;
use crate::error::Result;
use crate::hashes::hash_of_values;
use crate::rows::Rows;
use crate::streams::Stream;

/// Rows that the share of equal pairs is estimated from.
const SAMPLE: usize = 4096;
/// The share of equal pairs from which positions are looked for: fewer take no time that would show.
const WORTHWHILE: f64 = 1e-4;

/// The positions of a set of rows, by their first rows.
pub(crate) struct Positions {
    /// Rows by position, ascending at each.
    members: Vec<u32>,
    /// Where the members of each position end.
    ends: Vec<usize>,
    /// The position of each row.
    of_row: Vec<u32>,
}

/// Whether rows repeat often enough, from numbers that are equal for equal rows.
fn repeat_often(count: usize, print: impl Fn(usize) -> u64) -> bool {
    let mut prints: Vec<u64> = if count <= SAMPLE {
        (0..count).map(print).collect()
    } else {
        // At random: an even spacing might miss what repeats in a pattern.
        let mut stream = Stream::new(0, "positions", 0);
        (0..SAMPLE).map(|_| print(stream.below(count as u64) as usize)).collect()
    };
    prints.sort_unstable();
    let equal = |run: &[u64]| run.len() as f64 * (run.len() - 1) as f64;
    let found: f64 = prints.chunk_by(|a, b| a == b).map(equal).sum();
    // A sample with replacement sees a row twice now and then: a pair in as many as there are rows.
    let by_chance = if count <= SAMPLE { 0.0 } else { (count as f64).recip() };
    found / (prints.len() as f64).powi(2) >= WORTHWHILE + 4.0 * by_chance
}

impl Positions {
    /// The positions of `rows`, of which `print` gives numbers that are equal for equal rows; `None` where too few
    /// rows repeat to matter.
    pub(crate) fn of(
        rows: &Rows<'_>,
        print: impl Fn(usize) -> u64 + Sync,
        control: &Control,
    ) -> Result<Option<Self>> {
        let n = rows.len();
        if !repeat_often(n, &print) {
            return Ok(None);
        }
        let mut prints: Vec<(u64, u32)> = (0..n).map(|row| (print(row), row as u32)).collect();
        control.run(|| prints.par_sort_unstable());
        let mut groups: Vec<&[(u64, u32)]> = prints.chunk_by(|a, b| a.0 == b.0).collect();
        groups.retain(|group| group.len() > 1);
        let agreeing: Vec<u32> = groups.concat().into_iter().map(|(_, row)| row).collect();
        // (hash, row), of the rows whose prints agree with those of others.
        let hashed = |(row, bytes): &mut (Vec<f64>, Vec<u8>), &index: &u32| {
            if index.is_multiple_of(1024) {
                control.check()?;
            }
            rows.read(index as usize, row);
            Ok((hash_of_values(row, bytes), index))
        };
        let buffers = || (vec![0.0; rows.columns()], Vec::new());
        let mut hashes: Vec<(u64, u32)> = control
            .run(|| agreeing.par_iter().map_init(buffers, hashed).collect::<Result<Vec<_>>>())?;
        control.run(|| hashes.par_sort_unstable());
        let mut first: Vec<u32> = (0..n as u32).collect();
        let (mut row, mut leader) = (vec![0.0; rows.columns()], vec![0.0; rows.columns()]);
        for group in hashes.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1) {
            rows.read(group[0].1 as usize, &mut leader);
            for &(_, index) in &group[1..] {
                rows.read(index as usize, &mut row);
                // Of different rows with one hash, those after the first are left alone.
                if row == leader {
                    first[index as usize] = group[0].1;
                }
            }
        }
        Ok(Self::by_first(&first).filter(|positions| positions.count() < n))
    }

    /// The positions of rows that equal the row of the number that each has: the first of them.
    fn by_first(first: &[u32]) -> Option<Self> {
        let mut of_row = vec![0; first.len()];
        let mut sizes: Vec<usize> = Vec::new();
        for (row, &first) in first.iter().enumerate() {
            of_row[row] = if first as usize == row {
                sizes.push(0);
                sizes.len() as u32 - 1
            } else {
                of_row[first as usize]
            };
            sizes[of_row[row] as usize] += 1;
        }
        let mut next = 0;
        let starts = sizes.iter().map(|size| {
            next += size;
            next - size
        });
        let mut ends: Vec<usize> = starts.collect();
        let mut members = vec![0; first.len()];
        for (row, &position) in of_row.iter().enumerate() {
            members[ends[position as usize]] = row as u32;
            ends[position as usize] += 1;
        }
        (!ends.is_empty()).then_some(Self { members, ends, of_row })
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.ends.len()
    }

    /// The rows at a position, ascending.
    pub(crate) fn members(&self, position: usize) -> &[u32] {
        let start = if position == 0 { 0 } else { self.ends[position - 1] };
        &self.members[start..self.ends[position]]
    }

    /// The position of a row.
    pub(crate) fn of_row(&self, row: usize) -> usize {
        self.of_row[row] as usize
    }

    /// The first row at each position, ascending.
    pub(crate) fn first_rows(&self) -> Vec<usize> {
        (0..self.count()).map(|position| self.members(position)[0] as usize).collect()
    }

    /// The largest value of the rows at each position.
    pub(crate) fn largest(&self, of_rows: &[f64]) -> Vec<f64> {
        let of = |position| {
            let values = self.members(position).iter().map(|&row| of_rows[row as usize]);
            values.fold(f64::NEG_INFINITY, f64::max)
        };
        (0..self.count()).map(of).collect()
    }

    /// Appends the nearest rows at the positions of `list`, by (distance, row), `most` at most.
    fn expand(&self, list: &[Entry], most: usize, out: &mut Vec<Entry>) {
        let end = out.len() + most;
        let mut rows: Vec<u32> = Vec::new();
        for tied in list.chunk_by(|a, b| a.squared.total_cmp(&b.squared).is_eq()) {
            let missing = end - out.len();
            if missing == 0 {
                return;
            }
            rows.clear();
            for entry in tied {
                let members = self.members(entry.index);
                rows.extend(&members[..members.len().min(missing)]);
            }
            if tied.len() > 1 {
                rows.sort_unstable();
            }
            let entry = |&row: &u32| Entry { squared: tied[0].squared, index: row as usize };
            out.extend(rows.iter().take(missing).map(entry));
        }
    }

    /// Lists of `depth` rows, of lists of positions of the same queries.
    pub(crate) fn expanded(&self, lists: &Nearest, depth: usize) -> Nearest {
        let mut out = Vec::with_capacity(depth);
        Nearest::filled(lists.queries(), depth, |query, list| {
            out.clear();
            self.expand(lists.list(query), depth, &mut out);
            list.extend(&out);
        })
    }

    /// Of each position, the `depth` rows nearest to each of its rows and that row itself, of lists of the nearest other
    /// positions of each.
    pub(crate) fn neighborhoods(
        &self,
        lists: &[Nearest],
        depth: usize,
        control: &Control,
    ) -> Result<Vec<Vec<Entry>>> {
        let of = |lists: &Nearest| {
            control.check()?;
            let neighborhood = |position: usize| {
                let own = Entry { squared: 0.0, index: position };
                let list: Vec<Entry> =
                    std::iter::once(own).chain(lists.list(position).iter().copied()).collect();
                let mut out = Vec::with_capacity(depth + 1);
                self.expand(&list, depth + 1, &mut out);
                out
            };
            Ok(lists.queries().map(neighborhood).collect::<Vec<_>>())
        };
        let blocks: Result<Vec<_>> = control.run(|| lists.par_iter().map(of).collect());
        Ok(blocks?.into_iter().flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    fn positions(data: &Array2<f64>, print: impl Fn(usize) -> u64 + Sync) -> Option<Positions> {
        Positions::of(&Rows::from_f64(data.view()), print, &Control::with_threads(2)).unwrap()
    }

    #[test]
    fn equal_rows_share_a_position_by_their_first_row_whatever_their_prints_say_of_others() {
        let data = Array2::from_shape_fn((30, 3), |(row, column)| {
            let zero = if row % 2 == 0 { 0.0 } else { -0.0 };
            if column == 0 { zero } else { ((row + 2) % 5) as f64 }
        });
        let found = positions(&data, |_| 7).unwrap();
        assert_eq!(found.count(), 5);
        assert_eq!(found.first_rows(), [0, 1, 2, 3, 4]);
        for row in 0..30 {
            assert_eq!(found.of_row(row), row % 5);
        }
        assert_eq!(found.members(3), [3, 8, 13, 18, 23, 28]);
        let values: Vec<f64> = (0..30).map(f64::from).collect();
        assert_eq!(found.largest(&values), [25.0, 26.0, 27.0, 28.0, 29.0]);
    }

    #[test]
    fn rows_that_differ_have_no_positions_of_their_own() {
        let data = Array2::from_shape_fn((30, 3), |(row, column)| (row * 3 + column) as f64);
        assert!(positions(&data, |row| row as u64).is_none());
        assert!(positions(&data, |_| 0).is_none());
        // A few copies among many rows are no cause to look.
        let many = Array2::from_shape_fn((9000, 1), |(row, _)| row.max(1) as f64);
        assert!(positions(&many, |row| row.max(1) as u64).is_none());
    }

    #[test]
    fn ties_between_positions_go_by_row() {
        // Rows 0, 3, 6 are at one place, 1, 4 at another, 2, 5 at a third.
        let found = Positions::by_first(&[0, 1, 2, 0, 1, 2, 0]).unwrap();
        let entry = |squared, index| Entry { squared, index };
        let list = [entry(1.0, 1), entry(1.0, 2), entry(4.0, 0)];
        for most in 0..=7 {
            let mut out = Vec::new();
            found.expand(&list, most, &mut out);
            let all = [(1.0, 1), (1.0, 2), (1.0, 4), (1.0, 5), (4.0, 0), (4.0, 3), (4.0, 6)];
            let expected: Vec<Entry> = all[..most].iter().map(|&(s, i)| entry(s, i)).collect();
            assert_eq!(out, expected);
        }
    }
}
