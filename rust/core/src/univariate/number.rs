//! The numbers that are sorted: `f32`, `f64`, `i64`, `u64`. Level 2.

/// A number with a total order and exact differences.
pub trait Number: Copy + Default + PartialOrd + Send + Sync {
    /// An unsigned integer of as many bits.
    type Key: Copy + Default + Ord + Send + Sync;

    /// The integer that orders as the number does.
    fn key(self) -> Self::Key;

    /// The number of a key.
    fn of_key(key: Self::Key) -> Self;

    /// The number, rounded: never out of order.
    fn rounded(self) -> f64;

    /// self − lower, rounded once, for `lower` ≤ self.
    fn above(self, lower: Self) -> f64;
}

macro_rules! float {
    ($float:ty, $key:ty, $signed:ty) => {
        impl Number for $float {
            type Key = $key;

            #[inline]
            fn key(self) -> $key {
                let bits = self.to_bits();
                // Of negative numbers all bits are turned over, of others the sign.
                bits ^ ((bits as $signed >> (<$key>::BITS - 1)) as $key | 1 << (<$key>::BITS - 1))
            }

            #[inline]
            fn of_key(key: $key) -> Self {
                let turned = !(key as $signed >> (<$key>::BITS - 1)) as $key;
                Self::from_bits(key ^ (turned | 1 << (<$key>::BITS - 1)))
            }

            #[inline]
            fn rounded(self) -> f64 {
                self.into()
            }

            #[inline]
            fn above(self, lower: Self) -> f64 {
                f64::from(self) - f64::from(lower)
            }
        }
    };
}

float!(f32, u32, i32);
float!(f64, u64, i64);

impl Number for i64 {
    type Key = u64;

    #[inline]
    fn key(self) -> u64 {
        self as u64 ^ 1 << 63
    }

    #[inline]
    fn of_key(key: u64) -> Self {
        (key ^ 1 << 63) as Self
    }

    #[inline]
    fn rounded(self) -> f64 {
        self as f64
    }

    #[inline]
    fn above(self, lower: Self) -> f64 {
        self.abs_diff(lower) as f64
    }
}

impl Number for u64 {
    type Key = Self;

    #[inline]
    fn key(self) -> Self {
        self
    }

    #[inline]
    fn of_key(key: Self) -> Self {
        key
    }

    #[inline]
    fn rounded(self) -> f64 {
        self as f64
    }

    #[inline]
    fn above(self, lower: Self) -> f64 {
        (self - lower) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::Number;

    fn keys_order<T: Number + std::fmt::Debug>(ascending: &[T]) {
        for pair in ascending.windows(2) {
            assert!(pair[0].key() < pair[1].key(), "{pair:?}");
        }
        for &value in ascending {
            assert!(T::of_key(value.key()) == value, "{value:?}");
        }
    }

    #[test]
    fn keys_order_as_the_numbers_do_and_lead_back() {
        keys_order(&[f64::MIN, -1.0, -5e-324, 0.0, 5e-324, 1.0, 1.5, f64::MAX]);
        keys_order(&[f32::MIN, -1.0, -1e-45, 0.0, 1e-45, 1.0, 1.5, f32::MAX]);
        keys_order(&[i64::MIN, -1, 0, 1, i64::MAX]);
        keys_order(&[0, 1, u64::MAX]);
        assert_eq!(f64::of_key((-0.0_f64).key()).to_bits(), (-0.0_f64).to_bits());
    }

    #[test]
    fn differences_of_large_integers_are_exact() {
        assert_eq!((i64::MAX).above(i64::MAX - 1), 1.0);
        assert_eq!(u64::MAX.above(u64::MAX - 3), 3.0);
        assert_eq!(i64::MAX.above(i64::MIN), u64::MAX as f64);
    }
}
