//! Householder reflectors I − τ·v·vᵀ with v₀ = 1, in vectors of the instruction set at hand. Level 2.
//!
//! One reflector costs 2 flops a number to make and 4 a number to apply.

// Code that is not inlined into a function compiled for an instruction set loses it.
#![allow(clippy::inline_always)]

use pulp::Simd;

/// Vectors of a sum in flight, to hide the latency of the additions.
const VECTORS: usize = 4;

/// Turns `vector` x into the v with v₀ = 1 for which (I − τ·v·vᵀ)·x = β·e₀; returns τ and β.
#[inline(always)]
pub(super) fn reflector<S: Simd>(simd: S, vector: &mut [f64]) -> (f64, f64) {
    let head = vector[0];
    let tail = dot(simd, &vector[1..], &vector[1..]);
    vector[0] = 1.0;
    if tail == 0.0 {
        return (0.0, head);
    }
    let target = -(head * head + tail).sqrt().copysign(head);
    let scale = (head - target).recip();
    for value in &mut vector[1..] {
        *value *= scale;
    }
    ((target - head) / target, target)
}

/// `values` ← (I − τ·v·vᵀ)·`values`.
#[inline(always)]
pub(super) fn reflect<S: Simd>(simd: S, values: &mut [f64], vector: &[f64], scale: f64) {
    let factor = -scale * dot(simd, values, vector);
    add_scaled(simd, values, vector, factor);
}

/// `sum` += `scale` · `values`.
#[inline(always)]
pub(super) fn add_scaled<S: Simd>(simd: S, sum: &mut [f64], values: &[f64], scale: f64) {
    let (slots, slots_rest) = S::as_mut_simd_f64s(sum);
    let (values, values_rest) = S::as_simd_f64s(values);
    let factor = simd.splat_f64s(scale);
    for (slot, &value) in slots.iter_mut().zip(values) {
        *slot = simd.mul_add_f64s(factor, value, *slot);
    }
    for (slot, value) in slots_rest.iter_mut().zip(values_rest) {
        *slot += scale * value;
    }
}

/// Σ aᵢ·bᵢ.
#[inline(always)]
fn dot<S: Simd>(simd: S, a: &[f64], b: &[f64]) -> f64 {
    let (a, a_rest) = S::as_simd_f64s(a);
    let (b, b_rest) = S::as_simd_f64s(b);
    let (a, a_odd) = a.as_chunks::<VECTORS>();
    let (b, b_odd) = b.as_chunks::<VECTORS>();
    let mut sums = [simd.splat_f64s(0.0); VECTORS];
    for (a, b) in a.iter().zip(b) {
        for (sum, (&a, &b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum = simd.mul_add_f64s(a, b, *sum);
        }
    }
    for (sum, (&a, &b)) in sums.iter_mut().zip(a_odd.iter().zip(b_odd)) {
        *sum = simd.mul_add_f64s(a, b, *sum);
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    let [a, b, c, d] = sums;
    simd.reduce_sum_f64s(simd.add_f64s(simd.add_f64s(a, b), simd.add_f64s(c, d))) + rest
}
