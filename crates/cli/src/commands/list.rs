//! `mcp-factory list`, `mcp-list`.

use clap::Args;
use operations::all::List;
use operations::list::{Input, Output};
use operations::{Context, Error};

use super::OK;
use crate::arguments::COMMAND_HELP;
use crate::printer::Style;
use crate::session::Session;
use crate::table::table;

const EXAMPLES: &str = "Examples:
  mcp-factory list
  mcp-factory list --output json | jq -r '.servers[].name'
  mcp-factory list --output wide
  mcp-factory list --output ndjson | jq -r .name
  mcp-factory list --limit 20
";

/// List the servers
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP, visible_alias = "ls")]
pub(crate) struct Arguments {
    /// Most servers in one answer [default: 1000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    limit: Option<u64>,
    /// The `nextCursor` of the page before
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
}

pub(crate) async fn run(arguments: Arguments, session: &Session, context: Context) -> Result<u8, Error> {
    let limit = arguments.limit.and_then(|limit| usize::try_from(limit).ok());
    let listing = session.run::<List>(&context, Input { limit, cursor: arguments.cursor }).await?;
    let printer = &session.printer;
    if listing.servers.is_empty() && !printer.is_json() {
        printer.note("there are no servers yet; make one with `mcp-factory create --spec FILE`");
        return Ok(OK);
    }
    printer.list(&listing, &["servers"], |style| text(&listing, style));
    if let (Some(cursor), false) = (&listing.next_cursor, printer.is_json()) {
        printer.note(&format!("there are more: add `--cursor {cursor}`"));
    }
    Ok(OK)
}

fn text(listing: &Output, style: Style) -> String {
    const DESCRIPTION_WIDTH: usize = 60;
    let mut head = vec!["NAME", "VERSION", "TOOLS", "TRANSPORT", "UPDATED"];
    if style.is_wide() {
        head.extend(["VERSIONS", "CREATED", "DIGEST", "TITLE"]);
    }
    head.push("DESCRIPTION");
    let rows: Vec<Vec<String>> = listing
        .servers
        .iter()
        .map(|server| {
            let mut row = vec![
                server.name.clone(),
                server.version.clone(),
                server.tools.to_string(),
                server.transport.clone(),
                server.updated_at.get(..10).unwrap_or_default().to_owned(),
            ];
            if style.is_wide() {
                row.extend([
                    server.versions.to_string(),
                    server.created_at.clone(),
                    server.digest.to_string(),
                    server.title.clone().unwrap_or_default(),
                ]);
            }
            row.push(style.short(server.description.as_deref().unwrap_or_default(), DESCRIPTION_WIDTH));
            row
        })
        .collect();
    table(style, &head, &rows)
}
