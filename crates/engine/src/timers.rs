//! Timers that scripts set: what is due is called, also after a restart.

use std::sync::Arc;
use std::time::Duration;

use connect::state::{Fault, Moment, State, Timer, now};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;

use crate::context::CallContext;
use crate::limits::{TIMER_ATTEMPTS_MAX, TIMER_BACKOFF, TIMER_HOLD, TIMER_LEAST, TIMER_LOOK, TIMERS_AT_ONCE};
use crate::toolset::Toolset;

impl Toolset {
    /// What the server remembers, if it does.
    pub fn state(&self) -> Option<&Arc<State>> {
        self.state.as_ref()
    }

    /// Calls the tools of all timers that are due, and gives the time until the next one. A timer whose call fails is tried
    /// again, later each time; after [`TIMER_ATTEMPTS_MAX`] attempts it is given up, which is logged. After `enough`
    /// no more are called; after `cancel` those that are under way are given back to whoever serves next.
    pub async fn run_timers(&self, enough: &CancellationToken, cancel: &CancellationToken) -> Option<Duration> {
        let state = self.state.as_ref()?;
        let mut running = FuturesUnordered::new();
        loop {
            while running.len() < TIMERS_AT_ONCE && !enough.is_cancelled() {
                match blocking(state, |state| state.take_timer(now(), until(TIMER_HOLD))).await {
                    Ok(Some(timer)) => running.push(self.ring(state, timer, cancel)),
                    Ok(None) => break,
                    Err(fault) => {
                        tracing::warn!(%fault, "timers cannot be read");
                        break;
                    }
                }
            }
            if running.is_empty() {
                break;
            }
            if running.len() >= TIMERS_AT_ONCE || enough.is_cancelled() {
                let _ = running.next().await;
                continue;
            }
            // What becomes due meanwhile does not wait for what runs.
            let next = wait(state).await.unwrap_or(TIMER_LOOK).clamp(TIMER_LEAST, TIMER_LOOK);
            tokio::select! {
                _ = running.next() => {}
                () = state.woken() => {}
                () = tokio::time::sleep(next) => {}
            }
        }
        wait(state).await
    }

    /// Calls the tool of one timer, and holds the timer meanwhile.
    async fn ring(&self, state: &Arc<State>, timer: Timer, cancel: &CancellationToken) {
        let failed = {
            let call = async {
                let raw = RawValue::from_string(timer.arguments.clone()).ok();
                let outcome = self.call(&CallContext::new(cancel), &timer.tool, raw.as_deref()).await;
                match outcome {
                    Ok(outcome) => outcome.failure.map(|failure| failure.text),
                    Err(unknown) => Some(unknown.0),
                }
            };
            tokio::pin!(call);
            loop {
                tokio::select! {
                    failed = &mut call => break failed,
                    () = tokio::time::sleep(TIMER_HOLD / 3) => {
                        let held = timer.clone();
                        let _ = blocking(state, move |state| state.hold_timer(&held, until(TIMER_HOLD))).await;
                    }
                }
            }
        };
        if cancel.is_cancelled() {
            // Whoever serves next takes it at once.
            let again = timer.due;
            let _ = blocking(state, move |state| state.end_timer(&timer, Some(again))).await;
            return;
        }
        let again = failed.as_ref().filter(|_| timer.attempts < TIMER_ATTEMPTS_MAX).map(|why| {
            tracing::warn!(timer = timer.name, tool = timer.tool, why, "a timer failed and is tried again");
            until(TIMER_BACKOFF * timer.attempts.max(1))
        });
        if let (Some(why), None) = (&failed, again) {
            tracing::error!(timer = timer.name, tool = timer.tool, why, "a timer failed and is given up");
        }
        if let Err(fault) = blocking(state, move |state| state.end_timer(&timer, again)).await {
            tracing::warn!(%fault, "a timer could not be ended; it will be tried again");
        }
    }
}

/// The time until the next timer is due, if there is one.
async fn wait(state: &Arc<State>) -> Option<Duration> {
    let next = blocking(state, State::next_timer).await.ok().flatten()?;
    Some(Duration::from_millis(u64::try_from(next - now()).unwrap_or(0)))
}

fn until(time: Duration) -> Moment {
    now().saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
}

async fn blocking<T: Send + 'static>(
    state: &Arc<State>,
    work: impl FnOnce(&State) -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let state = Arc::clone(state);
    let done = tokio::task::spawn_blocking(move || work(&state)).await;
    done.unwrap_or_else(|error| Err(Fault::Broken(error.to_string())))
}
