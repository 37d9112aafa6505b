//! Distances between the distributions of two samples. Level 3.

pub mod cross;
mod expansion;
pub mod extrapolation;
mod form;
pub(crate) mod frame;
pub mod frechet;
pub mod frontier;
pub mod kernel;
pub mod mauve;
pub(crate) mod pairs;
