//! `mcp-factory templates`.

use clap::Args;
use operations::all::{GetTemplate, ListTemplates};
use operations::templates::{GetInput, ListInput};
use operations::{Context, Error};

use super::OK;
use crate::arguments::COMMAND_HELP;
use crate::session::Session;
use crate::table::table;

const EXAMPLES: &str = "Examples:
  mcp-factory templates
  mcp-factory templates inventory-mcp > my-server.yaml
  mcp-factory create --template hello --set name=my-server
";

/// List the specs to start from, or print one
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    /// Print the spec of this template
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

pub(crate) async fn run(arguments: Arguments, session: &Session, context: Context) -> Result<u8, Error> {
    const DESCRIPTION_WIDTH: usize = 80;
    if let Some(name) = arguments.name {
        let found = session.run::<GetTemplate>(&context, GetInput { name }).await?;
        session.printer.answer(&found, |_| found.spec.trim_end().to_owned());
        return Ok(OK);
    }
    let all = session.run::<ListTemplates>(&context, ListInput::default()).await?;
    session.printer.list(&all, &["templates"], |style| {
        let rows = all.templates.iter().map(|one| {
            let connections = one.connections.join(", ");
            vec![one.name.clone(), connections, style.short(&one.description, DESCRIPTION_WIDTH)]
        });
        table(style, &["NAME", "CONNECTIONS", "DESCRIPTION"], &rows.collect::<Vec<_>>())
    });
    Ok(OK)
}
