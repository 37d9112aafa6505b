//! Checksums of the pages of columns, compared without decoding. Level 3.

use std::path::Path;

use crate::failure::{Failure, Result};
use crate::footer::columns;
use crate::page;
use crate::source::{Source, stretch};

/// Compares the pages of the columns `names`, and of all that is nested in them, with their checksums, and counts those
/// that have one. Where the first page of a column has none its others are not looked at: a writer writes all or none.
pub fn verify(path: &Path, names: &[String]) -> Result<usize> {
    let source = Source::open(path)?;
    let mut buffer = Vec::new();
    let mut checked = 0;
    for column in columns(&source, |name| names.iter().any(|each| each.as_bytes() == name))? {
        for (group, extent) in column.chunks.iter().enumerate() {
            let mut at = extent.start;
            let mut number = 0;
            while at < extent.end {
                let page = page::read(&source, at, extent.end, &mut buffer)?;
                if page.crc.is_none() {
                    break;
                }
                let body = stretch(&mut buffer, page.bytes)?;
                source.read(page.at, body)?;
                if !page.is_whole(&[body]) {
                    return Err(Failure::Checksum { column: column.name(), group, page: number });
                }
                (at, number, checked) = (page.end(), number + 1, checked + 1);
            }
        }
    }
    Ok(checked)
}
