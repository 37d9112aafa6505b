//! How far the nearest of a query are at most, from the products with a first block of base rows. Level 2.
//!
//! Upper bounds of all squared distances run through lanes, each of which keeps its least few: of these the one
//! of the rank that is wanted bounds the distance of that rank in the whole base. Where more of the nearest share a
//! lane than it keeps, the bound is farther than need be, and a bound all the same.

use tailwatch_kernels::tile8::{PANEL, Sifted};

use super::bound::{self, Coded};
use super::candidates::{ascending, insert};
use super::codes::Part;

/// Squared distances that each lane keeps, of which there are as many as a panel has rows.
const LEAST: usize = 2;

/// The rank whose distance is a limit.
#[derive(Clone, Copy)]
pub(crate) struct Limit(usize);

impl Limit {
    /// The limit of queries that want `depth` rows, and not the one that is themselves with `same`; `None` where lanes
    /// do not keep as many.
    pub(crate) fn of(depth: usize, same: bool) -> Option<Self> {
        let rank = depth + usize::from(same);
        (depth > 0 && rank <= LEAST * PANEL).then_some(Self(rank))
    }
}

/// A squared distance, in units, within which at least as many rows of `base` are as the limit says, of a row and
/// the products of its code with theirs.
pub(crate) fn limit(
    (of_x, slot): (&Coded, usize),
    base: &Part<'_>,
    sifted: &[Sifted],
    Limit(rank): Limit,
) -> f32 {
    let mut least = [[f32::INFINITY; PANEL]; LEAST];
    let dots = sifted.iter().flat_map(|sifted| sifted.dots[slot].as_chunks::<PANEL>().0);
    for (panel, (of_y, dots)) in base.coded().iter().zip(dots).enumerate() {
        let mut most = bound::at_most((of_x, slot), of_y, dots);
        most[base.rows_in(panel)..].fill(f32::INFINITY);
        keep_least(&mut least, most);
    }
    let mut ranked = [f32::INFINITY; LEAST * PANEL];
    least.as_flattened().iter().for_each(|&most| insert(&mut ranked[..rank], most));
    ranked[rank - 1]
}

/// Keeps the least of what comes in each lane, ascending.
fn keep_least(least: &mut [[f32; PANEL]; LEAST], mut values: [f32; PANEL]) {
    for least in least {
        for (least, value) in least.iter_mut().zip(&mut values) {
            (*least, *value) = ascending(*least, *value);
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::super::candidates::Block;
    use super::super::codes::{Codes, Frame};
    use super::super::filter::Sieve;
    use crate::control::Control;
    use crate::rows::Rows;
    use crate::streams::Stream;

    #[test]
    fn as_many_rows_as_are_wanted_are_within_a_limit_and_hardly_more() {
        let mut stream = Stream::new(3, "test", 0);
        let data = Array2::from_shape_simple_fn((192, 32), || stream.normal());
        let (rows, control) = (Rows::from_f64(data.view()), Control::with_threads(1));
        let codes = Codes::of(&rows, &Frame::of(&rows, &control).unwrap(), &control).unwrap();
        // Whole and ragged blocks; no limit where lanes keep too few or there are fewer rows than are wanted.
        for (count, k, limited) in
            [(192, 1, true), (192, 5, true), (50, 5, true), (192, 32, false), (7, 7, false)]
        {
            let part = codes.part(0..count);
            let mut state = Block::new(0..count, k, codes.unit(), 32);
            let mut sieve = Sieve::new(control.isa());
            sieve.lay(&part);
            sieve.first(&part, &part, true, &mut state, None, |_, _, _, _| ());
            for slot in 0..count {
                let limit = f64::from(state.bound(slot)) * codes.unit().powi(2);
                assert_eq!(limit.is_finite(), limited, "{count} {k}");
                let distance = |other| (&data.row(slot) - &data.row(other)).mapv(|x| x * x).sum();
                let others = (0..count).filter(|&other| other != slot);
                let within = others.filter(|&other| distance(other) <= limit).count();
                assert!(within >= k || !limited, "{count} {k}: {within}");
                assert!(within <= k + 12 || !limited, "{count} {k}: {within}");
            }
        }
    }
}
