//! Exact nearest neighbours. Level 2.
//!
//! Distances are the roots of Σ(x−y)² in `f64` from the original values, in one fixed order; rows are listed by
//! (distance, index), so that of those at the same distance, as it is reported, the lower index comes first. Most pairs are never measured: rows are coded in 8 bits (`codes`), integer tiles (`filter`) discard
//! what a certificate (`bound`) says is too far, and of the rest (`candidates`) only what may still count is
//! measured (`measure`) and listed (`topk`). Of rows that are equal one is looked at (`positions`). `search` runs this through whole sets; `exact` measures every
//! pair, where codes do not pay.

mod bound;
mod candidates;
mod codes;
pub(crate) mod exact;
mod filter;
mod limit;
mod measure;
mod positions;
pub(crate) mod rarity;
mod search;
pub(crate) mod topk;

pub(crate) use candidates::Meet;
pub(crate) use codes::Frame;
pub(crate) use search::{Set, across, nearest_across, nearest_within, within};
pub(crate) use topk::{Entry, Nearest};

use crate::control::Control;
use crate::error::{Error, Result};
use crate::memory;
use crate::rows::{Rows, check_pair};

/// The k nearest base rows of each query, ascending.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbors {
    /// Neighbours per query.
    pub k: usize,
    /// Euclidean distances, `k` per query.
    pub distances: Vec<f64>,
    /// Row numbers in the base, `k` per query.
    pub indices: Vec<i64>,
}

/// Fails unless every row has `k` neighbours among `available` rows.
pub(crate) fn check_k(k: usize, available: usize, name: &str, excludes_self: bool) -> Result<()> {
    if k == 0 {
        return Err(Error::input("k").expected("at least 1").got(0));
    }
    if k <= available {
        return Ok(());
    }
    let rows = available + usize::from(excludes_self);
    let other = if excludes_self { " other" } else { "" };
    Err(Error::input("k")
        .expected(format_args!("at most the {available}{other} rows of {name}"))
        .got(format_args!("k = {k} with {rows} row{}", if rows == 1 { "" } else { "s" })))
}

/// The `k` rows of `base` nearest to each row of `queries`, ties by lower index.
///
/// With `exclude_self`, `queries` and `base` are the same rows and no row is its own neighbour (its
/// duplicates are). Cost: O(n·m·d) time, O(n·k) memory.
pub fn nearest_neighbors(
    queries: &Rows<'_>,
    base: &Rows<'_>,
    k: usize,
    exclude_self: bool,
    control: &Control,
) -> Result<Neighbors> {
    check_pair(base, "base", queries, "queries")?;
    if exclude_self && queries.len() != base.len() {
        return Err(Error::input("exclude_self")
            .expected("queries and base to be the same rows")
            .got(format_args!("{} and {}", queries.len(), base.len())));
    }
    check_k(k, base.len() - usize::from(exclude_self), "base", exclude_self)?;
    memory::ask("k", queries.len(), k.saturating_mul(2 * size_of::<Entry>()))?;
    control.begin("neighbours", (queries.len() * base.len()) as u64);
    let lists = if exclude_self {
        check_same(queries, base, control)?;
        let [set] = Set::together([base], control)?;
        within(&set, k, control, Ok)?
    } else {
        let [base, queries] = Set::together([base, queries], control)?;
        nearest_across(&queries, &base, k, control)?
    };
    let blocks: Vec<Vec<Entry>> = lists.into_iter().map(Nearest::into_entries).collect();
    let entries = || blocks.iter().flatten();
    Ok(Neighbors {
        k,
        distances: entries().map(|entry| entry.squared.sqrt()).collect(),
        indices: entries().map(|entry| entry.index as i64).collect(),
    })
}

/// Fails at the first row in which the two differ.
fn check_same(queries: &Rows<'_>, base: &Rows<'_>, control: &Control) -> Result<()> {
    use rayon::prelude::*;
    let differ = control.run(|| {
        (0..base.len()).into_par_iter().with_min_len(256).find_first(|&index| {
            let row = |rows: &Rows<'_>| {
                let mut row = vec![0.0; rows.columns()];
                rows.read(index, &mut row);
                row
            };
            row(queries) != row(base)
        })
    });
    match differ {
        Some(index) => Err(Error::input("exclude_self")
            .expected("queries and base to be the same rows")
            .got("rows that differ")
            .at(format_args!("row {index}"))
            .problem(format_args!(
                "expected queries and base to be the same rows, but row {index} differs"
            ))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod exactness;

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;
    use proptest::prelude::*;
    use tailwatch_kernels::Isa;

    fn brute(
        queries: &Array2<f64>,
        base: &Array2<f64>,
        k: usize,
        exclude_self: bool,
    ) -> Vec<(usize, f64)> {
        let mut out = Vec::new();
        for (i, x) in queries.rows().into_iter().enumerate() {
            let mut all: Vec<(usize, f64)> = base
                .rows()
                .into_iter()
                .map(|y| x.iter().zip(y).map(|(a, b)| (a - b) * (a - b)).sum::<f64>())
                .enumerate()
                .filter(|&(j, _)| !(exclude_self && i == j))
                .collect();
            all.iter_mut().for_each(|pair| pair.1 = pair.1.sqrt());
            all.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
            out.extend(all.into_iter().take(k));
        }
        out
    }

    /// Small integers: distances are exact in any order and ties are common.
    fn lattice(rows: usize, columns: usize) -> impl Strategy<Value = Array2<f64>> {
        proptest::collection::vec(-3_i8..=3, rows * columns).prop_map(move |values| {
            Array2::from_shape_vec((rows, columns), values.into_iter().map(f64::from).collect())
                .unwrap()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn equals_the_double_loop_on_ties_for_every_isa_and_thread_count(
            (queries, base, k) in (1_usize..40, 2_usize..150, 1_usize..20).prop_flat_map(|(n, m, d)| {
                (lattice(n, d), lattice(m, d), 1..m.min(12))
            }),
        ) {
            let expected = brute(&queries, &base, k, false);
            let within = brute(&base, &base, k, true);
            for isa in Isa::available() {
                for threads in 1..=3 {
                    let control = Control::with_threads(threads).with_isa(isa);
                    let (q, b) = (Rows::from_f64(queries.view()), Rows::from_f64(base.view()));
                    for (expected, found) in [
                        (&expected, nearest_neighbors(&q, &b, k, false, &control).unwrap()),
                        (&within, nearest_neighbors(&b, &b, k, true, &control).unwrap()),
                    ] {
                        let indices: Vec<i64> = expected.iter().map(|e| e.0 as i64).collect();
                        let distances: Vec<f64> = expected.iter().map(|e| e.1).collect();
                        prop_assert_eq!(&found.indices, &indices);
                        prop_assert_eq!(&found.distances, &distances);
                    }
                }
            }
        }
    }

    /// Rows with the same few coordinates in other orders: their squared distances from the first, summed in
    /// one order of columns, differ by roundings that the root may hide.
    fn turned(rows: usize, columns: usize) -> Array2<f64> {
        let mut stream = crate::streams::Stream::new(1, "turned", columns as u64);
        let mut data = Array2::<f64>::zeros((rows, columns));
        for mut row in data.rows_mut() {
            for (column, place) in stream.sample(columns, columns).into_iter().enumerate() {
                row[column] = ((place + 1) as f64).recip();
            }
        }
        data.row_mut(0).fill(0.0);
        data
    }

    #[test]
    fn rows_at_one_distance_are_listed_by_index_though_their_squares_differ() {
        let mut tried = 0;
        for columns in [3, 7, 13, 20, 31, 67] {
            let data = turned(300, columns);
            let rows = Rows::from_f64(data.view());
            let first = Rows::from_f64(data.view().split_at(ndarray::Axis(0), 1).0);
            let mut packed = [Vec::new(), Vec::new()];
            first.pack(0..1, &mut packed[0]);
            rows.pack(0..300, &mut packed[1]);
            let mut squared = vec![0.0; 300];
            let [query, base] = &packed;
            let stride = rows.stride();
            tailwatch_kernels::squared_distances(Isa::Portable, query, base, stride, &mut squared);
            let mut roots: Vec<(f64, usize)> =
                squared.iter().map(|square| square.sqrt()).zip(0..).collect();
            roots.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let by_square = {
                let mut order: Vec<usize> = (0..300).collect();
                order.sort_by(|&a, &b| squared[a].total_cmp(&squared[b]).then(a.cmp(&b)));
                order
            };
            let by_root: Vec<usize> = roots.iter().map(|root| root.1).collect();
            tried += usize::from(by_root != by_square);
            for isa in Isa::available() {
                for k in [1, 5, 60, 300] {
                    let control = Control::with_threads(2).with_isa(isa);
                    let found = nearest_neighbors(&first, &rows, k, false, &control).unwrap();
                    let expected: Vec<i64> = by_root[..k].iter().map(|&row| row as i64).collect();
                    assert_eq!(found.indices, expected, "{columns} {k} {isa}");
                    let expected: Vec<f64> = roots[..k].iter().map(|root| root.0).collect();
                    assert_eq!(found.distances, expected);
                }
            }
        }
        assert!(tried >= 3, "{tried}");
    }

    #[test]
    fn a_k_that_is_too_large_names_k_and_rows() {
        let data = Array2::<f64>::zeros((3, 2));
        let rows = Rows::from_f64(data.view());
        let control = Control::with_threads(1);
        let error = nearest_neighbors(&rows, &rows, 3, true, &control).unwrap_err();
        assert_eq!(
            error.to_string(),
            "k: expected at most the 2 other rows of base, got k = 3 with 3 rows"
        );
        assert!(nearest_neighbors(&rows, &rows, 3, false, &control).is_ok());
    }

    #[test]
    fn cancelling_stops_the_search() {
        let data = Array2::<f64>::zeros((300, 2));
        let rows = Rows::from_f64(data.view());
        let control = Control::with_threads(1);
        control.cancel();
        assert_eq!(nearest_neighbors(&rows, &rows, 1, true, &control), Err(Error::Cancelled));
    }
}
