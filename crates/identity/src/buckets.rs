//! At most so many of something in a time, for each key: the generic cell rate algorithm, which is a token bucket that
//! needs one number. Nobody is locked out: whoever waits as long as told is let through.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

use ahash::RandomState;
use parking_lot::Mutex;

/// Parts of a table, so that requests on several processors do not wait for each other.
const SHARDS: usize = 16;
/// Keys that one table remembers. Those that have not used up anything are forgotten first.
pub const KEYS_MAX: usize = 100_000;

/// How many in which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many in a period.
    pub count: u32,
    /// The period.
    pub period: Duration,
    /// How many at once.
    pub burst: u32,
}

impl Rate {
    /// So many in a second, and as many at once.
    pub const fn per_second(count: u32) -> Self {
        Self { count, period: Duration::from_secs(1), burst: count }
    }

    /// This limit where it is used up.
    pub fn spent(&self, policy: &'static str, wait: Duration) -> Spent {
        Spent { policy, quota: self.count, window: self.period, wait }
    }

    fn interval(&self) -> u64 {
        let period = u64::try_from(self.period.as_nanos()).unwrap_or(u64::MAX);
        period / u64::from(self.count.max(1))
    }
}

/// A limit that is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// Which limit it is.
    pub policy: &'static str,
    /// How many there may be.
    pub quota: u32,
    /// In which time.
    pub window: Duration,
    /// When there is one again.
    pub wait: Duration,
}

/// What is left after one was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It was there.
    Yes {
        /// How many more could be taken now.
        left: u32,
    },
    /// There was none.
    No {
        /// When there is one again.
        wait: Duration,
    },
}

/// For each key the nanosecond at which its bucket is full again.
type Shard<K> = HashMap<K, u64, RandomState>;

/// A bucket for each key.
#[derive(Debug)]
pub struct Buckets<K> {
    rate: Rate,
    began: Instant,
    hasher: RandomState,
    shards: [Mutex<Shard<K>>; SHARDS],
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    /// Full buckets.
    pub fn new(rate: Rate) -> Self {
        let shards = std::array::from_fn(|_| Mutex::default());
        Self { rate, began: Instant::now(), hasher: RandomState::new(), shards }
    }

    /// The rate.
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// Takes one.
    pub fn take(&self, key: &K) -> Taken {
        self.take_at(key, self.now(), true)
    }

    /// Puts back one that was taken and not needed.
    pub fn give(&self, key: &K) {
        if let Some(full) = self.shard(key).lock().get_mut(key) {
            *full = full.saturating_sub(self.rate.interval());
        }
    }

    /// Whether one could be taken.
    pub fn look(&self, key: &K) -> Taken {
        self.take_at(key, self.now(), false)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn take_at(&self, key: &K, now: u64, take: bool) -> Taken {
        let interval = self.rate.interval();
        let depth = interval.saturating_mul(u64::from(self.rate.burst.max(1)));
        let mut shard = self.shard(key).lock();
        let full = shard.get(key).copied().unwrap_or(now).max(now);
        let used = full - now;
        if used.saturating_add(interval) > depth {
            return Taken::No { wait: Duration::from_nanos(used.saturating_add(interval) - depth) };
        }
        let next = full.saturating_add(interval);
        if take {
            match shard.get_mut(key) {
                Some(known) => *known = next,
                None => {
                    make_room(&mut shard, now);
                    shard.insert(key.clone(), next);
                }
            }
        }
        let left = depth.saturating_sub(used.saturating_add(interval)) / interval.max(1);
        Taken::Yes { left: u32::try_from(left).unwrap_or(u32::MAX) }
    }

    fn shard(&self, key: &K) -> &Mutex<Shard<K>> {
        let hash = self.hasher.hash_one(key);
        &self.shards[usize::try_from(hash % SHARDS as u64).unwrap_or_default()]
    }
}

/// Forgets full buckets, then the fullest half: they forgive the least.
fn make_room<K: Hash + Eq + Clone>(shard: &mut Shard<K>, now: u64) {
    const MOST: usize = KEYS_MAX / SHARDS;
    if shard.len() < MOST {
        return;
    }
    shard.retain(|_, full| *full > now);
    if shard.len() < MOST {
        return;
    }
    let mut ends: Vec<u64> = shard.values().copied().collect();
    let middle = ends.len() / 2;
    let (_, median, _) = ends.select_nth_unstable(middle);
    let median = *median;
    shard.retain(|_, full| *full > median);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Buckets, KEYS_MAX, Rate, Taken};

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn a_burst_then_a_steady_rate_and_never_a_lock_out() {
        let buckets = Buckets::new(Rate { count: 2, period: Duration::from_secs(1), burst: 3 });
        let take = |now: u64| buckets.take_at(&"a", now, true);
        assert_eq!(take(0), Taken::Yes { left: 2 });
        assert_eq!(take(0), Taken::Yes { left: 1 });
        assert_eq!(take(0), Taken::Yes { left: 0 });
        let Taken::No { wait } = take(0) else { panic!("a fourth one") };
        assert_eq!(wait, Duration::from_millis(500));
        // Asking again and again while refused costs nothing.
        for _ in 0..1_000 {
            assert!(matches!(take(SECOND / 4), Taken::No { .. }));
        }
        assert!(matches!(take(SECOND / 2), Taken::Yes { .. }));
        assert!(matches!(take(SECOND / 2), Taken::No { .. }));
        assert_eq!(take(100 * SECOND), Taken::Yes { left: 2 });
        assert_eq!(buckets.take_at(&"b", 0, true), Taken::Yes { left: 2 });
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let buckets = Buckets::new(Rate { count: 1, period: Duration::from_secs(60), burst: 1 });
        assert!(matches!(buckets.take(&"a"), Taken::Yes { .. }));
        assert!(matches!(buckets.take(&"a"), Taken::No { .. }));
        buckets.give(&"a");
        assert!(matches!(buckets.take(&"a"), Taken::Yes { .. }));
        buckets.give(&"nobody");
    }

    #[test]
    fn the_table_is_bounded_and_keeps_those_that_used_up_most() {
        let buckets = Buckets::new(Rate { count: 1, period: Duration::from_secs(60), burst: 2 });
        let greedy = 7_u32;
        for _ in 0..2 {
            buckets.take_at(&greedy, 0, true);
        }
        for key in 1_000..1_000 + 3 * u32::try_from(KEYS_MAX).unwrap() {
            buckets.take_at(&key, 0, true);
        }
        let known: usize = buckets.shards.iter().map(|shard| shard.lock().len()).sum();
        assert!(known <= KEYS_MAX, "{known}");
        assert!(matches!(buckets.take_at(&greedy, 0, true), Taken::No { .. }));
    }
}
