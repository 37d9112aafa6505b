//! Maps of files that may be cut while they are read.
//!
//! A page of a map that its file no longer has raises SIGBUS, by default the end of the process. Ranges that are
//! [watched](Watch) get zeros in place of what is gone, and are marked as torn: whoever reads them goes on, and whoever
//! asked for it looks at [`torn`] before what was computed is used. So no thread has to be unwound, and none is
//! interrupted.
//!
//! The handler is installed with the first range. It scans a fixed table of atomic numbers, maps pages, and does nothing
//! else; other addresses go to the handler that was there before. Elsewhere than on Unix a mapped file cannot be cut.
//!
//! Cost: nothing until a page is missing.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

/// As many maps as Linux lets a process have.
const SLOTS: usize = 1 << 16;

struct Slot {
    taken: AtomicBool,
    start: AtomicUsize,
    /// 0 while nothing is watched.
    end: AtomicUsize,
    /// 0, or which of all [`torn`] ranges this was, from 1.
    torn: AtomicUsize,
}

static TABLE: [Slot; SLOTS] = [const {
    Slot {
        taken: AtomicBool::new(false),
        start: AtomicUsize::new(0),
        end: AtomicUsize::new(0),
        torn: AtomicUsize::new(0),
    }
}; SLOTS];

/// One past the last slot that was ever taken.
static USED: AtomicUsize = AtomicUsize::new(0);
static TORN: AtomicUsize = AtomicUsize::new(0);

/// How often a watched range was torn so far.
#[must_use]
pub fn torn() -> usize {
    TORN.load(SeqCst)
}

/// A range of addresses that is watched for as long as this lives.
///
/// It must be the whole of a private or read-only map of a file, which must outlive the watch: of another map of a file
/// that takes its place, a missing page would be filled as well.
#[derive(Debug)]
pub struct Watch(usize);

impl Watch {
    /// Watches a range, which begins with a page; `None` where too many are, or no page is ever missing.
    #[must_use]
    pub fn over(bytes: &[u8]) -> Option<Self> {
        if !system::install() || bytes.is_empty() {
            return None;
        }
        let found = TABLE.iter().position(|slot| !slot.taken.swap(true, SeqCst))?;
        USED.fetch_max(found + 1, SeqCst);
        let slot = &TABLE[found];
        slot.torn.store(0, SeqCst);
        let start = bytes.as_ptr().addr();
        slot.start.store(start, SeqCst);
        slot.end.store(start + bytes.len(), SeqCst);
        Some(Self(found))
    }

    /// Whether a page of it was missing.
    #[must_use]
    pub fn is_torn(&self) -> bool {
        self.is_torn_since(0)
    }

    /// Whether a page of it was missing since [`torn`] gave `before`.
    #[must_use]
    pub fn is_torn_since(&self, before: usize) -> bool {
        TABLE[self.0].torn.load(SeqCst) > before
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let slot = &TABLE[self.0];
        slot.end.store(0, SeqCst);
        slot.taken.store(false, SeqCst);
    }
}

#[cfg(unix)]
mod system {
    use std::ptr;
    use std::sync::OnceLock;
    use std::sync::atomic::Ordering::SeqCst;

    use libc::{
        MAP_ANON, MAP_FAILED, MAP_FIXED, MAP_PRIVATE, PROT_READ, SA_NODEFER, SA_ONSTACK,
        SA_SIGINFO, SIG_DFL, SIG_IGN, SIGBUS, c_int, c_void, mmap, sigaction, siginfo_t,
    };

    use super::{TABLE, TORN, USED};

    static BEFORE: OnceLock<sigaction> = OnceLock::new();

    /// Installs the handler, once; tells whether it is there.
    pub(super) fn install() -> bool {
        static INSTALLED: OnceLock<bool> = OnceLock::new();
        *INSTALLED.get_or_init(|| {
            // SAFETY: `sigaction` is a plain struct, for which zeros are a value; both calls get pointers to live ones,
            // and the handler does nothing but what a handler may: atomic loads and stores, `mmap`, `sigaction`.
            unsafe {
                let mut before: sigaction = std::mem::zeroed();
                if sigaction(SIGBUS, ptr::null(), &raw mut before) != 0 {
                    return false;
                }
                let _ = BEFORE.set(before);
                let mut ours: sigaction = std::mem::zeroed();
                ours.sa_sigaction = on_bus_error as *const () as usize;
                ours.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
                sigaction(SIGBUS, &raw const ours, ptr::null_mut()) == 0
            }
        })
    }

    /// Fills the watched range of the address with zeros, or leaves it to the handler that was there before.
    ///
    /// # Safety
    ///
    /// Called by the system alone, which passes a valid `info`.
    unsafe extern "C" fn on_bus_error(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
        // SAFETY: the system passes a valid `info`.
        let address = unsafe { (*info).si_addr() }.addr();
        for slot in &TABLE[..USED.load(SeqCst)] {
            let (start, end) = (slot.start.load(SeqCst), slot.end.load(SeqCst));
            if !(start..end).contains(&address) {
                continue;
            }
            // Marked before there is something to read.
            slot.torn.store(TORN.fetch_add(1, SeqCst) + 1, SeqCst);
            // SAFETY: the range is one whole map, to which nobody writes; it stays mapped and readable.
            let filled = unsafe {
                mmap(
                    ptr::with_exposed_provenance_mut(start),
                    end - start,
                    PROT_READ,
                    MAP_PRIVATE | MAP_ANON | MAP_FIXED,
                    -1,
                    0,
                )
            };
            if filled != MAP_FAILED {
                return;
            }
        }
        // SAFETY: what was the handler before is called as it was registered to be.
        unsafe { hand_on(signal, info, context) }
    }

    /// Does what would have happened without the handler.
    ///
    /// # Safety
    ///
    /// As of a handler.
    unsafe fn hand_on(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
        let Some(before) = BEFORE.get() else { return };
        if before.sa_sigaction == SIG_DFL || before.sa_sigaction == SIG_IGN {
            // The access is tried again, and ends the process as it would have.
            // SAFETY: a struct that the system gave.
            unsafe { sigaction(signal, before, ptr::null_mut()) };
            return;
        }
        // SAFETY: the flags say which of the two forms the address has.
        unsafe {
            if before.sa_flags & SA_SIGINFO == 0 {
                let handler: extern "C" fn(c_int) = std::mem::transmute(before.sa_sigaction);
                handler(signal);
            } else {
                let handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) =
                    std::mem::transmute(before.sa_sigaction);
                handler(signal, info, context);
            }
        }
    }
}

#[cfg(not(unix))]
mod system {
    pub(super) fn install() -> bool {
        false
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::File;
    use std::io::Write;
    use std::os::fd::AsRawFd;
    use std::{ptr, slice};

    use super::{Watch, torn};

    const LENGTH: usize = 1 << 16;

    /// Maps a new file of `LENGTH` bytes of 7.
    fn mapped(name: &str) -> (File, &'static [u8]) {
        let path = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        let mut file =
            File::options().create(true).truncate(true).read(true).write(true).open(&path).unwrap();
        file.write_all(&vec![7; LENGTH]).unwrap();
        std::fs::remove_file(path).unwrap();
        // SAFETY: a new map, of the length of the file, which is never unmapped.
        let bytes = unsafe {
            let start = libc::mmap(
                ptr::null_mut(),
                LENGTH,
                libc::PROT_READ,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                0,
            );
            assert_ne!(start, libc::MAP_FAILED);
            slice::from_raw_parts(start.cast::<u8>(), LENGTH)
        };
        (file, bytes)
    }

    fn read(bytes: &[u8], index: usize) -> u8 {
        // SAFETY: within the slice; volatile, since the value may differ from what was there.
        unsafe { bytes.as_ptr().add(index).read_volatile() }
    }

    #[test]
    fn a_file_that_is_cut_reads_as_zeros_and_is_marked() {
        let (whole, kept) = mapped("kept");
        let (file, bytes) = mapped("cut");
        let (watch, other) = (Watch::over(bytes).unwrap(), Watch::over(kept).unwrap());
        let before = torn();
        assert_eq!(read(bytes, LENGTH - 1), 7);
        assert!(!watch.is_torn());
        file.set_len(4096).unwrap();
        assert_eq!(read(bytes, LENGTH - 1), 0);
        assert!(watch.is_torn());
        assert!(torn() > before && watch.is_torn_since(before) && !watch.is_torn_since(torn()));
        assert!(!other.is_torn());
        assert_eq!(read(kept, LENGTH - 1), 7);
        drop((watch, other, whole));
        // A slot is taken again without its mark.
        let (_file, bytes) = mapped("again");
        assert!(!Watch::over(bytes).unwrap().is_torn());
    }

    #[test]
    fn many_threads_may_meet_the_same_gap() {
        let (file, bytes) = mapped("threads");
        let watch = Watch::over(bytes).unwrap();
        file.set_len(0).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..8 {
                scope.spawn(move || {
                    for index in (thread..LENGTH).step_by(8) {
                        assert_eq!(read(bytes, index), 0);
                    }
                });
            }
        });
        assert!(watch.is_torn());
    }
}
