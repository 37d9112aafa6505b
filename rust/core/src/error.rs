//! The one error type of the core. Level 0.
//!
//! An error carries fields, and its text is made of them as `tailwatch.exceptions` makes it, so that an error of
//! the core reads the same before and after it becomes an exception:
//! `argument: expected …, got … (place); hint`. A `problem` stands in place of what was expected, what came
//! and where.

use std::any::Any;
use std::fmt;

/// What an error says, field by field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// The argument or the set of rows, as the caller knows it.
    pub argument: Option<String>,
    /// What would have been right.
    pub expected: Option<String>,
    /// What came instead.
    pub got: Option<String>,
    /// The row, column or position that it came in.
    pub place: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// What is wrong, in words of its own.
    pub problem: Option<String>,
}

/// What can go wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An argument's value is not one that the function takes.
    #[error("{0}")]
    Input(Box<Fields>),
    /// Shapes do not fit.
    #[error("{0}")]
    Dimension(Box<Fields>),
    /// A value is NaN, infinite, or so large that its square overflows.
    #[error("{0}")]
    NonFinite(Box<Fields>),
    /// What was asked for cannot be computed: numbers overflow, an iteration does not converge, memory is short.
    #[error("{0}")]
    Numerical(Box<Fields>),
    /// The caller asked to stop.
    #[error("cancelled")]
    Cancelled,
}

/// A result of the core.
pub type Result<T> = std::result::Result<T, Error>;

/// Errors are written as one expression: a kind with its argument, then what there is to say, as in
/// `Error::input("k").expected("at least 1").got(k)`.
impl Error {
    /// An error of what `argument` holds.
    #[must_use]
    pub fn input(argument: impl fmt::Display) -> Self {
        Self::Input(Fields::of(argument))
    }

    /// An error of the shape of `argument`.
    #[must_use]
    pub fn dimension(argument: impl fmt::Display) -> Self {
        Self::Dimension(Fields::of(argument))
    }

    /// An error of a number in `argument` that cannot be computed with.
    #[must_use]
    pub fn non_finite(argument: impl fmt::Display) -> Self {
        Self::NonFinite(Fields::of(argument))
    }

    /// An error of computing `argument`.
    #[must_use]
    pub fn numerical(argument: impl fmt::Display) -> Self {
        Self::Numerical(Fields::of(argument))
    }

    /// The error that stands for a panic with this payload: what must not happen, but ends no process.
    #[must_use]
    pub fn panicked(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
        Self::numerical("the Rust core")
            .problem(format_args!(
                "a check failed inside: {}",
                text.unwrap_or("nothing more is known")
            ))
            .hint("please report this with the call and its data")
    }

    /// The same, with what would have been right.
    #[must_use]
    pub fn expected(self, expected: impl fmt::Display) -> Self {
        self.with(|fields| fields.expected = Some(expected.to_string()))
    }

    /// The same, with what came instead.
    #[must_use]
    pub fn got(self, got: impl fmt::Display) -> Self {
        self.with(|fields| fields.got = Some(got.to_string()))
    }

    /// The same, with where it came.
    #[must_use]
    pub fn at(self, place: impl fmt::Display) -> Self {
        self.with(|fields| fields.place = Some(place.to_string()))
    }

    /// The same, with what to do about it.
    #[must_use]
    pub fn hint(self, hint: impl fmt::Display) -> Self {
        self.with(|fields| fields.hint = Some(hint.to_string()))
    }

    /// The same, with what is wrong in words of its own.
    #[must_use]
    pub fn problem(self, problem: impl fmt::Display) -> Self {
        self.with(|fields| fields.problem = Some(problem.to_string()))
    }

    /// The same, of what stands at `place`.
    #[must_use]
    pub fn holding(self, got: impl fmt::Display, place: impl fmt::Display) -> Self {
        let problem = format!("{place} holds {got}");
        self.got(got).at(place).problem(problem)
    }

    /// What it says; nothing of a call that was cancelled.
    #[must_use]
    pub fn fields(&self) -> Option<&Fields> {
        match self {
            Self::Input(fields)
            | Self::Dimension(fields)
            | Self::NonFinite(fields)
            | Self::Numerical(fields) => Some(fields),
            Self::Cancelled => None,
        }
    }

    fn with(mut self, set: impl FnOnce(&mut Fields)) -> Self {
        match &mut self {
            Self::Input(fields)
            | Self::Dimension(fields)
            | Self::NonFinite(fields)
            | Self::Numerical(fields) => set(fields),
            Self::Cancelled => (),
        }
        self
    }
}

impl Fields {
    fn of(argument: impl fmt::Display) -> Box<Self> {
        Box::new(Self { argument: Some(argument.to_string()), ..Self::default() })
    }
}

impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(argument) = &self.argument {
            write!(f, "{argument}: ")?;
        }
        if let Some(problem) = &self.problem {
            write!(f, "{problem}")?;
        } else {
            let parts = [("expected", &self.expected), ("got", &self.got)];
            let said = parts.iter().filter_map(|(word, value)| value.as_ref().map(|v| (word, v)));
            for (place, (word, value)) in said.enumerate() {
                let comma = if place == 0 { "" } else { ", " };
                write!(f, "{comma}{word} {value}")?;
            }
            if let Some(place) = &self.place {
                write!(f, " ({place})")?;
            }
        }
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "; {hint}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_made_of_the_fields_that_are_there() {
        let table = [
            (Error::input("k").expected("at least 1").got(0), "k: expected at least 1, got 0"),
            (Error::input("k").got(0).at("row 2"), "k: got 0 (row 2)"),
            (
                Error::non_finite("reference").expected("finite numbers").got("NaN").at("row 2"),
                "reference: expected finite numbers, got NaN (row 2)",
            ),
            (
                Error::dimension("x").expected("two dimensions").hint("reshape it"),
                "x: expected two dimensions; reshape it",
            ),
            (
                Error::numerical("moments").problem("they overflow").got(3).at(4).hint("rescale"),
                "moments: they overflow; rescale",
            ),
            (Error::Cancelled.got(3), "cancelled"),
        ];
        for (error, text) in table {
            assert_eq!(error.to_string(), text);
        }
    }

    #[test]
    fn an_error_keeps_its_kind_and_each_field() {
        let error = Error::input("a").expected("b").got("c").at("d").hint("e").problem("f");
        assert!(matches!(error, Error::Input(_)));
        let fields = error.fields().unwrap();
        let held = [
            &fields.argument,
            &fields.expected,
            &fields.got,
            &fields.place,
            &fields.hint,
            &fields.problem,
        ];
        assert_eq!(held.map(|field| field.as_deref().unwrap()), ["a", "b", "c", "d", "e", "f"]);
        assert_eq!(Error::Cancelled.fields(), None);
    }
}
