//! k-th nearest neighbour distances, in the whole sample and in each of its subsets. Level 3.
//!
//! The distance of a row to its k-th nearest other row is its *rarity* and the radius of its ball. One
//! pass keeps for each query a list deep enough to hold the k nearest of every subset: with halves, of
//! the L nearest rows about L/2 belong to a given half. Where a list runs out before some subset has
//! found its k (a chance below 1e-9 a row), that row alone is measured against everything.

use std::ops::Range;

use crate::control::Control;
use crate::error::Result;
use crate::neighbors::{Entry, Nearest, Scratch, for_blocks, sweep};
use crate::rows::Rows;
use crate::subsets::{Subsets, bits};

/// Rows in which neighbours are sought.
pub(crate) struct Base<'a> {
    pub(crate) rows: &'a Rows<'a>,
    pub(crate) subsets: &'a Subsets,
    /// Whether they are the queries themselves, so that a row must not find itself.
    pub(crate) is_queries: bool,
}

/// One value for each row and subset.
#[derive(Clone, Debug)]
pub(crate) struct BySubset {
    subsets: usize,
    values: Vec<f64>,
}

impl BySubset {
    /// The value of `row` in `subset`.
    pub(crate) fn get(&self, row: usize, subset: usize) -> f64 {
        self.values[row * self.subsets + subset]
    }

    /// The largest value of `row` over the subsets of `mask`.
    pub(crate) fn largest(&self, row: usize, mask: u32) -> f64 {
        bits(mask).map(|subset| self.get(row, subset)).fold(f64::NEG_INFINITY, f64::max)
    }
}

/// For each pool (bases taken together) the squared distance of each query to its `k`-th nearest row of
/// the pool, in each subset. Every subset of every pool must hold at least `k` rows beside the query.
pub(crate) fn kth_squared(
    queries: &Rows<'_>,
    bases: &[Base<'_>],
    pools: &[&[usize]],
    k: usize,
    control: &Control,
) -> Result<Vec<BySubset>> {
    let subsets = bases[0].subsets.count();
    let blocks = for_blocks(queries, control, |block, scratch| {
        let mut lists = Vec::with_capacity(bases.len());
        for base in bases {
            lists.push(nearest_of_block(
                queries,
                block.clone(),
                base,
                depth(k, subsets),
                scratch,
                control,
            )?);
        }
        let mut found = vec![Vec::with_capacity(block.len() * subsets); pools.len()];
        for query in block {
            for (pool, found) in pools.iter().zip(&mut found) {
                let shallow: Vec<_> =
                    pool.iter().map(|&base| (lists[base].list(query), &bases[base])).collect();
                let mut kth = vec![f64::NAN; subsets];
                if !kth_of_pool(&shallow, k, &mut kth) {
                    let mut full = Vec::with_capacity(pool.len());
                    for &base in *pool {
                        let (one, all) = (query..query + 1, bases[base].rows.len());
                        full.push(nearest_of_block(
                            queries,
                            one,
                            &bases[base],
                            all,
                            scratch,
                            control,
                        )?);
                    }
                    let deep: Vec<_> = pool
                        .iter()
                        .zip(&full)
                        .map(|(&base, list)| (list.list(query), &bases[base]))
                        .collect();
                    kth_of_pool(&deep, k, &mut kth);
                }
                found.extend(kth);
            }
        }
        Ok(found)
    })?;
    let mut values: Vec<Vec<f64>> = vec![Vec::with_capacity(queries.len() * subsets); pools.len()];
    for block in blocks {
        for (all, part) in values.iter_mut().zip(block) {
            all.extend(part);
        }
    }
    Ok(values.into_iter().map(|values| BySubset { subsets, values }).collect())
}

/// Length of a list that holds the `k` nearest of each half but for a chance below 1e-9.
fn depth(k: usize, subsets: usize) -> usize {
    if subsets == 1 { k } else { 2 * k + 8 * (k as f64).sqrt().ceil() as usize + 32 }
}

fn nearest_of_block(
    queries: &Rows<'_>,
    block: Range<usize>,
    base: &Base<'_>,
    depth: usize,
    scratch: &mut Scratch,
    control: &Control,
) -> Result<Nearest> {
    let mut lists = Nearest::new(block.clone(), depth.min(base.rows.len()), base.is_queries);
    sweep(queries, block, base.rows, None, &mut lists, scratch, control)?;
    Ok(lists)
}

/// Writes the `k`-th smallest squared distance in each subset to `kth`; false if a list ended too soon.
fn kth_of_pool(lists: &[(&[Entry], &Base<'_>)], k: usize, kth: &mut [f64]) -> bool {
    let mut missing = vec![k; kth.len()];
    let mut open = kth.len();
    let mut heads = vec![0; lists.len()];
    while open > 0 {
        let next = (0..lists.len())
            .filter(|&list| heads[list] < lists[list].0.len())
            .min_by(|&a, &b| lists[a].0[heads[a]].squared.total_cmp(&lists[b].0[heads[b]].squared));
        let Some(next) = next else { return false };
        let (entries, base) = &lists[next];
        let entry = entries[heads[next]];
        heads[next] += 1;
        for subset in bits(base.subsets.mask(entry.index)) {
            if missing[subset] > 0 {
                missing[subset] -= 1;
                if missing[subset] == 0 {
                    kth[subset] = entry.squared;
                    open -= 1;
                }
            }
        }
        // Beyond the end of a list that was cut, the order of what follows is unknown.
        let complete = entries.len() + usize::from(base.is_queries) >= base.rows.len();
        if open > 0 && heads[next] == entries.len() && !complete {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::Stream;
    use ndarray::Array2;

    fn normal(rows: usize, columns: usize, index: u64) -> Array2<f64> {
        let mut stream = Stream::new(11, "test", index);
        Array2::from_shape_simple_fn((rows, columns), || stream.normal())
    }

    /// The definition, without lists: all distances to the members, sorted.
    fn brute(
        x: &Array2<f64>,
        query: usize,
        pool: &[(&Array2<f64>, &Subsets, bool)],
        subset: usize,
        k: usize,
    ) -> f64 {
        let mut all = Vec::new();
        for (base, subsets, is_queries) in pool {
            all.extend(subsets.members(subset).filter(|&row| !(*is_queries && row == query)).map(
                |row| {
                    x.row(query)
                        .iter()
                        .zip(base.row(row))
                        .map(|(a, b)| (a - b) * (a - b))
                        .sum::<f64>()
                },
            ));
        }
        all.sort_by(f64::total_cmp);
        all[k - 1]
    }

    #[test]
    fn every_subset_and_pool_matches_its_definition() {
        let (x, y) = (normal(150, 3, 0), normal(130, 3, 1));
        let (of_x, of_y) = (Subsets::halves(150, 30, 1, 0), Subsets::halves(130, 30, 1, 1));
        let (rows_x, rows_y) = (Rows::from_f64(x.view()), Rows::from_f64(y.view()));
        let control = Control::with_threads(2);
        let bases = [
            Base { rows: &rows_x, subsets: &of_x, is_queries: true },
            Base { rows: &rows_y, subsets: &of_y, is_queries: false },
        ];
        // k = 30 of halves of 65 makes some lists end early: the fall-back is exercised too.
        for k in [1, 5, 30] {
            let found = kth_squared(&rows_x, &bases, &[&[0], &[0, 1]], k, &control).unwrap();
            for query in (0..150).step_by(7) {
                for subset in 0..31 {
                    let alone = brute(&x, query, &[(&x, &of_x, true)], subset, k);
                    let pooled =
                        brute(&x, query, &[(&x, &of_x, true), (&y, &of_y, false)], subset, k);
                    assert!((found[0].get(query, subset) - alone).abs() <= 1e-14 * alone);
                    assert!((found[1].get(query, subset) - pooled).abs() <= 1e-14 * pooled);
                }
            }
        }
    }
}
