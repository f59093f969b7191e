//! Counters and latencies of each tool, without a lock on the path of a call.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::outcome::{FailureKind, Outcome};

/// Buckets of a latency histogram: eight for each power of two of nanoseconds, so a value is known to an eighth.
const BUCKETS: usize = 8 * 42;

/// What is measured of one tool. Nothing is allocated before its first call.
#[derive(Debug, Default)]
pub(crate) struct Meter(OnceLock<Arc<Counters>>);

#[derive(Debug)]
struct Counters {
    calls: AtomicU64,
    in_flight: AtomicU64,
    rows: AtomicU64,
    bytes: AtomicU64,
    failures: [AtomicU64; FailureKind::ALL.len()],
    nanoseconds: AtomicU64,
    latencies: [AtomicU64; BUCKETS],
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            calls: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
            rows: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            failures: std::array::from_fn(|_| AtomicU64::new(0)),
            nanoseconds: AtomicU64::new(0),
            latencies: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }
}

/// A call under way. Dropped before its end it counts as cancelled.
#[derive(Debug)]
pub(crate) struct Running<'a> {
    counters: &'a Counters,
    started: Instant,
    ended: bool,
}

impl Meter {
    pub(crate) fn start(&self) -> Running<'_> {
        let counters = self.0.get_or_init(Arc::default);
        counters.calls.fetch_add(1, Relaxed);
        counters.in_flight.fetch_add(1, Relaxed);
        Running { counters, started: Instant::now(), ended: false }
    }
}

impl Meter {
    /// Goes on with the counts of the same tool of an older toolset.
    pub(crate) fn go_on(&self, older: &Self) {
        if let Some(counters) = older.0.get() {
            // A meter that counted already keeps its own counts.
            let _ = self.0.set(Arc::clone(counters));
        }
    }
}

impl Running<'_> {
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    pub(crate) fn end(mut self, outcome: &Outcome) -> Duration {
        self.ended = true;
        self.counters.rows.fetch_add(outcome.rows as u64, Relaxed);
        self.counters.bytes.fetch_add(outcome.size() as u64, Relaxed);
        if let Some(failure) = &outcome.failure {
            self.counters.failures[failure.kind as usize].fetch_add(1, Relaxed);
        }
        let elapsed = self.started.elapsed();
        let nanoseconds = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        self.counters.nanoseconds.fetch_add(nanoseconds, Relaxed);
        self.counters.latencies[bucket(nanoseconds)].fetch_add(1, Relaxed);
        elapsed
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.counters.in_flight.fetch_sub(1, Relaxed);
        if !self.ended {
            self.counters.failures[FailureKind::Cancelled as usize].fetch_add(1, Relaxed);
        }
    }
}

/// The bucket of a value: exact below 8, then eight for each power of two.
fn bucket(value: u64) -> usize {
    if value < 8 {
        return usize::try_from(value).unwrap_or(0);
    }
    let power = value.ilog2();
    let eighth = (value >> (power - 3)) & 7;
    let index = u64::from(power - 2) * 8 + eighth;
    usize::try_from(index).unwrap_or(usize::MAX).min(BUCKETS - 1)
}

/// The largest value of a bucket.
fn ceiling(bucket: usize) -> u64 {
    if bucket < 8 {
        return bucket as u64;
    }
    let (power, eighth) = (bucket / 8 + 2, bucket % 8);
    ((8 + eighth as u64 + 1) << (power - 3)) - 1
}

/// What was measured of a server at one moment.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    /// The tools that were called, in the order of the spec.
    pub tools: Vec<ToolMetrics>,
}

/// What was measured of a tool at one moment.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolMetrics {
    /// Name.
    pub tool: String,
    /// Calls begun.
    pub calls: u64,
    /// Calls under way.
    pub in_flight: u64,
    /// Failed calls by kind, only kinds that occurred.
    pub failures: BTreeMap<FailureKind, u64>,
    /// Rows answered.
    pub rows: u64,
    /// Bytes answered.
    pub bytes: u64,
    /// How long ended calls took.
    pub latency: Latency,
}

/// Latencies in microseconds, known to an eighth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Latency {
    /// Half of the calls took at most this.
    pub p50: f64,
    /// 95 of 100 calls took at most this.
    pub p95: f64,
    /// 99 of 100 calls took at most this.
    pub p99: f64,
    /// Mean.
    pub mean: f64,
}

impl Meter {
    /// What was measured; `None` when the tool was never called.
    pub(crate) fn read(&self, tool: &str) -> Option<ToolMetrics> {
        let counters = self.0.get()?;
        let failures = FailureKind::ALL
            .into_iter()
            .map(|kind| (kind, counters.failures[kind as usize].load(Relaxed)))
            .filter(|(_, count)| *count > 0)
            .collect();
        Some(ToolMetrics {
            tool: tool.to_owned(),
            calls: counters.calls.load(Relaxed),
            in_flight: counters.in_flight.load(Relaxed),
            failures,
            rows: counters.rows.load(Relaxed),
            bytes: counters.bytes.load(Relaxed),
            latency: counters.latency(),
        })
    }
}

impl Counters {
    fn latency(&self) -> Latency {
        let counts: Vec<u64> = self.latencies.iter().map(|count| count.load(Relaxed)).collect();
        let total: u64 = counts.iter().sum();
        if total == 0 {
            return Latency::default();
        }
        let at = |percent: u64| {
            let wanted = (total * percent).div_ceil(100);
            let mut seen = 0;
            let found = counts.iter().position(|count| {
                seen += count;
                seen >= wanted
            });
            microseconds(ceiling(found.unwrap_or(BUCKETS - 1)))
        };
        let mean = microseconds(self.nanoseconds.load(Relaxed) / total);
        Latency { p50: at(50), p95: at(95), p99: at(99), mean }
    }
}

fn microseconds(nanoseconds: u64) -> f64 {
    Duration::from_nanos(nanoseconds).as_secs_f64() * 1e6
}

#[cfg(test)]
mod tests {
    use super::{BUCKETS, bucket, ceiling};

    #[test]
    fn a_value_is_in_a_bucket_that_is_an_eighth_wide() {
        for value in (0..1_000_u64).chain([4_095, 4_096, 123_456_789, 3_600_000_000_000]) {
            let index = bucket(value);
            assert!(value <= ceiling(index), "{value}");
            assert!(index == 0 || value > ceiling(index - 1), "{value}");
            assert!(ceiling(index) - value <= value / 8, "{value}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }
}
