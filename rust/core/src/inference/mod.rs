//! Metrics of a candidate beside their null, in the whole and in random halves. Level 4.
//!
//! A and B are two halves of the reference, C is the candidate cut to the same size. The value of a
//! metric is metric(A, C), its null metric(A, B): what it would have been if nothing had happened. Both
//! are computed on the whole samples and on random halves of them, whose spread is the standard error.
//! A is the anchor: rarity, balls and quantiles come from A alone, and B and C meet them on equal terms.

pub mod authenticity;
pub mod gaussian;
pub mod kernels;
pub mod knn;
pub mod neighbors;
pub mod sliced;
pub mod tails;
pub mod vendi;

use std::ops::Range;

use crate::control::Control;
use crate::error::{Error, Result};
use crate::neighbors::Set;
use crate::rows::{Rows, check_pair};
use crate::subsets::{MOST_PARTS, Subsets};

/// A metric with its null: the first value of each is that of the whole, the others those of halves.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// The metric's name.
    pub metric: &'static str,
    /// The tail level, where there is one.
    pub level: Option<f64>,
    /// metric(A, C).
    pub value: Vec<f64>,
    /// metric(A, B).
    pub null: Vec<f64>,
}

/// Which parts of each sample are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parts {
    /// Independent halves.
    Halves,
    /// Halves of which every second one is the complement of the one before it.
    ComplementaryHalves,
    /// Independent halves, and after them as many independent three-quarter samples.
    HalvesAndThreeQuarters,
}

/// How parts are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replicates {
    /// The number of each kind; 0 for the whole samples alone.
    pub count: usize,
    /// The seed they are drawn under.
    pub seed: u64,
    /// Which.
    pub parts: Parts,
}

/// The three samples of a comparison.
#[derive(Clone)]
pub struct Trio<'a> {
    pub(crate) rows: [Rows<'a>; 3],
    pub(crate) subsets: [Subsets; 3],
    replicates: Replicates,
}

impl<'a> Trio<'a> {
    /// A, B and C with random halves of each. Rows must come in random order.
    pub fn new(a: Rows<'a>, b: Rows<'a>, c: Rows<'a>, replicates: Replicates) -> Result<Self> {
        check_pair(&a, "reference", &b, "reference")?;
        check_pair(&a, "reference", &c, "candidate")?;
        let Replicates { count, seed, parts } = replicates;
        let most = if parts == Parts::HalvesAndThreeQuarters { MOST_PARTS / 2 } else { MOST_PARTS };
        if count > most {
            return Err(Error::input("replicates")
                .expected(format_args!("at most {most}"))
                .got(count));
        }
        let subsets = [(&a, 0), (&b, 1), (&c, 2)].map(|(rows, sample)| match (count, parts) {
            (0, _) => Subsets::whole(rows.len()),
            (_, Parts::Halves) => Subsets::halves(rows.len(), count, seed, sample),
            (_, Parts::ComplementaryHalves) => {
                Subsets::complementary_halves(rows.len(), count, seed, sample)
            }
            (_, Parts::HalvesAndThreeQuarters) => {
                Subsets::halves_and_three_quarters(rows.len(), count, seed, sample)
            }
        });
        Ok(Self { rows: [a, b, c], subsets, replicates })
    }

    /// A, B and C ready to be searched together.
    pub(crate) fn sets(&self, control: &Control) -> Result<[Set<'_>; 3]> {
        let [a, b, c] = &self.rows;
        Set::together([a, b, c], control)
    }

    /// Subsets of each sample, the whole included.
    pub(crate) fn count(&self) -> usize {
        self.subsets[0].count()
    }

    /// Rows in the smallest subset of any sample.
    pub(crate) fn smallest(&self) -> usize {
        self.subsets.iter().map(Subsets::smallest).min().unwrap_or(0)
    }

    /// The subsets that are three-quarter samples.
    pub(crate) fn three_quarters(&self) -> Range<usize> {
        1 + self.replicates.count..self.count()
    }

    /// A metric computed for the whole and its halves, with and without the candidate: `of(subset)` gives
    /// (value, null).
    pub(crate) fn estimate(
        &self,
        metric: &'static str,
        level: Option<f64>,
        of: impl Fn(usize) -> (f64, f64),
    ) -> Estimate {
        estimate_on(1..1 + self.replicates.count, metric, level, of)
    }
}

/// A metric computed for the whole and for some replicates: `of(subset)` gives (value, null).
pub(crate) fn estimate_on(
    replicates: Range<usize>,
    metric: &'static str,
    level: Option<f64>,
    of: impl Fn(usize) -> (f64, f64),
) -> Estimate {
    let (value, null) = std::iter::once(0).chain(replicates).map(of).unzip();
    Estimate { metric, level, value, null }
}
