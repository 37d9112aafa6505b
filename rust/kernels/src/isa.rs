//! The instruction set as a value.

use std::fmt;
use std::str::FromStr;

/// An instruction set that the kernels are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Isa {
    /// Plain Rust: what the compiler makes of it for the baseline processor.
    Portable,
    /// x86-64 with 256-bit vectors.
    Avx2,
    /// The same with integer dot products in 256-bit vectors: x86-64 without AVX-512, from 2021 on.
    AvxVnni,
    /// x86-64 with 512-bit vectors and integer dot products: Ice Lake, Zen 4 and newer.
    Avx512,
    /// The same with integer matrix units: Sapphire Rapids and newer, where the system grants them.
    Amx,
    /// 64-bit ARM.
    Neon,
}

impl Isa {
    /// All that the kernels are written for, slowest first.
    pub const ALL: [Self; 6] =
        [Self::Portable, Self::Avx2, Self::AvxVnni, Self::Avx512, Self::Amx, Self::Neon];

    /// Whether this processor can run it.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => std::arch::is_x86_feature_detected!("avx2"),
            #[cfg(target_arch = "x86_64")]
            Self::AvxVnni => {
                std::arch::is_x86_feature_detected!("avx2")
                    && std::arch::is_x86_feature_detected!("avxvnni")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                std::arch::is_x86_feature_detected!("avx512f")
                    && std::arch::is_x86_feature_detected!("avx512bw")
                    && std::arch::is_x86_feature_detected!("avx512vl")
                    && std::arch::is_x86_feature_detected!("avx512vnni")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Amx => Self::Avx512.is_available() && crate::tile8::amx::is_granted(),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => true,
            #[allow(unreachable_patterns)] // which of them are left depends on the architecture
            _ => false,
        }
    }

    /// All that this processor can run, slowest first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        Self::ALL.into_iter().filter(|isa| isa.is_available()).collect()
    }

    /// The fastest that this processor can run.
    #[must_use]
    pub fn best() -> Self {
        Self::ALL.into_iter().rev().find(|isa| isa.is_available()).unwrap_or(Self::Portable)
    }

    /// The set of its vectors, for kernels that have no use for matrix units.
    #[must_use]
    pub(crate) fn vectors(self) -> Self {
        if self == Self::Amx { Self::Avx512 } else { self }
    }

    /// The name that [`Isa::from_str`] reads.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::AvxVnni => "avxvnni",
            Self::Avx512 => "avx512",
            Self::Amx => "amx",
            Self::Neon => "neon",
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Isa {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|isa| isa.name() == name).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|isa| isa.name()).collect();
            format!("unknown instruction set '{name}': expected one of {}", names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Isa;

    #[test]
    fn names_round_trip_and_the_best_is_available() {
        for isa in Isa::ALL {
            assert_eq!(isa.name().parse(), Ok(isa));
        }
        assert!(Isa::best().is_available());
        assert_eq!(Isa::available().last(), Some(&Isa::best()));
        assert!("sse9".parse::<Isa>().is_err());
    }
}
