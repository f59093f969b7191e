//! `mcp-factory schema`, `mcp-schema`.

use clap::Args;
use operations::all::{Nothing, SchemaOf};
use operations::{Context, Error};

use super::OK;
use crate::arguments::COMMAND_HELP;
use crate::session::Session;

const EXAMPLES: &str = "Examples:
  mcp-factory schema > mcp-spec.schema.json
  # and as the first line of a spec, for editors with the YAML language server:
  # yaml-language-server: $schema=./mcp-spec.schema.json
";

/// Print the JSON Schema (draft 2020-12) of specs
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {}

pub(crate) async fn run(session: &Session, context: Context) -> Result<u8, Error> {
    session.printer.json(&session.run::<SchemaOf>(&context, Nothing {}).await?.schema);
    Ok(OK)
}
