//! The one gate into the core: releases the GIL, waits, watches for Ctrl-C, reports progress.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use tailwatch_core::{Control, Isa, Result};

use crate::error::{InputError, TailwatchError, to_python};

/// How often signals are looked at and progress is reported.
const POLL: Duration = Duration::from_millis(50);

/// How a call runs: what every long function of the module takes besides its data.
#[derive(FromPyObject, Default)]
#[pyo3(from_item_all)]
pub(crate) struct Settings {
    threads: Option<usize>,
    progress: Option<Py<PyAny>>,
}

/// Runs `work` on the core's threads without the GIL, and answers Ctrl-C meanwhile.
pub(crate) fn enter<T: Send>(
    py: Python<'_>,
    settings: &Settings,
    work: impl FnOnce(&Control) -> Result<T> + Send,
) -> PyResult<T> {
    let control = Control::new(pool(settings.threads)?, isa()?);
    let progress = settings.progress.as_ref();
    let (outcome, interruption) = py.detach(|| {
        std::thread::scope(|scope| {
            let (sender, receiver) = mpsc::sync_channel(1);
            let control = &control;
            let worker = scope.spawn(move || {
                let outcome = work(control);
                // The receiver below lives until it has heard from here.
                let _ = sender.send(());
                outcome
            });
            let mut interruption = None;
            while let Err(RecvTimeoutError::Timeout) = receiver.recv_timeout(POLL) {
                if interruption.is_none()
                    && let Err(error) = Python::attach(|py| attend(py, control, progress))
                {
                    control.cancel();
                    interruption = Some(error);
                }
            }
            (worker.join(), interruption)
        })
    });
    match (outcome, interruption) {
        (_, Some(error)) => {
            // Dense algebra that was left behind still holds its threads: the next call gets others.
            forget(&control);
            Err(error)
        }
        (Ok(Ok(value)), None) => {
            report(py, &control, progress)?;
            Ok(value)
        }
        (Ok(Err(error)), None) => Err(to_python(&error)),
        (Err(panic), None) => std::panic::resume_unwind(panic),
    }
}

fn attend(py: Python<'_>, control: &Control, progress: Option<&Py<PyAny>>) -> PyResult<()> {
    py.check_signals()?;
    report(py, control, progress)
}

fn report(py: Python<'_>, control: &Control, progress: Option<&Py<PyAny>>) -> PyResult<()> {
    let now = control.progress();
    match progress {
        Some(callable) if now.total > 0 => {
            callable.call1(py, (now.stage, now.done, now.total)).map(drop)
        }
        _ => Ok(()),
    }
}

/// Takes the pool of an interrupted call out of use; it ends when its last work does.
fn forget(control: &Control) {
    if let Ok(mut pools) = POOLS.try_lock() {
        pools.retain(|known| !control.runs_on(&known.workers));
    }
}

/// The number of threads that a call with these settings runs on.
#[pyfunction]
pub(crate) fn thread_count(settings: Settings) -> PyResult<usize> {
    threads_of(settings.threads)
}

/// The instruction sets that `TAILWATCH_ISA` knows, slowest first, each with whether this processor has it.
#[pyfunction]
pub(crate) fn instruction_sets() -> Vec<(&'static str, bool)> {
    Isa::ALL.into_iter().map(|isa| (isa.name(), isa.is_available())).collect()
}

/// The thread count to use: the argument, else `TAILWATCH_NUM_THREADS`, else all cores.
fn threads_of(argument: Option<usize>) -> PyResult<usize> {
    match (argument, std::env::var("TAILWATCH_NUM_THREADS")) {
        (Some(0), _) => Err(InputError::new_err("threads: expected at least 1, got 0")),
        (Some(threads), _) => Ok(threads),
        (None, Ok(text)) => text.parse().ok().filter(|&threads| threads > 0).ok_or_else(|| {
            InputError::new_err(format!(
                "TAILWATCH_NUM_THREADS: expected a number from 1, got '{text}'"
            ))
        }),
        (None, Err(_)) => Ok(std::thread::available_parallelism().map_or(1, usize::from)),
    }
}

/// The instruction set to use: `TAILWATCH_ISA` if set, else the best of this processor.
fn isa() -> PyResult<Isa> {
    let Ok(name) = std::env::var("TAILWATCH_ISA") else { return Ok(Isa::best()) };
    let isa: Isa =
        name.parse().map_err(|error| InputError::new_err(format!("TAILWATCH_ISA: {error}")))?;
    if isa.is_available() {
        return Ok(isa);
    }
    Err(InputError::new_err(format!("TAILWATCH_ISA: this processor has no {isa}")))
}

/// A pool of the process and thread count it was made for. A forked child has none of its parent's
/// threads, so it must not see its parent's pool.
struct Pool {
    process: u32,
    threads: usize,
    workers: Arc<ThreadPool>,
}

static POOLS: Mutex<Vec<Pool>> = Mutex::new(Vec::new());

fn pool(threads: Option<usize>) -> PyResult<Arc<ThreadPool>> {
    let threads = threads_of(threads)?;
    let process = std::process::id();
    let build = || {
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|index| format!("tailwatch-{index}"))
            .build()
            .map_err(|error| {
                TailwatchError::new_err(format!("threads: could not start {threads}: {error}"))
            })?;
        PyResult::Ok(Arc::new(pool))
    };
    // A child forked while another thread held the lock would wait for ever: it makes its own pool.
    let Ok(mut pools) = POOLS.try_lock() else { return build() };
    if let Some(known) =
        pools.iter().find(|known| known.process == process && known.threads == threads)
    {
        return Ok(Arc::clone(&known.workers));
    }
    let workers = build()?;
    pools.push(Pool { process, threads, workers: Arc::clone(&workers) });
    Ok(workers)
}
