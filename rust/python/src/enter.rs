//! The one gate into the core: releases the GIL, waits, watches for Ctrl-C, reports progress.

use std::fmt;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use tailwatch_core::{Control, Error, Isa, Result};

use crate::error::to_python;

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
    let torn = tailwatch_core::torn();
    let (outcome, interruption) = py.detach(|| {
        std::thread::scope(|scope| {
            let (sender, receiver) = mpsc::sync_channel::<()>(1);
            let control = &control;
            let worker = std::thread::Builder::new().spawn_scoped(scope, move || {
                // Whatever becomes of the work, the receiver below hears of its end: it drops the sender.
                let _sender = sender;
                work(control)
            });
            let worker = match worker {
                Ok(worker) => worker,
                Err(error) => return (Ok(Err(not_started(1, &error))), None),
            };
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
    if interruption.is_none() {
        crate::mapped::check(py, torn)?;
    }
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
        (Err(panic), None) => Err(to_python(&Error::panicked(&*panic))),
    }
}

/// Of threads that the system does not start.
fn not_started(threads: usize, error: &dyn fmt::Display) -> Error {
    Error::numerical("threads")
        .expected(format_args!("the system to start {threads}"))
        .got(error)
        .hint("ask for fewer")
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

/// Threads that a call may ask for: more than any machine runs at once, and few enough to be started.
pub(crate) const MOST_THREADS: usize = 1024;

/// The thread count to use: the argument, else `TAILWATCH_NUM_THREADS`, else all cores.
fn threads_of(argument: Option<usize>) -> PyResult<usize> {
    let refused = |argument: &str, got: &dyn fmt::Display| {
        let expected = format_args!("a whole number from 1 to {MOST_THREADS}");
        to_python(&Error::input(argument).expected(expected).got(got))
    };
    if let Some(threads) = argument {
        let good = (1..=MOST_THREADS).contains(&threads);
        return if good { Ok(threads) } else { Err(refused("threads", &threads)) };
    }
    let Some(text) = std::env::var_os("TAILWATCH_NUM_THREADS") else {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        return Ok(cores.min(MOST_THREADS));
    };
    let threads = text.to_str().and_then(|text| text.trim().parse().ok());
    threads
        .filter(|threads| (1..=MOST_THREADS).contains(threads))
        .ok_or_else(|| refused("TAILWATCH_NUM_THREADS", &format_args!("'{}'", text.display())))
}

/// The instruction set to use: `TAILWATCH_ISA` if set, else the best of this processor.
fn isa() -> PyResult<Isa> {
    let Some(name) = std::env::var_os("TAILWATCH_ISA") else { return Ok(Isa::best()) };
    let here: Vec<&str> = Isa::available().into_iter().map(Isa::name).collect();
    let refused = Error::input("TAILWATCH_ISA")
        .expected(format_args!("one of {}", here.join(", ")))
        .got(format_args!("'{}'", name.display()));
    match name.to_str().and_then(|name| name.parse::<Isa>().ok()) {
        Some(isa) if isa.is_available() => Ok(isa),
        Some(isa) => Err(to_python(&refused.problem(format_args!("this processor has no {isa}")))),
        None => Err(to_python(&refused)),
    }
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
            .map_err(|error| to_python(&not_started(threads, &error)))?;
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
