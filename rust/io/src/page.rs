//! Headers of pages. Level 2.

use crate::failure::{Failure, Result, ensure};
use crate::source::{Source, stretch};
use crate::thrift::{Kind, Thrift};

/// Headers are short, unless they repeat long values as least and greatest.
const FEW: u64 = 1 << 10;
const MANY: u64 = 1 << 24;

/// What a page holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Dictionary,
    /// Levels and values, compressed as one.
    Data {
        /// Whether both kinds of levels are encoded in runs.
        in_runs: bool,
    },
    /// Levels of so many bytes, uncompressed; then values.
    Data2 {
        repetition: usize,
        definition: usize,
        compressed: bool,
    },
    /// Nothing that is needed.
    Other,
}

/// A page: what its header says, and where its body lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    pub(crate) content: Content,
    pub(crate) values: usize,
    pub(crate) encoding: i64,
    pub(crate) crc: Option<u32>,
    /// Where the body begins.
    pub(crate) at: u64,
    /// Bytes of the body, as they lie in the file.
    pub(crate) bytes: usize,
    /// The same, once they are decompressed.
    pub(crate) plain: usize,
}

impl Page {
    /// Where the next page begins.
    pub(crate) fn end(&self) -> u64 {
        self.at + self.bytes as u64
    }

    /// Whether a body is what its checksum says, where there is one.
    pub(crate) fn is_whole(&self, body: &[&[u8]]) -> bool {
        self.crc.is_none_or(|crc| {
            let mut hasher = crc32fast::Hasher::new();
            body.iter().for_each(|part| hasher.update(part));
            hasher.finalize() == crc
        })
    }
}

/// Reads the header at `at` of a page that ends before `end`.
pub(crate) fn read(source: &Source, at: u64, end: u64, buffer: &mut Vec<u8>) -> Result<Page> {
    let left = end.saturating_sub(at);
    let few = stretch(buffer, left.min(FEW) as usize)?;
    source.read(at, few)?;
    let found = header(few, at);
    let page = match found {
        Err(Failure::Unfit(_)) if left > FEW => {
            let many = stretch(buffer, left.min(MANY) as usize)?;
            source.read(at, many)?;
            header(many, at)?
        }
        found => found?,
    };
    ensure(page.end() <= end, "a page lies outside of its column")?;
    Ok(page)
}

fn header(bytes: &[u8], at: u64) -> Result<Page> {
    let mut thrift = Thrift::new(bytes);
    let (mut kind_of_page, mut encoding, mut crc) = (-1, -1, None);
    let (mut values, mut plain, mut length) = (0, 0, 0);
    let (mut levels, mut compressed, mut in_runs) = ([0, 0], true, true);
    thrift.fields(|field, kind, thrift| {
        match (field, kind) {
            (1, Kind::Integer) => kind_of_page = thrift.integer()?,
            (2, Kind::Integer) => plain = thrift.length()?,
            (3, Kind::Integer) => length = thrift.length()?,
            (4, Kind::Integer) => crc = Some(thrift.integer()? as u32),
            // Of data, of a dictionary, and of data in the second form.
            (5 | 7 | 8, Kind::Struct) => thrift.fields(|inner, kind, thrift| {
                match (field, inner, kind) {
                    (_, 1, Kind::Integer) => values = thrift.length()?,
                    (5 | 7, 2, Kind::Integer) | (8, 4, Kind::Integer) => {
                        encoding = thrift.integer()?;
                    }
                    (5, 3 | 4, Kind::Integer) => in_runs &= thrift.integer()? == IN_RUNS,
                    (8, 5, Kind::Integer) => levels[1] = thrift.length()?,
                    (8, 6, Kind::Integer) => levels[0] = thrift.length()?,
                    (8, 7, Kind::False) => compressed = false,
                    _ => return Ok(false),
                }
                Ok(true)
            })?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let content = match kind_of_page {
        0 => Content::Data { in_runs },
        2 => Content::Dictionary,
        3 => Content::Data2 {
            repetition: small(levels[0])?,
            definition: small(levels[1])?,
            compressed,
        },
        _ => Content::Other,
    };
    Ok(Page {
        content,
        values: small(values)?,
        encoding,
        crc,
        at: at + (bytes.len() - thrift.left()) as u64,
        bytes: small(length)?,
        plain: small(plain)?,
    })
}

/// Number of the encoding of levels in runs.
const IN_RUNS: i64 = 3;

/// A length that the format holds in 32 bits.
fn small(length: u64) -> Result<usize> {
    i32::try_from(length)
        .map(|length| length as usize)
        .map_err(|_| Failure::Unfit("a length is too large"))
}
