//! How much is called: for each tool, version and caller how many calls, how many failed, how long they took, and how many
//! bytes went in and out. Ended in memory without waiting; whoever holds it takes what was counted from time to time.

mod histogram;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use ahash::RandomState;
use parking_lot::{Mutex, MutexGuard};

pub use histogram::Histogram;

/// Parts that are counted in side by side.
const SHARDS: usize = 16;
/// Most different things that are counted at a time in one part. More callers are counted as [`OTHERS`].
const CELLS_MAX: usize = 1_000;
/// Most tools whose calls since the start are told; calls of more are not.
const TOTALS_MAX: usize = 2_000;
/// Who calls when too many different callers do.
pub const OTHERS: &str = "(others)";

/// What is counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key<'a> {
    /// The server.
    pub server: &'a str,
    /// The version that answered.
    pub version: &'a str,
    /// The tool.
    pub tool: &'a str,
    /// Who called.
    pub caller: &'a str,
}

/// A call that ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// Whether it failed.
    pub is_error: bool,
    /// How long it took, microseconds.
    pub micros: u64,
    /// Size of the arguments.
    pub bytes_in: u64,
    /// Size of the answer.
    pub bytes_out: u64,
}

/// What was counted of one thing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// The server.
    pub server: String,
    /// The version that answered.
    pub version: String,
    /// The tool.
    pub tool: Arc<str>,
    /// Who called.
    pub caller: String,
    /// Calls.
    pub calls: u64,
    /// Calls that failed.
    pub errors: u64,
    /// Bytes of arguments.
    pub bytes_in: u64,
    /// Bytes of answers.
    pub bytes_out: u64,
    /// Microseconds of all calls together.
    pub micros: u64,
    /// Microseconds of the slowest call.
    pub slowest: u64,
    /// How long calls took.
    pub latency: Histogram,
}

impl Sum {
    fn is(&self, key: &Key<'_>) -> bool {
        *self.tool == *key.tool && self.caller == key.caller && self.server == key.server && self.version == key.version
    }

    /// Adds what another one counted.
    pub fn merge(&mut self, other: &Self) {
        self.calls += other.calls;
        self.errors += other.errors;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        self.micros += other.micros;
        self.slowest = self.slowest.max(other.slowest);
        self.latency.merge(&other.latency);
    }

    /// Takes away what was merged, but for the slowest call.
    fn part(&mut self, other: &Self) {
        let less = |all: &mut u64, part: u64| *all = all.saturating_sub(part);
        less(&mut self.calls, other.calls);
        less(&mut self.errors, other.errors);
        less(&mut self.bytes_in, other.bytes_in);
        less(&mut self.bytes_out, other.bytes_out);
        less(&mut self.micros, other.micros);
        self.latency.part(&other.latency);
    }

    fn add(&mut self, one: Ended) {
        self.calls += 1;
        self.errors += u64::from(one.is_error);
        self.bytes_in += one.bytes_in;
        self.bytes_out += one.bytes_out;
        self.micros += one.micros;
        self.slowest = self.slowest.max(one.micros);
        self.latency.add(one.micros, 1);
    }
}

/// Things by the hash of their key; nearly always one for each hash.
type Shard = HashMap<u64, Vec<Sum>, RandomState>;

/// What was called since it was last taken.
#[derive(Debug)]
pub struct Usage {
    shards: [Mutex<Shard>; SHARDS],
    state: RandomState,
    /// What is in no shard any more.
    totals: Mutex<Totals>,
    /// Held by whoever takes what was counted to where it is kept.
    keeping: Mutex<()>,
}

/// Sums by server and tool.
type ByTool = BTreeMap<(String, String), Sum>;

/// What was taken since the start.
#[derive(Debug, Default)]
struct Totals {
    /// What was kept.
    kept: ByTool,
    /// What was taken, and is neither kept nor given back yet.
    lent: ByTool,
}

/// Adds a sum to those of its tool, as long as there is a place.
fn count(all: &mut ByTool, sum: &Sum) {
    let key = (sum.server.clone(), sum.tool.to_string());
    if all.len() < TOTALS_MAX || all.contains_key(&key) {
        all.entry(key).or_default().merge(sum);
    }
}

impl Default for Usage {
    fn default() -> Self {
        let shards = std::array::from_fn(|_| Mutex::default());
        Self { shards, state: RandomState::new(), totals: Mutex::default(), keeping: Mutex::default() }
    }
}

impl Usage {
    /// Counts a call. Gives the name of its tool, which all that is known of its calls shares.
    pub fn add(&self, key: Key<'_>, one: Ended) -> Arc<str> {
        let hash = self.state.hash_one(key);
        let mut shard = self.shards[(hash % SHARDS as u64) as usize].lock();
        if let Some(sum) = shard.get_mut(&hash).and_then(|sums| sums.iter_mut().find(|sum| sum.is(&key))) {
            sum.add(one);
            return Arc::clone(&sum.tool);
        }
        let key = if shard.len() < CELLS_MAX { key } else { Key { caller: OTHERS, ..key } };
        let sums = shard.entry(self.state.hash_one(key)).or_default();
        let at = sums.iter().position(|sum| sum.is(&key)).unwrap_or_else(|| {
            sums.push(Sum {
                server: key.server.to_owned(),
                version: key.version.to_owned(),
                tool: key.tool.into(),
                caller: key.caller.to_owned(),
                ..Sum::default()
            });
            sums.len() - 1
        });
        sums[at].add(one);
        Arc::clone(&sums[at].tool)
    }

    /// Takes what was counted, and begins anew.
    pub fn take(&self) -> Vec<Sum> {
        // Whoever asks for the totals meanwhile finds each call once.
        let mut totals = self.totals.lock();
        let taken = self.shards.iter().flat_map(|shard| std::mem::take(&mut *shard.lock()).into_values());
        let taken: Vec<Sum> = taken.flatten().collect();
        taken.iter().for_each(|sum| count(&mut totals.lent, sum));
        taken
    }

    /// Says that what was taken was kept.
    pub fn kept(&self, sums: &[Sum]) {
        let mut totals = self.totals.lock();
        totals.returned(sums);
        sums.iter().for_each(|sum| count(&mut totals.kept, sum));
    }

    /// Forgets a server that is gone.
    pub fn forget(&self, server: &str) {
        let mut totals = self.totals.lock();
        totals.kept.retain(|(of, _), _| of != server);
        totals.lent.retain(|(of, _), _| of != server);
        for shard in &self.shards {
            shard.lock().retain(|_, sums| {
                sums.retain(|sum| sum.server != server);
                !sums.is_empty()
            });
        }
    }

    /// Until what comes back is dropped, nobody else takes what was counted to where it is kept.
    pub fn hold(&self) -> MutexGuard<'_, ()> {
        self.keeping.lock()
    }

    /// What was counted since the start, by server and tool.
    pub fn totals(&self) -> BTreeMap<(String, String), Sum> {
        let totals = self.totals.lock();
        let mut all = totals.kept.clone();
        for (tool, sum) in &totals.lent {
            if all.len() < TOTALS_MAX || all.contains_key(tool) {
                all.entry(tool.clone()).or_default().merge(sum);
            }
        }
        for shard in &self.shards {
            shard.lock().values().flatten().for_each(|sum| count(&mut all, sum));
        }
        all
    }

    /// Puts back what was taken and could not be kept.
    pub fn give_back(&self, sums: Vec<Sum>) {
        let mut totals = self.totals.lock();
        totals.returned(&sums);
        for sum in sums {
            let key = Key { server: &sum.server, version: &sum.version, tool: &sum.tool, caller: &sum.caller };
            let hash = self.state.hash_one(key);
            let mut shard = self.shards[(hash % SHARDS as u64) as usize].lock();
            let sums = shard.entry(hash).or_default();
            match sums.iter_mut().find(|known| known.is(&key)) {
                Some(known) => known.merge(&sum),
                None => sums.push(sum),
            }
        }
    }
}

impl Totals {
    fn returned(&mut self, sums: &[Sum]) {
        for sum in sums {
            let key = (sum.server.clone(), sum.tool.to_string());
            if let Some(lent) = self.lent.get_mut(&key) {
                lent.part(sum);
                if lent.calls == 0 {
                    self.lent.remove(&key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Ended, Key, OTHERS, Usage};

    const ONE: Ended = Ended { is_error: false, micros: 100, bytes_in: 2, bytes_out: 3 };

    #[test]
    fn nothing_is_lost_among_threads_and_takers() {
        let usage = Usage::default();
        let mut taken = Vec::new();
        std::thread::scope(|scope| {
            for thread in 0..4u64 {
                let usage = &usage;
                scope.spawn(move || {
                    for number in 0..5_000 {
                        let tool = format!("tool-{}", number % 7);
                        let key = Key { server: "s", version: "1", tool: &tool, caller: "c" };
                        usage.add(key, Ended { is_error: number % 2 == 0, micros: thread, ..ONE });
                    }
                });
            }
            for _ in 0..20 {
                let part = usage.take();
                usage.give_back(part);
                taken.extend(usage.take());
            }
        });
        taken.extend(usage.take());
        let sum = |of: fn(&super::Sum) -> u64| taken.iter().map(of).sum::<u64>();
        assert_eq!((sum(|one| one.calls), sum(|one| one.errors), sum(|one| one.bytes_in)), (20_000, 10_000, 40_000));
        assert_eq!(sum(|one| one.latency.count()), 20_000);
    }

    #[test]
    fn totals_hold_each_call_once_wherever_it_is() {
        let usage = Usage::default();
        let call = |caller: &str, micros: u64| {
            usage.add(Key { server: "s", version: "1", tool: "t", caller }, Ended { micros, ..ONE });
        };
        let told = || {
            let totals = usage.totals();
            let sum = totals.get(&("s".to_owned(), "t".to_owned())).cloned().unwrap_or_default();
            assert_eq!(sum.latency.count(), sum.calls);
            (sum.calls, sum.micros)
        };
        assert_eq!(told(), (0, 0));
        call("a", 10);
        call("b", 1_000);
        assert_eq!(told(), (2, 1_010));
        let mut first = usage.take();
        assert_eq!(told(), (2, 1_010), "what was taken is not forgotten");
        call("a", 100_000);
        let second = usage.take();
        assert_eq!(told(), (3, 101_010));
        let part = first.split_off(1);
        usage.kept(&part);
        assert_eq!(told(), (3, 101_010));
        usage.give_back(first);
        assert_eq!(told(), (3, 101_010));
        usage.kept(&second);
        usage.kept(&usage.take());
        assert_eq!(told(), (3, 101_010));
        assert!(usage.totals.lock().lent.is_empty());
    }

    #[test]
    fn a_server_that_is_gone_is_forgotten_wherever_it_is_counted() {
        let usage = Usage::default();
        let call = |server: &str| drop(usage.add(Key { server, version: "1", tool: "t", caller: "c" }, ONE));
        let all = || ["gone", "stays"].into_iter().for_each(call);
        all();
        usage.kept(&usage.take());
        all();
        let lent = usage.take();
        all();
        usage.forget("gone");
        let told: Vec<_> = usage.totals().into_iter().map(|((server, _), sum)| (server, sum.calls)).collect();
        assert_eq!(told, [("stays".to_owned(), 3)]);
        usage.kept(&lent.into_iter().filter(|sum| sum.server == "stays").collect::<Vec<_>>());
        assert_eq!(usage.take().len(), 1);
    }

    #[test]
    fn callers_without_number_are_counted_together() {
        let usage = Usage::default();
        for number in 0..30_000 {
            let caller = format!("guest-{number}");
            usage.add(Key { server: "s", version: "1", tool: "t", caller: &caller }, ONE);
        }
        let taken = usage.take();
        assert!(taken.len() <= 16 * 1_001, "{}", taken.len());
        assert_eq!(taken.iter().map(|sum| sum.calls).sum::<u64>(), 30_000);
        let others = taken.iter().filter(|sum| sum.caller == OTHERS).map(|sum| sum.calls).sum::<u64>();
        assert_eq!(others, 30_000 - 16 * 1_000);
    }
}
