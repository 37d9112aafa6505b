//! Two samples of numbers: their order, and what follows from it. Level 2.
//!
//! Everything here comes from sorting both samples once and walking along both sorted lists: the
//! difference of the two distribution functions F and G (`steps`), or of the two quantile functions
//! (`transport`), or what lies between quantiles (`bins`). Numbers keep the type that they came in, so that
//! no integer is rounded.

pub mod bins;
pub mod number;
pub mod sample;
pub mod sort;
pub mod source;
pub mod steps;
pub(crate) mod transport;
