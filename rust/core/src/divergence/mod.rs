//! Distances between the distributions of two samples. Level 3.

mod expansion;
mod form;
pub(crate) mod frame;
pub mod frechet;
pub mod kernel;
pub(crate) mod pairs;
pub mod projection;
pub mod sliced;
