//! Distances between the distributions of two samples. Level 3.

pub mod frechet;
pub mod kernel;
