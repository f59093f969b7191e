//! One SSE stream of a session: its events are kept for a client that loses the connection and comes back.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use parking_lot::Mutex;

use crate::exchange::Event;

/// Events that a stream keeps.
const MAX_EVENTS: usize = 512;
/// Bytes of events that a stream keeps, unless a single event is larger.
const MAX_BYTES: usize = 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) id: u32,
    log: Mutex<Log>,
}

#[derive(Debug, Default)]
struct Log {
    events: VecDeque<Event>,
    /// Number of the first kept event; numbers start at 1.
    first: u64,
    bytes: usize,
    finished: bool,
    /// The newest reader; older ones end.
    reader: u64,
    waker: Option<Waker>,
}

/// What a reader gets.
pub(crate) enum Read {
    Message { number: u64, message: Bytes },
    Disconnect { number: u64, retry_ms: u64 },
    End,
}

impl Stream {
    pub(crate) fn new(id: u32) -> Self {
        Self { id, log: Mutex::new(Log { first: 1, ..Log::default() }) }
    }

    pub(crate) fn push(&self, event: Event) {
        let waker = {
            let mut log = self.log.lock();
            if log.finished {
                return;
            }
            log.bytes += size(&event);
            log.events.push_back(event);
            while log.events.len() > MAX_EVENTS || (log.bytes > MAX_BYTES && log.events.len() > 1) {
                if let Some(old) = log.events.pop_front() {
                    log.bytes -= size(&old);
                    log.first += 1;
                }
            }
            log.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// No more events will come.
    pub(crate) fn finish(&self) {
        let waker = {
            let mut log = self.log.lock();
            log.finished = true;
            log.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.log.lock().finished
    }

    /// Makes a new reader and ends the one before.
    pub(crate) fn attach(&self) -> u64 {
        let (reader, waker) = {
            let mut log = self.log.lock();
            log.reader += 1;
            (log.reader, log.waker.take())
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        reader
    }

    /// The first event with a number above `after`.
    pub(crate) fn poll_read(&self, reader: u64, after: u64, cx: &mut Context<'_>) -> Poll<Read> {
        let mut log = self.log.lock();
        if log.reader != reader {
            return Poll::Ready(Read::End);
        }
        let mut number = (after + 1).max(log.first);
        while let Some(index) = number.checked_sub(log.first).and_then(|index| usize::try_from(index).ok())
            && let Some(event) = log.events.get_mut(index)
        {
            match event {
                Event::Message(message) => return Poll::Ready(Read::Message { number, message: message.clone() }),
                // Obeyed once: whoever comes back reads on behind it.
                Event::Disconnect { retry_ms } if *retry_ms != u64::MAX => {
                    let retry_ms = std::mem::replace(retry_ms, u64::MAX);
                    return Poll::Ready(Read::Disconnect { number, retry_ms });
                }
                Event::Disconnect { .. } => number += 1,
            }
        }
        if log.finished {
            return Poll::Ready(Read::End);
        }
        match &mut log.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

fn size(event: &Event) -> usize {
    match event {
        Event::Message(message) => message.len(),
        Event::Disconnect { .. } => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use bytes::Bytes;

    use super::{MAX_EVENTS, Read, Stream};
    use crate::exchange::Event;

    fn next(stream: &Stream, reader: u64, after: u64) -> Option<(u64, Bytes)> {
        match stream.poll_read(reader, after, &mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Read::Message { number, message }) => Some((number, message)),
            _ => None,
        }
    }

    #[test]
    fn a_reader_that_comes_back_reads_on_behind_the_event_it_names() {
        let stream = Stream::new(1);
        for text in ["a", "b", "c"] {
            stream.push(Event::Message(text.into()));
        }
        let reader = stream.attach();
        assert_eq!(next(&stream, reader, 0), Some((1, "a".into())));
        let second = stream.attach();
        assert_eq!(next(&stream, reader, 1), None, "the first reader has ended");
        assert_eq!(next(&stream, second, 2), Some((3, "c".into())));
    }

    #[test]
    fn only_so_many_events_are_kept() {
        let stream = Stream::new(1);
        for number in 0..MAX_EVENTS + 10 {
            stream.push(Event::Message(number.to_string().into()));
        }
        let reader = stream.attach();
        assert_eq!(next(&stream, reader, 0), Some((11, "10".into())));
    }
}
