//! `mcp-factory usage`.

use clap::Args;
use operations::all::ReadUsage;
use operations::usage::{Input, Output, Row, Sums};
use operations::{Context, Error};

use super::OK;
use crate::arguments::COMMAND_HELP;
use crate::printer::Style;
use crate::session::Session;
use crate::table::table;

const EXAMPLES: &str = "Examples:
  mcp-factory usage                                         the last day, by server and tool
  mcp-factory usage --server inventory-mcp --by tool,caller --since 7d
  mcp-factory usage --by day --since 30d
  mcp-factory usage --output json | jq '.rows[] | select(.errors > 0)'
";

/// Show how much is called
///
/// Sums up the calls that the control plane answered: calls, failures, latency, bytes. Hours are kept for 14 days, and days (UTC)
/// for 400. Calls of the last seconds are counted when the control plane itself is asked (`--url`).
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    /// Calls of this server alone
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
    /// Calls of this version alone
    #[arg(long, value_name = "VERSION")]
    spec_version: Option<String>,
    /// Calls of this tool alone
    #[arg(long, value_name = "NAME")]
    tool: Option<String>,
    /// Calls of this caller alone
    #[arg(long, value_name = "ID")]
    caller: Option<String>,
    /// Since then: a time, or how long ago, such as 2h or 7d [default: 1d]
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// What is told apart, by commas: server, version, tool, caller, hour, day [default: server,tool]
    #[arg(long, value_name = "FIELDS")]
    by: Option<String>,
    /// Most rows in the answer [default: 100]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    limit: Option<u64>,
}

pub(crate) async fn run(arguments: Arguments, session: &Session, context: Context) -> Result<u8, Error> {
    let input = Input {
        server: arguments.server,
        version: arguments.spec_version,
        tool: arguments.tool,
        caller: arguments.caller,
        since: arguments.since,
        by: arguments.by,
        limit: arguments.limit.and_then(|limit| usize::try_from(limit).ok()),
    };
    let found = session.run::<ReadUsage>(&context, input).await?;
    let printer = &session.printer;
    if found.rows.is_empty() && !printer.is_json() {
        printer.note(&format!("nothing was called since {}", found.since));
        return Ok(OK);
    }
    printer.list(&found, &["rows"], |style| text(&found, style));
    if found.rows.len() < found.total_rows && !printer.is_json() {
        printer.note(&format!("{} more rows: add `--limit N`", found.total_rows - found.rows.len()));
    }
    Ok(OK)
}

fn text(found: &Output, style: Style) -> String {
    type Name = fn(&Row) -> Option<&String>;
    let names: [(&str, Name); 5] = [
        ("SINCE", |row| row.start.as_ref()),
        ("SERVER", |row| row.server.as_ref()),
        ("VERSION", |row| row.version.as_ref()),
        ("TOOL", |row| row.tool.as_ref()),
        ("CALLER", |row| row.caller.as_ref()),
    ];
    let shown: Vec<_> = names.iter().filter(|(_, name)| found.rows.iter().any(|row| name(row).is_some())).collect();
    let mut head: Vec<&str> = shown.iter().map(|(title, _)| *title).collect();
    head.extend(["CALLS", "ERRORS", "P50", "P90", "P99", "MAX", "IN", "OUT"]);
    let mut rows: Vec<Vec<String>> = Vec::new();
    for row in &found.rows {
        let mut cells: Vec<String> = shown.iter().map(|(_, name)| name(row).cloned().unwrap_or_default()).collect();
        cells.extend(cells_of(&row.sums));
        rows.push(cells);
    }
    if found.rows.len() > 1 && !shown.is_empty() {
        let mut cells = vec![String::new(); shown.len()];
        "all".clone_into(&mut cells[0]);
        cells.extend(cells_of(&found.total));
        rows.push(cells);
    }
    table(style, &head, &rows)
}

fn cells_of(sums: &Sums) -> Vec<String> {
    let ms = |ms: f64| if ms < 10.0 { format!("{ms:.2} ms") } else { format!("{ms:.0} ms") };
    vec![
        sums.calls.to_string(),
        sums.errors.to_string(),
        ms(sums.p50_ms),
        ms(sums.p90_ms),
        ms(sums.p99_ms),
        ms(sums.max_ms),
        size(sums.bytes_in),
        size(sums.bytes_out),
    ]
}

fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut amount, mut unit) = (bytes as f64, 0);
    while amount >= 1024.0 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{amount:.1} {}", UNITS[unit]) }
}
