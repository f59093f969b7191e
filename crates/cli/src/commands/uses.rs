//! `mcp-factory uses`.

use clap::Args;
use operations::all::Dependencies;
use operations::dependencies::{Input, Output, Used};
use operations::{Context, Error};

use super::OK;
use crate::arguments::COMMAND_HELP;
use crate::printer::Style;
use crate::session::Session;

const EXAMPLES: &str = "Examples:
  mcp-factory uses inventory-mcp
  mcp-factory uses SHOP_DB       servers with a connection of this variable, name or place
  mcp-factory uses hello         also the servers that were made from the template
  mcp-factory uses inventory-mcp --output json | jq -r '.usedBy[].server'
";

/// Show what a server uses, and who uses it
///
/// Lists the connections of a server with the tools that need them, the servers behind them, other servers with a connection to
/// the same place, and the servers whose tools fail when this one is removed. For a template the servers that were made from it; for a
/// connection, by its name, its variable or its place, the servers that have it.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    /// Name of the server, the template or the connection
    #[arg(value_name = "NAME")]
    name: String,
}

pub(crate) async fn run(arguments: Arguments, session: &Session, context: Context) -> Result<u8, Error> {
    let found = session.run::<Dependencies>(&context, Input { name: arguments.name }).await?;
    session.printer.answer(&found, |style| text(&found, style));
    Ok(OK)
}

fn text(found: &Output, style: Style) -> String {
    let mut text = style.bold(&found.name);
    let is_server = found.version.is_some() || operations::first_party::find(&found.name).is_some();
    if let Some(version) = &found.version {
        text.push_str(&format!(" {version}"));
    }
    if let Some(template) = &found.template {
        text.push_str(&format!("\nmade from the template {}", style.cyan(template)));
    }
    if is_server && found.uses.is_empty() {
        text.push_str("\nuses no connection");
    }
    for used in &found.uses {
        text.push_str(&format!("\nuses {}", used_text(used, style)));
    }
    if is_server && found.used_by.is_empty() {
        text.push_str("\nis used by no other server");
    }
    for made in &found.made {
        text.push_str(&format!("\nis the template of {} {}", style.cyan(&made.server), made.version));
    }
    if !is_server && found.used_by.is_empty() && found.made.is_empty() {
        text.push_str("\nis a template, and no server was made from it");
    }
    for user in &found.used_by {
        let tools = if user.tools.is_empty() { String::new() } else { format!(": {}", user.tools.join(", ")) };
        let (server, version, connection) = (style.cyan(&user.server), &user.version, &user.connection);
        text.push_str(&format!("\nis used by {server} {version} by its connection {connection}{tools}"));
    }
    text
}

fn used_text(used: &Used, style: Style) -> String {
    let mut text = format!("{}, {}", style.bold(&used.connection), used.kind);
    if let Some(server) = &used.server {
        let state = used.state.as_deref().unwrap_or_default();
        let state = if state == "missing" { style.red(state) } else { state.to_owned() };
        text.push_str(&format!(", the server {} ({state})", style.cyan(server)));
    }
    if let Some(variable) = &used.env_var {
        text.push_str(&format!(", at ${variable}"));
    }
    if let Some(place) = &used.place {
        text.push_str(&format!(", at {place}"));
    }
    if !used.tools.is_empty() {
        text.push_str(&format!("\n  by {}", used.tools.join(", ")));
    }
    if !used.shared_with.is_empty() {
        text.push_str(&format!("\n  shared with {}", used.shared_with.join(", ")));
    }
    text
}
