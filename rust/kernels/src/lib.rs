//! Arithmetic kernels of tailwatch.
//!
//! Level 0: nothing below. This is the only crate of the workspace with `unsafe` code; it starts no
//! threads, allocates nothing and returns no errors. Every kernel takes the instruction set as a
//! value ([`Isa`]), so that one process can run and compare all that its processor has, and every
//! kernel of whose result the bits are promised gives the same on each of them.

// Code that is not inlined into a function compiled for an instruction set loses it.
#![allow(clippy::inline_always)]

mod isa;
mod lanes;
mod prefetch;
mod quantize;
mod rotate;
mod tile;
pub mod tile8;

pub use isa::Isa;
pub use lanes::LANES;
pub use prefetch::prefetch;
pub use quantize::{Code, quantize};
pub use rotate::rotate;
pub use tile::{dot_products, squared_distances};
