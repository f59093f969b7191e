//! `mcp-factory explain`, `mcp-explain`.

use clap::Args;
use operations::all::{Explain, ExplainInput, ListCodes, Nothing};
use operations::{Context, Error};

use super::OK;
use crate::arguments::COMMAND_HELP;
use crate::session::Session;
use crate::table::table;

const EXAMPLES: &str = "Examples:
  mcp-factory explain MF0203
  mcp-factory explain                 list all codes
";

/// Explain a code such as MF0201: why it happens and what to do
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    /// The code; all codes are listed without one
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

pub(crate) async fn run(arguments: Arguments, session: &Session, context: Context) -> Result<u8, Error> {
    match arguments.code {
        Some(code) => {
            let page = session.run::<Explain>(&context, ExplainInput { code }).await?;
            session
                .printer
                .answer(&page, |style| format!("{}: {}\n\n{}", style.bold(&page.code), page.title, page.page.trim()));
        }
        None => {
            let all = session.run::<ListCodes>(&context, Nothing {}).await?.codes;
            session.printer.list(&all, &[], |style| {
                let rows: Vec<Vec<String>> =
                    all.iter().map(|entry| vec![entry.code.clone(), entry.title.clone()]).collect();
                table(style, &["CODE", "MEANING"], &rows)
            });
        }
    }
    Ok(OK)
}
