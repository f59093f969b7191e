//! `mcp-factory diff`.

use clap::Args;
use operations::all::Diff;
use operations::diff::{Change, Input, Output, Verdict};
use operations::{Context, Error};

use super::{BAD_NEWS, OK};
use crate::arguments::COMMAND_HELP;
use crate::printer::Style;
use crate::session::Session;

const EXAMPLES: &str = "Examples:
  mcp-factory diff inventory-mcp                        the current version and the one before
  mcp-factory diff inventory-mcp 1.0.0 2.0.0
  mcp-factory diff inventory-mcp --output json | jq -r '.changes[] | select(.breaking) | .name'
";

/// Compare two versions of a server
///
/// Says what was added, removed and changed: tools with their input and output schemas, resources, prompts, groups, connections;
/// and whether callers of the older version break. Exits with 1 when they do.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    /// Name of the server
    #[arg(value_name = "NAME")]
    name: String,
    /// The older version [default: the one before]
    #[arg(value_name = "FROM")]
    from: Option<String>,
    /// The newer version [default: the current one]
    #[arg(value_name = "TO")]
    to: Option<String>,
}

pub(crate) async fn run(arguments: Arguments, session: &Session, context: Context) -> Result<u8, Error> {
    let Arguments { name, from, to } = arguments;
    let found = session.run::<Diff>(&context, Input { name, from, to }).await?;
    session.printer.answer(&found, |style| text(&found, style));
    Ok(if found.verdict == Verdict::Breaking { BAD_NEWS } else { OK })
}

fn text(found: &Output, style: Style) -> String {
    let verdict = match found.verdict {
        Verdict::Same => style.green("the same"),
        Verdict::Compatible => style.green("compatible"),
        Verdict::Breaking => style.red("breaking"),
    };
    let (name, from, to) = (style.bold(&found.name), &found.from.version, &found.to.version);
    let mut text = format!("{name} {from} to {to}: {verdict}");
    for change in &found.changes {
        text.push_str(&format!("\n{}", change_text(change, style)));
    }
    text
}

fn change_text(change: &Change, style: Style) -> String {
    let mark = |breaking: bool| if breaking { style.red("!") } else { " ".to_owned() };
    let mut text = format!("{} {} {} {}", mark(change.breaking), change.of, style.bold(&change.name), change.what);
    for detail in &change.details {
        text.push_str(&format!("\n{}   {}: {}", mark(detail.breaking), detail.at, detail.text));
    }
    text
}
