//! Sorting numbers. Level 2.
//!
//! Numbers are sorted as integers that order as they do, which the standard library does without branches. What
//! is larger than a second-level cache is first dealt to cells, equally wide between the quantiles of a small
//! sample, each of which then fits; threads sort the cells side by side. Where the numbers lie so that few
//! cells hold most of them, those take as long as they would have anyway. Cost: O(n log n) time; as many keys
//! of memory as there are numbers. Equal numbers are alike, so the result is the same on any number of threads.

use rayon::prelude::*;

use super::number::Number;
use crate::control::Control;
use crate::error::Result;

/// Numbers that are sorted without being dealt.
const WHOLE: usize = 1 << 17;
/// Numbers of a cell, about.
const CELL: usize = 1 << 14;
/// The most cells: writing to more at a time would miss the caches.
const MOST_CELLS: usize = 1 << 10;
/// Numbers that the cells' width is chosen by.
const PROBED: usize = 256;
/// Numbers between two looks at whether to stop.
const STEP: usize = 1 << 20;

/// Sorts ascending; `spare` is written over.
pub fn sort<T: Number>(values: &mut [T], spare: &mut Vec<T::Key>, control: &Control) -> Result<()> {
    control.check()?;
    spare.clear();
    if values.len() <= WHOLE {
        spare.extend(values.iter().map(|value| value.key()));
        sort_keys(spare, values);
        return Ok(());
    }
    let cells = Cells::of(values);
    let mut ends = vec![0; cells.count];
    for part in values.chunks(STEP) {
        control.check()?;
        for &value in part {
            ends[cells.cell(value)] += 1;
        }
    }
    let mut starts = ends;
    let mut total = 0;
    for start in &mut starts {
        total += std::mem::replace(start, total);
    }
    spare.resize(values.len(), T::Key::default());
    for part in values.chunks(STEP) {
        control.check()?;
        for &value in part {
            let place = &mut starts[cells.cell(value)];
            spare[*place] = value.key();
            *place += 1;
        }
    }
    // Every cell now ends where the next one starts.
    let ends = starts;
    let (mut keys, mut values, mut first) = (&mut spare[..], values, 0);
    let mut parts = Vec::with_capacity(ends.len());
    for end in ends {
        let (of_cell, rest) = keys.split_at_mut(end - first);
        let (out, others) = values.split_at_mut(end - first);
        parts.push((of_cell, out));
        (keys, values, first) = (rest, others, end);
    }
    control.run(|| {
        parts.into_par_iter().try_for_each(|(keys, values)| {
            control.check()?;
            sort_keys(keys, values);
            Ok(())
        })
    })
}

/// Sorts ascending by `number`.
pub(crate) fn sort_by_key<V: Send, T: Number>(values: &mut [V], number: impl Fn(&V) -> T) {
    values.sort_unstable_by_key(|value| number(value).key());
}

/// Sorts keys and writes their numbers.
fn sort_keys<T: Number>(keys: &mut [T::Key], values: &mut [T]) {
    keys.sort_unstable();
    for (value, &key) in values.iter_mut().zip(keys.iter()) {
        *value = T::of_key(key);
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
    fn of<T: Number>(values: &[T]) -> Self {
        let count = (values.len() / CELL).min(MOST_CELLS);
        let step = values.len() / PROBED;
        let mut probed: Vec<f64> =
            values.iter().step_by(step).map(|value| value.rounded()).collect();
        probed.sort_unstable_by(f64::total_cmp);
        let (low, high) = (probed[PROBED / 64], probed[PROBED - 1 - PROBED / 64]);
        // Two percent lie outside on either side; of a normal distribution, now one in a thousand.
        let room = 0.25 * (high - low);
        let (low, high) = (low - room, high + room);
        let per_unit = if high > low { count as f64 / (high - low) } else { 0.0 };
        Self { low, per_unit, last: (count - 1) as f64, count }
    }

    /// Never lower for a larger number: subtraction and multiplication keep the order when they round.
    #[inline]
    fn cell<T: Number>(&self, value: T) -> usize {
        let place = (value.rounded() - self.low) * self.per_unit;
        // Of infinity by zero, which is no number, `max` gives 0.
        place.max(0.0).min(self.last) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::{Number, WHOLE, sort, sort_by_key};
    use crate::control::Control;
    use crate::error::Error;
    use crate::streams::Stream;

    fn sorts<T: Number + std::fmt::Debug>(values: &[T]) {
        let mut expected = values.to_vec();
        sort_by_key(&mut expected, |&value| value);
        let mut spare = Vec::new();
        for threads in [1, 3] {
            let mut found = values.to_vec();
            sort(&mut found, &mut spare, &Control::with_threads(threads)).unwrap();
            assert!(found == expected, "{} numbers on {threads} threads", values.len());
        }
    }

    /// Many numbers that cells suit, that all lie in one or two, that are all alike, and extreme ones.
    #[test]
    fn any_numbers_are_sorted() {
        let mut stream = Stream::new(1, "test", 0);
        for n in [0, 1, 2, 1000, WHOLE + 1, 3 * WHOLE] {
            let normal: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
            sorts(&normal);
            sorts(&normal.iter().map(|&x| x as f32).collect::<Vec<_>>());
            sorts(&normal.iter().map(|&x| (x * 1e18) as i64).collect::<Vec<_>>());
            sorts(&normal.iter().map(|&x| (x.abs() * 1e18) as u64).collect::<Vec<_>>());
            sorts(&normal.iter().map(|&x| x.powi(15)).collect::<Vec<_>>());
            sorts(&normal.iter().map(|&x| x.round()).collect::<Vec<_>>());
            sorts(&vec![1.5; n]);
            sorts(&(0..n).rev().map(|i| i as f64).collect::<Vec<_>>());
            sorts(&normal.iter().map(|&x| x.signum() * 1.7e308).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_cancelled_sort_stops() {
        let control = Control::with_threads(1);
        control.cancel();
        let mut values = vec![2.0, 1.0];
        assert_eq!(sort(&mut values, &mut Vec::new(), &control), Err(Error::Cancelled));
    }
}
