//! The footer: which columns there are, and where their chunks lie. Level 2.

use crate::failure::{Failure, Result, ensure};
use crate::source::{Source, stretch};
use crate::thrift::{Kind, Thrift};

const MAGIC: &[u8] = b"PAR1";
/// Length of the footer and [`MAGIC`], at the end of the file.
const TAIL: u64 = 8;
/// What no footer is longer than.
const LONGEST: u64 = 1 << 28;
const DEEPEST: usize = 32;

/// How values are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Physical {
    /// Of so many bytes each: floats, or bytes of one length.
    Fixed(usize),
    /// Each behind its length.
    Prefixed,
    /// Another way.
    Other,
}

/// A column of values, which may be nested.
#[derive(Debug)]
pub(crate) struct Column {
    /// Names on the way to it.
    pub(crate) path: Vec<Vec<u8>>,
    pub(crate) physical: Physical,
    /// Definition level of a value that is there.
    pub(crate) defined: u32,
    /// How many lists are around a value.
    pub(crate) repeated: u32,
    /// One for each row group.
    pub(crate) chunks: Vec<Extent>,
}

impl Column {
    /// Names on the way to it, as text.
    pub(crate) fn name(&self) -> String {
        let names: Vec<_> = self.path.iter().map(|name| String::from_utf8_lossy(name)).collect();
        names.join(".")
    }
}

/// Where the pages of a column in a row group lie.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extent {
    /// Rows of the row group.
    pub(crate) rows: u64,
    /// Values, nulls and empty lists among them.
    pub(crate) values: u64,
    /// Number of the compression.
    pub(crate) codec: i64,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

/// Reads the columns whose first name is `wanted`.
pub(crate) fn columns(source: &Source, wanted: impl Fn(&[u8]) -> bool) -> Result<Vec<Column>> {
    let size = source.size();
    ensure(size > TAIL, "the footer cannot be found")?;
    let mut tail = [0; TAIL as usize];
    source.read(size - TAIL, &mut tail)?;
    let (length, magic) = tail.split_at(4);
    let length = u64::from(u32::from_le_bytes(length.try_into().unwrap_or_default()));
    let fits = magic == MAGIC && 0 < length && length <= LONGEST.min(size - TAIL);
    ensure(fits, "the footer cannot be found")?;
    let mut bytes = Vec::new();
    source.read(size - TAIL - length, stretch(&mut bytes, length as usize)?)?;

    let mut leaves = None;
    let mut chunks = Vec::new();
    Thrift::new(&bytes).fields(|field, kind, thrift| {
        match (field, kind) {
            (2, Kind::List) => leaves = Some(schema(thrift)?),
            (4, Kind::List) => {
                let known =
                    leaves.as_ref().ok_or(Failure::Unfit("rows stand before the schema"))?;
                let is_wanted: Vec<_> = known.iter().map(|leaf| wanted(&leaf.path[0])).collect();
                thrift.structs(|thrift| {
                    chunks.push(row_group(thrift, &is_wanted, size)?);
                    Ok(())
                })?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let leaves = leaves.ok_or(Failure::Unfit("there is no schema"))?;
    let mut found: Vec<_> = leaves.into_iter().filter(|leaf| wanted(&leaf.path[0])).collect();
    for (index, column) in found.iter_mut().enumerate() {
        column.chunks = chunks.iter().map(|group| group[index]).collect();
    }
    Ok(found)
}

/// What the schema says of a field.
#[derive(Default)]
struct Element {
    name: Vec<u8>,
    kind: Option<i64>,
    length: i64,
    repetition: i64,
    children: u64,
}

/// A field that has others within it: how many are still to come.
struct Group {
    left: u64,
    defined: u32,
    repeated: u32,
}

/// Reads the columns of the schema, which lists fields depth first.
fn schema(thrift: &mut Thrift<'_>) -> Result<Vec<Column>> {
    let mut leaves = Vec::new();
    let mut path: Vec<Vec<u8>> = Vec::new();
    let mut open: Vec<Group> = Vec::new();
    let mut is_first = true;
    thrift.structs(|thrift| {
        let element = element(thrift)?;
        if std::mem::take(&mut is_first) {
            open.push(Group { left: element.children, defined: 0, repeated: 0 });
            return Ok(());
        }
        let outer = loop {
            let last = open.last_mut().ok_or(Failure::Unfit("a field belongs to none"))?;
            if last.left > 0 {
                last.left -= 1;
                break last;
            }
            open.pop();
            path.pop();
        };
        let defined = outer.defined + u32::from(element.repetition != 0);
        let repeated = outer.repeated + u32::from(element.repetition == 2);
        path.push(element.name);
        if element.children > 0 {
            ensure(open.len() < DEEPEST, "fields are too deep")?;
            open.push(Group { left: element.children, defined, repeated });
            return Ok(());
        }
        let physical = match (element.kind, usize::try_from(element.length)) {
            (Some(4), _) => Physical::Fixed(4),
            (Some(5), _) => Physical::Fixed(8),
            (Some(6), _) => Physical::Prefixed,
            (Some(7), Ok(length)) => Physical::Fixed(length),
            _ => Physical::Other,
        };
        leaves.push(Column { path: path.clone(), physical, defined, repeated, chunks: Vec::new() });
        path.pop();
        Ok(())
    })?;
    Ok(leaves)
}

fn element(thrift: &mut Thrift<'_>) -> Result<Element> {
    let mut found = Element::default();
    thrift.fields(|field, kind, thrift| {
        match (field, kind) {
            (1, Kind::Integer) => found.kind = Some(thrift.integer()?),
            (2, Kind::Integer) => found.length = thrift.integer()?,
            (3, Kind::Integer) => found.repetition = thrift.integer()?,
            (4, Kind::Bytes) => found.name = thrift.bytes()?.to_vec(),
            (5, Kind::Integer) => found.children = thrift.length()?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(found)
}

/// Reads where the wanted ones of the columns lie in a row group.
fn row_group(thrift: &mut Thrift<'_>, wanted: &[bool], size: u64) -> Result<Vec<Extent>> {
    let mut found = Vec::new();
    let (mut seen, mut rows) = (0, 0);
    thrift.fields(|field, kind, thrift| {
        match (field, kind) {
            (1, Kind::List) => thrift.structs(|thrift| {
                if wanted.get(seen).copied().unwrap_or_default() {
                    found.push(extent(thrift, size)?);
                } else {
                    thrift.fields(|_, _, _| Ok(false))?;
                }
                seen += 1;
                Ok(())
            })?,
            (3, Kind::Integer) => rows = thrift.length()?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    ensure(seen == wanted.len(), "a row group has other columns than the schema")?;
    found.iter_mut().for_each(|extent| extent.rows = rows);
    Ok(found)
}

fn extent(thrift: &mut Thrift<'_>, size: u64) -> Result<Extent> {
    let mut found = Extent { codec: -1, ..Extent::default() };
    let (mut data, mut dictionary, mut length) = (0, 0, 0);
    let mut is_elsewhere = false;
    thrift.fields(|field, kind, thrift| {
        match (field, kind) {
            // In another file, or encrypted.
            (1, Kind::Bytes) | (8, Kind::Struct) => {
                is_elsewhere = true;
                return Ok(false);
            }
            (3, Kind::Struct) => thrift.fields(|field, kind, thrift| {
                match (field, kind) {
                    (4, Kind::Integer) => found.codec = thrift.integer()?,
                    (5, Kind::Integer) => found.values = thrift.length()?,
                    (7, Kind::Integer) => length = thrift.length()?,
                    (9, Kind::Integer) => data = thrift.length()?,
                    (11, Kind::Integer) => dictionary = thrift.length()?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    ensure(!is_elsewhere, "a column is in another file, or encrypted")?;
    // A place of 0 is that of the magic bytes: it stands for none.
    found.start = [data, dictionary].into_iter().filter(|&at| at > 0).min().unwrap_or_default();
    found.end = found.start.saturating_add(length);
    ensure(found.start > 0 && found.end <= size, "a column lies outside of the file")?;
    Ok(found)
}
