//! Algorithms of tailwatch: neighbours, tails, divergences and spectra of sets of embeddings.
//!
//! Levels of modules, each of which uses only those before it: 0 `error` `streams` `control`; 1 `subsets` `rows`
//! `hashes` `memory`; 2 `units` `tridiagonal` `dense` `nuclear` `moments` `univariate` `contamination` `neighbors`;
//! 3 `covariance` `gaussians` `coverage` `cluster` `dimension` `divergence` `spectrum` `vendi`; 4 `inference`, which runs
//! them on replicates. Nothing here knows of Python, and nothing here is unsafe: the kernels crate is.

#![forbid(unsafe_code)]

pub mod cluster;
pub mod contamination;
pub mod control;
pub(crate) mod covariance;
pub mod coverage;
pub(crate) mod dense;
pub mod dimension;
pub mod divergence;
pub mod error;
pub mod gaussians;
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
pub(crate) mod units;
pub mod univariate;
pub mod vendi;

pub use control::{Control, Progress};
pub use error::{Error, Result};
pub use rows::{Chunk, Rows};
pub use subsets::Subsets;
pub use tailwatch_kernels::{Isa, Watch, torn};
