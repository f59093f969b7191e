//! What makes a running statement stop: the deadline and the caller's cancellation.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

/// Why a statement has to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The deadline passed.
    Timeout,
    /// The caller went away.
    Cancelled,
}

/// Shared by a connection's hooks and by whoever uses the connection now. SQLite asks the hooks from
/// inside a statement, so that a statement ends soon after it must, whatever it does.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch(Arc<Mutex<Option<Run>>>);

#[derive(Debug)]
struct Run {
    deadline: Instant,
    cancel: CancellationToken,
}

impl Watch {
    /// A run begins.
    pub(super) fn begin(&self, deadline: Instant, cancel: CancellationToken) {
        *self.0.lock() = Some(Run { deadline, cancel });
    }

    /// The run is over: the connection's own work (such as a rollback) is not stopped.
    pub(super) fn end(&self) {
        *self.0.lock() = None;
    }

    /// Whether the run has to stop, and why.
    pub(super) fn stop(&self) -> Option<Stop> {
        let run = self.0.lock();
        let run = run.as_ref()?;
        if run.cancel.is_cancelled() {
            Some(Stop::Cancelled)
        } else if Instant::now() >= run.deadline {
            Some(Stop::Timeout)
        } else {
            None
        }
    }

    /// Called while another connection holds a lock: waits a moment and says whether to try again.
    pub(super) fn wait_for_lock(&self, tries: i32) -> bool {
        /// Longest wait between two tries.
        const WAIT_MAX: Duration = Duration::from_millis(20);
        if self.0.lock().is_none() || self.stop().is_some() {
            return false;
        }
        let wait = Duration::from_millis(1 << tries.clamp(0, 5)).min(WAIT_MAX);
        pause(wait);
        true
    }
}

#[expect(clippy::disallowed_methods, reason = "SQLite asks on a blocking thread that has nothing else to do")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}
