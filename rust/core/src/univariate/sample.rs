//! A sorted sample of numbers, each with how often it was seen. Level 2.

use super::number::Number;
use super::sort::{Spare, sort, sorted};
use super::source::{Numbers, Read};
use crate::control::Control;
use crate::error::Result;

/// Numbers in ascending order.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample<T> {
    values: Vec<T>,
    /// Observations up to each value and with it; every value counts once where there is none.
    ends: Option<Vec<u64>>,
}

impl<T: Number> Sample<T> {
    /// Sorts numbers that each count once.
    pub fn of(mut values: Vec<T>, control: &Control) -> Result<Self> {
        sort(&mut values, &mut Spare::default(), control)?;
        Ok(Self { values, ends: None })
    }

    /// Sorts numbers that each count once, from where they are.
    pub fn read(numbers: &Numbers<'_>, control: &Control) -> Result<Self>
    where
        T: Read,
    {
        let pieces = |take: &mut dyn FnMut(&[T]) -> Result<()>| numbers.pieces(take);
        let values = sorted(numbers.len(), |index| numbers.at(index), pieces, control)?;
        Ok(Self { values, ends: None })
    }

    /// Sorts numbers that were each seen as often as `counts` says; values may come more than once.
    ///
    /// # Panics
    /// If there are not as many counts as values, or all of them together exceed `u64`.
    #[must_use]
    pub fn counted(values: Vec<T>, counts: &[u64]) -> Self {
        assert_eq!(values.len(), counts.len(), "a count for each value");
        let mut pairs: Vec<(T, u64)> = values.into_iter().zip(counts.iter().copied()).collect();
        pairs.retain(|&(_, count)| count > 0);
        pairs.sort_unstable_by_key(|&(value, _)| value.key());
        let mut ends = Vec::with_capacity(pairs.len());
        let mut end = 0;
        for &(_, count) in &pairs {
            end += count;
            ends.push(end);
        }
        Self { values: pairs.into_iter().map(|(value, _)| value).collect(), ends: Some(ends) }
    }

    /// The numbers, ascending.
    #[must_use]
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// Whether every number counts once.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.ends.is_none()
    }

    /// Observations in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.upto(self.values.len())
    }

    /// Observations of the first `index` numbers.
    #[inline]
    #[must_use]
    pub fn upto(&self, index: usize) -> u64 {
        match &self.ends {
            None => index as u64,
            Some(ends) => index.checked_sub(1).map_or(0, |last| ends[last]),
        }
    }

    /// The number that observation `rank` holds, counted from 0 in ascending order.
    #[must_use]
    pub fn at(&self, rank: u64) -> T {
        match &self.ends {
            None => self.values[rank as usize],
            Some(ends) => self.values[ends.partition_point(|&end| end <= rank)],
        }
    }
}
