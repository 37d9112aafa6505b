//! Memory that a call would take, against what there is. Level 1.
//!
//! An allocation that fails ends the process, so what a shape or an option asks for is compared with what is
//! available before anything large is allocated. Where the system does not say what is available, only an
//! allocation that it refuses is an error.

use std::fs;

use crate::error::{Error, Result};

/// Bytes that are taken without a question: less than the question costs.
const SMALL: u128 = 64 << 20;

/// Fails if `count` pieces of `bytes` each, which `argument` asks for, are more than is available.
pub fn ask(argument: &str, count: usize, bytes: usize) -> Result<()> {
    let wanted = count as u128 * bytes as u128;
    if wanted <= SMALL {
        return Ok(());
    }
    match available() {
        Some(there) if wanted > there => Err(short(argument, wanted, Some(there))),
        _ => Ok(()),
    }
}

/// `count` copies of `value`, or an error that names `argument` if there is no memory for them.
pub fn filled<T: Clone>(argument: &str, count: usize, value: T) -> Result<Vec<T>> {
    ask(argument, count, size_of::<T>())?;
    let mut values = Vec::new();
    let wanted = count as u128 * size_of::<T>() as u128;
    values.try_reserve_exact(count).map_err(|_| short(argument, wanted, available()))?;
    values.resize(count, value);
    Ok(values)
}

fn short(argument: &str, wanted: u128, there: Option<u128>) -> Error {
    let error = Error::input(argument).got(format_args!("what takes {}", size(wanted)));
    match there {
        Some(there) => {
            error.expected(format_args!("at most the {} of memory available", size(there)))
        }
        None => error.expected("no more memory than there is"),
    }
}

/// Bytes as people read them.
fn size(bytes: u128) -> String {
    let gibibytes = bytes as f64 / f64::from(1 << 30);
    if gibibytes < 1024.0 {
        format!("{gibibytes:.1} GiB")
    } else {
        format!("{:.0} TiB", gibibytes / 1024.0)
    }
}

/// Bytes that this process can still take: what is free, and what limits of its group and of its address space leave.
fn available() -> Option<u128> {
    let free = fs::read_to_string("/proc/meminfo").ok().and_then(|text| free_of(&text));
    let group = limit("/sys/fs/cgroup/memory.max")
        .map(|most| most.saturating_sub(limit("/sys/fs/cgroup/memory.current").unwrap_or(0)));
    let space = fs::read_to_string("/proc/self/limits").ok().and_then(|text| space_of(&text));
    let space = space.map(|most| {
        let pages = fs::read_to_string("/proc/self/statm").unwrap_or_default();
        let pages = pages.split(' ').next().and_then(|pages| pages.parse::<u128>().ok());
        most.saturating_sub(pages.unwrap_or(0) * 4096)
    });
    [free, group, space].into_iter().flatten().min()
}

fn limit(path: &str) -> Option<u128> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// `MemAvailable`, and free swap, of the text of `/proc/meminfo`.
fn free_of(text: &str) -> Option<u128> {
    let kibibytes = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u128>().ok()
    };
    Some((kibibytes("MemAvailable:")? + kibibytes("SwapFree:").unwrap_or(0)) * 1024)
}

/// The soft limit of the address space in the text of `/proc/self/limits`; `None` where there is none.
fn space_of(text: &str) -> Option<u128> {
    let line = text.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_machine_has_is_refused_by_the_name_of_the_argument() {
        assert_eq!(ask("k", 1 << 20, 8), Ok(()));
        let error = ask("k", usize::MAX, 8).unwrap_err();
        assert!(matches!(error, Error::Input(_)));
        assert_eq!(error.fields().unwrap().argument.as_deref(), Some("k"));
        assert_eq!(error.fields().unwrap().got.as_deref(), Some("what takes 134217728 TiB"));
        let error = filled("points", usize::MAX / 2, 0_u64).unwrap_err();
        assert!(error.to_string().starts_with("points: expected "), "{error}");
        assert_eq!(filled("points", 3, 7_u8).unwrap(), [7, 7, 7]);
    }

    #[test]
    fn the_system_is_read_as_it_writes() {
        let text = "MemTotal:       24 kB\nMemAvailable:   20 kB\nSwapFree:       4 kB\n";
        assert_eq!(free_of(text), Some(24 * 1024));
        assert_eq!(free_of("MemTotal: 3 kB"), None);
        let line = |most| {
            format!("Max processes 1 2 processes\nMax address space  {most}  unlimited  bytes\n")
        };
        assert_eq!(space_of(&line("4096")), Some(4096));
        assert_eq!(space_of(&line("unlimited")), None);
    }
}
