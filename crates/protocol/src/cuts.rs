//! Open streams by caller, so that they end when the caller loses its access.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use parking_lot::Mutex;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::runtime::Runtime;

/// The callers that have streams open, with how many.
#[derive(Debug, Default)]
pub(crate) struct Cuts(Mutex<HashMap<Arc<str>, (CancellationToken, usize)>>);

impl Cuts {
    pub(crate) fn cut(&self, principal: &str) {
        let found = self.0.lock().get(principal).map(|(token, _)| token.clone());
        if let Some(token) = found {
            token.cancel();
        }
    }
}

/// Notes that a stream of a caller is open, until it is dropped.
pub(crate) struct Cut {
    runtime: Arc<Runtime>,
    principal: Arc<str>,
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Cut {
    /// A stream of this caller; `None` where nobody has to show anything.
    pub(crate) fn of(runtime: &Arc<Runtime>, principal: Option<Arc<str>>) -> Option<Self> {
        let principal = principal?;
        let token = {
            let mut table = runtime.cuts.0.lock();
            let (token, count) = table.entry(principal.clone()).or_default();
            *count += 1;
            token.clone()
        };
        Some(Self { runtime: runtime.clone(), principal, ended: Box::pin(token.cancelled_owned()) })
    }

    /// Ready when the caller lost its access.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.ended.as_mut().poll(cx)
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        let mut table = self.runtime.cuts.0.lock();
        if let Some((_, count)) = table.get_mut(&self.principal) {
            *count -= 1;
            if *count == 0 {
                table.remove(&self.principal);
            }
        }
    }
}
