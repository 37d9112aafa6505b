//! The one error type of the core. Level 0.

/// What can go wrong; every message names the argument, what was expected, what came and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An argument's value is not one that the function takes.
    #[error("{0}")]
    Input(String),
    /// Shapes do not fit.
    #[error("{0}")]
    Dimension(String),
    /// A value is NaN, infinite, or so large that its square overflows.
    #[error("{0}")]
    NonFinite(String),
    /// A dense decomposition did not converge.
    #[error("{0}")]
    Numerical(String),
    /// The caller asked to stop.
    #[error("cancelled")]
    Cancelled,
}

/// A result of the core.
pub type Result<T> = std::result::Result<T, Error>;
