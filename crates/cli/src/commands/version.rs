//! `mcp-factory version`.

use clap::Args;
use operations::all::{Nothing, Version};
use operations::{Context, Error};

use super::OK;
use crate::arguments::COMMAND_HELP;
use crate::session::Session;

/// Print the version
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  mcp-factory version --output json\n", help_template = COMMAND_HELP)]
pub(crate) struct Arguments {}

pub(crate) async fn run(session: &Session, context: Context) -> Result<u8, Error> {
    let answer = session.run::<Version>(&context, Nothing {}).await?;
    session.printer.answer(&answer, |_| format!("{} {}", answer.name, answer.version));
    Ok(OK)
}
