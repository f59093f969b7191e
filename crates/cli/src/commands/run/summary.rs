//! What a server did, told when it ends.

use host::{Metrics, ToolMetrics};
use serde_json::{Value, json};

use crate::printer::Style;
use crate::session::Session;
use crate::table::table;

/// Tells it on standard error; nothing when no tool was called.
pub(super) fn tell(metrics: &Metrics, session: &Session) {
    if metrics.tools.is_empty() {
        return;
    }
    let printer = &session.printer;
    if printer.is_json() {
        printer.note(&document(metrics).to_string());
    } else {
        printer.note(&text(metrics, printer.message_style()));
    }
}

fn document(metrics: &Metrics) -> Value {
    json!({ "ended": metrics })
}

fn failed(tool: &ToolMetrics) -> u64 {
    tool.failures.values().sum()
}

fn text(metrics: &Metrics, style: Style) -> String {
    let ms = |microseconds: f64| format!("{:.1} ms", microseconds / 1e3);
    let rows: Vec<Vec<String>> = metrics
        .tools
        .iter()
        .map(|tool| {
            let kinds: Vec<String> =
                tool.failures.iter().map(|(kind, count)| format!("{} {count}", kind.as_str())).collect();
            vec![
                tool.tool.clone(),
                tool.calls.to_string(),
                failed(tool).to_string(),
                ms(tool.latency.p50),
                ms(tool.latency.p95),
                ms(tool.latency.p99),
                kinds.join(", "),
            ]
        })
        .collect();
    table(style, &["TOOL", "CALLS", "FAILED", "P50", "P95", "P99", "FAILURES"], &rows)
}
