//! A column of vectors, piece by piece. Level 4.
//!
//! A piece is some pages, with the places in it that their values go to. Headers are read one after the other, which is
//! little; then the pages are read, decompressed and decoded on all threads. A row may begin in one page and end in
//! another, but not in another row group.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use tailwatch_core::Control;

use crate::codec::{Codec, Decompressor};
use crate::failure::{Failure, Result, ensure};
use crate::footer::{Column, Extent, Physical, columns};
use crate::page::{self, Content, Page};
use crate::runs::{check_lists, check_same};
use crate::source::{Source, stretch};
use crate::values::{Item, PLAIN, decode, needs_dictionary, plain};

/// What a page may take besides its values; and what it may take of memory at all, besides so often the file's size.
const LEVELS: usize = 1 << 16;
const SPARE: u64 = 1 << 30;
const TIMES: u64 = 64;

/// A column of vectors that are all of one length, read in order.
pub struct Reader {
    source: Source,
    column: Column,
    item: Item,
    /// Values of a row.
    length: u64,
    /// The row group whose headers are being read, and how far they are.
    chunk: Option<Walk>,
    next_chunk: usize,
    /// Its dictionary, and which page that is.
    dictionary: Option<(Page, usize)>,
    /// Values that were read as part of a page, but belong to the next piece.
    rest: Option<Task>,
    piece: Vec<Task>,
    scratch: Mutex<Vec<Scratch>>,
    header: Vec<u8>,
}

/// A way along the pages of a row group.
struct Walk {
    chunk: Arc<Chunk>,
    at: u64,
    number: usize,
    values: u64,
}

/// The column in a row group.
struct Chunk {
    group: usize,
    extent: Extent,
    codec: Codec,
    dictionary: OnceLock<Option<Vec<u8>>>,
}

/// Values of a page that go to a piece.
#[derive(Clone)]
struct Task {
    chunk: Arc<Chunk>,
    dictionary: Option<(Page, usize)>,
    page: Page,
    number: usize,
    /// Values of the row group before those of the page.
    before: u64,
    from: usize,
    to: usize,
}

/// Buffers of a thread.
#[derive(Default)]
struct Scratch {
    body: Vec<u8>,
    plain: Vec<u8>,
    decompressor: Decompressor,
}

impl Reader {
    /// Opens the column `name`, of rows of `length` numbers of `bytes` bytes each.
    pub fn open(path: &Path, name: &str, bytes: usize, length: usize) -> Result<Self> {
        ensure(cfg!(target_endian = "little"), "numbers lie the other way round here")?;
        let row = bytes.checked_mul(length).filter(|&row| row > 0);
        let row = row.ok_or(Failure::Unfit("rows have no length"))?;
        let source = Source::open(path)?;
        let mut found = columns(&source, |each| each == name.as_bytes())?;
        let column = found.pop().filter(|_| found.is_empty());
        let column = column.ok_or(Failure::Unfit("it is not one column of values"))?;
        let (item, length) = match (column.repeated, column.physical) {
            (1, Physical::Fixed(size)) if size == bytes => {
                (Item { bytes, is_prefixed: false }, length)
            }
            (0, Physical::Fixed(size)) if size == row => {
                (Item { bytes: row, is_prefixed: false }, 1)
            }
            (0, Physical::Prefixed) => (Item { bytes: row, is_prefixed: true }, 1),
            _ => return Err(Failure::Unfit("its values have another form")),
        };
        let length = length as u64;
        for extent in &column.chunks {
            ensure(
                extent.rows.checked_mul(length) == Some(extent.values),
                "rows have different lengths",
            )?;
            Codec::of(extent.codec)?;
        }
        Ok(Self {
            source,
            column,
            item,
            length,
            chunk: None,
            next_chunk: 0,
            dictionary: None,
            rest: None,
            piece: Vec::new(),
            scratch: Mutex::default(),
            header: Vec::new(),
        })
    }

    /// The numbers in each of the first rows of the column `name`, which are lists of numbers of `bytes` bytes: what the
    /// footer says of a row group on average, if the first page has rows of that length.
    pub fn first_length(path: &Path, name: &str, bytes: usize) -> Result<usize> {
        let source = Source::open(path)?;
        let found = columns(&source, |each| each == name.as_bytes())?;
        let extent = found.iter().flat_map(|column| &column.chunks).find(|each| each.values > 0);
        let extent = extent.ok_or(Failure::Unfit("there are no rows"))?;
        let length = extent.values.checked_div(extent.rows).unwrap_or_default();
        let length = usize::try_from(length).unwrap_or_default();
        let mut reader = Self::open(path, name, bytes, length)?;
        ensure(reader.column.repeated == 1, "its rows are no lists")?;
        reader.plan(1)?;
        let mut scratch = Scratch::default();
        for task in std::mem::take(&mut reader.piece) {
            let mut values = Vec::new();
            let values = stretch(&mut values, (task.to - task.from) * reader.item.bytes)?;
            reader.read(&task, values, &mut scratch)?;
        }
        Ok(length)
    }

    /// Chooses the pages of the next piece, of `bytes` bytes or a little more, and tells how many rows it has; none at
    /// the end.
    pub fn plan(&mut self, bytes: usize) -> Result<usize> {
        self.piece.clear();
        self.piece.extend(self.rest.take());
        let mut have: usize = self.piece.iter().map(|task| task.to - task.from).sum();
        let length = usize::try_from(self.length).unwrap_or(usize::MAX);
        loop {
            let over = have % length;
            let last = self.piece.last().map_or(0, |task| task.to - task.from);
            // What is left of a row goes back to the page it is in.
            if have >= length && have.saturating_mul(self.item.bytes) >= bytes && over <= last {
                break;
            }
            let Some(task) = self.next_page()? else {
                ensure(over == 0, "a row ends early")?;
                break;
            };
            have += task.page.values;
            let most = SPARE.saturating_add(TIMES.saturating_mul(self.source.size()));
            let memory = have.saturating_mul(self.item.bytes) as u64;
            ensure(memory <= most, "a page asks for too much memory")?;
            self.piece.push(task);
        }
        let over = have % length;
        if over > 0
            && let Some(last) = self.piece.last_mut()
        {
            self.rest = Some(Task { from: last.to - over, ..last.clone() });
            last.to -= over;
        }
        Ok(have / length)
    }

    /// Fills `into` with the piece that was [planned](Self::plan).
    pub fn fill(&mut self, into: &mut [u8], control: &Control) -> Result<()> {
        let item = self.item.bytes;
        let piece = std::mem::take(&mut self.piece);
        let wanted: usize = piece.iter().map(|task| (task.to - task.from) * item).sum();
        ensure(wanted == into.len(), "a piece has another size")?;
        let mut left = into;
        let mut work = Vec::with_capacity(piece.len());
        for task in piece {
            let (here, after) = left.split_at_mut((task.to - task.from) * item);
            work.push((task, here));
            left = after;
        }
        let reader = &*self;
        control.run(|| {
            work.into_par_iter().try_for_each(|(task, here)| {
                control.check()?;
                let mut scratch = reader.scratch().pop().unwrap_or_default();
                let done =
                    catch_unwind(AssertUnwindSafe(|| reader.read(&task, here, &mut scratch)));
                let done = done.unwrap_or(Err(Failure::Unfit("a page cannot be decoded")));
                reader.scratch().push(scratch);
                done
            })
        })
    }

    fn scratch(&self) -> std::sync::MutexGuard<'_, Vec<Scratch>> {
        self.scratch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads headers up to that of the next page with values.
    fn next_page(&mut self) -> Result<Option<Task>> {
        loop {
            let Some(walk) = &mut self.chunk else {
                let Some(&extent) = self.column.chunks.get(self.next_chunk) else {
                    return Ok(None);
                };
                let codec = Codec::of(extent.codec)?;
                let group = self.next_chunk;
                self.next_chunk += 1;
                if extent.values > 0 {
                    let chunk = Chunk { group, extent, codec, dictionary: OnceLock::new() };
                    let at = extent.start;
                    self.chunk = Some(Walk { chunk: Arc::new(chunk), at, number: 0, values: 0 });
                    self.dictionary = None;
                }
                continue;
            };
            let extent = walk.chunk.extent;
            let page = page::read(&self.source, walk.at, extent.end, &mut self.header)?;
            let (number, before) = (walk.number, walk.values);
            (walk.at, walk.number) = (page.end(), number + 1);
            ensure(page.values as u64 <= extent.values - before, "pages hold too many values")?;
            let most = page.values.saturating_mul(self.item.stored() + 8).saturating_add(LEVELS);
            ensure(page.plain <= most, "a page is larger than its values")?;
            match page.content {
                Content::Dictionary => self.dictionary = Some((page, number)),
                Content::Data { .. } | Content::Data2 { .. } => {
                    walk.values += page.values as u64;
                    let chunk = Arc::clone(&walk.chunk);
                    if walk.values == extent.values {
                        self.chunk = None;
                    }
                    let (dictionary, to) = (self.dictionary, page.values);
                    return Ok(Some(Task { chunk, dictionary, page, number, before, from: 0, to }));
                }
                Content::Other => {}
            }
        }
    }

    /// Reads the values of a page that go to a piece.
    fn read(&self, task: &Task, into: &mut [u8], scratch: &mut Scratch) -> Result<()> {
        let (page, item) = (&task.page, self.item);
        let (is_all, is_bare) = (task.to - task.from == page.values, Self::is_bare(task));
        if is_bare && is_all && page.encoding == PLAIN && !item.is_prefixed {
            // Straight into rows: what stands before the values is levels.
            let length = page.bytes.checked_sub(page.values * item.bytes);
            let levels = stretch(&mut scratch.body, length.ok_or(Failure::Unfit("values lack"))?)?;
            self.source.read(page.at, levels)?;
            self.source.read(page.at + levels.len() as u64, into)?;
            self.check_whole(task, page, task.number, &[levels, into])?;
            let left = self.check_levels(task, levels)?;
            return ensure(left.is_empty(), "levels are longer than they say");
        }
        let body = stretch(&mut scratch.body, page.bytes)?;
        self.source.read(page.at, body)?;
        self.check_whole(task, page, task.number, &[body])?;
        let (before, packed) = match page.content {
            Content::Data2 { repetition, definition, .. } => {
                let levels = repetition.saturating_add(definition);
                body.split_at_checked(levels).ok_or(Failure::Unfit("levels are cut"))?
            }
            _ => (&[][..], &*body),
        };
        let values = if is_bare {
            packed
        } else {
            let length = page.plain.checked_sub(before.len());
            let plain = stretch(&mut scratch.plain, length.ok_or(Failure::Unfit("values lack"))?)?;
            scratch.decompressor.decompress(task.chunk.codec, packed, plain)?;
            plain
        };
        let values = if let Content::Data2 { .. } = page.content {
            self.check_levels(task, before)?;
            values
        } else {
            self.check_levels(task, values)?
        };
        let mut decompressor = Decompressor::default();
        let dictionary = if needs_dictionary(page.encoding) {
            let known =
                task.chunk.dictionary.get_or_init(|| self.dictionary(task, &mut decompressor).ok());
            Some(known.as_deref().ok_or(Failure::Unfit("a dictionary cannot be read"))?)
        } else {
            None
        };
        let range = task.from..task.to;
        decode(page.encoding, values, page.values, range, item, dictionary, into)
    }

    /// Whether the values of a page lie in the file as they are.
    fn is_bare(task: &Task) -> bool {
        task.chunk.codec == Codec::None
            || matches!(task.page.content, Content::Data2 { compressed: false, .. })
    }

    fn check_whole(&self, task: &Task, page: &Page, number: usize, body: &[&[u8]]) -> Result<()> {
        if page.is_whole(body) {
            return Ok(());
        }
        Err(Failure::Checksum { column: self.column.name(), group: task.chunk.group, page: number })
    }

    /// Compares the levels of a page with those of whole rows, and returns what follows them.
    fn check_levels<'a>(&self, task: &Task, bytes: &'a [u8]) -> Result<&'a [u8]> {
        let mut left = bytes;
        let mut lengths = [None, None];
        match task.page.content {
            Content::Data2 { repetition, definition, .. } => {
                lengths = [Some(repetition), Some(definition)];
            }
            Content::Data { in_runs } => ensure(in_runs, "levels are not in runs")?,
            _ => {}
        }
        let mut next = |is_there: bool, length: Option<usize>| {
            let length = match length {
                Some(length) => length,
                None if !is_there => 0,
                None => {
                    let (length, after) = left.split_first_chunk().ok_or(CUT)?;
                    left = after;
                    u32::from_le_bytes(*length) as usize
                }
            };
            let (levels, after) = left.split_at_checked(length).ok_or(CUT)?;
            left = after;
            Ok::<_, Failure>(levels)
        };
        let repetition = next(self.column.repeated > 0, lengths[0])?;
        let definition = next(self.column.defined > 0, lengths[1])?;
        let count = task.page.values;
        if self.column.repeated > 0 {
            check_lists(repetition, count, task.before, self.length)?;
        }
        if self.column.defined > 0 {
            check_same(definition, count, self.column.defined)?;
        }
        Ok(left)
    }

    /// Reads the dictionary of a row group, as values that stand side by side.
    fn dictionary(&self, task: &Task, decompressor: &mut Decompressor) -> Result<Vec<u8>> {
        let (page, number) = task.dictionary.ok_or(Failure::Unfit("there is no dictionary"))?;
        let (mut body, mut bytes, mut values) = (Vec::new(), Vec::new(), Vec::new());
        let body = stretch(&mut body, page.bytes)?;
        self.source.read(page.at, body)?;
        self.check_whole(task, &page, number, &[body])?;
        let plain_bytes = stretch(&mut bytes, page.plain)?;
        decompressor.decompress(task.chunk.codec, body, plain_bytes)?;
        let known = stretch(&mut values, page.values * self.item.bytes)?;
        plain(plain_bytes, page.values, 0..page.values, self.item, known)?;
        Ok(values)
    }
}

const CUT: Failure = Failure::Unfit("levels are cut");
