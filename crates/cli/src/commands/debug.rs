//! `mcp-factory debug`.

use clap::{Args, Subcommand};
use operations::paths::paths;
use operations::{Context, Error};
use serde_json::json;

use super::OK;
use crate::arguments::COMMAND_HELP;
use crate::session::Session;
use crate::table::table;

const EXAMPLES: &str = "Examples:
  mcp-factory debug paths
  mcp-factory debug paths --output json | jq -r '.paths[] | select(.name == \"home\").path'
";

/// Show where this program keeps things
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print the program, the home folder, and what is kept in it
    Paths,
}

pub(crate) async fn run(arguments: Arguments, session: &Session, context: Context) -> Result<u8, Error> {
    let What::Paths = arguments.what;
    let all = paths(&context);
    session.printer.list(&json!({ "paths": all }), &["paths"], |style| {
        let rows = all.iter().map(|one| {
            let there = if one.exists { "yes" } else { "no" };
            vec![one.name.to_owned(), one.path.clone(), there.to_owned(), one.about.to_owned()]
        });
        table(style, &["NAME", "PATH", "THERE", "WHAT"], &rows.collect::<Vec<_>>())
    });
    Ok(OK)
}
