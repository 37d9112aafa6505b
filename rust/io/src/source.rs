//! A regular file, read at any place by any thread. Level 1.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use crate::failure::{Failure, Result, ensure};

/// A file, open for reading, and its size.
#[derive(Debug)]
pub(crate) struct Source {
    file: File,
    size: u64,
}

impl Source {
    /// Opens a file; one that is no regular file is refused, and a pipe is not waited for.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
        let file = options.open(path)?;
        let found = file.metadata()?;
        if !found.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file").into());
        }
        Ok(Self { file, size: found.len() })
    }

    /// Its size when it was opened.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Fills `into` with the bytes from `at` on; a file that was cut meanwhile is unfit.
    pub(crate) fn read(&self, at: u64, into: &mut [u8]) -> Result<()> {
        let end = at.checked_add(into.len() as u64);
        ensure(end.is_some_and(|end| end <= self.size), "a part lies outside of the file")?;
        self.read_exact(at, into).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Failure::Unfit("the file was cut"),
            _ => error.into(),
        })
    }

    #[cfg(unix)]
    fn read_exact(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, into, at)
    }

    #[cfg(windows)]
    fn read_exact(&self, mut at: u64, mut into: &mut [u8]) -> io::Result<()> {
        while !into.is_empty() {
            let count = std::os::windows::fs::FileExt::seek_read(&self.file, into, at)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            into = &mut into[count..];
            at += count as u64;
        }
        Ok(())
    }
}

/// Makes a buffer `length` bytes long, or says that there is no memory for it; what is in it is anything.
pub(crate) fn stretch(buffer: &mut Vec<u8>, length: usize) -> Result<&mut [u8]> {
    if buffer.len() < length {
        let more = length - buffer.len();
        ensure(buffer.try_reserve(more).is_ok(), "there is no memory for a page")?;
        buffer.resize(length, 0);
    }
    Ok(&mut buffer[..length])
}
