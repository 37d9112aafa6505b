//! Seeds of k-means. Level 3.
//!
//! k-means++ (Arthur & Vassilvitskii 2007) draws each seed with probability proportional to its squared
//! distance from the seeds before it, which takes a pass over the rows for every seed. Here a pass draws an
//! eighth as many as there are already, without replacement, as k-means‖ does (Bahmani et al. 2012) but with
//! exactly as many in the end as are asked for: the first fifteen are those of k-means++, and of thousands
//! none was drawn knowing less than eight in nine of those before it.
//!
//! Every row keeps its two nearest seeds, so that only what is nearer than the second is looked for, and the
//! first assignment of all rows is known when the last seed is met.
//!
//! Cost: O(n·k·d) time, the larger batches through the exact search for the nearest of them; O(n) memory.

use std::ops::Range;

use rayon::prelude::*;
use tailwatch_kernels::squared_distances;

use super::{Centres, nearest_of};
use crate::control::Control;
use crate::error::Result;
use crate::neighbors::{Entry, Frame, Set};
use crate::rows::Rows;
use crate::streams::Stream;

/// Seeds that there are for each one that a pass draws.
const GROWTH: usize = 8;
/// Batches of up to so many seeds are measured from all rows; of more, codes find the nearest.
const DIRECT: usize = 8;
/// Rows that are measured together, and weights that are summed together.
const BLOCK: usize = 1024;

/// The two nearest seeds of a row, the second none while there is one seed.
pub(super) type Pair = [Entry; 2];

/// Draws `clusters` rows as seeds.
pub(super) fn draw(
    rows: &Rows<'_>,
    set: &Set<'_>,
    frame: Option<&Frame>,
    clusters: usize,
    seed: u64,
    control: &Control,
) -> Result<Centres> {
    let (chosen, _, _) = choose(rows, set, frame, clusters, seed, control)?;
    Ok(centres_at(rows, &chosen))
}

/// The same, and the two nearest seeds of every row.
pub(super) fn draw_and_assign(
    rows: &Rows<'_>,
    set: &Set<'_>,
    frame: Option<&Frame>,
    clusters: usize,
    seed: u64,
    control: &Control,
) -> Result<(Centres, Vec<Pair>)> {
    let (chosen, mut nearest, last) = choose(rows, set, frame, clusters, seed, control)?;
    meet(rows, &chosen, last, (set, frame), &mut nearest, control)?;
    Ok((centres_at(rows, &chosen), nearest))
}

fn centres_at(rows: &Rows<'_>, chosen: &[usize]) -> Centres {
    let columns = rows.columns();
    let mut values = vec![0.0; chosen.len() * columns];
    for (&row, centre) in chosen.iter().zip(values.chunks_exact_mut(columns)) {
        rows.read(row, centre);
    }
    Centres { values, columns }
}

/// The rows that are seeds, the nearest of them to each row, and those which have not been met.
fn choose(
    rows: &Rows<'_>,
    set: &Set<'_>,
    frame: Option<&Frame>,
    clusters: usize,
    seed: u64,
    control: &Control,
) -> Result<(Vec<usize>, Vec<Pair>, Range<usize>)> {
    let n = rows.len();
    control.begin("k-means seeds", (n * clusters) as u64);
    let mut stream = Stream::new(seed, "k-means", 0);
    let mut nearest = vec![[Entry::NONE; 2]; n];
    let mut chosen = vec![stream.below(n as u64) as usize];
    let mut batch = 0..1;
    while chosen.len() < clusters {
        meet(rows, &chosen, batch, (set, frame), &mut nearest, control)?;
        let count = (chosen.len() / GROWTH).max(1).min(clusters - chosen.len());
        batch = chosen.len()..chosen.len() + count;
        let squared: Vec<f64> = nearest.iter().map(|pair| pair[0].squared).collect();
        chosen.extend(weighted(&squared, count, &mut stream));
    }
    Ok((chosen, nearest, batch))
}

/// Shows the seeds of a batch to all rows.
fn meet(
    rows: &Rows<'_>,
    chosen: &[usize],
    batch: Range<usize>,
    (set, frame): (&Set<'_>, Option<&Frame>),
    nearest: &mut [Pair],
    control: &Control,
) -> Result<()> {
    let (seeds, first) = (&rows.pick(&chosen[batch.clone()]), batch.start);
    let seed = |entry: Entry| Entry { index: first + entry.index, ..entry };
    if seeds.len() > DIRECT {
        let limits: Vec<f64> = nearest.iter().map(|pair| pair[1].squared).collect();
        let found = nearest_of(seeds, set, frame, 2, Some(&limits), control)?;
        for (pair, found) in nearest.iter_mut().zip(found.chunks_exact(2)) {
            found.iter().filter(|entry| entry.is_some()).for_each(|&entry| add(pair, seed(entry)));
        }
        return Ok(());
    }
    let mut base = Vec::new();
    seeds.pack(0..seeds.len(), &mut base);
    let measure = |(block, nearest): (usize, &mut [Pair])| {
        let (mut queries, mut found) = (Vec::new(), vec![0.0; nearest.len() * seeds.len()]);
        rows.pack(block * BLOCK..block * BLOCK + nearest.len(), &mut queries);
        squared_distances(control.isa(), &queries, &base, rows.stride(), &mut found);
        for (pair, found) in nearest.iter_mut().zip(found.chunks_exact(seeds.len())) {
            for (index, &squared) in found.iter().enumerate() {
                add(pair, seed(Entry { squared, index }));
            }
        }
        control.advance(found.len() as u64)
    };
    control.run(|| nearest.par_chunks_mut(BLOCK).enumerate().try_for_each(measure))
}

/// Puts a seed in its place, if it is one of the two nearest.
fn add(pair: &mut Pair, entry: Entry) {
    if entry.order(&pair[0]).is_lt() {
        *pair = [entry, pair[0]];
    } else if entry.order(&pair[1]).is_lt() {
        pair[1] = entry;
    }
}

/// Draws `count` different rows with probabilities proportional to their weights; row 0 where no weight
/// is left, since then all rows are seeds already.
fn weighted(weights: &[f64], count: usize, stream: &mut Stream) -> Vec<usize> {
    let mut left = weights.to_vec();
    let mut sums: Vec<f64> = left.chunks(BLOCK).map(|block| block.iter().sum()).collect();
    let mut draw = || {
        let total: f64 = sums.iter().sum();
        if total <= 0.0 {
            return 0;
        }
        let (block, before) = passed(&sums, stream.uniform() * total);
        let within = block * BLOCK..((block + 1) * BLOCK).min(left.len());
        let place = within.start + passed(&left[within.clone()], before).0;
        left[place] = 0.0;
        sums[block] = left[within].iter().sum();
        place
    };
    (0..count).map(|_| draw()).collect()
}

/// The first place at which the running sum passes `target`, and what of the target was left before it;
/// the last place with a weight, where rounding keeps the sum below.
fn passed(weights: &[f64], mut target: f64) -> (usize, f64) {
    let mut last = 0;
    for (place, &weight) in weights.iter().enumerate() {
        if weight > target {
            return (place, target);
        }
        if weight > 0.0 {
            last = place;
        }
        target -= weight;
    }
    (last, weights[last])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_without_replacement_follow_the_weights() {
        // P(2 is among two of weights 1, 2, 3) = 1/2 + 1/6·3/5 + 1/3·3/4 = 0.85; 20 000 draws, z = 4.
        let mut stream = Stream::new(1, "test", 0);
        let mut times = 0;
        for _ in 0..20_000 {
            let drawn = weighted(&[1.0, 0.0, 2.0, 3.0], 2, &mut stream);
            assert!(drawn[0] != drawn[1] && !drawn.contains(&1), "{drawn:?}");
            times += u32::from(drawn.contains(&3));
        }
        let deviation = (20_000.0 * 0.85 * 0.15_f64).sqrt();
        assert!((f64::from(times) - 17_000.0).abs() < 4.0 * deviation, "{times}");
    }

    #[test]
    fn one_far_row_does_not_keep_others_from_being_drawn() {
        let mut weights = vec![1e-9; 3000];
        weights[2500] = 1e20;
        let drawn = weighted(&weights, 40, &mut Stream::new(2, "test", 0));
        assert_eq!(drawn[0], 2500);
        let mut different = drawn.clone();
        different.sort_unstable();
        different.dedup();
        assert_eq!(different.len(), 40);
    }

    #[test]
    fn without_weights_the_first_row_stands_in() {
        assert_eq!(weighted(&[0.0; 5], 3, &mut Stream::new(3, "test", 0)), [0, 0, 0]);
    }
}
