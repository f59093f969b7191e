//! `mcp-factory test`, `mcp-test`.

use clap::Args;
use operations::all::{Call, TestAll};
use operations::test::{AllInput, AllOutput, CallInput, Verdict};
use operations::{Code, Context, Error, Subject};

use super::{BAD_NEWS, OK};
use crate::arguments::COMMAND_HELP;
use crate::input::subject;
use crate::printer::Style;
use crate::session::Session;
use crate::table::{short, table};

const EXAMPLES: &str = "Examples:
  mcp-factory test inventory-mcp search_products '{\"query\": \"laptop\"}'
  mcp-factory test inventory-mcp --all
  mcp-factory test ./inventory-mcp.yaml --all --output json
";

/// Call a tool, or test all tools
///
/// With a tool, it is called and its answer printed: structured answers as JSON, others as text.
/// With --all, calls are made up from the tools' schemas: some that must work, and some that must
/// be refused. Exits with 1 when the answer is an error or a test failed.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    /// Name of a server, or file of a spec
    #[arg(value_name = "NAME|FILE")]
    subject: String,
    /// Name of the tool
    #[arg(value_name = "TOOL", required_unless_present = "all", conflicts_with = "all")]
    tool: Option<String>,
    /// Arguments of the call, one JSON object
    #[arg(value_name = "JSON")]
    arguments: Option<String>,
    /// Test every tool with made-up calls
    #[arg(long)]
    all: bool,
    /// With --all: also call tools that may change data
    #[arg(long, requires = "all")]
    write: bool,
    /// Which version of the server [default: the current one]
    #[arg(long, value_name = "VERSION")]
    spec_version: Option<String>,
    /// Accept a database of another engine than the spec's type
    #[arg(long)]
    dev: bool,
}

pub(crate) async fn run(arguments: Arguments, session: &Session, context: Context) -> Result<u8, Error> {
    let subject = subject(&arguments.subject, arguments.spec_version.clone())?;
    match &arguments.tool {
        Some(tool) => one(subject, tool.clone(), arguments, session, &context).await,
        None => every(subject, &arguments, session, &context).await,
    }
}

async fn one(
    subject: Subject,
    tool: String,
    arguments: Arguments,
    session: &Session,
    context: &Context,
) -> Result<u8, Error> {
    let input = CallInput { subject, tool, arguments: arguments.arguments, dev: arguments.dev };
    let answer = session.run::<Call>(context, input).await?;
    let printer = &session.printer;
    if answer.is_error && !printer.is_json() {
        return Err(Error::new(
            Code::ToolFailed,
            format!("tool `{}` answered with an error: {}", answer.tool, answer.text),
        )
        .hint(format!("`mcp-factory plan {}` shows what the tool runs", answer.server)));
    }
    printer.answer(&answer, |_| match &answer.structured {
        Some(value) => serde_json::to_string_pretty(value).unwrap_or_default(),
        None => answer.text.clone(),
    });
    Ok(if answer.is_error { BAD_NEWS } else { OK })
}

async fn every(subject: Subject, arguments: &Arguments, session: &Session, context: &Context) -> Result<u8, Error> {
    let input = AllInput { subject, write: arguments.write, dev: arguments.dev };
    let found = session.run::<TestAll>(context, input).await?;
    session.printer.answer(&found, |style| text(&found, style));
    Ok(if found.failed == 0 { OK } else { BAD_NEWS })
}

fn text(found: &AllOutput, style: Style) -> String {
    const REASON_WIDTH: usize = 100;
    let word = |verdict: Verdict| match verdict {
        Verdict::Passed => "passed",
        Verdict::Failed => "FAILED",
        Verdict::Skipped => "skipped",
    };
    let rows: Vec<Vec<String>> = found
        .cases
        .iter()
        .map(|case| {
            vec![
                case.tool.clone(),
                case.case.clone(),
                word(case.verdict).to_owned(),
                format!("{:.1} ms", case.elapsed_ms),
                short(case.reason.as_deref().unwrap_or_default(), REASON_WIDTH),
            ]
        })
        .collect();
    format!(
        "{}\n{}: {} passed, {} failed, {} skipped in {:.0} ms",
        table(style, &["TOOL", "CASE", "VERDICT", "TIME", "NOTE"], &rows),
        style.bold(&found.server),
        found.passed,
        found.failed,
        found.skipped,
        found.elapsed_ms
    )
}
