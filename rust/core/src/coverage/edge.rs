//! The edge of a tail, and how much of the rows tied at it is inside. Level 2.
//!
//! A tail has a given number of places. Where several rows have the value of its last place, which of them
//! is in the tail would be decided by their order, and an order knows which sample a row is of. So all of
//! them are inside by the same share: the places that rows beyond the edge leave, over the rows at the edge.

/// Where a tail ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Edge {
    /// The value of the last place: rows beyond it are in the tail, and rows at it by a share.
    pub(crate) value: f64,
    /// Places of the tail.
    pub(crate) places: usize,
    /// Rows beyond the edge.
    pub(crate) beyond: usize,
    /// Rows at the edge.
    pub(crate) tied: usize,
}

impl Edge {
    /// The edge of the first `places` of `falling` values.
    ///
    /// # Panics
    /// If there are not as many values, or no place.
    pub(crate) fn of<T>(falling: &[T], places: usize, value_of: impl Fn(&T) -> f64) -> Self {
        let value = value_of(&falling[places - 1]);
        let beyond = falling.partition_point(|row| value_of(row) > value);
        let tied = falling[beyond..].partition_point(|row| value_of(row) == value);
        Self { value, places, beyond, tied }
    }

    /// Rows in the tail, given how many of the rows beyond the edge and of those at it are counted.
    pub(crate) fn count(&self, beyond: usize, tied: usize) -> f64 {
        // One product and one quotient of integers: where all rows at the edge have a place, exact.
        beyond as f64 + (tied * (self.places - self.beyond)) as f64 / self.tied as f64
    }
}

#[cfg(test)]
mod tests {
    use super::Edge;

    #[test]
    fn tied_rows_share_the_places_that_are_left() {
        let falling = [5.0, 3.0, 3.0, 3.0, 1.0];
        let edge = Edge::of(&falling, 3, |&value| value);
        assert_eq!(edge, Edge { value: 3.0, places: 3, beyond: 1, tied: 3 });
        assert_eq!((edge.count(1, 3), edge.count(0, 1)), (3.0, 2.0 / 3.0));
        // Without ties, and where all tied rows have a place, rows count whole.
        assert_eq!(Edge::of(&falling, 1, |&value| value).count(1, 1), 2.0);
        assert_eq!(Edge::of(&falling, 4, |&value| value).count(1, 3), 4.0);
        assert_eq!(Edge::of(&[0.0; 4], 1, |&value| value).count(0, 4), 1.0);
    }
}
