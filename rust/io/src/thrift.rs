//! Thrift's compact protocol, read field by field; nothing is made of what is not wanted. Level 1.

use crate::failure::{Failure, Result, ensure};

/// Structs and lists within each other; those of Parquet are six deep.
const DEEPEST: usize = 32;

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    True,
    False,
    Byte,
    Integer,
    Double,
    Bytes,
    List,
    Map,
    Struct,
}

impl Kind {
    fn of(number: u8) -> Result<Self> {
        Ok(match number {
            1 => Self::True,
            2 => Self::False,
            3 => Self::Byte,
            4..=6 => Self::Integer,
            7 => Self::Double,
            8 => Self::Bytes,
            9 | 10 => Self::List,
            11 => Self::Map,
            12 => Self::Struct,
            _ => return Err(Failure::Unfit("a type that Thrift does not have")),
        })
    }
}

/// A place in bytes of the protocol.
#[derive(Debug)]
pub(crate) struct Thrift<'a> {
    left: &'a [u8],
}

impl<'a> Thrift<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes }
    }

    /// Bytes that were not read.
    pub(crate) fn left(&self) -> usize {
        self.left.len()
    }

    /// Reads a struct: `take` is given each field, and reads its value or returns `false` to pass over it.
    pub(crate) fn fields(
        &mut self,
        mut take: impl FnMut(i64, Kind, &mut Self) -> Result<bool>,
    ) -> Result<()> {
        let mut number = 0_i64;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(());
            }
            let step = i64::from(head >> 4);
            number = if step == 0 { self.integer()? } else { number.saturating_add(step) };
            let kind = Kind::of(head & 15)?;
            if !take(number, kind, self)? {
                // A bool as a field is told by its type alone.
                if !matches!(kind, Kind::True | Kind::False) {
                    self.skip(kind, 0)?;
                }
            }
        }
    }

    /// Reads a list of structs: `take` reads one.
    pub(crate) fn structs(&mut self, mut take: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        let (kind, count) = self.list()?;
        ensure(kind == Kind::Struct || count == 0, "a list holds something else")?;
        for _ in 0..count {
            take(self)?;
        }
        Ok(())
    }

    /// Reads the head of a list: the type of its items and their number, which the bytes left can hold.
    pub(crate) fn list(&mut self) -> Result<(Kind, usize)> {
        let head = self.byte()?;
        let few = u64::from(head >> 4);
        let count = if few == 15 { self.varint()? } else { few };
        ensure(count <= self.left.len() as u64, "a list is longer than the bytes that are left")?;
        Ok((Kind::of(head & 15)?, count as usize))
    }

    pub(crate) fn integer(&mut self) -> Result<i64> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// Reads a number that is none of a length, count or place if it is negative.
    pub(crate) fn length(&mut self) -> Result<u64> {
        u64::try_from(self.integer()?).map_err(|_| Failure::Unfit("a length is negative"))
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8]> {
        let count = self.varint()?;
        self.take(usize::try_from(count).unwrap_or(usize::MAX))
    }

    fn skip(&mut self, kind: Kind, depth: usize) -> Result<()> {
        ensure(depth < DEEPEST, "structs are too deep")?;
        match kind {
            // As items of a list.
            Kind::True | Kind::False | Kind::Byte => self.byte().map(drop),
            Kind::Integer => self.varint().map(drop),
            Kind::Double => self.take(8).map(drop),
            Kind::Bytes => self.bytes().map(drop),
            Kind::List => {
                let (items, count) = self.list()?;
                (0..count).try_for_each(|_| self.skip(items, depth + 1))
            }
            Kind::Map => {
                let count = self.varint()?;
                if count == 0 {
                    return Ok(());
                }
                ensure(count <= self.left.len() as u64, "a map is longer than what is left")?;
                let kinds = self.byte()?;
                let (keys, values) = (Kind::of(kinds >> 4)?, Kind::of(kinds & 15)?);
                (0..count).try_for_each(|_| {
                    self.skip(keys, depth + 1)?;
                    self.skip(values, depth + 1)
                })
            }
            Kind::Struct => loop {
                let head = self.byte()?;
                if head == 0 {
                    return Ok(());
                }
                if head >> 4 == 0 {
                    self.varint()?;
                }
                let field = Kind::of(head & 15)?;
                if !matches!(field, Kind::True | Kind::False) {
                    self.skip(field, depth + 1)?;
                }
            },
        }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, left) = self.left.split_at_checked(count).ok_or(ENDED)?;
        self.left = left;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    fn varint(&mut self) -> Result<u64> {
        let (value, used) = varint(self.left)?;
        self.left = &self.left[used..];
        Ok(value)
    }
}

const ENDED: Failure = Failure::Unfit("bytes end within a value");

/// A number in groups of seven bits, the lowest first, and the bytes that it takes up.
pub(crate) fn varint(bytes: &[u8]) -> Result<(u64, usize)> {
    let mut value = 0;
    for (place, byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 127) << (7 * place);
        if byte & 128 == 0 {
            return Ok((value, place + 1));
        }
    }
    Err(if bytes.len() < 10 { ENDED } else { Failure::Unfit("a number is longer than 64 bits") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_and_others_passed_over() {
        // 1: 5, 2: {1: true, 4: [1, 2]}, 3: "ab", 20: -3, 21: {7 -> 1.0}
        let bytes = [
            0x15, 10, 0x1c, 0x11, 0x39, 0x25, 2, 4, 0, 0x18, 2, b'a', b'b', 0x05, 40, 5, 0x1b, 1,
            0x57, 14, 0, 0, 0, 0, 0, 0, 240, 63, 0,
        ];
        let mut found = (0, 0, Vec::new());
        let mut thrift = Thrift::new(&bytes);
        thrift
            .fields(|number, kind, thrift| {
                match (number, kind) {
                    (1, Kind::Integer) => found.0 = thrift.integer()?,
                    (20, Kind::Integer) => found.1 = thrift.integer()?,
                    (3, Kind::Bytes) => found.2 = thrift.bytes()?.to_vec(),
                    _ => return Ok(false),
                }
                Ok(true)
            })
            .unwrap();
        assert_eq!(found, (5, -3, b"ab".to_vec()));
        assert_eq!(thrift.left(), 0);
        // Wherever it is cut it is refused, and nothing else happens.
        for end in 0..bytes.len() {
            let mut thrift = Thrift::new(&bytes[..end]);
            assert!(thrift.fields(|_, _, _| Ok(false)).is_err(), "{end}");
        }
    }

    #[test]
    fn lies_about_lengths_and_depth_are_refused() {
        let many = [0xfc, 0xff, 0xff, 0xff, 0xff, 7];
        assert!(Thrift::new(&many).list().is_err());
        assert!(Thrift::new(&[0xff, 0xff, 0xff, 0xff, 0xff, 1, 2]).bytes().is_err());
        assert!(Thrift::new(&[0xff; 12]).integer().is_err());
        let deep = [0x1c; 1000];
        assert!(Thrift::new(&deep).fields(|_, _, _| Ok(false)).is_err());
        assert!(Thrift::new(&[0x1e, 0]).fields(|_, _, _| Ok(false)).is_err());
        assert!(Thrift::new(&[1]).length().is_err());
    }
}
