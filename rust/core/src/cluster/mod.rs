//! k-means. Level 3.
//!
//! Seeds are drawn as k-means++ draws them, in batches that grow (`seeds`). Up to [`MOST_ROWS`] rows, Lloyd's
//! algorithm runs to its fixed point, without measuring what cannot have changed (`lloyd`); of more rows,
//! centres follow small random batches (`batches`). Distances are, as everywhere, Σ(x−y)² in `f64`, ties go to
//! the lower cluster, and every random choice comes from a named stream: neither threads nor chunks nor the
//! instruction set show in a result. Cost: O(n·k·d) time for the seeds and for each round, O(n + k·d) memory
//! and a byte for each value of the rows.

mod batches;
mod lloyd;
mod seeds;

use ndarray::ArrayView2;

use crate::control::Control;
use crate::error::{Error, Result};
use crate::neighbors::{Entry, Frame, Nearest, Set, nearest_within};
use crate::rows::{Rows, check_rows};

/// Rows of more than these follow mini-batches: Lloyd's rounds over them would take hours.
pub const MOST_ROWS: usize = 1 << 17;
/// Rounds of Lloyd's algorithm after which an assignment that still changes is taken as it is.
pub const ROUNDS: usize = 300;

/// Cluster centres, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Centres {
    /// `count` rows of `columns` numbers.
    pub values: Vec<f64>,
    /// Numbers in a row.
    pub columns: usize,
}

/// Centres and the cluster of each row.
#[derive(Clone, Debug, PartialEq)]
pub struct Clustering {
    /// One for each cluster.
    pub centres: Centres,
    /// Of each row, the nearest centre.
    pub labels: Vec<u32>,
}

impl Centres {
    /// Number of clusters.
    #[must_use]
    pub fn count(&self) -> usize {
        self.values.len() / self.columns
    }

    /// The cluster of each row: its nearest centre.
    pub fn assign(&self, rows: &Rows<'_>, control: &Control) -> Result<Vec<u32>> {
        if self.columns != rows.columns() {
            return Err(Error::dimension("rows")
                .expected(format_args!("{} columns as in centres", self.columns))
                .got(rows.columns()));
        }
        check_rows(rows, "rows", 1)?;
        let frame = Frame::of(rows, control);
        let set = Set::alone(rows, frame.as_ref(), control)?;
        let found = self.nearest(&set, frame.as_ref(), 1, control)?;
        Ok(found.into_iter().map(|entry| entry.index as u32).collect())
    }

    /// The `depth` nearest centres of each row, row by row.
    fn nearest(
        &self,
        rows: &Set<'_>,
        frame: Option<&Frame>,
        depth: usize,
        control: &Control,
    ) -> Result<Vec<Entry>> {
        nearest_of(&self.rows()?, rows, frame, depth, None, control)
    }

    fn rows(&self) -> Result<Rows<'_>> {
        let view =
            ArrayView2::from_shape((self.count(), self.columns), &self.values).map_err(|_| {
                Error::dimension("centres")
                    .expected(format_args!("rows of {} numbers", self.columns))
                    .got(format_args!("{} numbers", self.values.len()))
            })?;
        Ok(Rows::from_f64(view))
    }
}

/// The `depth` nearest of `centres` of each row, row by row; where there are `limits`, those within these
/// squared distances, and none in the places that are left.
fn nearest_of(
    centres: &Rows<'_>,
    rows: &Set<'_>,
    frame: Option<&Frame>,
    depth: usize,
    limits: Option<&[f64]>,
    control: &Control,
) -> Result<Vec<Entry>> {
    let base = Set::alone(centres, frame, control)?;
    let found = nearest_within(rows, &base, depth, limits, control)?;
    Ok(found.into_iter().flat_map(Nearest::into_entries).collect())
}

/// Finds `clusters` centres of `rows`, called `name` in errors.
pub fn k_means(
    rows: &Rows<'_>,
    name: &str,
    clusters: usize,
    seed: u64,
    control: &Control,
) -> Result<Clustering> {
    check_rows(rows, name, 2)?;
    if clusters == 0 || clusters > rows.len() {
        return Err(Error::input("clusters")
            .expected(format_args!("1 to {} (the rows of the {name})", rows.len()))
            .got(clusters));
    }
    fit(rows, clusters, seed, MOST_ROWS, control)
}

/// The same with mini-batches beyond `most_rows` rows.
fn fit(
    rows: &Rows<'_>,
    clusters: usize,
    seed: u64,
    most_rows: usize,
    control: &Control,
) -> Result<Clustering> {
    let frame = Frame::of(rows, control);
    let frame = frame.as_ref();
    if rows.len() > most_rows {
        return batches::follow(rows, frame, clusters, seed, control);
    }
    let set = Set::alone(rows, frame, control)?;
    let (centres, nearest) = seeds::draw_and_assign(rows, &set, frame, clusters, seed, control)?;
    lloyd::settle_from(&set, frame, centres, &nearest, control)
}

#[cfg(test)]
mod tests;
