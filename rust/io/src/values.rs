//! Values of a page, as bytes of one length each, into rows. Level 3.

use std::ops::Range;

use crate::failure::{Failure, Result, ensure};
use crate::runs::{Run, each_packed, each_run};

/// Bytes of a value, and whether its length stands before each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) bytes: usize,
    pub(crate) is_prefixed: bool,
}

impl Item {
    /// Bytes that a value takes up in a page.
    pub(crate) fn stored(self) -> usize {
        self.bytes + if self.is_prefixed { PREFIX } else { 0 }
    }
}

const PREFIX: usize = 4;
const CUT: &str = "a page holds other values than it says";

/// Encodings, by their numbers in the format.
pub(crate) const PLAIN: i64 = 0;
const PLAIN_DICTIONARY: i64 = 2;
const RLE_DICTIONARY: i64 = 8;
const BYTE_STREAM_SPLIT: i64 = 9;

/// Whether values of this encoding are places in a dictionary.
pub(crate) fn needs_dictionary(encoding: i64) -> bool {
    matches!(encoding, PLAIN_DICTIONARY | RLE_DICTIONARY)
}

/// Decodes the values in `range`, of `count` that a page holds.
pub(crate) fn decode(
    encoding: i64,
    bytes: &[u8],
    count: usize,
    range: Range<usize>,
    item: Item,
    dictionary: Option<&[u8]>,
    into: &mut [u8],
) -> Result<()> {
    match (encoding, dictionary) {
        (PLAIN, _) => plain(bytes, count, range, item, into),
        (_, Some(dictionary)) if needs_dictionary(encoding) => match item.bytes {
            2 => looked_up::<2>(bytes, count, range, dictionary, into),
            4 => looked_up::<4>(bytes, count, range, dictionary, into),
            8 => looked_up::<8>(bytes, count, range, dictionary, into),
            size => {
                let mut left = into.chunks_exact_mut(size);
                each_index(bytes, count, range, |index, times| {
                    let value =
                        index.checked_mul(size).and_then(|at| dictionary.get(at..at + size));
                    let value = value.ok_or(Failure::Unfit(CUT))?;
                    left.by_ref().take(times).for_each(|place| place.copy_from_slice(value));
                    Ok(())
                })
            }
        },
        (BYTE_STREAM_SPLIT, _) if !item.is_prefixed => {
            ensure(bytes.len() == count * item.bytes, CUT)?;
            for (byte, stream) in bytes.chunks_exact(count.max(1)).enumerate() {
                let places = into.iter_mut().skip(byte).step_by(item.bytes);
                places.zip(&stream[range.clone()]).for_each(|(place, &found)| *place = found);
            }
            Ok(())
        }
        _ => Err(Failure::Unfit("another encoding")),
    }
}

/// Decodes values one after the other.
pub(crate) fn plain(
    bytes: &[u8],
    count: usize,
    range: Range<usize>,
    item: Item,
    into: &mut [u8],
) -> Result<()> {
    ensure(bytes.len() == count * item.stored(), CUT)?;
    let bytes = &bytes[range.start * item.stored()..range.end * item.stored()];
    if !item.is_prefixed {
        into.copy_from_slice(bytes);
        return Ok(());
    }
    for (value, place) in bytes.chunks_exact(item.stored()).zip(into.chunks_exact_mut(item.bytes)) {
        let (length, value) = value.split_at(PREFIX);
        ensure(length == (item.bytes as u32).to_le_bytes(), "rows have different lengths")?;
        place.copy_from_slice(value);
    }
    Ok(())
}

fn looked_up<const N: usize>(
    bytes: &[u8],
    count: usize,
    range: Range<usize>,
    dictionary: &[u8],
    into: &mut [u8],
) -> Result<()> {
    let (known, _) = dictionary.as_chunks::<N>();
    let (places, _) = into.as_chunks_mut::<N>();
    let mut left = places.iter_mut();
    each_index(bytes, count, range, |index, times| {
        let value = known.get(index).ok_or(Failure::Unfit(CUT))?;
        left.by_ref().take(times).for_each(|place| *place = *value);
        Ok(())
    })
}

/// Calls `take` with each place in the dictionary, and how often it comes, of those in `range`.
fn each_index(
    bytes: &[u8],
    count: usize,
    range: Range<usize>,
    mut take: impl FnMut(usize, usize) -> Result<()>,
) -> Result<()> {
    let (&bits, runs) = bytes.split_first().ok_or(Failure::Unfit(CUT))?;
    let mut at = 0;
    each_run(runs, bits.into(), count, |run| match run {
        Run::Same(index, times) => {
            let inside = at.max(range.start)..(at + times).min(range.end);
            at += times;
            if inside.is_empty() { Ok(()) } else { take(index as usize, inside.len()) }
        }
        Run::Packed(packed, numbers) => each_packed(packed, bits.into(), numbers, |index| {
            let is_inside = range.contains(&at);
            at += 1;
            if is_inside { take(index as usize, 1) } else { Ok(()) }
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOATS: Item = Item { bytes: 4, is_prefixed: false };

    #[test]
    fn values_are_the_same_in_every_encoding_and_range() {
        let values: Vec<[u8; 4]> = (0..50_u8).map(|at| [at % 3, at % 3 + 9, 7, at % 3]).collect();
        let flat: Vec<u8> = values.concat();
        let split: Vec<u8> = (0..4).flat_map(|byte| values.iter().map(move |v| v[byte])).collect();
        let known: Vec<u8> = values[..3].concat();
        // Two bits each, packed; the last group is not full.
        let mut places = vec![2, 7 << 1 | 1];
        for eight in (0..56).collect::<Vec<u32>>().chunks(8) {
            let packed = eight.iter().fold(0_u16, |all, at| all >> 2 | ((at % 3) as u16) << 14);
            places.extend(packed.to_le_bytes());
        }
        for (encoding, bytes) in [(0, &flat), (9, &split), (8, &places), (2, &places)] {
            for range in [0..50, 7..33, 49..50, 0..0] {
                let mut found = vec![0; 4 * range.len()];
                let all = 4 * range.start..4 * range.end;
                decode(encoding, bytes, 50, range, FLOATS, Some(&known), &mut found).unwrap();
                assert_eq!(found, flat[all], "{encoding}");
            }
            let cut = &bytes[..bytes.len() - 1];
            assert!(decode(encoding, cut, 50, 0..50, FLOATS, Some(&known), &mut [0; 200]).is_err());
        }
        let few = Some(&known[..8]);
        assert!(decode(8, &places, 50, 0..50, FLOATS, few, &mut [0; 200]).is_err());
        assert!(decode(5, &flat, 50, 0..50, FLOATS, None, &mut [0; 200]).is_err());
    }

    #[test]
    fn lengths_before_values_are_compared() {
        let item = Item { bytes: 2, is_prefixed: true };
        let mut bytes = [2, 0, 0, 0, 8, 9, 2, 0, 0, 0, 6, 7];
        let mut found = [0; 4];
        plain(&bytes, 2, 0..2, item, &mut found).unwrap();
        assert_eq!(found, [8, 9, 6, 7]);
        bytes[6] = 3;
        assert!(plain(&bytes, 2, 0..2, item, &mut found).is_err());
    }
}
