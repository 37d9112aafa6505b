//! The integer tile on matrix units: `tdpbssd` takes 16 × 16 × 64 signed products an instruction.
//!
//! A base panel is a tile of the right factor as it lies: 16 groups of four columns by 16 rows. Of the left factor a
//! tile is 16 rows by 64 columns: [`lay`] puts a query panel so, once for all that it meets. Products go through
//! memory, so that what is kept of one tile is decided while the next is multiplied. Stable Rust knows of none of the
//! instructions, hence the assembly; what drives them is generic in the [`Unit`], so that tests run it on any
//! processor over tiles in memory.
//!
//! | tiles | hold |
//! |---|---|
//! | 0 to 2 | products with each base panel |
//! | 3, 4 and 5 | 64 columns of the queries, of a base panel |
//! | 6, 7 | the columns beyond the last 64, of the queries, of a base panel |

// Elsewhere tests alone drive the loop.
#![cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]

#[cfg(target_arch = "x86_64")]
use std::arch::asm;

use super::{GROUP, GROUP_BYTES, PANEL, QueryTest, SPAN, Sifted, Tile, WIDTH};

/// Bytes of a row of a tile, and rows of one.
const ROW: usize = 64;
const ROWS: usize = 16;
/// Bytes of a tile.
const TILE: usize = ROW * ROWS;

/// Bytes of a query panel of `length` bytes once it is laid: whole tiles.
pub(super) fn laid(length: usize) -> usize {
    length.div_ceil(TILE) * TILE
}

/// Lays a query panel: 64 columns of each row together, zeros beyond the last column.
pub(super) fn lay(panel: &[i8], out: &mut [i8]) {
    for (tile, groups) in out.as_chunks_mut::<TILE>().0.iter_mut().zip(panel.chunks(TILE)) {
        let (words, _) = tile.as_chunks_mut::<GROUP>();
        for (group, codes) in groups.as_chunks::<GROUP_BYTES>().0.iter().enumerate() {
            for (row, codes) in codes.as_chunks::<GROUP>().0.iter().enumerate() {
                words[row * ROW / GROUP + group] = *codes;
            }
        }
        let filled = groups.len() / GROUP_BYTES;
        for row in words.chunks_exact_mut(ROW / GROUP) {
            row[filled..].fill([0; GROUP]);
        }
    }
}

/// Eight tiles and what is done with them.
///
/// # Safety
/// An implementation may use the instructions of its processor in every method: all must be called on one that has
/// them. Rows that are loaded or stored, as many and as wide as they were configured, must lie behind the pointer.
pub(super) unsafe trait Unit {
    /// Gives the tiles their shapes: `rest` groups of columns in the last two, whole tiles elsewhere.
    unsafe fn configure(&mut self, rest: usize);
    /// Fills a tile with zeros.
    unsafe fn zero<const T: usize>(&mut self);
    /// Loads the rows of a tile, 64 bytes apart.
    unsafe fn load<const T: usize>(&mut self, from: *const i8);
    /// Adds the product of tiles `A` and `B` to tile `C`.
    unsafe fn multiply<const C: usize, const A: usize, const B: usize>(&mut self);
    /// Stores a tile of products as rows of [`WIDTH`].
    unsafe fn store<const T: usize>(&mut self, to: *mut i32);
    /// Gives the tiles back.
    unsafe fn release(&mut self);
}

/// Multiplies a laid query panel by up to [`SPAN`] base panels; the unit is configured for their columns.
///
/// # Safety
/// As [`Unit`]; the sizes are those that [`super::sift`] checks.
#[inline(always)]
pub(super) unsafe fn multiply(unit: &mut impl Unit, tile: &Tile<'_>, sifted: &mut Sifted) {
    // SAFETY: as the caller vouches.
    unsafe {
        match tile.base_tests.len() {
            1 => multiply_by::<1>(unit, tile, sifted),
            2 => multiply_by::<2>(unit, tile, sifted),
            _ => multiply_by::<SPAN>(unit, tile, sifted),
        }
    }
}

#[inline(always)]
unsafe fn multiply_by<const WIDE: usize>(
    unit: &mut impl Unit,
    tile: &Tile<'_>,
    sifted: &mut Sifted,
) {
    let length = tile.length();
    let whole = length / TILE * TILE;
    let (query, base) = (tile.query.as_ptr(), tile.base.as_ptr());
    let dots = sifted.dots.as_mut_ptr().cast::<i32>();
    // SAFETY: a laid query panel is a whole number of tiles. `whole` bytes of each of WIDE base panels are tiles, and
    // behind them are as many groups as the last tiles were configured for. A row of products has room for WIDE panels.
    unsafe {
        unit.zero::<0>();
        unit.zero::<1>();
        unit.zero::<2>();
        for start in (0..whole).step_by(TILE) {
            unit.load::<3>(query.add(start));
            unit.load::<4>(base.add(start));
            unit.multiply::<0, 3, 4>();
            if WIDE > 1 {
                unit.load::<5>(base.add(length + start));
                unit.multiply::<1, 3, 5>();
            }
            if WIDE > 2 {
                unit.load::<4>(base.add(2 * length + start));
                unit.multiply::<2, 3, 4>();
            }
        }
        if whole < length {
            unit.load::<6>(query.add(whole));
            unit.load::<7>(base.add(whole));
            unit.multiply::<0, 6, 7>();
            if WIDE > 1 {
                unit.load::<7>(base.add(length + whole));
                unit.multiply::<1, 6, 7>();
            }
            if WIDE > 2 {
                unit.load::<7>(base.add(2 * length + whole));
                unit.multiply::<2, 6, 7>();
            }
        }
        unit.store::<0>(dots);
        if WIDE > 1 {
            unit.store::<1>(dots.add(PANEL));
        }
        if WIDE > 2 {
            unit.store::<2>(dots.add(2 * PANEL));
        }
    }
}

/// As [`super::sweep`]: what is kept of one panel is decided, and taken, while the products of the next are on their
/// way.
///
/// # Safety
/// As [`Unit`]; the tiles are of the same base panels.
#[inline(always)]
pub(super) unsafe fn sweep<'a>(
    unit: &mut impl Unit,
    tiles: impl Iterator<Item = Tile<'a>>,
    [mut now, mut earlier]: [&mut Sifted; 2],
    decide: impl Fn(&mut Sifted, &QueryTest),
    mut take: impl FnMut(usize, &Sifted),
) {
    let mut waits: Option<(usize, &QueryTest)> = None;
    for (panel, tile) in tiles.enumerate() {
        // SAFETY: as the caller vouches.
        unsafe {
            if waits.is_none() {
                unit.configure(rest(tile.length()));
            }
            multiply(unit, &tile, now);
        }
        std::mem::swap(&mut now, &mut earlier);
        if let Some((panel, test)) = waits.replace((panel, tile.query_test)) {
            decide(now, test);
            take(panel, now);
        }
    }
    if let Some((panel, test)) = waits {
        // SAFETY: as the caller vouches.
        unsafe { unit.release() };
        decide(earlier, test);
        take(panel, earlier);
    }
}

/// The groups of columns of a panel that fill no tile.
pub(super) fn rest(length: usize) -> usize {
    length % TILE / GROUP_BYTES
}

/// The tiles of the processor, from [`Unit::configure`] to [`Unit::release`].
#[cfg(target_arch = "x86_64")]
pub(super) struct Processor;

/// What `ldtilecfg` reads.
#[cfg(target_arch = "x86_64")]
#[repr(C, align(64))]
struct Configuration {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

#[cfg(target_arch = "x86_64")]
// SAFETY: every instruction is one of AMX-TILE or AMX-INT8, which the caller vouches for. The compiler uses no tile
// registers, so that what one block leaves in them is there for the next; blocks are not reordered.
unsafe impl Unit for Processor {
    #[inline(always)]
    unsafe fn configure(&mut self, rest: usize) {
        let mut shape = Configuration {
            palette: 1,
            start_row: 0,
            reserved: [0; 14],
            row_bytes: [0; 16],
            rows: [0; 16],
        };
        shape.row_bytes[..8].fill(ROW as u16);
        shape.rows[..8].fill(ROWS as u8);
        // A tile of no rows must not be: one of a row is not used.
        shape.row_bytes[6] = (rest.max(1) * GROUP) as u16;
        shape.rows[7] = rest.max(1) as u8;
        // SAFETY: reads the 64 bytes of the configuration, which is valid.
        unsafe {
            asm!("ldtilecfg [{}]", in(reg) &raw const shape, options(nostack, preserves_flags, readonly));
        }
    }

    #[inline(always)]
    unsafe fn zero<const T: usize>(&mut self) {
        // SAFETY: touches a tile register only.
        unsafe { asm!("tilezero tmm{}", const T, options(nostack, preserves_flags, nomem)) };
    }

    #[inline(always)]
    unsafe fn load<const T: usize>(&mut self, from: *const i8) {
        // SAFETY: the caller vouches for the rows.
        unsafe {
            asm!("tileloadd tmm{}, [{} + {}]", const T, in(reg) from, in(reg) ROW,
                options(nostack, preserves_flags, readonly));
        }
    }

    #[inline(always)]
    unsafe fn multiply<const C: usize, const A: usize, const B: usize>(&mut self) {
        // SAFETY: touches tile registers only, whose shapes fit each other.
        unsafe {
            asm!("tdpbssd tmm{}, tmm{}, tmm{}", const C, const A, const B,
                options(nostack, preserves_flags, nomem));
        }
    }

    #[inline(always)]
    unsafe fn store<const T: usize>(&mut self, to: *mut i32) {
        // SAFETY: the caller vouches for the rows.
        unsafe {
            asm!("tilestored [{} + {}], tmm{}", in(reg) to, in(reg) WIDTH * size_of::<i32>(), const T,
                options(nostack, preserves_flags));
        }
    }

    #[inline(always)]
    unsafe fn release(&mut self) {
        // SAFETY: touches tile registers only.
        unsafe { asm!("tilerelease", options(nostack, preserves_flags, nomem)) };
    }
}

/// Whether the processor has the tiles, the system keeps their state, and it lets this process use them: it is asked
/// once, and threads and forked processes have what it answered.
pub(crate) fn is_granted() -> bool {
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    {
        static GRANTED: std::sync::LazyLock<bool> = std::sync::LazyLock::new(ask);
        *GRANTED
    }
    #[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
    {
        false
    }
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn ask() -> bool {
    use std::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};

    /// Bits of leaf 7: AMX-TILE and AMX-INT8.
    const TILES: u32 = 1 << 24 | 1 << 25;
    /// Bits of XCR0: configuration and data of tiles.
    const STATE: u64 = 1 << 17 | 1 << 18;
    /// `arch_prctl`: may this process use a state, and which.
    const ARCH_REQ_XCOMP_PERM: libc::c_int = 0x1023;
    const XTILEDATA: libc::c_ulong = 18;

    #[target_feature(enable = "xsave")]
    fn states() -> u64 {
        // SAFETY: register 0 is there wherever the instruction is.
        unsafe { _xgetbv(0) }
    }

    let known = __cpuid(0).eax >= 7 && std::arch::is_x86_feature_detected!("xsave");
    if !known || __cpuid_count(7, 0).edx & TILES != TILES {
        return false;
    }
    // SAFETY: the processor has XSAVE; the system call reads and writes no memory.
    unsafe {
        states() & STATE == STATE
            && libc::syscall(libc::SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XTILEDATA) == 0
    }
}

#[cfg(test)]
pub(super) mod software {
    use super::{GROUP, ROW, ROWS, Unit, WIDTH};

    /// Tiles in memory, with shapes that are checked as the processor checks them.
    pub(in super::super) struct Software {
        tiles: [[[i8; ROW]; ROWS]; 8],
        shapes: [(usize, usize); 8],
    }

    impl Default for Software {
        fn default() -> Self {
            Self { tiles: [[[0; ROW]; ROWS]; 8], shapes: [(0, 0); 8] }
        }
    }

    // SAFETY: uses no instruction beyond the baseline.
    unsafe impl Unit for Software {
        unsafe fn configure(&mut self, rest: usize) {
            self.shapes = [(ROWS, ROW); 8];
            (self.shapes[6], self.shapes[7]) = ((ROWS, rest.max(1) * GROUP), (rest.max(1), ROW));
        }

        unsafe fn zero<const T: usize>(&mut self) {
            assert_ne!(self.shapes[T], (0, 0), "not configured");
            self.tiles[T] = [[0; ROW]; ROWS];
        }

        unsafe fn load<const T: usize>(&mut self, from: *const i8) {
            let (rows, bytes) = self.shapes[T];
            assert!(rows > 0, "not configured");
            self.tiles[T] = [[0; ROW]; ROWS];
            for row in 0..rows {
                // SAFETY: the caller vouches for the rows.
                let codes = unsafe { std::slice::from_raw_parts(from.add(row * ROW), bytes) };
                self.tiles[T][row][..bytes].copy_from_slice(codes);
            }
        }

        unsafe fn multiply<const C: usize, const A: usize, const B: usize>(&mut self) {
            assert_eq!(self.shapes[A].1, self.shapes[B].0 * GROUP, "shapes that do not fit");
            for row in 0..ROWS {
                for column in 0..ROW / GROUP {
                    let place = column * GROUP..(column + 1) * GROUP;
                    let codes: &[i8; GROUP] = self.tiles[C][row][place.clone()].as_array().unwrap();
                    let mut sum = i32::from_ne_bytes(codes.map(i8::cast_unsigned));
                    for depth in 0..self.shapes[A].1 {
                        let right = self.tiles[B][depth / GROUP][column * GROUP + depth % GROUP];
                        sum += i32::from(self.tiles[A][row][depth]) * i32::from(right);
                    }
                    let bytes = sum.to_ne_bytes().map(u8::cast_signed);
                    self.tiles[C][row][place].copy_from_slice(&bytes);
                }
            }
        }

        unsafe fn store<const T: usize>(&mut self, to: *mut i32) {
            for (row, codes) in self.tiles[T].iter().enumerate() {
                for (column, codes) in codes.as_chunks::<GROUP>().0.iter().enumerate() {
                    let value = i32::from_ne_bytes(codes.map(i8::cast_unsigned));
                    // SAFETY: the caller vouches for the rows.
                    unsafe { to.add(row * WIDTH + column).write(value) };
                }
            }
        }

        unsafe fn release(&mut self) {
            *self = Self::default();
        }
    }
}
