//! Where scripts run.

use std::sync::{Arc, LazyLock};

use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::code::Script;
use crate::fault::{Fault, FaultKind};
use crate::host::{Answer, Host, Surface};
use crate::limits::{Limits, RUNS_AT_ONCE, THREADS_MAX};
use crate::run;
use crate::workers::Workers;

/// Threads for scripts, and how many runs there may be at once. Clones share it.
#[derive(Clone)]
pub struct Sandbox {
    pub(crate) workers: Workers,
    permits: Arc<Semaphore>,
}

/// One run of a script.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// The script's first argument, JSON.
    pub arguments: &'a [u8],
    /// The names behind its second argument; [`Host::call`] gets their numbers.
    pub surface: &'a Surface,
    /// Limits of this run.
    pub limits: Limits,
    /// When it is over at the latest.
    pub deadline: Instant,
    /// Ends it sooner.
    pub cancel: &'a CancellationToken,
}

impl Sandbox {
    /// A sandbox of its own.
    pub fn new(threads: usize, runs: usize) -> Self {
        Self { workers: Workers::new(threads), permits: Arc::new(Semaphore::new(runs.max(1))) }
    }

    /// The process's own sandbox.
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<Sandbox> = LazyLock::new(|| Sandbox::new(THREADS_MAX, RUNS_AT_ONCE));
        &SHARED
    }

    /// Runs a script; gives its result. Dropping the future stops the run.
    ///
    /// # Errors
    /// The script threw, or a limit, the deadline or the caller ended it.
    pub async fn run(&self, script: &Script, host: &dyn Host, call: Call<'_>) -> Result<Answer, Fault> {
        script.admit()?;
        let work = async {
            // The semaphore is never closed.
            let _permit = self.permits.acquire().await;
            run::drive(self, script, host, call).await
        };
        tokio::select! {
            biased;
            () = call.cancel.cancelled() => Err(Fault::new(FaultKind::Cancelled, "the call was cancelled")),
            result = work => result,
            () = tokio::time::sleep_until(call.deadline) => {
                Err(Fault::new(FaultKind::Deadline, "the script did not end before the deadline of the call"))
            }
        }
    }
}
