//! Arithmetic kernels of tailwatch.
//!
//! Level 0: nothing below. This is the only crate of the workspace with `unsafe` code; it starts no
//! threads, allocates nothing and returns no errors. Every kernel takes the instruction set as a
//! value ([`Isa`]), so that one process can run and compare all that its processor has. The kernels of
//! `tile`, `apart`, `tile8`, `into_panel`, `quantize`, `rotate`, `weigh` and `weigh_half` give the same bits on
//! each of them; those of `gram` and `epilogue` on all that fuse products. `torn` computes nothing: it is here
//! since it needs `unsafe`.

// Code that is not inlined into a function compiled for an instruction set loses it.
#![allow(clippy::inline_always)]

mod apart;
#[cfg(test)]
mod draw;
mod epilogue;
mod gram;
mod into_panel;
mod isa;
mod lanes;
mod prefetch;
mod quantize;
mod registers;
mod rotate;
mod tile;
pub mod tile8;
mod torn;
mod weigh;
mod weigh_half;
mod widen;

pub use apart::squared_distances_apart;
pub use epilogue::{
    Doubt, PolynomialRow, add_up, distances, gaussians, in_doubt, second_differences,
    squared_from_products,
};
pub use gram::{RUN, Real, Shape, add_inner_products, inner_products, interleave, shape};
pub use into_panel::{Column, into_panel};
pub use isa::Isa;
pub use lanes::LANES;
pub use prefetch::{prefetch, prefetch_near};
pub use quantize::{Codes, quantize};
pub use rotate::rotate;
pub use tile::{dot_products, squared_distances};
pub use torn::{Watch, torn};
pub use weigh::{weighted_bits, weighted_sum};
pub use weigh_half::{half_bits, half_sum};
pub use widen::widen;
