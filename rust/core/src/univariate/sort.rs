//! Sorting numbers. Level 2.
//!
//! Numbers are dealt to cells, equally wide between the quantiles of a small sample, so many that each fits
//! the second-level cache with what sorting it takes; threads order the cells side by side. Within a cell
//! they are dealt again, to about as many places as there are numbers, and neighbours that are still in the
//! wrong order change places. Where numbers crowd, so that many come to one place or one cell, those are
//! compared as integers that order as the numbers do. Equal numbers are alike, so the result is the same on any
//! number of threads.
//!
//! Cost: O(n) time for numbers that do not crowd, O(n log n) for those that do; memory for the dealt numbers
//! and, for each thread, three numbers for each one in a cell.

use rayon::prelude::*;

use super::number::Number;
use crate::control::Control;
use crate::error::Result;

/// Numbers that are one cell.
const WHOLE: usize = 1 << 15;
/// Numbers of a cell, about: these, as they come and as they are ordered, fit the second-level cache.
const CELL: usize = 1 << 15;
/// The most cells: writing to more at a time would miss the caches.
const MOST_CELLS: usize = 1 << 10;
/// Numbers that the cells' width is chosen by.
const PROBED: usize = 256;
/// Numbers between two looks at whether to stop.
pub(super) const STEP: usize = 1 << 16;
/// Numbers at one place of a cell that are still put in order one by one.
const CROWD: u32 = 24;
/// Numbers of a cell that are compared outright: so many share it only if they crowd.
const MOST_PLACES: usize = 1 << 22;
/// Added to a number from 0 to 2³², it leaves the number, rounded, in the lowest bits.
const ROUND: f64 = (1_u64 << 52) as f64;

/// Memory that sorting uses, and can use again.
#[derive(Debug)]
pub struct Spare<T> {
    dealt: Vec<T>,
    places: Vec<u32>,
    ends: Vec<u32>,
}

impl<T> Default for Spare<T> {
    fn default() -> Self {
        Self { dealt: Vec::new(), places: Vec::new(), ends: Vec::new() }
    }
}

/// Sorts ascending.
pub fn sort<T: Number>(values: &mut [T], spare: &mut Spare<T>, control: &Control) -> Result<()> {
    control.check()?;
    let mut dealt = std::mem::take(&mut spare.dealt);
    dealt.clear();
    if values.len() <= WHOLE {
        dealt.extend_from_slice(values);
        order(&dealt, values, spare);
        spare.dealt = dealt;
        return Ok(());
    }
    dealt.resize(values.len(), T::default());
    let pieces = |take: &mut dyn FnMut(&[T]) -> Result<()>| values.chunks(STEP).try_for_each(take);
    let ends = deal(values.len(), |index| values[index], pieces, &mut dealt, control)?;
    let mut parts = Vec::with_capacity(ends.len());
    let (mut from, mut to, mut first) = (&dealt[..], values, 0);
    for end in ends {
        let (cell, later) = from.split_at(end - first);
        let (out, others) = to.split_at_mut(end - first);
        parts.push((cell, out));
        (from, to, first) = (later, others, end);
    }
    let ordered = control.run(|| {
        parts.into_par_iter().try_for_each_init(Spare::default, |spare, (cell, out)| {
            control.check()?;
            order(cell, out, spare);
            Ok(())
        })
    });
    spare.dealt = dealt;
    ordered
}

/// Numbers in ascending order: `count` of them, of which `at` gives any one, and `pieces` hands all, in
/// order and as often as it is called, to what it is given.
pub(super) fn sorted<T: Number>(
    count: usize,
    at: impl Fn(usize) -> T,
    pieces: impl Fn(&mut dyn FnMut(&[T]) -> Result<()>) -> Result<()>,
    control: &Control,
) -> Result<Vec<T>> {
    if count <= WHOLE {
        let mut values = Vec::with_capacity(count);
        pieces(&mut |piece| {
            values.extend_from_slice(piece);
            Ok(())
        })?;
        sort(&mut values, &mut Spare::default(), control)?;
        return Ok(values);
    }
    let mut values = vec![T::default(); count];
    let ends = deal(count, at, pieces, &mut values, control)?;
    let mut parts = Vec::with_capacity(ends.len());
    let (mut rest, mut first) = (&mut values[..], 0);
    for end in ends {
        let (cell, later) = rest.split_at_mut(end - first);
        parts.push(cell);
        (rest, first) = (later, end);
    }
    let new = || (Vec::new(), Spare::default());
    control.run(|| {
        parts.into_par_iter().try_for_each_init(new, |(ordered, spare), cell| {
            control.check()?;
            if ordered.len() < cell.len() {
                ordered.resize(cell.len(), T::default());
            }
            let ordered = &mut ordered[..cell.len()];
            order(cell, ordered, spare);
            cell.copy_from_slice(ordered);
            Ok(())
        })
    })?;
    Ok(values)
}

/// Sorts ascending by `number`.
pub(crate) fn sort_by_key<V: Send, T: Number>(values: &mut [V], number: impl Fn(&V) -> T) {
    values.sort_unstable_by_key(|value| number(value).key());
}

/// Deals numbers to cells, one after the other in `dealt`, and says where each ends.
fn deal<T: Number>(
    count: usize,
    at: impl Fn(usize) -> T,
    pieces: impl Fn(&mut dyn FnMut(&[T]) -> Result<()>) -> Result<()>,
    dealt: &mut [T],
    control: &Control,
) -> Result<Vec<usize>> {
    let cells = Cells::of(count, at);
    let mut counts = vec![0; cells.count];
    pieces(&mut |piece| {
        control.check()?;
        piece.iter().for_each(|&value| counts[cells.cell(value)] += 1);
        Ok(())
    })?;
    let mut places = counts;
    let mut total = 0;
    for place in &mut places {
        total += std::mem::replace(place, total);
    }
    pieces(&mut |piece| {
        control.check()?;
        for &value in piece {
            let place = &mut places[cells.cell(value)];
            dealt[*place] = value;
            *place += 1;
        }
        Ok(())
    })?;
    // Every cell now ends where the next one starts.
    Ok(places)
}

/// Writes the numbers of `cell` to `out` in ascending order.
fn order<T: Number>(cell: &[T], out: &mut [T], spare: &mut Spare<T>) {
    let Some(line) = Line::through(cell) else {
        out.copy_from_slice(cell);
        sort_by_key(out, |&value| value);
        return;
    };
    let Spare { places, ends, .. } = spare;
    places.clear();
    places.extend(cell.iter().map(|&value| line.place(value)));
    ends.clear();
    ends.resize(cell.len(), 0);
    for &place in &*places {
        ends[place as usize] += 1;
    }
    let mut total = 0;
    let mut most = 0;
    for end in &mut *ends {
        most = most.max(*end);
        total += std::mem::replace(end, total);
    }
    for (&value, &place) in cell.iter().zip(&*places) {
        let end = &mut ends[place as usize];
        out[*end as usize] = value;
        *end += 1;
    }
    if most > CROWD {
        let mut first = 0;
        for &end in &*ends {
            if end - first > CROWD {
                sort_by_key(&mut out[first as usize..end as usize], |&value| value);
            }
            first = end;
        }
    }
    put_in_order(out);
}

/// Insertion sort, which is quick where every number is near to its place.
fn put_in_order<T: Number>(values: &mut [T]) {
    for index in 1..values.len() {
        let value = values[index];
        let key = value.key();
        let mut place = index;
        while place > 0 && values[place - 1].key() > key {
            values[place] = values[place - 1];
            place -= 1;
        }
        values[place] = value;
    }
}

/// Places from 0 to below the count of numbers, in proportion to how far these are from the least.
struct Line {
    low: f64,
    per_unit: f64,
}

impl Line {
    /// `None` where no line goes through the numbers, or they are too many or too few for it.
    fn through<T: Number>(cell: &[T]) -> Option<Self> {
        if cell.len() < 2 || cell.len() > MOST_PLACES {
            return None;
        }
        // In lanes, which the compiler compares side by side.
        let (mut lows, mut highs) = ([f64::INFINITY; 8], [f64::NEG_INFINITY; 8]);
        let (whole, rest) = cell.as_chunks::<8>();
        let mut widen = |lane: usize, value: T| {
            let value = value.rounded();
            lows[lane] = if value < lows[lane] { value } else { lows[lane] };
            highs[lane] = if value > highs[lane] { value } else { highs[lane] };
        };
        for values in whole {
            values.iter().enumerate().for_each(|(lane, &value)| widen(lane, value));
        }
        rest.iter().for_each(|&value| widen(0, value));
        let low = lows.into_iter().fold(f64::INFINITY, f64::min);
        let high = highs.into_iter().fold(f64::NEG_INFINITY, f64::max);
        let per_unit = (cell.len() - 1) as f64 / (high - low);
        (per_unit.is_finite() && per_unit > 0.0).then_some(Self { low, per_unit })
    }

    /// Never lower for a larger number: differences, products and rounding keep the order.
    #[inline]
    fn place<T: Number>(&self, value: T) -> u32 {
        let place = (value.rounded() - self.low) * self.per_unit;
        (place + ROUND).to_bits() as u32
    }
}

/// Cells of one width, the outermost without end.
struct Cells {
    low: f64,
    per_unit: f64,
    last: f64,
    count: usize,
}

impl Cells {
    fn of<T: Number>(count: usize, at: impl Fn(usize) -> T) -> Self {
        let step = count / PROBED;
        let mut probed: Vec<f64> = (0..PROBED).map(|index| at(index * step).rounded()).collect();
        probed.sort_unstable_by(f64::total_cmp);
        let (low, high) = (probed[PROBED / 64], probed[PROBED - 1 - PROBED / 64]);
        // Two percent lie outside on either side; of a normal distribution, now one in a thousand.
        let room = 0.25 * (high - low);
        let (low, high) = (low - room, high + room);
        let count = (count / CELL).clamp(1, MOST_CELLS);
        let per_unit = if high > low { count as f64 / (high - low) } else { 0.0 };
        Self { low, per_unit, last: (count - 1) as f64, count }
    }

    /// Never lower for a larger number: differences, products and rounding keep the order.
    #[inline]
    fn cell<T: Number>(&self, value: T) -> usize {
        let place = (value.rounded() - self.low) * self.per_unit;
        // Of infinity by zero, which is no number, `max` gives 0.
        let place = place.max(0.0).min(self.last);
        (place + ROUND).to_bits() as u32 as usize
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_PLACES, Number, STEP, Spare, WHOLE, sort, sort_by_key, sorted};
    use crate::control::Control;
    use crate::error::{Error, Result};
    use crate::streams::Stream;

    fn sorts<T: Number + std::fmt::Debug>(values: &[T]) {
        let mut expected = values.to_vec();
        sort_by_key(&mut expected, |&value| value);
        let mut spare = Spare::default();
        for threads in [1, 3] {
            let mut found = values.to_vec();
            sort(&mut found, &mut spare, &Control::with_threads(threads)).unwrap();
            assert!(found == expected, "{} numbers on {threads} threads", values.len());
            let pieces = |take: &mut dyn FnMut(&[T]) -> Result<()>| {
                values.chunks(STEP - 7).try_for_each(take)
            };
            let control = Control::with_threads(threads);
            let read = sorted(values.len(), |index| values[index], pieces, &control).unwrap();
            assert!(read == expected, "{} numbers in pieces", values.len());
        }
    }

    /// Many numbers that cells suit, that all lie in one or two, that are all alike, and extreme ones.
    #[test]
    fn any_numbers_are_sorted() {
        let mut stream = Stream::new(1, "test", 0);
        for n in [0, 1, 2, 1000, WHOLE, WHOLE + 1, 9 * WHOLE] {
            let normal: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
            sorts(&normal);
            sorts(&normal.iter().map(|&x| x as f32).collect::<Vec<_>>());
            sorts(&normal.iter().map(|&x| (x * 1e18) as i64).collect::<Vec<_>>());
            sorts(&normal.iter().map(|&x| (x.abs() * 1e18) as u64).collect::<Vec<_>>());
            sorts(&normal.iter().map(|&x| x.powi(15)).collect::<Vec<_>>());
            sorts(&normal.iter().map(|&x| x.round()).collect::<Vec<_>>());
            sorts(&vec![1.5; n]);
            sorts(&normal.iter().map(|&x| x * 5e-324).collect::<Vec<_>>());
            sorts(&normal.iter().map(|&x| if x < 0.0 { -0.0 } else { 0.0 }).collect::<Vec<f64>>());
            sorts(&normal.iter().map(|&x| if x < 1.0 { x } else { 1e150 * x }).collect::<Vec<_>>());
            sorts(&normal.iter().map(|&x| i64::MAX - (x.abs() * 1e3) as i64).collect::<Vec<_>>());
            sorts(&(0..n).rev().map(|i| i as f64).collect::<Vec<_>>());
            sorts(&normal.iter().map(|&x| x.signum() * 1.7e308).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_sign_of_zero_is_ordered_too() {
        let mut values: Vec<f64> =
            (0..3 * WHOLE).map(|i| if i % 3 == 0 { 0.0 } else { -0.0 }).collect();
        values[7] = 1.0;
        sort(&mut values, &mut Spare::default(), &Control::with_threads(2)).unwrap();
        let negative = values.iter().take_while(|value| value.is_sign_negative()).count();
        assert_eq!(negative, 2 * WHOLE - 1);
        assert_eq!(values.last(), Some(&1.0));
    }

    #[test]
    fn more_numbers_of_one_cell_than_places_are_compared() {
        // All but the largest lie in the first cell.
        let mut values: Vec<f32> =
            (0..MOST_PLACES + WHOLE).map(|i| (i * 7919 % 10_007) as f32).collect();
        values.iter_mut().step_by(16).for_each(|value| *value += 1e9);
        let mut expected = values.clone();
        sort_by_key(&mut expected, |&value| value);
        sort(&mut values, &mut Spare::default(), &Control::with_threads(2)).unwrap();
        assert!(values == expected);
    }

    #[test]
    fn a_cancelled_sort_stops() {
        let control = Control::with_threads(1);
        control.cancel();
        let mut values = vec![2.0, 1.0];
        assert_eq!(sort(&mut values, &mut Spare::default(), &control), Err(Error::Cancelled));
    }
}
