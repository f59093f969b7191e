//! `mcp-factory search`.

use clap::{Args, ValueEnum};
use operations::all::Search;
use operations::search::{Effect, Found, Input, Kind, Output};
use operations::{Context, Error};

use super::{BAD_NEWS, OK};
use crate::arguments::COMMAND_HELP;
use crate::printer::Style;
use crate::session::Session;

/// Most characters of a description.
const DESCRIPTION_WIDTH: usize = 100;

const EXAMPLES: &str = "Examples:
  mcp-factory search who can search products
  mcp-factory search invoices --effect reads --connection postgresql
  mcp-factory search --takes query:string --gives price:number
  mcp-factory search refund --output json | jq -r '.found[] | .server + \" \" + .name'
";

/// Find what servers can do
///
/// Looks through the tools, resources and prompts of the current versions of all servers: names, descriptions, parameters,
/// groups, connections. The best come first, with the words that made them fit. Exits with 1 when nothing is found.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    /// What it should do; everything that fits the options when absent
    #[arg(value_name = "WORD")]
    words: Vec<String>,
    /// Of this server alone
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
    /// Of this group of tools alone
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// Only tools, resources or prompts
    #[arg(long, value_enum, value_name = "KIND")]
    kind: Option<KindWord>,
    /// What it does to the world
    #[arg(long, value_enum, value_name = "EFFECT")]
    effect: Option<EffectWord>,
    /// Parameters that it takes, by commas: NAME, NAME:TYPE or :TYPE
    #[arg(long, value_name = "FIELDS")]
    takes: Option<String>,
    /// Properties that its answer has, by commas
    #[arg(long, value_name = "FIELDS")]
    gives: Option<String>,
    /// Uses a connection of this kind or name
    #[arg(long, value_name = "KIND")]
    connection: Option<String>,
    /// Most capabilities in the answer [default: 20]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    limit: Option<u64>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum KindWord {
    /// Tools
    Tool,
    /// Resources
    Resource,
    /// Prompts
    Prompt,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum EffectWord {
    /// Changes nothing
    Reads,
    /// Changes something
    Changes,
    /// May remove or overwrite
    Destroys,
}

pub(crate) async fn run(arguments: Arguments, session: &Session, context: Context) -> Result<u8, Error> {
    let words = arguments.words.join(" ");
    let input = Input {
        q: (!words.is_empty()).then_some(words),
        server: arguments.server,
        group: arguments.group,
        kind: arguments.kind.map(|kind| match kind {
            KindWord::Tool => Kind::Tool,
            KindWord::Resource => Kind::Resource,
            KindWord::Prompt => Kind::Prompt,
        }),
        effect: arguments.effect.map(|effect| match effect {
            EffectWord::Reads => Effect::Reads,
            EffectWord::Changes => Effect::Changes,
            EffectWord::Destroys => Effect::Destroys,
        }),
        takes: arguments.takes,
        gives: arguments.gives,
        connection: arguments.connection,
        limit: arguments.limit.and_then(|limit| usize::try_from(limit).ok()),
    };
    let answer = session.run::<Search>(&context, input).await?;
    let printer = &session.printer;
    if answer.found.is_empty() {
        if printer.is_json() {
            printer.json(&answer);
        } else {
            printer.note("nothing fits; `mcp-factory search` without words lists everything that servers offer");
        }
        return Ok(BAD_NEWS);
    }
    printer.list(&answer, &["found"], |style| text(&answer, style));
    let more = answer.total - answer.found.len().min(answer.total);
    if more > 0 && !printer.is_json() {
        printer.note(&format!("{more} more fit; add `--limit N` or more words"));
    }
    Ok(OK)
}

fn text(answer: &Output, style: Style) -> String {
    answer.found.iter().map(|found| entry(found, style)).collect::<Vec<_>>().join("\n")
}

fn entry(found: &Found, style: Style) -> String {
    let kind = match found.kind {
        Kind::Tool => "",
        Kind::Resource => ", a resource",
        Kind::Prompt => ", a prompt",
    };
    let effect = match found.effect {
        Effect::Reads => style.green("reads"),
        Effect::Changes => style.yellow("changes"),
        Effect::Destroys => style.red("may destroy"),
    };
    let mut text =
        format!("{} of {} {}{kind}, {effect}", style.bold(&found.name), style.cyan(&found.server), found.version);
    let title = found.title.as_ref().filter(|title| Some(*title) != found.description.as_ref());
    let about: Vec<&str> = title.into_iter().chain(&found.description).map(String::as_str).collect();
    if !about.is_empty() {
        text.push_str(&format!("\n  {}", style.short(&about.join(": "), DESCRIPTION_WIDTH)));
    }
    if !found.takes.is_empty() {
        text.push_str(&format!("\n  takes {}", found.takes.join(", ")));
    }
    if !found.matched.is_empty() {
        let why: Vec<String> =
            found.matched.iter().map(|one| format!("{} in {}", one.word, one.places.join(", "))).collect();
        text.push_str(&format!("\n  {}", style.dim(&format!("fits by {}", why.join("; ")))));
    }
    text
}
