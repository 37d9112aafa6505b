//! Compressions of pages. Level 1.

use std::io::Read;

use zstd_safe::DCtx;

use crate::failure::{Failure, Result, ensure};

/// A compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    None,
    Snappy,
    Gzip,
    Zstd,
    Lz4,
}

impl Codec {
    /// The compression with this number of the format; LZO, Brotli and LZ4 as Hadoop frames it are not read here.
    pub(crate) fn of(number: i64) -> Result<Self> {
        Ok(match number {
            0 => Self::None,
            1 => Self::Snappy,
            2 => Self::Gzip,
            6 => Self::Zstd,
            7 => Self::Lz4,
            _ => return Err(Failure::Unfit("another compression")),
        })
    }
}

/// What decompression needs, kept from page to page.
#[derive(Default)]
pub(crate) struct Decompressor {
    zstd: Option<DCtx<'static>>,
}

impl Decompressor {
    /// Fills `output` with what `input` was before it was compressed; more or fewer bytes are refused.
    pub(crate) fn decompress(
        &mut self,
        codec: Codec,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<()> {
        let written = match codec {
            Codec::None => {
                ensure(input.len() == output.len(), DAMAGED)?;
                output.copy_from_slice(input);
                Ok(input.len())
            }
            Codec::Snappy => {
                snap::raw::Decoder::new().decompress(input, output).map_err(|_| DAMAGED)
            }
            Codec::Gzip => {
                let mut reader = flate2::read::MultiGzDecoder::new(input);
                let filled = reader.read_exact(output);
                let more = filled.and_then(|()| reader.read(&mut [0]));
                more.map(|more| output.len() + more).map_err(|_| DAMAGED)
            }
            Codec::Zstd => {
                if self.zstd.is_none() {
                    self.zstd = DCtx::try_create();
                }
                let context = self.zstd.as_mut().ok_or(Failure::Unfit("there is no memory"))?;
                context.decompress(output, input).map_err(|_| DAMAGED)
            }
            Codec::Lz4 => lz4_flex::block::decompress_into(input, output).map_err(|_| DAMAGED),
        };
        ensure(written == Ok(output.len()), DAMAGED)
    }
}

const DAMAGED: &str = "a page cannot be decompressed";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fill_a_page_is_refused() {
        // "abc" four times, as raw Snappy and as a gzip member; and nothing at all.
        let snappy = [12, 8, b'a', b'b', b'c', 0x15, 3];
        let mut decompressor = Decompressor::default();
        let mut output = [0; 12];
        decompressor.decompress(Codec::Snappy, &snappy, &mut output).unwrap();
        assert_eq!(&output, b"abcabcabcabc");
        for codec in [Codec::None, Codec::Snappy, Codec::Gzip, Codec::Zstd, Codec::Lz4] {
            for length in [11, 13] {
                assert!(decompressor.decompress(codec, &snappy, &mut vec![0; length]).is_err());
            }
            assert!(decompressor.decompress(codec, &[], &mut [0]).is_err());
        }
        assert!(Codec::of(3).is_err() && Codec::of(-1).is_err());
    }
}
