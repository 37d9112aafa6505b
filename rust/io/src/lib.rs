//! Columns of vectors in Parquet files, from pages straight into rows, on all threads.
//!
//! A vector is a list of numbers, or the bytes of one, and all of a column have one length. So where a page's values
//! go is known from its header alone: pages are decoded side by side, also those of a single row group, and a piece of
//! some megabytes is all that is in memory. Levels, which tell where lists begin and what is null, are compared with
//! those of whole rows run by run, and never become numbers.
//!
//! What has another form (lists of different lengths, nulls, rare encodings) is [`Failure::Unfit`], and so is what is
//! damaged: a library in a process of its own reads it, or says what is wrong. Checksums of pages are compared where a
//! file has them, and one that differs is an error here.
//!
//! The metadata are read here, and not by the `parquet` crate: at a footer that says it has 2³¹ row groups that ends
//! the process, and it reads the pages of a column one after the other. Nothing that a file says of itself is
//! allocated before it is compared with the file.
//!
//! Levels of modules, each of which uses only those before it: 0 `failure`; 1 `source` `thrift` `codec`;
//! 2 `runs` `footer` `page`; 3 `values` `checksums`; 4 `reader`.
//!
//! References: Apache Parquet, "File format", "Data pages", "Encodings" (parquet-format 2.11); Apache Thrift, "Thrift
//! compact protocol encoding".

#![forbid(unsafe_code)]

mod checksums;
mod codec;
mod failure;
mod footer;
mod page;
mod reader;
mod runs;
mod source;
mod thrift;
mod values;

pub use checksums::verify;
pub use failure::{Failure, Result};
pub use reader::Reader;
