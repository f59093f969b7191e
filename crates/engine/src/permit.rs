//! Permits to use connections, which bound how many calls run at once.

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};

/// A permit that a call gives back while it waits for a person, and takes again afterwards.
#[derive(Debug)]
pub(crate) struct Held<'a> {
    permits: &'a Semaphore,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Whether the call had a permit to begin with.
    had: bool,
    has: bool,
    /// How many answers are waited for.
    waiting: usize,
}

impl<'a> Held<'a> {
    pub(crate) fn new(permits: &'a Semaphore, permit: Option<SemaphorePermit<'_>>) -> Self {
        let had = permit.is_some();
        if let Some(permit) = permit {
            permit.forget();
        }
        Self { permits, state: Mutex::new(State { had, has: had, waiting: 0 }) }
    }

    /// An answer is waited for from now on.
    pub(crate) fn release(&self) {
        let mut state = self.state.lock();
        state.waiting += 1;
        if std::mem::take(&mut state.has) {
            self.permits.add_permits(1);
        }
    }

    /// The answer is there: what the call goes on with needs a permit again.
    pub(crate) async fn take_back(&self) {
        let lacks = {
            let mut state = self.state.lock();
            state.waiting = state.waiting.saturating_sub(1);
            state.had && !state.has && state.waiting == 0
        };
        if !lacks {
            return;
        }
        // The semaphore is never closed.
        let Ok(permit) = self.permits.acquire().await else { return };
        let mut state = self.state.lock();
        if !state.has {
            state.has = true;
            permit.forget();
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if self.state.get_mut().has {
            self.permits.add_permits(1);
        }
    }
}
