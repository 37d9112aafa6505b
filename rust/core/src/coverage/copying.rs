//! Rows that a sample holds copies of, by which it is nearer to itself than to another. Level 3.
//!
//! Pairs of different rows of a sample stand for pairs of draws. A copy of a row is no draw: its pair with the
//! original is a row paired with itself, which a U-statistic leaves out. Equal rows of a discrete distribution
//! are draws, and as often of both samples as of one: of s equal rows, of which a are of a sample of n rows
//! and c of another of m, a is binomial and
//!
//! a(a − 1)/2 − ac·(n − 1)/2m
//!
//! is 0 on average, whatever the distribution. Where its sum over groups is more than [`CLEAR`] standard
//! deviations above 0, the excess over 0 are pairs of copies, and each pair of equal rows of the sample is one
//! with the probability κ, the excess over all of them. Groups of 2 or 3 rows, of 4 to 7 and of 8 to 15 are
//! looked at each for themselves. Values that more rows share are taken for values of the distribution, since
//! distributions that differ in them have such an excess too; of smaller groups nothing tells distributions
//! that differ in them from copies.
//!
//! With s₁, s₂, … copies of its draws, a sample of n rows is worth n/D of them, D = Σs²/n (Kish, 1965).
//!
//! Cost: one pass over the rows, 16 bytes for each.

use super::repeats::{equal_rows, sorted_hashes};
use crate::control::Control;
use crate::error::Result;
use crate::rows::Rows;

/// Standard deviations from which on equal rows are not independent.
const CLEAR: f64 = 4.0;

/// Classes of groups that may be of copies: of 2 or 3 rows, of 4 to 7, of 8 to 15.
const CLASSES: usize = 3;

/// For each row of two samples, how many copies of it its sample holds besides: κ times its equals; empty
/// where there are none.
pub(crate) type Copied = [Vec<f64>; 2];

/// What is known of the groups of a class for one of the samples.
#[derive(Clone, Copy, Default)]
struct Excess {
    /// Pairs of equal rows.
    pairs: f64,
    /// By how much they are more than by chance.
    sum: f64,
    /// The variance of that.
    variance: f64,
}

impl Excess {
    /// κ.
    fn share(self) -> f64 {
        let clear = self.sum > CLEAR * self.variance.sqrt();
        if clear { (self.sum / self.pairs).min(1.0) } else { 0.0 }
    }
}

/// Looks for copies within each of two samples.
pub(crate) fn copied(samples: [&Rows<'_>; 2], control: &Control) -> Result<Copied> {
    let hashes = sorted_hashes(samples, control)?;
    let sizes = samples.map(|rows| rows.len() as f64);
    let groups = || equal_rows(&hashes).filter_map(|group| Some((group, class_of(group.len())?)));
    let mut found = [[Excess::default(); CLASSES]; 2];
    for (group, class) in groups() {
        let candidate = group.iter().filter(|member| member.1 == 1).count();
        let own = [group.len() - candidate, candidate];
        for sample in 0..2 {
            let (n, m) = (sizes[sample], sizes[1 - sample]);
            add(&mut found[sample][class], own[sample], group.len(), n, m);
        }
    }
    let shares = found.map(|classes| classes.map(Excess::share));
    let mut copied = [Vec::new(), Vec::new()];
    for (sample, shares) in shares.iter().enumerate() {
        if shares.iter().all(|&share| share == 0.0) {
            continue;
        }
        copied[sample] = vec![0.0; samples[sample].len()];
        for (group, class) in groups() {
            let own = group.iter().filter(|member| usize::from(member.1) == sample);
            let others = own.clone().count().saturating_sub(1);
            for member in own {
                copied[sample][member.2 as usize] = shares[class] * others as f64;
            }
        }
    }
    Ok(copied)
}

fn class_of(size: usize) -> Option<usize> {
    let class = size.ilog2() as usize - 1;
    (class < CLASSES).then_some(class)
}

/// Adds a group of `size` rows, `own` of which are of a sample of n rows, the others of one of m.
fn add(excess: &mut Excess, own: usize, size: usize, n: f64, m: f64) {
    let chance = n / (n + m);
    let more = |own: usize| {
        let (a, c) = (own as f64, (size - own) as f64);
        a * (a - 1.0) / 2.0 - a * c * (n - 1.0) / (2.0 * m)
    };
    // Binomial moments, of 15 rows at most.
    let (mut probability, mut mean, mut square) = ((1.0 - chance).powi(size as i32), 0.0, 0.0);
    for count in 0..=size {
        mean += probability * more(count);
        square += probability * more(count) * more(count);
        probability *= (size - count) as f64 / (count + 1) as f64 * (n / m);
    }
    excess.pairs += (own * own.saturating_sub(1)) as f64 / 2.0;
    excess.sum += more(own);
    excess.variance += square - mean * mean;
}

/// By how much copies make the variance of a mean over a sample of `rows` larger, D.
pub(crate) fn design_effect(copied: &[f64], rows: usize) -> f64 {
    1.0 + copied.iter().sum::<f64>() / rows as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::Stream;
    use ndarray::Array2;

    fn found(x: &Array2<f64>, y: &Array2<f64>) -> [Vec<f64>; 2] {
        let (x, y) = (Rows::from_f64(x.view()), Rows::from_f64(y.view()));
        let of = |threads| copied([&x, &y], &Control::with_threads(threads)).unwrap();
        assert_eq!(of(1), of(3));
        of(1)
    }

    #[test]
    fn copies_within_a_sample_are_and_equal_draws_are_not() {
        let mut stream = Stream::new(11, "test", 0);
        let fresh = Array2::from_shape_simple_fn((400, 2), || stream.normal());
        let other = Array2::from_shape_simple_fn((800, 2), || stream.normal());
        // The first 100 rows are there three times.
        let thrice =
            Array2::from_shape_fn((400, 2), |(i, j)| fresh[[if i < 300 { i % 100 } else { i }, j]]);
        let [of_x, of_y] = found(&thrice, &other);
        assert!(of_y.is_empty());
        assert!(of_x[..300].iter().all(|&copies| copies == 2.0));
        assert!(of_x[300..].iter().all(|&copies| copies == 0.0));
        assert_eq!(design_effect(&of_x, 400), 2.5);
        assert_eq!(design_effect(&of_y, 800), 1.0);
        assert_eq!(found(&other, &thrice)[1], of_x);
        // Both samples hold the same rows three times.
        let of_both = found(&thrice, &thrice);
        assert!(of_both.iter().all(Vec::is_empty));
        // A grid, whose cells are shared by chance, in groups of any size.
        for cells in [3.0, 8.0, 20.0] {
            let mut draw = |rows| {
                Array2::from_shape_simple_fn((rows, 2), || (cells * stream.normal()).round())
            };
            assert!(found(&draw(400), &draw(800)).iter().all(Vec::is_empty));
        }
    }
}
