//! Numbers as they came: chunks of any numeric type, read as one type. Level 2.
//!
//! A chunk of the type that is asked for is handed on as it is; others are converted some thousand numbers at a
//! time. So no sample is copied before it is sorted. Every reading looks for numbers that are not taken.

use std::ops::Range;

use half::f16;
use ndarray::{ArrayView1, Axis, Slice};

use super::number::Number;
use super::sort::STEP;
use crate::error::{Error, Result};
use crate::rows::LARGEST_MAGNITUDE;

macro_rules! chunks {
    ($($variant:ident($type:ty)),*) => {
        /// One piece of a sample.
        #[derive(Clone, Debug)]
        pub enum Chunk<'a> {
            $(
                #[doc = concat!("Numbers of type `", stringify!($type), "`.")]
                $variant(ArrayView1<'a, $type>),
            )*
        }

        impl Chunk<'_> {
            /// How many numbers there are.
            #[must_use]
            pub fn len(&self) -> usize {
                match self { $(Self::$variant(view) => view.len(),)* }
            }

            /// Whether there is none.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }
        }
    };
}

chunks! {
    F16(f16), F32(f32), F64(f64), I64(i64), U64(u64), I32(i32), U32(u32), I16(i16), U16(u16), I8(i8),
    U8(u8)
}

/// A type that samples are compared in. The caller chooses it so that nothing is lost.
pub trait Read: Number {
    /// The numbers of a chunk that has this type and no gaps.
    fn of_chunk<'a>(chunk: &'a Chunk<'_>) -> Option<&'a [Self]>;

    /// Converts some numbers of a chunk and puts them behind `out`.
    fn extend(chunk: &Chunk<'_>, range: Range<usize>, out: &mut Vec<Self>);

    /// Whether it is finite and not larger than other metrics take.
    fn is_taken(self) -> bool;

    /// As a number for display.
    fn to_f64(self) -> f64;
}

macro_rules! read {
    ($type:ty, $own:ident, $taken:expr) => {
        #[allow(clippy::cast_lossless, clippy::unnecessary_cast)]
        impl Read for $type {
            fn of_chunk<'a>(chunk: &'a Chunk<'_>) -> Option<&'a [Self]> {
                match chunk {
                    Chunk::$own(view) => view.as_slice(),
                    _ => None,
                }
            }

            fn extend(chunk: &Chunk<'_>, range: Range<usize>, out: &mut Vec<Self>) {
                macro_rules! convert {
                    ($view:expr) => {
                        out.extend(
                            $view
                                .slice_axis(Axis(0), Slice::from(range))
                                .iter()
                                .map(|&value| value as Self),
                        )
                    };
                }
                match chunk {
                    Chunk::F16(view) => {
                        out.extend(
                            view.slice_axis(Axis(0), Slice::from(range))
                                .iter()
                                .map(|value| value.to_f32() as Self),
                        );
                    }
                    Chunk::F32(view) => convert!(view),
                    Chunk::F64(view) => convert!(view),
                    Chunk::I64(view) => convert!(view),
                    Chunk::U64(view) => convert!(view),
                    Chunk::I32(view) => convert!(view),
                    Chunk::U32(view) => convert!(view),
                    Chunk::I16(view) => convert!(view),
                    Chunk::U16(view) => convert!(view),
                    Chunk::I8(view) => convert!(view),
                    Chunk::U8(view) => convert!(view),
                }
            }

            #[inline]
            fn is_taken(self) -> bool {
                ($taken)(self)
            }

            fn to_f64(self) -> f64 {
                self as f64
            }
        }
    };
}

read!(f32, F32, f32::is_finite);
read!(f64, F64, |value: f64| value.abs() <= LARGEST_MAGNITUDE);
read!(i64, I64, |_| true);
read!(u64, U64, |_| true);

/// A sample in chunks, called `name` in errors.
#[derive(Clone, Debug)]
pub struct Numbers<'a> {
    chunks: Vec<Chunk<'a>>,
    name: String,
}

impl<'a> Numbers<'a> {
    /// The numbers of all chunks, in order.
    #[must_use]
    pub fn new(chunks: Vec<Chunk<'a>>, name: String) -> Self {
        Self { chunks, name }
    }

    /// How many numbers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chunks.iter().map(Chunk::len).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number at `index`.
    pub(super) fn at<T: Read>(&self, mut index: usize) -> T {
        for chunk in &self.chunks {
            if index < chunk.len() {
                let mut one = Vec::with_capacity(1);
                T::extend(chunk, index..index + 1, &mut one);
                return one[0];
            }
            index -= chunk.len();
        }
        panic!("an index beyond the numbers")
    }

    /// Hands all numbers, in order, to `take`; or says which is not taken.
    pub(super) fn pieces<T: Read>(&self, take: &mut dyn FnMut(&[T]) -> Result<()>) -> Result<()> {
        let (mut before, mut converted) = (0, Vec::new());
        for chunk in &self.chunks {
            let own = T::of_chunk(chunk);
            for start in (0..chunk.len()).step_by(STEP) {
                let range = start..(start + STEP).min(chunk.len());
                let piece = if let Some(values) = own {
                    &values[range]
                } else {
                    converted.clear();
                    T::extend(chunk, range, &mut converted);
                    &converted[..]
                };
                self.check(piece, before + start)?;
                take(piece)?;
            }
            before += chunk.len();
        }
        Ok(())
    }

    /// All numbers in one piece.
    pub fn to_vec<T: Read>(&self) -> Result<Vec<T>> {
        let mut values = Vec::with_capacity(self.len());
        self.pieces(&mut |piece| {
            values.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(values)
    }

    fn check<T: Read>(&self, piece: &[T], first: usize) -> Result<()> {
        // Without a way out early, so that numbers are looked at side by side.
        if piece.iter().fold(true, |all, &value| all & value.is_taken()) {
            return Ok(());
        }
        let place = piece.iter().position(|&value| !value.is_taken()).unwrap_or(0);
        let value = piece[place].to_f64();
        let what = if value.is_nan() {
            "NaN".to_owned()
        } else if value.is_infinite() {
            (if value > 0.0 { "an infinity" } else { "a negative infinity" }).to_owned()
        } else {
            format!("{value:e} (magnitudes up to {LARGEST_MAGNITUDE:e} are taken)")
        };
        let (name, position) = (&self.name, first + place);
        Err(Error::non_finite(name)
            .expected("finite numbers")
            .holding(what, format_args!("position {position}")))
    }
}

#[cfg(test)]
mod tests {
    use half::f16;
    use ndarray::{Array1, Axis, Slice, array};

    use super::{Chunk, Numbers, STEP};

    #[test]
    fn chunks_of_any_type_and_stride_are_read_as_one() {
        let (long, half) =
            (Array1::from_iter((0..3 * STEP as i32).rev()), array![f16::from_f32(0.5)]);
        let bytes = array![1_u8, 2, 3, 4, 5];
        let numbers = Numbers::new(
            vec![
                Chunk::F16(half.view()),
                Chunk::I32(long.view()),
                Chunk::U8(bytes.slice_axis(Axis(0), Slice::new(0, None, 2))),
            ],
            "x".into(),
        );
        let expected: Vec<f64> = std::iter::once(0.5)
            .chain(long.iter().map(|&value| f64::from(value)))
            .chain([1.0, 3.0, 5.0])
            .collect();
        assert_eq!(numbers.to_vec::<f64>().unwrap(), expected);
        assert_eq!(numbers.len(), expected.len());
        for index in [0, 1, STEP, 3 * STEP, 3 * STEP + 3] {
            assert_eq!(numbers.at::<f64>(index), expected[index]);
        }
    }

    #[test]
    fn what_is_not_taken_is_named_with_its_place_among_all() {
        let first = array![1.0_f64, 2.0];
        for (value, what) in [
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "a negative infinity"),
            (1e200, "1e200 (magnitudes up to 1e150 are taken)"),
        ] {
            let second = array![0.0, value];
            let chunks = vec![Chunk::F64(first.view()), Chunk::F64(second.view())];
            let error = Numbers::new(chunks, "reference".into()).to_vec::<f64>().unwrap_err();
            assert_eq!(error.to_string(), format!("reference: position 3 holds {what}"));
        }
    }
}
