//! A body being answered: polled by whoever sends the answer, no task of its own.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::dispatch::{self, Answer, Incoming};
use crate::exchange::{Event, Exchange};

/// What a job gives next.
pub(crate) enum Turn {
    Event(Event),
    Done(Answer),
}

/// The running work for one body, and what it sends before its answer.
pub(crate) struct Job {
    work: Option<Pin<Box<dyn Future<Output = Answer> + Send>>>,
    answer: Option<Answer>,
    pub(crate) exchange: Arc<Exchange>,
}

impl Job {
    pub(crate) fn new(incoming: Incoming) -> Self {
        let exchange = incoming.exchange.clone();
        Self { work: Some(Box::pin(dispatch::run(incoming))), answer: None, exchange }
    }

    /// The next event, or the answer after all events.
    pub(crate) fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Turn> {
        if let Some(work) = &mut self.work
            && let Poll::Ready(answer) = work.as_mut().poll(cx)
        {
            self.work = None;
            self.answer = Some(answer);
        }
        if self.answer.is_none() {
            return self.exchange.poll_next(cx).map(Turn::Event);
        }
        if let Some(event) = self.exchange.try_next() {
            return Poll::Ready(Turn::Event(event));
        }
        self.answer.take().map_or(Poll::Pending, |answer| Poll::Ready(Turn::Done(answer)))
    }

    pub(crate) async fn turn(&mut self) -> Turn {
        std::future::poll_fn(|cx| self.poll_turn(cx)).await
    }

    /// Polls once, for answers that need not wait.
    pub(crate) fn try_turn(&mut self) -> Option<Turn> {
        match self.poll_turn(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(turn) => Some(turn),
            Poll::Pending => None,
        }
    }

    /// The same within a task. After `None`, go on with [`Job::woken_turn`].
    pub(crate) async fn first_turn(&mut self) -> Option<Turn> {
        let first = std::future::poll_fn(|cx| Poll::Ready(self.poll_turn(cx)));
        match first.await {
            Poll::Ready(turn) => Some(turn),
            Poll::Pending => None,
        }
    }

    /// The next turn of a job that this very task has just polled in vain: it is polled again when something has woken
    /// the task, not before.
    pub(crate) async fn woken_turn(&mut self) -> Turn {
        let mut polled = true;
        std::future::poll_fn(|cx| if std::mem::take(&mut polled) { Poll::Pending } else { self.poll_turn(cx) }).await
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        let Some(work) = self.work.take() else { return };
        // In sessions a lost connection is no cancellation (2025-11-25, transports); the work goes on unheard.
        match tokio::runtime::Handle::try_current() {
            Ok(handle) if self.exchange.outlives() && !self.exchange.cancel.is_cancelled() => {
                handle.spawn(work);
            }
            _ => self.exchange.cancel.cancel(),
        }
    }
}
