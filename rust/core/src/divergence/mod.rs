//! Distances between the distributions of two samples. Level 3.

mod expansion;
mod form;
pub(crate) mod frame;
pub mod frechet;
pub mod jensen_shannon;
pub mod kernel;
pub mod knn;
pub(crate) mod pairs;
pub mod projection;
pub mod sliced;
