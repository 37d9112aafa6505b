//! Distances between the distributions of two samples, and entropies of one. Level 3.

pub mod cross;
pub mod entropy;
mod expansion;
pub mod extrapolation;
mod form;
pub(crate) mod frame;
pub mod frechet;
pub mod frontier;
pub mod jensen_shannon;
pub mod kernel;
pub mod knn;
pub mod mauve;
pub(crate) mod pairs;
pub mod projection;
pub mod rke;
pub mod sliced;
