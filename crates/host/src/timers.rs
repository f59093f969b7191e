//! Serves the timers of a server for as long as it is served.

use std::sync::Arc;

use engine::limits::{TIMER_LEAST, TIMER_LOOK};
use tokio_util::sync::CancellationToken;

use crate::Hosted;

/// Calls the tools of timers when they are due, until it is dropped.
#[derive(Debug)]
pub struct Timers(CancellationToken);

impl Timers {
    /// Begins, when the server has timers. Has to be called within the asynchronous runtime.
    pub fn start(hosted: &Arc<Hosted>) -> Option<Self> {
        hosted.toolset().state()?;
        let stop = CancellationToken::new();
        let (hosted, stopped) = (Arc::downgrade(hosted), stop.clone());
        tokio::spawn(async move {
            while let Some(hosted) = hosted.upgrade() {
                let toolset = hosted.toolset();
                drop(hosted);
                let next = toolset.run_timers(&stopped).await.unwrap_or(TIMER_LOOK);
                let Some(state) = toolset.state() else { return };
                tokio::select! {
                    () = stopped.cancelled() => return,
                    () = tokio::time::sleep(next.clamp(TIMER_LEAST, TIMER_LOOK)) => {}
                    () = state.woken() => {}
                }
            }
        });
        Some(Self(stop))
    }
}

impl Drop for Timers {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
