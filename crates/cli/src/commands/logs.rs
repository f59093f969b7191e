//! `mcp-factory logs`, `mcp-logs`.

use std::time::Duration;

use clap::Args;
use operations::all::ReadLogs;
use operations::deploy::{Entry, LogsInput, LogsOutput};
use operations::{Code, Context, Error};

use super::OK;
use crate::arguments::COMMAND_HELP;
use crate::printer::Style;
use crate::session::Session;

/// How often new calls are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How many calls are asked for at once while new ones are followed.
const PAGE: usize = operations::deploy::READ_MAX;

const EXAMPLES: &str = "Examples:
  mcp-factory logs inventory-mcp
  mcp-factory logs inventory-mcp --follow
  mcp-factory logs inventory-mcp --since 10m --tool search_products
  mcp-factory logs inventory-mcp --output json | jq '.entries[] | select(.outcome == \"error\")'
";

/// Show the calls that a deployed server answered
///
/// One line for each call: when, which tool, who called, which version answered, how it went, how long it took. Arguments
/// and answers are not kept; what a failure says is, without secrets and without what was sent. With --follow and --output
/// json, one JSON object a line.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    /// Name of the server
    #[arg(value_name = "NAME")]
    name: String,
    /// Go on with new calls until Ctrl-C
    #[arg(long, short)]
    follow: bool,
    /// Calls since a time (RFC 3339), or for so long: 90s, 10m, 2h, 7d
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Calls of this tool alone
    #[arg(long, value_name = "TOOL")]
    tool: Option<String>,
    /// Most calls; with --follow, how many earlier ones it begins with
    #[arg(long, short = 'n', value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=1000))]
    limit: u64,
}

pub(crate) async fn run(arguments: Arguments, session: &Session, context: Context) -> Result<u8, Error> {
    let printer = &session.printer;
    let mut input = LogsInput {
        name: arguments.name.clone(),
        tool: arguments.tool,
        since: arguments.since,
        cursor: None,
        limit: usize::try_from(arguments.limit).ok(),
    };
    let mut found = session.run::<ReadLogs>(&context, input.clone()).await?;
    if !arguments.follow {
        if found.entries.is_empty() && !printer.is_json() {
            printer.note(&format!("`{}` has answered no such call", arguments.name));
            return Ok(OK);
        }
        if printer.is_lines() {
            found.entries.iter().for_each(|entry| printer.json(entry));
            return Ok(OK);
        }
        printer.answer(&found, |style| {
            found.entries.iter().map(|entry| line(entry, style)).collect::<Vec<_>>().join("\n")
        });
        return Ok(OK);
    }
    loop {
        print(&found.entries, session);
        // While there are more, nobody waits: calls may come faster than they are looked for.
        if found.next_cursor.is_none() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        input.limit = Some(PAGE);
        input.cursor = Some(found.follow_cursor);
        found = later(session, &context, &input).await?;
    }
}

fn print(entries: &[Entry], session: &Session) {
    let printer = &session.printer;
    for entry in entries {
        match printer.is_json() {
            true => printer.data(&serde_json::to_string(entry).unwrap_or_default()),
            false => printer.data(&line(entry, printer.style())),
        }
    }
}

/// The next calls. A control plane that went away is asked again until it is back: it may only be started anew, and what it
/// answered stays in its log.
async fn later(session: &Session, context: &Context, input: &LogsInput) -> Result<LogsOutput, Error> {
    let mut is_away = false;
    loop {
        match session.run::<ReadLogs>(context, input.clone()).await {
            Err(error) if matches!(error.code, Code::ControlPlane | Code::CatalogueAway | Code::CatalogueBusy) => {
                if !is_away {
                    session.printer.note(&format!("{}; waiting until it is back, Ctrl-C ends that", error.message));
                }
                is_away = true;
                tokio::time::sleep(LOOK_EVERY).await;
            }
            found => {
                if is_away && found.is_ok() {
                    session.printer.note("it is back");
                }
                return found;
            }
        }
    }
}

fn line(entry: &Entry, style: Style) -> String {
    let outcome = if entry.outcome == "ok" { style.green("ok   ") } else { style.red("error") };
    let message = entry.message.as_ref().map(|message| format!(": {}", message.replace('\n', " "))).unwrap_or_default();
    format!(
        "{} {outcome} {} {:.1} ms {} bytes, {} {}{message}",
        style.dim(&entry.time),
        style.bold(&entry.tool),
        entry.ms,
        entry.bytes,
        entry.caller,
        entry.version
    )
}
