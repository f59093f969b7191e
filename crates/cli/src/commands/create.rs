//! `mcp-factory create`, `mcp-create`.

use std::path::PathBuf;

use clap::Args;
use operations::all::{Create, GetTemplate};
use operations::create::{Input, Output, ToolReport};
use operations::source::Format;
use operations::templates::{GetInput, fill};
use operations::{Code, Context, Error, SpecText};
use serde_json::json;

use super::OK;
use crate::arguments::COMMAND_HELP;
use crate::input::read_spec;
use crate::printer::Style;
use crate::session::Session;
use crate::table::{short, table};

const EXAMPLES: &str = "Examples:
  mcp-factory create --spec ./inventory-mcp.yaml
  mcp-factory create --json '{\"name\": \"hello\", \"tools\": [{\"name\": \"hi\", \"reply\": {\"text\": \"hi\"}}]}'
  curl -s https://example.com/spec.yaml | mcp-factory create --spec -
  mcp-factory create --spec ./inventory-mcp.yaml --dry-run --output json
  mcp-factory create --template hello --set name=my-server      `mcp-factory templates` lists them
";

/// Make a server from a spec, or a new version of it
///
/// The spec is checked, its databases are read, what its tools run is planned and checked by the
/// databases, and all of it is compiled. Only then is anything stored.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    /// File of the spec, YAML or JSON; - reads standard input
    #[arg(value_name = "FILE", conflicts_with_all = ["spec", "json"])]
    file: Option<PathBuf>,
    /// The same
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    spec: Option<PathBuf>,
    /// The spec itself, JSON
    #[arg(long, value_name = "SPEC")]
    json: Option<String>,
    /// Count warnings as errors
    #[arg(long)]
    strict: bool,
    /// Accept a database of another engine than the spec's type
    #[arg(long)]
    dev: bool,
    /// Replace a stored version that has another content
    #[arg(long)]
    force: bool,
    /// Make it the current version where it is stored already, too
    #[arg(long)]
    current: bool,
    /// Not in this build
    #[arg(long, value_name = "TEXT", hide = true)]
    prompt: Option<String>,
    /// Begin with a template that the program carries, by its name or its kind: `database`, `api`, `files`, `ai` and so on
    #[arg(long, value_name = "TEMPLATE", conflicts_with_all = ["file", "spec", "json"])]
    template: Option<String>,
    /// Name of the server that is made from a template
    #[arg(long, value_name = "NAME", requires = "template", conflicts_with_all = ["file", "spec", "json"])]
    name: Option<String>,
    /// Set a value of the template, such as `connections.db.envVar=SHOP_DB`; may be repeated
    #[arg(long, value_name = "PATH=VALUE", requires = "template", conflicts_with_all = ["file", "spec", "json"])]
    set: Vec<String>,
}

pub(crate) async fn run(arguments: Arguments, session: &Session, context: Context) -> Result<u8, Error> {
    let spec = match &arguments.template {
        Some(template) => filled(template, &arguments, session, &context).await?,
        None => spec(&arguments)?,
    };
    let source = spec.clone();
    let input = Input {
        spec,
        strict: arguments.strict,
        dev: arguments.dev,
        force: arguments.force,
        current: arguments.current,
        dry_run: session.global.dry_run,
        template: arguments.template,
    };
    let made = session.run::<Create>(&context, input).await?;
    let printer = &session.printer;
    printer.diagnostics(&made.warnings, source.as_source());
    printer.answer(&made, |style| text(&made, style));
    if !printer.is_json() && !made.dry_run {
        printer.note(&format!(
            "next: `mcp-factory test {0} --all`, `mcp-factory plan {0}`, `mcp-factory run {0}`",
            made.name
        ));
    }
    Ok(OK)
}

/// The template with the values that were given.
async fn filled(
    template: &str,
    arguments: &Arguments,
    session: &Session,
    context: &Context,
) -> Result<SpecText, Error> {
    let found = session.run::<GetTemplate>(context, GetInput { name: template.to_owned() }).await?;
    let name = arguments.name.iter().map(|name| format!("name={name}"));
    let sets: Vec<String> = name.chain(arguments.set.iter().cloned()).collect();
    fill(template, &found.spec, &sets)
}

fn spec(arguments: &Arguments) -> Result<SpecText, Error> {
    if arguments.prompt.is_some() {
        return Err(Error::new(
            Code::NotBuilt,
            "`--prompt` cannot be used: no intake of natural language is configured",
        )
        .hint("write a spec and use `--spec FILE`; `mcp-factory schema` says what it may contain")
        .hint("or begin with a template: `mcp-factory create --template NAME`"));
    }
    match (arguments.file.as_ref().or(arguments.spec.as_ref()), &arguments.json) {
        (Some(path), _) => read_spec(path),
        (None, Some(text)) => {
            Ok(SpecText { name: "<json>".to_owned(), text: text.clone(), format: Some(Format::Json) })
        }
        (None, None) => Err(Error::new(Code::Usage, "there is no spec to make a server from")
            .hint("name a file: `mcp-factory create --spec ./inventory-mcp.yaml`, or `--spec -` for standard input")
            .hint("or give the spec itself: `--json '{\"name\": …, \"tools\": […]}'`")),
    }
}

fn text(made: &Output, style: Style) -> String {
    let result = json!(made.result).as_str().unwrap_or_default().to_owned();
    let result = if made.dry_run { format!("would be {result}") } else { result };
    format!(
        "{} {} {} in {:.0} ms ({})\n{}",
        style.green(&result),
        style.bold(&made.name),
        made.version,
        made.timings.total_ms,
        made.digest.short(),
        tools(&made.tools, style)
    )
}

/// The tools, where their actions come from, and what they run.
pub(crate) fn tools(tools: &[ToolReport], style: Style) -> String {
    const SQL_WIDTH: usize = 90;
    let rows: Vec<Vec<String>> = tools
        .iter()
        .map(|tool| {
            let runs = match (&tool.not_implemented, tool.sql.first()) {
                (Some(reason), _) => format!("nothing: {reason}"),
                (None, Some(sql)) => short(sql, SQL_WIDTH),
                (None, None) => short(tool.runs.as_deref().unwrap_or_default(), SQL_WIDTH),
            };
            let origin = json!(tool.origin).as_str().unwrap_or_default().to_owned();
            let access = if tool.write { "write" } else { "read" };
            vec![tool.name.clone(), origin, access.to_owned(), runs]
        })
        .collect();
    table(style, &["TOOL", "ACTION", "ACCESS", "RUNS"], &rows)
}
