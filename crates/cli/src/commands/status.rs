//! `mcp-factory status`, `mcp-status`.

use clap::Args;
use operations::all::Status;
use operations::status::{Input, Output};
use operations::{Context, Error};

use super::{BAD_NEWS, OK};
use crate::arguments::COMMAND_HELP;
use crate::printer::Style;
use crate::session::Session;
use crate::table::counted;

const EXAMPLES: &str = "Examples:
  mcp-factory status inventory-mcp
  mcp-factory status inventory-mcp --output json | jq .healthy
";

/// Check a server's health and show its details
///
/// Exits with 1 when something is wrong with the server.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    /// Name of the server
    #[arg(value_name = "NAME")]
    name: String,
    /// Which version [default: the current one]
    #[arg(long, value_name = "VERSION")]
    spec_version: Option<String>,
}

pub(crate) async fn run(arguments: Arguments, session: &Session, context: Context) -> Result<u8, Error> {
    let input = Input { name: arguments.name, version: arguments.spec_version };
    let found = session.run::<Status>(&context, input).await?;
    session.printer.answer(&found, |style| text(&found, style));
    Ok(if found.healthy { OK } else { BAD_NEWS })
}

fn text(found: &Output, style: Style) -> String {
    let health = if found.healthy { style.green("healthy") } else { style.red("not healthy") };
    let mut text = format!("{} {}: {health}\n", style.bold(&found.name), found.version);
    for problem in &found.problems {
        text.push_str(&format!("  {} {problem}\n", style.red("problem:")));
    }
    if let Some(description) = &found.description {
        text.push_str(&format!("  {description}\n"));
    }
    let dev = if found.dev { ", development mode" } else { "" };
    let fields = [
        ("digest", found.digest.clone()),
        ("versions", found.versions.join(", ")),
        ("serves", format!("{}, auth {}{dev}", found.transport, found.auth)),
        (
            "offers",
            format!(
                "{}, {}, {}, {}",
                counted(found.tools.len(), "tool"),
                counted(found.resources, "resource"),
                counted(found.prompts, "prompt"),
                counted(found.triggers, "trigger")
            ),
        ),
        ("created", found.created_at.clone()),
        ("planned", format!("{} (revision {})", found.planned_at, found.plan_revision)),
        ("stored in", found.stored_in.clone()),
    ];
    let deployed = found.deployment.as_ref().map(|deployed| {
        let version = deployed.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
        let url = deployed.url.as_ref().map(|url| format!(" at {url}")).unwrap_or_default();
        let reason = deployed.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        ("deployed", format!("{}{version}{url}{reason}", deployed.state))
    });
    for (name, value) in fields.into_iter().chain(deployed) {
        text.push_str(&format!("  {} {value}\n", style.dim(&format!("{name:<10}"))));
    }
    if !found.connections.is_empty() {
        text.push_str(&format!("\n{}\n", style.bold("CONNECTIONS")));
    }
    for connection in &found.connections {
        let state = match (&connection.server, connection.latency_ms) {
            (Some(server), Some(latency)) => format!("{} {server}, {latency:.1} ms", style.green("ok")),
            _ => format!("{} {}", style.red("failed"), connection.error.as_deref().unwrap_or_default()),
        };
        text.push_str(&format!("  {} ({}): {state}\n", connection.name, connection.kind));
    }
    text.push('\n');
    text.push_str(&super::create::tools(&found.tools, style));
    text
}
