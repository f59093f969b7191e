//! `mcp-factory version`.

use clap::Args;
use serde_json::json;

use super::OK;
use crate::arguments::COMMAND_HELP;
use crate::session::Session;

/// Print the version
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  mcp-factory version --output json\n", help_template = COMMAND_HELP)]
pub(crate) struct Arguments {}

pub(crate) fn run(session: &Session) -> u8 {
    let version = env!("CARGO_PKG_VERSION");
    let answer = json!({ "name": "mcp-factory", "version": version });
    session.printer.answer(&answer, |_| format!("mcp-factory {version}"));
    OK
}
