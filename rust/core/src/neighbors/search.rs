//! Searches through whole sets: within one, and across two. Level 2.
//!
//! Within a set every pair of blocks is looked at once, for both of its rows. Across two sets queries are cut
//! into blocks that go through all of the base; where there are fewer blocks than threads, the base is cut
//! too. Of rows that are equal the first is searched for all. Neither order nor threads show in a result: what is nearest is settled by (distance, index).

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::candidates::{Block, Meet, Reach, Reaches, Search};
use super::codes::{Codes, Frame};
use super::exact::{self, Scratch};
use super::filter::{BLOCK, Sieve};
use super::measure::Measure;
use super::positions::Positions;
use super::topk::{Entry, Nearest};
use crate::control::Control;
use crate::error::Result;
use crate::memory;
use crate::rows::Rows;

/// A set of rows, coded where that pays.
pub(crate) struct Set<'a> {
    rows: &'a Rows<'a>,
    codes: Option<Codes>,
    /// Where rows repeat often enough to matter.
    positions: Option<Positions>,
}

impl<'a> Set<'a> {
    /// Sets that are to be searched together, all in the frame of the first.
    pub(crate) fn together<const N: usize>(
        rows: [&'a Rows<'a>; N],
        control: &Control,
    ) -> Result<[Self; N]> {
        let frame = Frame::of(rows[0], control);
        let mut sets = Vec::with_capacity(N);
        for rows in rows {
            sets.push(Self::alone(rows, frame.as_ref(), control)?);
        }
        Ok(sets.try_into().unwrap_or_else(|_| unreachable!("one set for each")))
    }

    /// A set in a given frame, or without codes.
    pub(crate) fn alone(
        rows: &'a Rows<'a>,
        frame: Option<&Frame>,
        control: &Control,
    ) -> Result<Self> {
        // Candidates are numbered in 32 bits.
        let frame = frame.filter(|_| u32::try_from(rows.len()).is_ok());
        let codes = frame.map(|frame| Codes::of(rows, frame, control)).transpose()?;
        let of = |codes: &Codes| Positions::of(rows, |row| codes.print(row), control);
        let positions = codes.as_ref().map(of).transpose()?.flatten();
        Ok(Self { rows, codes, positions })
    }

    /// The set of `rows`, which are those of this set at `indices`, with the codes that they have here. Those of them
    /// that are equal are not looked for.
    pub(crate) fn some<'b>(
        &self,
        rows: &'b Rows<'b>,
        indices: &[usize],
        control: &Control,
    ) -> Set<'b> {
        let codes = self.codes.as_ref().map(|codes| codes.some(indices, control));
        Set { rows, codes, positions: None }
    }

    /// The first row at each position, with their numbers, where rows repeat.
    fn first_rows(&self) -> Option<(Rows<'a>, Vec<usize>)> {
        let first = self.positions.as_ref()?.first_rows();
        Some((self.rows.pick(&first), first))
    }

    /// A set with the codes it is given.
    #[cfg(test)]
    pub(crate) fn with(rows: &'a Rows<'a>, codes: Option<Codes>, control: &Control) -> Self {
        let of = |codes: &Codes| Positions::of(rows, |row| codes.print(row), control).unwrap();
        let positions = codes.as_ref().and_then(of);
        Self { rows, codes, positions }
    }

    /// Its rows.
    pub(crate) fn rows(&self) -> &'a Rows<'a> {
        self.rows
    }

    /// Blocks that its rows are cut into, as base rows.
    fn blocks(&self) -> usize {
        self.rows.len().div_ceil(BLOCK)
    }

    /// The rows of one of them.
    fn block(&self, block: usize) -> Range<usize> {
        block * BLOCK..((block + 1) * BLOCK).min(self.rows.len())
    }

    /// The rows of the blocks that it is cut into as queries. The base goes through the caches once for each: tall
    /// ones need less of it, where there are enough of them for all threads and they fit the second-level cache.
    fn query_blocks(&self) -> Vec<Range<usize>> {
        let (n, tall) = (self.rows.len(), 2 * BLOCK);
        let fits = n >= 40 * tall && self.rows.columns() <= 1024;
        let height = if fits { tall } else { BLOCK };
        (0..n).step_by(height).map(|first| first..(first + height).min(n)).collect()
    }

    fn unit(&self) -> f64 {
        self.codes.as_ref().map_or(1.0, Codes::unit)
    }
}

/// The `depth` nearest other rows of each row of `set`, by block; `finish` makes of each block what is kept.
pub(crate) fn within<T: Send>(
    set: &Set<'_>,
    depth: usize,
    control: &Control,
    finish: impl Fn(Nearest) -> Result<T> + Sync + Send,
) -> Result<Vec<T>> {
    let n = set.rows.len();
    memory::ask("k", n, Block::bytes(depth))?;
    let (Some(positions), Some((rows, first))) = (&set.positions, set.first_rows()) else {
        return within_distinct(set, depth, control, finish);
    };
    let distinct = set.some(&rows, &first, control);
    let lists = within_distinct(&distinct, depth.min(first.len() - 1), control, Ok)?;
    let near = positions.neighborhoods(&lists, depth, control)?;
    control.advance((n * n - first.len() * first.len()) as u64)?;
    let of_block = |block| {
        control.check()?;
        finish(Nearest::filled(set.block(block), depth, |row, list| {
            let near = near[positions.of_row(row)].iter();
            list.extend(near.filter(|entry| entry.index != row).take(depth));
        }))
    };
    control.run(|| (0..set.blocks()).into_par_iter().map(of_block).collect())
}

/// The same, of rows of which few are equal.
fn within_distinct<T: Send>(
    set: &Set<'_>,
    depth: usize,
    control: &Control,
    finish: impl Fn(Nearest) -> Result<T> + Sync + Send,
) -> Result<Vec<T>> {
    let (rows, n) = (set.rows, set.rows.len());
    let Some(codes) = &set.codes else {
        return blocks(set, control, |block, scratch, _| {
            let mut lists = Nearest::new(block, depth);
            let nobody = |_, _, _| ();
            exact::sweep(rows, rows, 0..n, true, &mut lists, None, nobody, scratch, control)?;
            finish(lists)
        });
    };
    let count = set.blocks();
    let new = |block| Mutex::new(Block::new(set.block(block), depth, set.unit(), rows.columns()));
    let states: Vec<Mutex<Block>> = (0..count).map(new).collect();
    let lock = |block: usize| states[block].lock().unwrap_or_else(PoisonError::into_inner);
    // Each block with itself first: afterwards every row has a bound.
    let alone = |buffers: &mut Buffers, block: usize| {
        let mut state = lock(block);
        let (sieve, mut search) = buffers.search(rows, rows, None, ());
        let part = codes.part(set.block(block));
        sieve.lay(&part);
        sieve.first(&part, &part, true, &mut state, None, |state, x, y, bounds| {
            if x != y && state.offer(x, block * BLOCK + y, bounds, None) {
                state.settle(x, &mut search);
            }
        });
        control.count_measured(search.measure.take_count());
        control.advance((state.len() * state.len()) as u64)
    };
    // Offsets up to (count − 1)/2 name every pair once, all of a block after each other; of an even count the pairs
    // that are count/2 apart come last.
    let offsets = (count - 1) / 2;
    let both = |(buffers, laid): &mut (Buffers, Option<usize>), pair: usize| {
        let (block, other) = if pair < count * offsets {
            (pair / offsets, (pair / offsets + pair % offsets + 1) % count)
        } else {
            (pair - count * offsets, pair - count * offsets + count / 2)
        };
        // Always the lower one first: two threads never wait for each other.
        let (first, second) = (lock(block.min(other)), lock(block.max(other)));
        let swapped = other < block;
        let (mut asking, mut asked) = if swapped { (second, first) } else { (first, second) };
        let (sieve, mut search) = buffers.search(rows, rows, None, ());
        let (part, base) = (codes.part(set.block(block)), codes.part(set.block(other)));
        if laid.replace(block) != Some(block) {
            sieve.lay(&part);
        }
        sieve.ask(&part, &asking, None);
        sieve.bring(&base, |slot| asked.bound(slot));
        sieve.sift(&part, &base, true, |x, y, bounds| {
            if asking.offer(x, other * BLOCK + y, bounds, None) {
                asking.settle(x, &mut search);
            }
            if asked.offer(y, block * BLOCK + x, bounds, None) {
                asked.settle(y, &mut search);
            }
        });
        control.count_measured(search.measure.take_count());
        control.advance(2 * (asking.len() * asked.len()) as u64)
    };
    let pairs = count * (count - 1) / 2;
    let buffers = || Buffers::new(rows, control);
    control.run(|| {
        (0..count).into_par_iter().try_for_each_init(buffers, alone)?;
        (0..pairs).into_par_iter().try_for_each_init(|| (buffers(), None), both)
    })?;
    control.run(|| {
        let settle = |buffers: &mut Buffers, state: Mutex<Block>| {
            control.check()?;
            let mut state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
            let (_, mut search) = buffers.search(rows, rows, None, ());
            state.settle_all(&mut search);
            control.count_measured(search.measure.take_count());
            finish(state.into_nearest())
        };
        states.into_par_iter().map_init(buffers, settle).collect()
    })
}

/// The `depth` nearest rows of `base` of each row of `queries`, and all pairs within the reach of either row,
/// by block of queries: `begin` makes what meets the pairs, `finish` what is kept of it and the lists.
pub(crate) fn across<M: Meet, T: Send>(
    queries: &Set<'_>,
    base: &Set<'_>,
    depth: usize,
    reaches: Option<[&[f64]; 2]>,
    control: &Control,
    begin: impl Fn(Range<usize>) -> M + Sync + Send,
    finish: impl Fn(M, Nearest) -> Result<T> + Sync + Send,
) -> Result<Vec<T>> {
    let (Some(positions), Some((rows, first))) = (&base.positions, base.first_rows()) else {
        return across_distinct(queries, base, depth, reaches, control, begin, finish);
    };
    let distinct = base.some(&rows, &first, control);
    let reaching = reaches.map(|reaches| Reaching::new(positions, reaches));
    let most = reaching.as_ref().map(|reaching| [reaching.reaches[0], &reaching.largest]);
    let begin = |block| Members { meet: begin(block), reaching: reaching.as_ref() };
    let finish = |members: Members<'_, M>, lists: Nearest| {
        let repeats = base.rows.len() - first.len();
        control.advance((lists.queries().len() * repeats) as u64)?;
        finish(members.meet, positions.expanded(&lists, depth))
    };
    across_distinct(queries, &distinct, depth.min(first.len()), most, control, begin, finish)
}

/// Reaches of rows that lie at positions.
struct Reaching<'a> {
    positions: &'a Positions,
    /// Of each query and of each base row.
    reaches: [&'a [f64]; 2],
    /// The largest at each position.
    largest: Vec<f64>,
    /// Whether all rows at a position have it.
    shared: Vec<bool>,
}

impl<'a> Reaching<'a> {
    fn new(positions: &'a Positions, reaches: [&'a [f64]; 2]) -> Self {
        let largest = positions.largest(reaches[1]);
        let shared = |(position, &largest): (usize, &f64)| {
            let mut reaches =
                positions.members(position).iter().map(|&row| reaches[1][row as usize]);
            reaches.all(|reach| reach.total_cmp(&largest).is_eq())
        };
        let shared = largest.iter().enumerate().map(shared).collect();
        Self { positions, reaches, largest, shared }
    }
}

/// What meets the rows at the positions that are met.
struct Members<'a, M> {
    meet: M,
    reaching: Option<&'a Reaching<'a>>,
}

impl<M: Meet> Meet for Members<'_, M> {
    fn meet(&mut self, query: usize, position: usize, squared: f64) {
        let Some(Reaching { positions, reaches, .. }) = self.reaching else { return };
        for &row in positions.members(position) {
            let row = row as usize;
            if squared <= reaches[0][query].max(reaches[1][row]) {
                self.meet.meet(query, row, squared);
            }
        }
    }

    fn meet_unmeasured(&mut self, query: usize, position: usize, held: [bool; 2]) -> bool {
        let Some(Reaching { positions, shared, .. }) = self.reaching else { return false };
        // What the largest reach holds, others may not.
        let known = shared[position] || !held[1];
        let mut rows = positions.members(position).iter();
        known && rows.all(|&row| self.meet.meet_unmeasured(query, row as usize, held))
    }
}

/// The same, where few rows of `base` are equal.
fn across_distinct<M: Meet, T: Send>(
    queries: &Set<'_>,
    base: &Set<'_>,
    depth: usize,
    reaches: Option<[&[f64]; 2]>,
    control: &Control,
    begin: impl Fn(Range<usize>) -> M + Sync + Send,
    finish: impl Fn(M, Nearest) -> Result<T> + Sync + Send,
) -> Result<Vec<T>> {
    let (unit, columns) = (queries.unit(), base.rows.columns());
    let reaches = reaches.map(|squared| squared.map(|squared| Reach::new(squared, unit, columns)));
    let reaches = reaches.as_ref().map(|[queries, base]| Reaches { queries, base });
    blocks(queries, control, |block, scratch, buffers| {
        let mut met = begin(block.clone());
        let lists = search(
            queries,
            base,
            block,
            0..base.blocks(),
            depth,
            None,
            reaches,
            &mut met,
            scratch,
            buffers,
            control,
        )?;
        finish(met, lists)
    })
}

/// The `depth` nearest rows of `base` of each row of `queries`, by block of queries.
pub(crate) fn nearest_across(
    queries: &Set<'_>,
    base: &Set<'_>,
    depth: usize,
    control: &Control,
) -> Result<Vec<Nearest>> {
    nearest_within(queries, base, depth, None, control)
}

/// The same, but of those within a squared distance of each query only: lists may be short, and whether they
/// hold rows that are farther is left open. The codes of what is too far are all that is looked at.
pub(crate) fn nearest_within(
    queries: &Set<'_>,
    base: &Set<'_>,
    depth: usize,
    limits: Option<&[f64]>,
    control: &Control,
) -> Result<Vec<Nearest>> {
    let (first_queries, first_base) = (queries.first_rows(), base.first_rows());
    let of_queries = first_queries.as_ref().map(|(rows, first)| queries.some(rows, first, control));
    let of_base = first_base.as_ref().map(|(rows, first)| base.some(rows, first, control));
    let asking = of_queries.as_ref().unwrap_or(queries);
    let searched = of_base.as_ref().unwrap_or(base);
    let largest =
        queries.positions.as_ref().zip(limits).map(|(positions, limits)| positions.largest(limits));
    let limits = largest.as_deref().or(limits);
    let most = depth.min(searched.rows.len());
    let mut lists = nearest_distinct(asking, searched, most, limits, control)?;
    if let Some(positions) = &base.positions {
        let expanded = |lists: &Nearest| positions.expanded(lists, depth);
        lists = control.run(|| lists.par_iter().map(expanded).collect());
    }
    if let Some(positions) = &queries.positions {
        let found: Vec<&[Entry]> =
            lists.iter().flat_map(|lists| lists.queries().map(|query| lists.list(query))).collect();
        let of_block = |block| {
            Nearest::filled(queries.block(block), depth, |row, list| {
                list.extend(found[positions.of_row(row)]);
            })
        };
        lists = control.run(|| (0..queries.blocks()).into_par_iter().map(of_block).collect());
    }
    let (all, looked_at) =
        (queries.rows.len() * base.rows.len(), asking.rows.len() * searched.rows.len());
    control.advance((all - looked_at) as u64)?;
    Ok(lists)
}

/// The same, of rows of which few are equal.
fn nearest_distinct(
    queries: &Set<'_>,
    base: &Set<'_>,
    depth: usize,
    limits: Option<&[f64]>,
    control: &Control,
) -> Result<Vec<Nearest>> {
    let blocks = queries.query_blocks();
    // A thread that runs out of blocks early would wait for the others.
    let parts = (4 * control.threads()).div_ceil(blocks.len()).min(base.blocks());
    let found: Vec<Nearest> = control.run(|| {
        let part = |(scratch, buffers): &mut (Scratch, Option<Buffers>), task: usize| {
            let (rows, part) = (blocks[task / parts].clone(), task % parts);
            let among = part * base.blocks() / parts..(part + 1) * base.blocks() / parts;
            let (met, reaches) = (&mut (), None);
            search(
                queries, base, rows, among, depth, limits, reaches, met, scratch, buffers, control,
            )
        };
        (0..blocks.len() * parts)
            .into_par_iter()
            .with_max_len(1)
            .map_init(Default::default, part)
            .collect::<Result<_>>()
    })?;
    let mut found = found.into_iter();
    let mut merged = Vec::with_capacity(blocks.len());
    while let Some(mut lists) = found.next() {
        found.by_ref().take(parts - 1).for_each(|other| lists.merge(&other));
        merged.push(lists);
    }
    Ok(merged)
}

/// Buffers of one thread for searching codes.
struct Buffers {
    sieve: Sieve,
    measure: Measure,
}

impl Buffers {
    fn new(rows: &Rows<'_>, control: &Control) -> Self {
        Self { sieve: Sieve::new(control.isa()), measure: Measure::new(rows, control.isa()) }
    }

    fn search<'a, M>(
        &'a mut self,
        queries: &'a Rows<'a>,
        base: &'a Rows<'a>,
        reaches: Option<Reaches<'a>>,
        meet: M,
    ) -> (&'a mut Sieve, Search<'a, M>) {
        let Self { sieve, measure } = self;
        (sieve, Search { queries, base, reaches, measure, meet })
    }
}

/// Runs `work` on each block of `set` in parallel; results come in block order.
fn blocks<T: Send>(
    set: &Set<'_>,
    control: &Control,
    work: impl Fn(Range<usize>, &mut Scratch, &mut Option<Buffers>) -> Result<T> + Sync + Send,
) -> Result<Vec<T>> {
    control.run(|| {
        let one = |(scratch, buffers): &mut (Scratch, Option<Buffers>), rows: Range<usize>| {
            work(rows, scratch, buffers)
        };
        // One at a time: a thread that is held up leaves the rest to the others.
        let blocks = set.query_blocks().into_par_iter().with_max_len(1);
        blocks.map_init(Default::default, one).collect()
    })
}

/// One block of queries through the base blocks `among`.
#[allow(clippy::too_many_arguments)] // what is searched, for what, with what
fn search(
    queries: &Set<'_>,
    base: &Set<'_>,
    block: Range<usize>,
    among: Range<usize>,
    depth: usize,
    limits: Option<&[f64]>,
    reaches: Option<Reaches<'_>>,
    met: &mut impl Meet,
    scratch: &mut Scratch,
    buffers: &mut Option<Buffers>,
    control: &Control,
) -> Result<Nearest> {
    let (of_queries, of_base) = (queries.rows, base.rows);
    let (Some(codes), Some(base_codes)) = (&queries.codes, &base.codes) else {
        let mut lists = Nearest::new(block, depth);
        let among = among.start * BLOCK..(among.end * BLOCK).min(of_base.len());
        let meet = |query, base, squared| met.meet(query, base, squared);
        exact::sweep(
            of_queries, of_base, among, false, &mut lists, reaches, meet, scratch, control,
        )?;
        return Ok(lists);
    };
    let buffers = buffers.get_or_insert_with(|| Buffers::new(of_base, control));
    let (sieve, mut search) = buffers.search(of_queries, of_base, reaches, met);
    let asking = codes.part(block.clone());
    sieve.lay(&asking);
    let mut state = Block::new(block.clone(), depth, codes.unit(), of_base.columns());
    if let Some(limits) = limits {
        limits[block].iter().enumerate().for_each(|(slot, &squared)| state.limit(slot, squared));
    }
    for (turn, other) in among.enumerate() {
        let (first, part) = (other * BLOCK, base_codes.part(base.block(other)));
        if let Some(reaches) = reaches {
            sieve.bring(&part, |slot| reaches.base.most(first + slot));
        }
        let mut take = |state: &mut Block, x, y, bounds| {
            if !state.count(x, first + y, bounds, &mut search)
                && state.offer(x, first + y, bounds, reaches)
            {
                state.settle(x, &mut search);
            }
        };
        if turn == 0 {
            sieve.first(&asking, &part, false, &mut state, reaches, take);
        } else {
            // Bounds shrink slowly later, and asking takes time.
            if turn < 64 || turn % 4 == 0 {
                sieve.ask(&asking, &state, reaches);
            }
            let mutual = reaches.is_some();
            sieve.sift(&asking, &part, mutual, |x, y, bounds| {
                take(&mut state, x, y, bounds);
            });
        }
        control.advance((state.len() * part.rows()) as u64)?;
    }
    state.settle_all(&mut search);
    control.count_measured(search.measure.take_count());
    Ok(state.into_nearest())
}
