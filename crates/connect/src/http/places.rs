//! At most so many requests of a connection under way at once; more wait in the order in which they came.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// How many requests of a connection may be under way, and how many may wait for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtOnce {
    /// Most requests under way at once.
    pub requests: usize,
    /// Most requests that wait; one more is refused at once.
    pub waiting: usize,
}

/// Gives each request a place, in order.
pub(super) struct Places {
    bound: AtOnce,
    free: Semaphore,
    waiting: AtomicUsize,
}

/// Why a request got no place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// So many wait already.
    Full(usize),
    /// None became free before the deadline.
    Late(usize),
}

impl std::fmt::Display for NoPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Full(most) => write!(
                f,
                "{most} requests wait for their turn, the most that `limits.waiting` of the connection allows; this one was not sent"
            ),
            Self::Late(most) => write!(
                f,
                "{most} requests are under way, the most that `limits.concurrency` of the connection allows, and none of them ended in time; this one was not sent"
            ),
        }
    }
}

/// Counts who waits, also when they go away.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Places {
    pub(super) fn new(bound: AtOnce) -> Self {
        let bound = AtOnce { requests: bound.requests.clamp(1, Semaphore::MAX_PERMITS), ..bound };
        Self { bound, free: Semaphore::new(bound.requests), waiting: AtomicUsize::new(0) }
    }

    /// A place, which is given back when it is dropped. Nobody overtakes those who wait.
    pub(super) async fn take(&self, deadline: Instant) -> Result<SemaphorePermit<'_>, NoPlace> {
        if let Ok(place) = self.free.try_acquire() {
            return Ok(place);
        }
        let before = self.waiting.fetch_add(1, Ordering::AcqRel);
        let _waiting = Waiting(&self.waiting);
        if before >= self.bound.waiting {
            return Err(NoPlace::Full(self.bound.waiting));
        }
        match tokio::time::timeout_at(deadline, self.free.acquire()).await {
            // This process may have stood still meanwhile, and what was too late then is too late now.
            Ok(Ok(place)) if Instant::now() < deadline => Ok(place),
            // It is never closed.
            Ok(_) | Err(_) => Err(NoPlace::Late(self.bound.requests)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_waits_has_a_place_in_order_and_in_time() {
        let places = Places::new(AtOnce { requests: 1, waiting: 2 });
        let later = || Instant::now() + Duration::from_secs(1);
        let first = places.take(later()).await.expect("a place");
        let order = parking_lot::Mutex::new(Vec::new());
        let wait = async |number: u8| {
            let place = places.take(later()).await;
            order.lock().push(number);
            place.is_ok()
        };
        let full = async {
            tokio::task::yield_now().await;
            let refused = places.take(later()).await.err();
            drop(first);
            refused
        };
        let (second, third, refused) = tokio::join!(wait(2), wait(3), full);
        assert_eq!((second, third, refused), (true, true, Some(NoPlace::Full(2))));
        assert_eq!(*order.lock(), [2, 3]);
        let _held = places.take(later()).await.expect("a place that was given back");
        assert_eq!(places.take(later()).await.err(), Some(NoPlace::Late(1)));
        assert_eq!(places.waiting.load(Ordering::Relaxed), 0);
    }
}
