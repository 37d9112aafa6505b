//! Metrics of a candidate beside their null, in the whole and in random parts. Level 4.
//!
//! A and B are two halves of the reference, C is the candidate cut to the same size. The value of a
//! metric is metric(A, C), its null metric(A, B): what it would have been if nothing had happened. Both
//! are computed on the whole samples and on random parts of them, whose spread is the standard error.
//! A is the anchor: rarity, balls and quantiles come from A alone, and B and C meet them on equal terms.
//!
//! What A and B are to each other is found once ([`Prepared`], [`Summary`], [`kernels::PreparedKernels`]), whatever
//! the number of candidates that follow: a null knows of no candidate.

pub mod authenticity;
pub mod gaussian;
pub mod kernels;
pub mod knn;
pub mod neighbors;
pub mod sliced;
pub mod tails;
pub mod vendi;

use std::ops::Range;

use ndarray::{ArrayD, ArrayView1, ArrayView2};

use crate::control::Control;
use crate::error::{Error, Result};
use crate::rows::{Rows, check_columns, check_pair};
use crate::subsets::{MOST_PARTS, Subsets};

/// A metric in the whole, which comes first, and in parts.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// The metric's name.
    pub metric: &'static str,
    /// The tail level, where there is one.
    pub level: Option<f64>,
    /// The whole, then the parts.
    pub values: Vec<f64>,
}

/// Estimates, or why the data allow none.
pub type Found = std::result::Result<Vec<Estimate>, Error>;

/// What some metrics need of the halves of a reference, and their null.
///
/// Rows A are handed in again with each candidate: what is prepared owns no rows.
pub trait Prepared: Send + Sync {
    /// metric(A, B).
    fn null(&self) -> Found;

    /// metric(A, C), in the order of the null; the rows are as many, and in random order.
    fn value(&self, a: &Rows<'_>, c: &Rows<'_>, control: &Control) -> Result<Found>;
}

/// What some metrics need of the halves of a reference, in numbers that hold no row, and their null.
pub trait Summary: Send + Sync {
    /// metric(A, B).
    fn null(&self) -> Found;

    /// metric(A, C), in the order of the null; the rows are as many as those of A, and in random order.
    fn value(&self, c: &Rows<'_>, control: &Control) -> Result<Found>;

    /// The numbers that it is restored from besides the null, by name.
    fn state(&self) -> Vec<(&'static str, ArrayD<f64>)>;
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

/// Numbers of the samples, under which their parts are drawn.
const A: u64 = 0;
const B: u64 = 1;
const C: u64 = 2;

impl Replicates {
    fn check(self) -> Result<()> {
        let most =
            if self.parts == Parts::HalvesAndThreeQuarters { MOST_PARTS / 2 } else { MOST_PARTS };
        if self.count > most {
            return Err(Error::input("replicates")
                .expected(format_args!("at most {most}"))
                .got(self.count));
        }
        Ok(())
    }

    /// The parts of sample number `sample`, of so many rows in random order.
    fn subsets(self, rows: usize, sample: u64) -> Subsets {
        let Self { count, seed, parts } = self;
        match (count, parts) {
            (0, _) => Subsets::whole(rows),
            (_, Parts::Halves) => Subsets::halves(rows, count, seed, sample),
            (_, Parts::ComplementaryHalves) => {
                Subsets::complementary_halves(rows, count, seed, sample)
            }
            (_, Parts::HalvesAndThreeQuarters) => {
                Subsets::halves_and_three_quarters(rows, count, seed, sample)
            }
        }
    }

    /// The halves.
    fn halves(self) -> Range<usize> {
        1..1 + self.count
    }

    /// The subsets that are three-quarter samples.
    fn three_quarters(self) -> Range<usize> {
        let count = if self.parts == Parts::HalvesAndThreeQuarters { self.count } else { 0 };
        1 + self.count..1 + self.count + count
    }
}

/// The halves of a reference, and their parts.
#[derive(Clone)]
pub struct Halves<'a> {
    pub(crate) rows: [Rows<'a>; 2],
    pub(crate) subsets: [Subsets; 2],
    replicates: Replicates,
}

impl<'a> Halves<'a> {
    /// A and B. Rows must come in random order.
    pub fn new(a: Rows<'a>, b: Rows<'a>, replicates: Replicates) -> Result<Self> {
        check_pair(&a, "reference", &b, "reference")?;
        replicates.check()?;
        let subsets =
            [(&a, A), (&b, B)].map(|(rows, sample)| replicates.subsets(rows.len(), sample));
        Ok(Self { rows: [a, b], subsets, replicates })
    }

    /// Rows in the smallest subset of either half.
    fn smallest(&self) -> usize {
        self.subsets.iter().map(Subsets::smallest).min().unwrap_or(0)
    }

    /// Fails unless every part has `least` rows.
    fn check_smallest(&self, least: usize) -> Result<()> {
        check_smallest(self.smallest(), least, "reference")
    }

    /// Fails unless rows have `k` others in every part.
    fn check_k(&self, k: usize) -> Result<()> {
        check_k(self.smallest(), k)
    }
}

fn check_smallest(smallest: usize, least: usize, name: &str) -> Result<()> {
    if smallest >= least {
        return Ok(());
    }
    let rows = if least == 1 { "row" } else { "rows" };
    Err(Error::input(name)
        .expected(format_args!("at least {least} {rows} in each half-sample"))
        .got(smallest))
}

fn check_k(smallest: usize, k: usize) -> Result<()> {
    if k > 0 && k < smallest {
        return Ok(());
    }
    Err(Error::input("k")
        .expected(format_args!(
            "1 to {} (half-samples have {smallest} rows)",
            smallest.saturating_sub(1)
        ))
        .got(k))
}

/// The parts of a candidate, checked against A.
fn parts_of(a: &Rows<'_>, c: &Rows<'_>, replicates: Replicates) -> Result<Subsets> {
    check_pair(a, "reference", c, "candidate")?;
    Ok(replicates.subsets(c.len(), C))
}

/// The parts of a candidate of so many columns, of which no row of A is needed.
fn parts_beside(columns: usize, c: &Rows<'_>, replicates: Replicates) -> Result<Subsets> {
    check_columns(c, "candidate", columns)?;
    Ok(replicates.subsets(c.len(), C))
}

/// A null that was kept: of each metric its name, level, and value on the whole and on the halves.
fn kept(
    metrics: &[(&'static str, Option<f64>)],
    null: ArrayView2<'_, f64>,
    replicates: Replicates,
) -> Result<Vec<Estimate>> {
    replicates.check()?;
    let expected = (metrics.len(), 1 + replicates.count);
    if null.dim() != expected {
        return Err(Error::dimension("null")
            .expected(format_args!("{expected:?}"))
            .got(format_args!("{:?}", null.dim())));
    }
    let estimate =
        |(&(metric, level), values): (&(&'static str, Option<f64>), ArrayView1<'_, f64>)| {
            Estimate { metric, level, values: values.to_vec() }
        };
    Ok(metrics.iter().zip(null.rows()).map(estimate).collect())
}

/// A metric computed for the whole and for some parts: `of(subset)` gives it.
fn estimate_on(
    parts: Range<usize>,
    metric: &'static str,
    level: Option<f64>,
    of: impl Fn(usize) -> f64,
) -> Estimate {
    Estimate { metric, level, values: std::iter::once(0).chain(parts).map(of).collect() }
}
