//! Small numbers in runs: of equal ones, or of ones in as few bits as they need. Level 2.
//!
//! Levels, which tell where lists begin and what is null, are not decoded: those of rows that are whole and of one
//! length are known, and each run is compared with them. Cost: a bit of each value is looked at, 64 at once.

use crate::failure::{Failure, Result, ensure};
use crate::thrift::varint;

/// A run of numbers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Run<'a> {
    /// The same one, so often.
    Same(u32, usize),
    /// So many, packed from the lowest bit up.
    Packed(&'a [u8], usize),
}

/// Calls `take` with runs that hold `count` numbers of `bits` bits in all.
pub(crate) fn each_run<'a>(
    mut bytes: &'a [u8],
    bits: u32,
    mut count: usize,
    mut take: impl FnMut(Run<'a>) -> Result<()>,
) -> Result<()> {
    ensure(bits <= 32, "numbers have too many bits")?;
    while count > 0 {
        let (head, used) = varint(bytes)?;
        bytes = &bytes[used..];
        let is_packed = head & 1 == 1;
        let most = (head >> 1).saturating_mul(if is_packed { 8 } else { 1 });
        ensure(most > 0, "a run is empty")?;
        let numbers = most.min(count as u64) as usize;
        // The last run may be said to be longer than it is.
        let length = if is_packed {
            (numbers.div_ceil(8) as u64 * u64::from(bits)) as usize
        } else {
            bits.div_ceil(8) as usize
        };
        let (run, left) = bytes.split_at_checked(length).ok_or(Failure::Unfit("a run is cut"))?;
        if is_packed {
            take(Run::Packed(run, numbers))?;
        } else {
            let value = run.iter().rev().fold(0, |value, &byte| value << 8 | u32::from(byte));
            take(Run::Same(value, numbers))?;
        }
        (bytes, count) = (left, count - numbers);
    }
    Ok(())
}

/// Calls `take` with each number of a packed run.
pub(crate) fn each_packed(
    bytes: &[u8],
    bits: u32,
    count: usize,
    mut take: impl FnMut(u32) -> Result<()>,
) -> Result<()> {
    let mask = (1_u64 << bits) - 1;
    let (mut held, mut have, mut bytes) = (0_u64, 0, bytes.iter());
    for _ in 0..count {
        while have < bits {
            held |= u64::from(*bytes.next().ok_or(Failure::Unfit("a run is cut"))?) << have;
            have += 8;
        }
        take((held & mask) as u32)?;
        held >>= bits;
        have -= bits;
    }
    Ok(())
}

/// Bits that numbers up to `most` need.
pub(crate) fn bits_of(most: u32) -> u32 {
    u32::BITS - most.leading_zeros()
}

const IRREGULAR: &str = "a row or a value is null, or rows have different lengths";

/// Checks that all `count` levels are `level`, the greatest there is.
pub(crate) fn check_same(bytes: &[u8], count: usize, level: u32) -> Result<()> {
    let bits = bits_of(level);
    // Eight of them, as they are packed.
    let mut eight = Vec::new();
    for place in 0..8 * bits as usize {
        if place % 8 == 0 {
            eight.push(0_u8);
        }
        eight[place / 8] |= ((level >> (place % bits as usize) & 1) as u8) << (place % 8);
    }
    each_run(bytes, bits, count, |run| match run {
        Run::Same(value, _) => ensure(value == level, IRREGULAR),
        Run::Packed(packed, count) => {
            let whole = count / 8 * bits as usize;
            let mut eights = packed[..whole].chunks_exact(eight.len());
            ensure(eights.all(|found| found == eight), IRREGULAR)?;
            each_packed(&packed[whole..], bits, count % 8, |value| {
                ensure(value == level, IRREGULAR)
            })
        }
    })
}

/// Checks that `count` repetition levels are those of lists of `length` values each, of which `first` stand before.
pub(crate) fn check_lists(bytes: &[u8], count: usize, first: u64, length: u64) -> Result<()> {
    // Values until the next list begins.
    let mut until = (length - first % length) % length;
    each_run(bytes, 1, count, |run| match run {
        Run::Same(1, numbers) => {
            ensure(numbers as u64 <= until, IRREGULAR)?;
            until -= numbers as u64;
            Ok(())
        }
        Run::Same(0, numbers) => {
            ensure(until == 0 && (numbers == 1 || length == 1), IRREGULAR)?;
            until = length - 1;
            Ok(())
        }
        Run::Same(..) => Err(Failure::Unfit(IRREGULAR)),
        Run::Packed(packed, numbers) => {
            for (place, word) in packed.chunks(8).enumerate() {
                let here = (numbers - 64 * place).min(64) as u64;
                let mut expected = u64::MAX;
                while until < here {
                    expected &= !(1 << until);
                    until += length;
                }
                until -= here;
                let mut found = [0; 8];
                found[..word.len()].copy_from_slice(word);
                let unused = u64::MAX.checked_shl(here as u32).unwrap_or(0);
                let found = u64::from_le_bytes(found);
                ensure(found | unused == expected | unused, IRREGULAR)?;
            }
            Ok(())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Encodes numbers in runs as `packed` chooses for each: packed runs hold eight or what is left.
    fn encode(numbers: &[u32], bits: u32, mut packed: impl FnMut(usize) -> bool) -> Vec<u8> {
        let (mut bytes, mut at) = (Vec::new(), 0);
        while at < numbers.len() {
            if packed(at) {
                let end = (at + 8 * (1 + at % 9)).min(numbers.len());
                let groups = (end - at).div_ceil(8);
                varint_into(&mut bytes, (groups as u64) << 1 | 1);
                let start = bytes.len();
                bytes.resize(start + groups * bits as usize, 0);
                for (index, &number) in numbers[at..end].iter().enumerate() {
                    for bit in 0..bits as usize {
                        let place = index * bits as usize + bit;
                        bytes[start + place / 8] |= ((number >> bit & 1) as u8) << (place % 8);
                    }
                }
                at = end;
            } else {
                let same = numbers[at..].iter().take_while(|&&each| each == numbers[at]).count();
                varint_into(&mut bytes, (same as u64) << 1);
                bytes.extend_from_slice(&numbers[at].to_le_bytes()[..bits.div_ceil(8) as usize]);
                at += same;
            }
        }
        bytes
    }

    fn varint_into(bytes: &mut Vec<u8>, mut value: u64) {
        while value > 127 {
            bytes.push(value as u8 | 128);
            value >>= 7;
        }
        bytes.push(value as u8);
    }

    type Choice = fn(usize) -> bool;
    const CHOICES: [Choice; 4] = [|_| true, |_| false, |at| at % 3 == 0, |at| at % 2 == 0];

    #[test]
    fn runs_give_back_what_was_encoded() {
        let numbers: Vec<u32> =
            (0..1000_u32).map(|at| if at % 50 < 30 { 5 } else { at % 23 }).collect();
        for packed in CHOICES {
            let bytes = encode(&numbers, 5, packed);
            let mut found = Vec::new();
            each_run(&bytes, 5, numbers.len(), |run| match run {
                Run::Same(value, count) => {
                    found.extend(vec![value; count]);
                    Ok(())
                }
                Run::Packed(packed, count) => each_packed(packed, 5, count, |value| {
                    found.push(value);
                    Ok(())
                }),
            })
            .unwrap();
            assert_eq!(found, numbers);
            for end in 0..bytes.len() {
                assert!(each_run(&bytes[..end], 5, numbers.len(), |_| Ok(())).is_err());
            }
        }
    }

    #[test]
    fn lists_of_one_length_are_told_from_all_others() {
        for length in [1, 2, 3, 7, 8, 63, 64, 65, 200] {
            for first in [0, 1, 5, length - 1, length, 3 * length + 2] {
                let levels: Vec<u32> =
                    (first..first + 700).map(|at| u32::from(at % length != 0)).collect();
                for packed in CHOICES {
                    let good = |levels: &[u32]| {
                        let bytes = encode(levels, 1, packed);
                        check_lists(&bytes, levels.len(), first, length).is_ok()
                    };
                    assert!(good(&levels), "{length} {first}");
                    for at in [0, 1, 2, 62, 63, 64, 65, 127, 128, 500, 698, 699] {
                        let mut other = levels.clone();
                        other[at] ^= 1;
                        assert!(!good(&other), "{length} {first} {at}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_level_that_is_not_the_greatest_is_found() {
        for level in 1..=9 {
            for packed in CHOICES {
                let mut levels = vec![level; 301];
                let good = |levels: &[u32]| {
                    let bytes = encode(levels, bits_of(level), packed);
                    check_same(&bytes, levels.len(), level).is_ok()
                };
                assert!(good(&levels));
                for at in [0, 7, 8, 100, 296, 300] {
                    levels[at] -= 1;
                    assert!(!good(&levels), "{level} {at}");
                    levels[at] += 1;
                }
            }
        }
    }
}
