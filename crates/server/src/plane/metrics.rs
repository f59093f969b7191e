//! What was measured, as Prometheus reads it (text format 0.0.4).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use operations::deploy::{Local, Sum};
use operations::operation::{Audit, Audited};
use parking_lot::Mutex;
use protocol::Runtime;

/// Upper bounds of the buckets of durations, seconds.
const BUCKETS: [f64; 10] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 120.0];

/// Counters of a control plane. Labels are names of operations, methods and statuses, which are few.
pub(super) struct Metrics {
    started: Instant,
    requests: Mutex<BTreeMap<(&'static str, &'static str, u16), u64>>,
    durations: Mutex<BTreeMap<&'static str, Histogram>>,
    operations: Mutex<BTreeMap<(&'static str, &'static str), u64>>,
}

#[derive(Clone, Copy, Default)]
struct Histogram {
    buckets: [u64; BUCKETS.len()],
    count: u64,
    sum: f64,
}

impl Histogram {
    fn add(&mut self, seconds: f64) {
        for (bound, bucket) in BUCKETS.iter().zip(&mut self.buckets) {
            *bucket += u64::from(seconds <= *bound);
        }
        self.count += 1;
        self.sum += seconds;
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            requests: Mutex::default(),
            durations: Mutex::default(),
            operations: Mutex::default(),
        }
    }
}

impl Audit for Metrics {
    fn record(&self, ended: &Audited<'_>) {
        let outcome = ended.failure.map_or("ok", operations::Code::as_str);
        *self.operations.lock().entry((ended.operation.name, outcome)).or_default() += 1;
        if ended.operation.effect != operations::operation::Effect::Reads {
            let ms = (ended.elapsed.as_secs_f64() * 1e6).round() / 1e3;
            tracing::info!(target: "audit", operation = ended.operation.name, caller = ended.caller.id(),
                subject = ended.subject.unwrap_or_default(), outcome, ms, request = ended.request);
        }
    }
}

impl Metrics {
    /// How long the process serves.
    pub(super) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// A request was answered.
    pub(super) fn request(&self, operation: &'static str, method: &Method, status: StatusCode, elapsed: Duration) {
        // Methods are the callers' own words: only the known ones become a label.
        const KNOWN: [&str; 5] = ["POST", "GET", "DELETE", "HEAD", "OPTIONS"];
        let method = KNOWN.iter().find(|known| **known == method.as_str()).copied().unwrap_or("other");
        *self.requests.lock().entry((operation, method, status.as_u16())).or_default() += 1;
        self.durations.lock().entry(operation).or_default().add(elapsed.as_secs_f64());
    }

    /// Everything as text.
    pub(super) fn text(&self, runtime: &Runtime, local: &Local) -> String {
        let mut out = String::new();
        let version = env!("CARGO_PKG_VERSION");
        head(&mut out, "mcp_factory_build_info", "gauge", "The version that runs.");
        let _ = writeln!(out, "mcp_factory_build_info{{version=\"{version}\"}} 1");
        head(&mut out, "mcp_factory_uptime_seconds", "gauge", "Seconds since the start.");
        let _ = writeln!(out, "mcp_factory_uptime_seconds {:.3}", self.uptime().as_secs_f64());
        head(&mut out, "mcp_factory_sessions", "gauge", "MCP sessions that are open.");
        let _ = writeln!(out, "mcp_factory_sessions {}", runtime.session_count());
        head(&mut out, "mcp_factory_http_requests_total", "counter", "REST requests that were answered.");
        for ((operation, method, status), count) in &*self.requests.lock() {
            let labels = format!("operation=\"{operation}\",method=\"{method}\",status=\"{status}\"");
            let _ = writeln!(out, "mcp_factory_http_requests_total{{{labels}}} {count}");
        }
        const DURATION: &str = "mcp_factory_http_request_duration_seconds";
        head(&mut out, DURATION, "histogram", "How long REST requests took.");
        for (operation, histogram) in &*self.durations.lock() {
            for (bound, count) in BUCKETS.iter().zip(histogram.buckets) {
                let _ = writeln!(out, "{DURATION}_bucket{{operation=\"{operation}\",le=\"{bound}\"}} {count}");
            }
            let (count, sum) = (histogram.count, histogram.sum);
            let _ = writeln!(out, "{DURATION}_bucket{{operation=\"{operation}\",le=\"+Inf\"}} {count}");
            let _ = writeln!(out, "{DURATION}_sum{{operation=\"{operation}\"}} {sum}");
            let _ = writeln!(out, "{DURATION}_count{{operation=\"{operation}\"}} {count}");
        }
        head(&mut out, "mcp_factory_operations_total", "counter", "Operations that ended, over REST, MCP and jobs.");
        for ((operation, outcome), count) in &*self.operations.lock() {
            let labels = format!("operation=\"{operation}\",outcome=\"{outcome}\"");
            let _ = writeln!(out, "mcp_factory_operations_total{{{labels}}} {count}");
        }
        tools(&mut out, local);
        usage(&mut out, local);
        out
    }
}

/// What the tools of the servers that run did.
fn tools(out: &mut String, local: &Local) {
    let running = local.all();
    head(out, "mcp_factory_servers_running", "gauge", "Deployed servers that run in this process.");
    let _ = writeln!(out, "mcp_factory_servers_running {}", running.len());
    let all: Vec<_> = running.iter().map(|one| (one.name(), one.hosted().toolset().metrics())).collect();
    let each = || all.iter().flat_map(|(server, metrics)| metrics.tools.iter().map(move |tool| (server, tool)));
    head(out, "mcp_factory_tool_calls_in_flight", "gauge", "Calls of tools of deployed servers that run now.");
    for (server, tool) in each().filter(|(_, tool)| tool.in_flight > 0) {
        let labels = format!("server=\"{server}\",tool=\"{}\"", tool.tool);
        let _ = writeln!(out, "mcp_factory_tool_calls_in_flight{{{labels}}} {}", tool.in_flight);
    }
    head(
        out,
        "mcp_factory_tool_failures_total",
        "counter",
        "Calls of tools over MCP that failed since their server was started, by kind.",
    );
    for (server, tool) in each() {
        for (kind, count) in &tool.failures {
            let labels = format!("server=\"{server}\",tool=\"{}\",kind=\"{}\"", tool.tool, kind.as_str());
            let _ = writeln!(out, "mcp_factory_tool_failures_total{{{labels}}} {count}");
        }
    }
}

/// How often tools were called, how long it took, and how much went in and out: one series for each tool of a server, whoever
/// calls, over MCP and REST.
fn usage(out: &mut String, local: &Local) {
    type Counter = (&'static str, &'static str, fn(&Sum) -> u64);
    const SECONDS: &str = "mcp_factory_tool_call_seconds";
    let totals = local.log().usage().totals();
    head(out, SECONDS, "summary", "How long calls of tools of deployed servers took.");
    for ((server, tool), sum) in &totals {
        let labels = format!("server=\"{server}\",tool=\"{tool}\"");
        for share in [0.5, 0.9, 0.99] {
            let seconds = sum.latency.quantile(share).min(sum.slowest) as f64 / 1e6;
            let _ = writeln!(out, "{SECONDS}{{{labels},quantile=\"{share}\"}} {seconds}");
        }
        let _ = writeln!(out, "{SECONDS}_sum{{{labels}}} {}", sum.micros as f64 / 1e6);
        let _ = writeln!(out, "{SECONDS}_count{{{labels}}} {}", sum.calls);
    }
    let counters: [Counter; 4] = [
        ("mcp_factory_tool_calls_total", "Calls of tools of deployed servers.", |sum| sum.calls),
        ("mcp_factory_tool_errors_total", "Calls of tools of deployed servers that failed.", |sum| sum.errors),
        ("mcp_factory_tool_bytes_in_total", "Bytes of arguments of calls.", |sum| sum.bytes_in),
        ("mcp_factory_tool_bytes_out_total", "Bytes of answers to calls.", |sum| sum.bytes_out),
    ];
    for (name, about, count) in counters {
        head(out, name, "counter", about);
        for ((server, tool), sum) in &totals {
            let _ = writeln!(out, "{name}{{server=\"{server}\",tool=\"{tool}\"}} {}", count(sum));
        }
    }
    head(out, "mcp_factory_calls_lost_total", "counter", "Calls that were counted, and are in no log.");
    let _ = writeln!(out, "mcp_factory_calls_lost_total {}", local.log().lost());
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}
