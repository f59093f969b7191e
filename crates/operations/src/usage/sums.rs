//! From what is kept to what is asked for.

use std::collections::BTreeMap;

use ::deploy::Histogram;
use store::UsageRow;

use super::{Row, Sums};

/// What is told apart.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct By {
    server: bool,
    version: bool,
    tool: bool,
    caller: bool,
    pub(super) hour: bool,
    day: bool,
}

impl By {
    /// Reads words. The error is the one that is unknown.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut by = Self::default();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let field = match word {
                "server" => &mut by.server,
                "version" => &mut by.version,
                "tool" => &mut by.tool,
                "caller" => &mut by.caller,
                "hour" => &mut by.hour,
                "day" => &mut by.day,
                _ => return Err(word.to_owned()),
            };
            *field = true;
        }
        Ok(by)
    }
}

#[derive(Default)]
struct Adding {
    sums: Sums,
    micros: u64,
    slowest: u64,
    latency: Histogram,
}

impl Adding {
    fn add(&mut self, row: &UsageRow) {
        let count = |number: i64| u64::try_from(number).unwrap_or_default();
        self.sums.calls += count(row.calls);
        self.sums.errors += count(row.errors);
        self.sums.bytes_in += count(row.bytes_in);
        self.sums.bytes_out += count(row.bytes_out);
        self.micros += count(row.micros);
        self.slowest = self.slowest.max(count(row.slowest));
        self.latency.merge(&Histogram::of_bytes(&row.latency).unwrap_or_default());
    }

    fn end(self) -> Sums {
        let ms = |micros: u64| micros as f64 / 1e3;
        // The middle of a bucket may lie above the slowest value in it.
        let quantile = |share: f64| ms(self.latency.quantile(share).min(self.slowest));
        Sums {
            p50_ms: quantile(0.5),
            p90_ms: quantile(0.9),
            p99_ms: quantile(0.99),
            max_ms: ms(self.slowest),
            mean_ms: (self.micros as f64 / self.sums.calls.max(1) as f64).round() / 1e3,
            ..self.sums
        }
    }
}

type Key = (Option<i64>, [Option<String>; 4]);

/// Adds up what is kept, row by row.
pub(super) struct Totals {
    by: By,
    apart: BTreeMap<Key, Adding>,
    all: Adding,
}

impl Totals {
    pub(super) fn new(by: By) -> Self {
        Self { by, apart: BTreeMap::new(), all: Adding::default() }
    }

    pub(super) fn add(&mut self, row: &UsageRow) {
        let by = self.by;
        let start = match (by.hour, by.day) {
            (true, _) => Some(row.start),
            (false, true) => Some(row.start - row.start.rem_euclid(86_400)),
            (false, false) => None,
        };
        let names = [
            by.server.then(|| row.server.clone()),
            by.version.then(|| row.version.clone()),
            by.tool.then(|| row.tool.clone()),
            by.caller.then(|| row.caller.clone()),
        ];
        self.apart.entry((start, names)).or_default().add(row);
        self.all.add(row);
    }

    /// The rows, and everything together.
    pub(super) fn end(self) -> (Vec<Row>, Sums) {
        let mut rows: Vec<Row> = self
            .apart
            .into_iter()
            .map(|((start, [server, version, tool, caller]), sums)| Row {
                start: start.map(moment),
                server,
                version,
                tool,
                caller,
                sums: sums.end(),
            })
            .collect();
        // Stable: the same count stays in the order of the names.
        rows.sort_by(|a, b| a.start.cmp(&b.start).then(b.sums.calls.cmp(&a.sums.calls)));
        (rows, self.all.end())
    }
}

/// A moment as people and programs read it.
pub(super) fn moment(seconds: i64) -> String {
    let time = chrono::DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
