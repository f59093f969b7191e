//! Server-sent events: the frames, and the two kinds of streams that send them.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, Sleep};

use crate::cuts::Cut;
use crate::dispatch::Answer;
use crate::exchange::Event;
use crate::job::{Job, Turn};
use crate::json::one_line;
use crate::session::{Read, Session, Stream};

const COMMENT: Bytes = Bytes::from_static(b": keep-alive\n\n");

/// One event that carries a message.
pub(super) fn frame(id: Option<(u32, u64)>, message: Bytes) -> Bytes {
    let message = one_line(message);
    let mut out = Vec::with_capacity(message.len() + 64);
    if let Some((stream, number)) = id {
        out.extend_from_slice(format!("id: {stream}-{number}\n").as_bytes());
    }
    out.extend_from_slice(b"event: message\ndata: ");
    out.extend_from_slice(&message);
    out.extend_from_slice(b"\n\n");
    out.into()
}

/// Fires when nothing was sent for a while.
struct Silence {
    sleep: Pin<Box<Sleep>>,
    period: Duration,
}

impl Silence {
    fn new(period: Duration) -> Self {
        Self { sleep: Box::pin(tokio::time::sleep(period)), period }
    }

    fn reset(&mut self) {
        let next = Instant::now() + self.period;
        self.sleep.as_mut().reset(next);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let fired = self.sleep.as_mut().poll(cx);
        if fired.is_ready() {
            self.reset();
        }
        fired
    }
}

/// The stream of one stateless request: it runs the work itself, so that a lost connection drops the work.
pub(super) struct JobBody {
    job: Job,
    first: Option<Event>,
    silence: Silence,
    cut: Option<Cut>,
    ended: bool,
}

impl JobBody {
    pub(super) fn new(job: Job, first: Option<Event>, keep_alive: Duration, cut: Option<Cut>) -> Self {
        Self { job, first, silence: Silence::new(keep_alive), cut, ended: false }
    }

    pub(super) fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if self.cut.as_mut().is_some_and(|cut| cut.poll(cx).is_ready()) {
            self.ended = true;
            return Poll::Ready(None);
        }
        if let Some(Event::Message(message)) = self.first.take() {
            return Poll::Ready(Some(frame(None, message)));
        }
        loop {
            match self.job.poll_turn(cx) {
                Poll::Ready(Turn::Event(Event::Message(message))) => {
                    self.silence.reset();
                    return Poll::Ready(Some(frame(None, message)));
                }
                Poll::Ready(Turn::Event(Event::Disconnect { .. })) => {}
                Poll::Ready(Turn::Done(answer)) => {
                    self.ended = true;
                    return Poll::Ready(last(answer));
                }
                Poll::Pending => return self.silence.poll(cx).map(|()| Some(COMMENT)),
            }
        }
    }
}

fn last(answer: Answer) -> Option<Bytes> {
    (!answer.body.is_empty()).then(|| frame(None, answer.flat()))
}

/// A stream of a session: it reads what the session keeps, so that a lost connection loses nothing.
pub(super) struct StreamBody {
    session: Arc<Session>,
    stream: Arc<Stream>,
    reader: u64,
    after: u64,
    opening: Option<Bytes>,
    silence: Silence,
    ended: bool,
}

impl StreamBody {
    /// Reads the events numbered above `after`. Where the revision has it, a stream opens with an empty event whose id a
    /// client can come back to.
    pub(super) fn new(session: Arc<Session>, stream: Arc<Stream>, after: u64, keep_alive: Duration) -> Self {
        let primed = session.revision.has_sse_polling() && after == 0;
        let opening = primed.then(|| Bytes::from(format!("id: {}-0\nretry: 1000\ndata: \n\n", stream.id)));
        let reader = stream.attach();
        Self { session, stream, reader, after, opening, silence: Silence::new(keep_alive), ended: false }
    }

    pub(super) fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(opening) = self.opening.take() {
            return Poll::Ready(Some(opening));
        }
        if self.ended {
            return Poll::Ready(None);
        }
        match self.stream.poll_read(self.reader, self.after, cx) {
            Poll::Ready(Read::Message { number, message }) => {
                self.after = number;
                self.silence.reset();
                Poll::Ready(Some(frame(Some((self.stream.id, number)), message)))
            }
            Poll::Ready(Read::Disconnect { number, retry_ms }) => {
                self.after = number;
                self.ended = true;
                Poll::Ready(Some(Bytes::from(format!("retry: {retry_ms}\n\n"))))
            }
            Poll::Ready(Read::End) => {
                self.ended = true;
                Poll::Ready(None)
            }
            Poll::Pending => self.silence.poll(cx).map(|()| {
                // An open stream keeps its session alive.
                self.session.touch();
                Some(COMMENT)
            }),
        }
    }
}

/// Runs a job of a session to its end, whether or not somebody reads.
pub(super) async fn pump(mut job: Job, first: Option<Event>, stream: Arc<Stream>) {
    if let Some(event) = first {
        stream.push(event);
    }
    loop {
        match job.turn().await {
            Turn::Event(event) => stream.push(event),
            Turn::Done(answer) => {
                if !answer.body.is_empty() {
                    stream.push(Event::Message(answer.flat()));
                }
                stream.finish();
                return;
            }
        }
    }
}
