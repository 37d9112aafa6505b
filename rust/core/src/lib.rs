//! Algorithms of tailwatch: neighbours, tails, divergences and spectra of sets of embeddings.
//!
//! Levels, each using only those above it: 0 `error` `control` `streams`; 1 `rows` `hashes` `memory`; 2 `neighbors`
//! `tridiagonal` `dense` `nuclear` `moments` `univariate` `contamination`; 3 `coverage` `divergence` `spectrum` `vendi`
//! `dimension` `cluster`; 4 `inference`, which runs them on replicates. Nothing here knows of Python, and
//! nothing here is unsafe: the kernels crate is.

#![forbid(unsafe_code)]

pub mod cluster;
pub mod contamination;
pub mod control;
pub mod coverage;
pub(crate) mod dense;
pub mod dimension;
pub mod divergence;
pub mod error;
pub mod hashes;
pub mod inference;
pub mod memory;
pub mod moments;
pub mod neighbors;
pub(crate) mod nuclear;
pub mod rows;
pub mod spectrum;
pub mod streams;
pub mod subsets;
pub(crate) mod tridiagonal;
pub mod univariate;
pub mod vendi;

pub use control::{Control, Progress};
pub use error::{Error, Result};
pub use rows::{Chunk, Rows};
pub use subsets::Subsets;
pub use tailwatch_kernels::{Isa, Watch, torn};
