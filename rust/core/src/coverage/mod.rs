//! How well one sample covers another, and above all its tails. Level 3.

pub mod authenticity;
pub(crate) mod balls;
pub mod clipped;
pub mod copies;
pub(crate) mod copying;
pub mod directional;
pub(crate) mod edge;
pub mod manifold;
pub(crate) mod meeting;
pub mod pooled;
pub(crate) mod repeats;
pub mod tail;
