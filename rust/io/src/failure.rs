//! Why a column is not read. Level 0.

use std::io;

/// What keeps a column from being read here.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It is in another form than the one read here, or damaged.
    #[error("not in a form that is read here: {0}")]
    Unfit(&'static str),
    /// A page is not what its checksum says.
    #[error(
        "page {page} of column '{column}' in row group {group} is not what its checksum says: the file is damaged"
    )]
    Checksum {
        /// Names on the way to the values.
        column: String,
        /// Row group, from 0.
        group: usize,
        /// Page of the column in that row group, from 0.
        page: usize,
    },
    /// The system does not give the bytes.
    #[error("{0}")]
    System(#[from] io::Error),
    /// The caller asked to stop.
    #[error(transparent)]
    Stopped(#[from] tailwatch_core::Error),
}

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Failure>;

/// `Ok` if something holds, else that the column is unfit, and why.
pub(crate) fn ensure(holds: bool, why: &'static str) -> Result<()> {
    if holds { Ok(()) } else { Err(Failure::Unfit(why)) }
}
