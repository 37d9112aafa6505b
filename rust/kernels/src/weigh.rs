//! Weighted sums of one row: of its values, and of their bits.
//!
//! Level 0. Both run over the row once; the sum of values over sixteen lanes in one fixed order, the sum
//! of bits modulo 2⁶⁴ in any, so that each instruction set gives the same bits.

use crate::isa::Isa;

/// Lanes of a sum of values.
pub(crate) const LANES: usize = 16;

macro_rules! dispatched {
    ($(#[$doc:meta])* $name:ident($values:ident, $factors:ident: &[$factor:ty]) -> $out:ty) => {
        $(#[$doc])*
        ///
        /// # Panics
        /// If the lengths differ, or the processor lacks the instruction set.
        #[must_use]
        pub fn $name(isa: Isa, $values: &[f64], $factors: &[$factor]) -> $out {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512vl")]
            fn avx512($values: &[f64], $factors: &[$factor]) -> $out {
                each::$name($values, $factors)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2")]
            fn avx2($values: &[f64], $factors: &[$factor]) -> $out {
                each::$name($values, $factors)
            }

            assert_eq!($values.len(), $factors.len(), "one factor for each value");
            assert!(isa.is_available(), "this processor has no {isa}");
            match isa.vectors() {
                #[cfg(target_arch = "x86_64")]
                // SAFETY: the processor has AVX-512F and VL, as was just asserted.
                Isa::Avx512 => unsafe { avx512($values, $factors) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: the processor has AVX2, as was just asserted.
                Isa::Avx2 | Isa::AvxVnni => unsafe { avx2($values, $factors) },
                _ => each::$name($values, $factors),
            }
        }
    };
}

dispatched! {
    /// Σ xⱼ·wⱼ.
    weighted_sum(values, factors: &[f64]) -> f64
}

dispatched! {
    /// Σ bits(xⱼ + 0)·cⱼ modulo 2⁶⁴: both zeros count as one.
    weighted_bits(values, factors: &[u64]) -> u64
}

/// Adds the lanes up in the one fixed order.
#[inline(always)]
pub(crate) fn add_lanes(mut lanes: [f64; LANES]) -> f64 {
    let mut width = LANES / 2;
    while width > 0 {
        let (low, high) = lanes.split_at_mut(width);
        for (lane, other) in low.iter_mut().zip(&*high) {
            *lane += other;
        }
        width /= 2;
    }
    lanes[0]
}

mod each {
    use super::{LANES, add_lanes};

    #[inline(always)]
    pub(super) fn weighted_sum(values: &[f64], factors: &[f64]) -> f64 {
        let mut lanes = [0.0; LANES];
        let (heads, tail) = values.as_chunks::<LANES>();
        let (others, other_tail) = factors.as_chunks::<LANES>();
        for (x, w) in heads.iter().zip(others) {
            for ((lane, x), w) in lanes.iter_mut().zip(x).zip(w) {
                *lane += x * w;
            }
        }
        for ((lane, x), w) in lanes.iter_mut().zip(tail).zip(other_tail) {
            *lane += x * w;
        }
        add_lanes(lanes)
    }

    #[inline(always)]
    pub(super) fn weighted_bits(values: &[f64], factors: &[u64]) -> u64 {
        let mut sum = 0_u64;
        for (value, factor) in values.iter().zip(factors) {
            sum = sum.wrapping_add((value + 0.0).to_bits().wrapping_mul(*factor));
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw;

    #[test]
    fn every_instruction_set_gives_the_same_bits_at_every_length() {
        for length in 0..70 {
            let (values, weights) = (draw::values(length, 5), draw::values(length, 7));
            let factors: Vec<u64> = weights.iter().map(|w| w.to_bits() | 1).collect();
            let sum = weighted_sum(Isa::Portable, &values, &weights);
            let exact: f64 = values.iter().zip(&weights).map(|(x, w)| x * w).sum();
            assert!((sum - exact).abs() < 1e-12 * (1.0 + length as f64));
            let bits = weighted_bits(Isa::Portable, &values, &factors);
            for isa in Isa::available() {
                assert_eq!(weighted_sum(isa, &values, &weights).to_bits(), sum.to_bits());
                assert_eq!(weighted_bits(isa, &values, &factors), bits);
            }
        }
        assert_eq!(weighted_bits(Isa::Portable, &[0.0, -0.0], &[3, 5]), 0);
    }
}
