//! The calls to the host that one run has under way.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;

use crate::host::{Host, HostError};
use crate::port::{Load, Request};

/// An answer of the host.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) id: u32,
    pub(crate) outcome: Result<Bytes, HostError>,
    is_call: bool,
    bytes: usize,
}

/// Calls under way, and those that wait for their turn.
pub(crate) struct Flying<'a> {
    host: &'a dyn Host,
    load: Arc<Load>,
    futures: FuturesUnordered<BoxFuture<'a, Settled>>,
    waiting: VecDeque<Request>,
    /// Calls in `futures`; sleeping costs nobody anything.
    calls: usize,
    calls_max: usize,
}

impl<'a> Flying<'a> {
    pub(crate) fn new(host: &'a dyn Host, calls_max: usize, load: Arc<Load>) -> Self {
        let calls_max = calls_max.max(1);
        Self { host, load, futures: FuturesUnordered::new(), waiting: VecDeque::new(), calls: 0, calls_max }
    }

    /// Begins a call, or puts it in line.
    pub(crate) fn begin(&mut self, request: Request) {
        if request.function != 0 && self.calls >= self.calls_max {
            self.waiting.push_back(request);
            return;
        }
        let Request { id, function, arguments } = request;
        let bytes = arguments.len();
        let host = self.host;
        let future: BoxFuture<'a, Settled> = match function.checked_sub(1) {
            None => Box::pin(async move {
                let milliseconds = arguments.parse::<f64>().unwrap_or_default().max(0.0);
                let time = Duration::try_from_secs_f64(milliseconds / 1e3).unwrap_or_default();
                tokio::time::sleep(time).await;
                Settled { id, outcome: Ok(Bytes::from_static(b"null")), is_call: false, bytes }
            }),
            Some(number) => {
                self.calls += 1;
                Box::pin(async move {
                    let outcome = host.call(number as usize, arguments).await;
                    Settled { id, outcome, is_call: true, bytes }
                })
            }
        };
        self.futures.push(future);
    }

    /// The next answer; pending for ever when there is nothing under way.
    pub(crate) async fn next(&mut self) -> Settled {
        let Some(settled) = self.futures.next().await else { return std::future::pending().await };
        self.load.answered(settled.bytes);
        if settled.is_call {
            self.calls -= 1;
            if let Some(request) = self.waiting.pop_front() {
                self.begin(request);
            }
        }
        settled
    }

    /// Whether no answer will come.
    pub(crate) fn is_empty(&self) -> bool {
        self.futures.is_empty()
    }

    /// Calls that have no answer yet, without `sleep`.
    pub(crate) fn unanswered(&self) -> usize {
        self.calls + self.waiting.len()
    }
}
