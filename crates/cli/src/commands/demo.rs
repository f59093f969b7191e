//! `mcp-factory demo`.

use clap::Args;
use operations::Error;

use super::{Threads, runtime};
use crate::arguments::COMMAND_HELP;
use crate::session::Session;

const EXAMPLES: &str = "Examples:
  mcp-factory demo
  DATABASE_URL=postgresql://localhost/scratch mcp-factory demo
";

/// Make, serve and call the example server, and show what to tell Claude, Cursor and Codex
///
/// Uses an embedded SQLite database, or the one of DATABASE_URL; there a table `products` is made
/// if none is there, and an existing one is left as it is. Everything else is made in a temporary
/// folder and removed at the end. Exits with 0 only if every answer was right.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {}

pub(crate) fn run(_arguments: Arguments, session: &Session) -> Result<u8, Error> {
    runtime(Threads::One)?.block_on(Box::pin(crate::demo::show(session)))
}
