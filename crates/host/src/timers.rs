//! Serves the timers of a server for as long as it is served.

use std::sync::Arc;

use engine::limits::{TIMER_LEAST, TIMER_LOOK};
use tokio_util::sync::CancellationToken;

use crate::Hosted;

/// Calls the tools of timers when they are due, until it is dropped.
#[derive(Debug)]
pub struct Timers {
    /// No more are called.
    enough: CancellationToken,
    /// Those that are under way are given back.
    cancel: CancellationToken,
}

impl Timers {
    /// Begins, when the server has timers. Has to be called within the asynchronous runtime.
    pub fn start(hosted: &Arc<Hosted>) -> Option<Self> {
        hosted.toolset().state()?;
        let cancel = CancellationToken::new();
        let enough = cancel.child_token();
        let made = Self { enough: enough.clone(), cancel: cancel.clone() };
        let hosted = Arc::downgrade(hosted);
        tokio::spawn(async move {
            while let Some(hosted) = hosted.upgrade() {
                let toolset = hosted.toolset();
                drop(hosted);
                let next = toolset.run_timers(&enough, &cancel).await.unwrap_or(TIMER_LOOK);
                let Some(state) = toolset.state() else { return };
                tokio::select! {
                    () = enough.cancelled() => return,
                    () = tokio::time::sleep(next.clamp(TIMER_LEAST, TIMER_LOOK)) => {}
                    () = state.woken() => {}
                }
            }
        });
        Some(made)
    }

    /// Calls no more of them. Those that are under way end.
    pub fn let_end(mut self) {
        self.enough.cancel();
        self.cancel = CancellationToken::new();
    }
}

impl Drop for Timers {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}
