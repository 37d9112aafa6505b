//! The integer tile in plain Rust.

use super::{GROUP, GROUP_BYTES, PANEL, Sifted, Tile};

/// As [`super::sift`].
pub(super) fn sift(tile: &Tile<'_>, mutual: bool, sifted: &mut Sifted) {
    let length = tile.query.len();
    for query in 0..PANEL {
        for (panel, base) in tile.base.chunks_exact(length).enumerate() {
            let mut dots = [0_i32; PANEL];
            let groups = tile.query.chunks_exact(GROUP_BYTES).zip(base.chunks_exact(GROUP_BYTES));
            for (left, right) in groups {
                let left: [i32; GROUP] =
                    std::array::from_fn(|j| i32::from(left[query * GROUP + j]));
                // A row's four codes are one word, taken apart by shifts: vectors of words.
                let words: [i32; PANEL] = std::array::from_fn(|row| {
                    let codes: [i8; GROUP] = std::array::from_fn(|j| right[row * GROUP + j]);
                    i32::from_le_bytes(codes.map(i8::cast_unsigned))
                });
                for (dot, word) in dots.iter_mut().zip(words) {
                    *dot += left[0] * (word << 24 >> 24)
                        + left[1] * (word << 16 >> 24)
                        + left[2] * (word << 8 >> 24)
                        + left[3] * (word >> 24);
                }
            }
            tile.note(mutual, query, panel, &dots, sifted);
        }
    }
}
