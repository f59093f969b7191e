//! `mcp-factory demo`.

use clap::{Args, ValueEnum};
use operations::Error;

use super::{Threads, runtime};
use crate::arguments::COMMAND_HELP;
use crate::session::Session;

const EXAMPLES: &str = "Examples:
  mcp-factory demo
  mcp-factory demo droids                                  a swarm of 20 droids at a fake of Factory
  DATABASE_URL=postgresql://localhost/scratch mcp-factory demo
";

/// Make, serve and call the example server, and show what to tell Claude, Cursor and Codex
///
/// Uses an embedded SQLite database, or the one of DATABASE_URL; there a table `products` is made
/// if none is there, and an existing one is left as it is. Everything else is made in a temporary
/// folder and removed at the end. Exits with 0 only if every answer was right.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    /// What to show
    #[arg(value_enum, value_name = "WHAT", default_value_t = What::Example)]
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// The example server, over every transport
    Example,
    /// A swarm of droids at a fake of Factory, watched while it works
    #[cfg(feature = "fakes")]
    Droids,
}

pub(crate) fn run(arguments: Arguments, session: &Session) -> Result<u8, Error> {
    match arguments.what {
        What::Example => runtime(Threads::One)?.block_on(Box::pin(crate::demo::show(session))),
        #[cfg(feature = "fakes")]
        What::Droids => runtime(Threads::PerProcessor)?.block_on(Box::pin(crate::demo::droids::show(session))),
    }
}
