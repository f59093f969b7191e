//! When an engine must stop.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::fault::{Fault, FaultKind};

/// The processor time of a run and whether it must stop. The engine asks every few thousand steps.
#[derive(Debug)]
pub(crate) struct Watch {
    stopped: AtomicBool,
    tripped: AtomicBool,
    /// Nanoseconds of the slices before this one.
    used: AtomicU64,
    /// The thread's processor clock when this slice began, nanoseconds.
    began: AtomicU64,
    max: Duration,
}

impl Watch {
    pub(crate) fn new(max: Duration) -> Self {
        Self {
            stopped: AtomicBool::new(false),
            tripped: AtomicBool::new(false),
            used: AtomicU64::new(0),
            began: AtomicU64::new(0),
            max,
        }
    }

    /// A slice begins on this thread.
    pub(crate) fn begin(&self) {
        self.began.store(clock(), Ordering::Relaxed);
    }

    /// It ends.
    pub(crate) fn end(&self) {
        self.used.fetch_add(self.slice(), Ordering::Relaxed);
    }

    /// Stops the engine from another thread.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Whether the engine must stop now.
    pub(crate) fn asks_to_stop(&self) -> bool {
        if self.is_stopped() || self.tripped.load(Ordering::Relaxed) {
            return true;
        }
        let used = self.used.load(Ordering::Relaxed) + self.slice();
        let is_over = u128::from(used) > self.max.as_nanos();
        if is_over {
            self.tripped.store(true, Ordering::Relaxed);
        }
        is_over
    }

    /// Why it was stopped, if it was.
    pub(crate) fn tripped(&self) -> Option<Fault> {
        if self.tripped.load(Ordering::Relaxed) {
            let message = format!(
                "the script used more than {} ms of processor time; look for a loop without an end",
                self.max.as_millis()
            );
            return Some(Fault::new(FaultKind::Cpu, message));
        }
        self.is_stopped().then(|| Fault::new(FaultKind::Cancelled, "the call was cancelled"))
    }

    fn slice(&self) -> u64 {
        clock().saturating_sub(self.began.load(Ordering::Relaxed))
    }
}

/// The processor time of this thread, nanoseconds.
fn clock() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    u64::try_from(time.tv_sec).unwrap_or_default() * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or_default()
}
