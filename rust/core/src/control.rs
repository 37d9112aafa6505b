//! What travels with every long call: threads, instruction set, cancellation, progress. Level 0.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use rayon::ThreadPool;
use tailwatch_kernels::Isa;

use crate::error::{Error, Result};

/// How often a wait looks whether it should stop.
const POLL: Duration = Duration::from_millis(20);

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done, in a word or two.
    pub stage: &'static str,
    /// Work units done of this stage.
    pub done: u64,
    /// Work units of this stage.
    pub total: u64,
}

/// Threads, instruction set, cancellation and progress of one call; clones are handles of the same call.
#[derive(Clone, Debug)]
pub struct Control {
    pool: Arc<ThreadPool>,
    isa: Isa,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    cancelled: AtomicBool,
    stage: Mutex<(&'static str, u64)>,
    done: AtomicU64,
    measured: AtomicU64,
}

impl Control {
    /// A control that runs on `pool` with the instruction set `isa`.
    #[must_use]
    pub fn new(pool: Arc<ThreadPool>, isa: Isa) -> Self {
        Self { pool, isa, state: Arc::default() }
    }

    /// A control with a pool of its own, for tests and small tools.
    ///
    /// # Panics
    /// If the operating system refuses to start the threads.
    #[must_use]
    pub fn with_threads(threads: usize) -> Self {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        Self::new(Arc::new(pool.expect("threads start")), Isa::best())
    }

    /// The same, with the instruction set `isa`.
    #[must_use]
    pub fn with_isa(mut self, isa: Isa) -> Self {
        self.isa = isa;
        self
    }

    /// The instruction set to use.
    #[must_use]
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Threads that parallel sections run on.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Whether parallel sections run on `pool`.
    #[must_use]
    pub fn runs_on(&self, pool: &Arc<ThreadPool>) -> bool {
        Arc::ptr_eq(&self.pool, pool)
    }

    /// Asks the call to stop; it does so at its next tile.
    pub fn cancel(&self) {
        self.state.cancelled.store(true, Ordering::Relaxed);
    }

    /// Fails once the caller has asked to stop.
    pub fn check(&self) -> Result<()> {
        if self.state.cancelled.load(Ordering::Relaxed) { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// Begins a stage of `total` work units.
    pub fn begin(&self, stage: &'static str, total: u64) {
        *self.state.stage.lock().unwrap_or_else(PoisonError::into_inner) = (stage, total);
        self.state.done.store(0, Ordering::Relaxed);
    }

    /// Counts `units` of work as done and fails once the caller has asked to stop.
    pub fn advance(&self, units: u64) -> Result<()> {
        self.state.done.fetch_add(units, Ordering::Relaxed);
        self.check()
    }

    /// How far the call has come.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let (stage, total) = *self.state.stage.lock().unwrap_or_else(PoisonError::into_inner);
        Progress { stage, done: self.state.done.load(Ordering::Relaxed).min(total), total }
    }

    /// Counts pairs of rows whose distance was measured.
    pub fn count_measured(&self, pairs: u64) {
        self.state.measured.fetch_add(pairs, Ordering::Relaxed);
    }

    /// Pairs of rows whose distance was measured, because their codes did not settle it.
    #[must_use]
    pub fn measured(&self) -> u64 {
        self.state.measured.load(Ordering::Relaxed)
    }

    /// Runs `work` with the pool as the home of its parallel iterators.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.pool.install(work)
    }

    /// Runs one long piece of dense algebra that cannot be interrupted, and leaves it behind when the caller
    /// asks to stop: the work owns its data, ends by itself and is thrown away.
    pub fn detached<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        self.check()?;
        let (sender, receiver) = mpsc::sync_channel(1);
        self.pool.spawn(move || {
            // A panic that leaves a spawned job ends the process.
            let outcome = catch_unwind(AssertUnwindSafe(work));
            // The receiver is gone only if this call was cancelled; then nobody wants the result.
            drop(sender.send(outcome.map_err(|panic| Error::panicked(&*panic))));
        });
        loop {
            match receiver.recv_timeout(POLL) {
                Ok(outcome) => return outcome,
                Err(mpsc::RecvTimeoutError::Timeout) => self.check()?,
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    return Err(
                        Error::numerical("dense algebra").problem("it ended without a result")
                    );
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detached_work_returns_and_is_left_behind_on_cancel() {
        let control = Control::with_threads(1);
        assert_eq!(control.detached(|| 7), Ok(7));
        control.cancel();
        assert_eq!(control.detached(|| 7), Err(Error::Cancelled));
    }

    #[test]
    fn progress_counts_one_stage_at_a_time() {
        let control = Control::with_threads(1);
        control.begin("first", 10);
        control.advance(4).unwrap();
        assert_eq!(control.progress(), Progress { stage: "first", done: 4, total: 10 });
        control.begin("second", 3);
        assert_eq!(control.progress().done, 0);
        control.cancel();
        assert_eq!(control.advance(1), Err(Error::Cancelled));
    }
}
