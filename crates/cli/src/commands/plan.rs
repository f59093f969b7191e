//! `mcp-factory plan`, `mcp-plan`.

use std::path::PathBuf;

use clap::Args;
use operations::all::PlanOf;
use operations::plan::{Input, Output};
use operations::{Code, Context, Error, Subject};
use serde_json::json;

use super::OK;
use crate::arguments::COMMAND_HELP;
use crate::input::{read_file, subject};
use crate::printer::Style;
use crate::session::Session;

const EXAMPLES: &str = "Examples:
  mcp-factory plan ./inventory-mcp.yaml                  what would be run, and why
  mcp-factory plan inventory-mcp                         what is run
  mcp-factory plan inventory-mcp --refresh               plan again from the database of now
  mcp-factory plan inventory-mcp --pin search_products   keep its SQL when planning again
  mcp-factory plan inventory-mcp --output json > p.json; $EDITOR p.json
  mcp-factory plan inventory-mcp --import p.json         run the edited SQL from now on
";

/// Show what a server really runs, and why; change it
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    /// Name of a server, or file of a spec
    #[arg(value_name = "NAME|FILE")]
    subject: String,
    /// Which version of the server [default: the current one]
    #[arg(long, value_name = "VERSION")]
    spec_version: Option<String>,
    /// Plan again from what the databases offer now; pinned tools stay as they are
    #[arg(long)]
    refresh: bool,
    /// Keep this tool's action when planning again
    #[arg(long, value_name = "TOOL")]
    pin: Vec<String>,
    /// Plan this tool's action anew
    #[arg(long, value_name = "TOOL", conflicts_with = "import")]
    unpin: Vec<String>,
    /// Take an edited plan, JSON; changed tools become pinned; - reads standard input
    #[arg(long, value_name = "FILE")]
    import: Option<PathBuf>,
    /// Accept a database of another engine than the spec's type
    #[arg(long)]
    dev: bool,
}

pub(crate) async fn run(arguments: Arguments, session: &Session, context: Context) -> Result<u8, Error> {
    let subject = subject(&arguments.subject, arguments.spec_version)?;
    let spec = match &subject {
        Subject::Spec { spec } => Some(spec.clone()),
        Subject::Server { .. } => None,
    };
    let input = Input {
        subject,
        refresh: arguments.refresh,
        pin: arguments.pin,
        unpin: arguments.unpin,
        import: arguments.import.map(|path| read_text(&path)).transpose()?,
        dev: arguments.dev,
    };
    let made = session.run::<PlanOf>(&context, input).await?;
    let printer = &session.printer;
    let name = arguments.subject;
    let source = spec.as_ref().map_or(base::Source { name: &name, text: "" }, |spec| spec.as_source());
    printer.diagnostics(&made.diagnostics, source);
    printer.answer(&made, |style| text(&made, style));
    Ok(OK)
}

fn read_text(path: &std::path::Path) -> Result<String, Error> {
    if path.as_os_str() == "-" {
        return Ok(crate::input::read_spec(path)?.text);
    }
    String::from_utf8(read_file(path)?).map_err(|_| {
        Error::new(Code::BadPlan, format!("{} is not UTF-8 text", path.display()))
            .hint("a plan is the JSON that `mcp-factory plan NAME --output json` prints")
    })
}

fn text(made: &Output, style: Style) -> String {
    let mut text = format!("plan of {}", style.bold(&made.plan.server));
    if let Some(revision) = made.revision {
        text.push_str(&format!(", revision {revision}{}", if made.changed { " (new)" } else { "" }));
    }
    text.push('\n');
    for connection in &made.plan.connections {
        let server = connection.server.as_deref().unwrap_or("was not reached");
        text.push_str(&format!("connection {} ({}): {server}\n", connection.name, connection.engine.as_str()));
    }
    for (tool, report) in made.plan.tools.iter().zip(operations::plan::reports(&made.plan)) {
        let origin = json!(tool.origin).as_str().unwrap_or_default().to_owned();
        let access = if report.write { ", writes" } else { "" };
        text.push_str(&format!("\n{} ({origin}{access})\n", style.bold(&tool.tool)));
        for why in &tool.why {
            text.push_str(&format!("  {} {why}\n", style.dim("because")));
        }
        for sql in report.sql.iter().chain(&report.script) {
            for line in sql.lines() {
                text.push_str(&format!("    {}\n", style.cyan(line)));
            }
        }
        if let Some(runs) = report.runs.as_ref().filter(|_| report.script.is_none()) {
            text.push_str(&format!("    {runs}\n"));
        }
        if let Some(reason) = &report.not_implemented {
            text.push_str(&format!("  {} {reason}\n", style.yellow("nothing is run:")));
        }
    }
    text
}
