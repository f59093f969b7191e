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

type Key<'a> = (Option<i64>, [Option<&'a str>; 4]);

/// The rows, and everything together.
pub(super) fn of(found: &[UsageRow], by: By) -> (Vec<Row>, Sums) {
    let (mut apart, mut all): (BTreeMap<Key<'_>, Adding>, Adding) = (BTreeMap::new(), Adding::default());
    for row in found {
        let start = match (by.hour, by.day) {
            (true, _) => Some(row.start),
            (false, true) => Some(row.start - row.start.rem_euclid(86_400)),
            (false, false) => None,
        };
        let names = [
            by.server.then_some(row.server.as_str()),
            by.version.then_some(row.version.as_str()),
            by.tool.then_some(row.tool.as_str()),
            by.caller.then_some(row.caller.as_str()),
        ];
        apart.entry((start, names)).or_default().add(row);
        all.add(row);
    }
    let mut rows: Vec<Row> = apart
        .into_iter()
        .map(|((start, [server, version, tool, caller]), sums)| Row {
            start: start.map(moment),
            server: server.map(str::to_owned),
            version: version.map(str::to_owned),
            tool: tool.map(str::to_owned),
            caller: caller.map(str::to_owned),
            sums: sums.end(),
        })
        .collect();
    // Stable: the same count stays in the order of the names.
    rows.sort_by(|a, b| a.start.cmp(&b.start).then(b.sums.calls.cmp(&a.sums.calls)));
    (rows, all.end())
}

/// A moment as people and programs read it.
pub(super) fn moment(seconds: i64) -> String {
    let time = chrono::DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
