//! At most so many requests in a time, per connection (the generic cell rate algorithm).

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// How many requests a connection may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Requests in a period.
    pub requests: u32,
    /// The period.
    pub period: Duration,
    /// How many may be sent at once.
    pub burst: u32,
}

/// Gives each request its turn.
pub(super) struct Limiter {
    interval: Duration,
    tolerance: Duration,
    next: Mutex<Instant>,
}

impl Limiter {
    pub(super) fn new(rate: Rate) -> Self {
        let interval = rate.period / rate.requests.max(1);
        Self { interval, tolerance: interval * rate.burst.max(1).saturating_sub(1), next: Mutex::new(Instant::now()) }
    }

    /// The wait until a request may be sent. Its turn is taken unless the wait would pass the deadline.
    pub(super) fn turn(&self, deadline: Instant) -> Option<Duration> {
        let now = Instant::now();
        let mut next = self.next.lock();
        let due = (*next).max(now);
        let wait = due.duration_since(now).saturating_sub(self.tolerance);
        if now + wait > deadline {
            return None;
        }
        *next = due + self.interval;
        Some(wait)
    }
}
