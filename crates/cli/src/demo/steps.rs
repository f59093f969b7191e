//! The demonstration, step by step.

use std::path::Path;
use std::time::Instant;

use operations::clients::{Reach, snippets};
use operations::create::{Input, Output, create};
use operations::source::Format;
use operations::{Code, Error, SpecText, demo};
use serde::Serialize;
use serde_json::{Value, json};

use super::checks::names;
use super::client::{LegacySse, Pipe, STATELESS, Served, Stateless, status_without_key};
use super::stage::Stage;
use crate::commands::{BAD_NEWS, OK};
use crate::printer::Style;
use crate::session::Session;
use crate::table::counted;

/// The key of the demonstration's callers. It opens nothing but a server that lives for a second.
pub(super) const KEY: &str = "demo-key";

/// What one transport showed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Seen {
    transport: &'static str,
    revision: &'static str,
    tools: Vec<String>,
    /// From the start of the process to the list of tools, milliseconds.
    ready_ms: f64,
    calls: Vec<Call>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Call {
    arguments: Value,
    rows: Vec<String>,
    elapsed_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// The calls that every transport makes.
fn calls() -> [Value; 3] {
    [
        json!({ "query": "laptop" }),
        json!({ "query": "laptop", "category": "clothing" }),
        json!({ "query": "coffee", "limit": 1 }),
    ]
}

/// Makes the example server, serves it over every transport, and calls it.
pub(crate) async fn show(session: &Session) -> Result<u8, Error> {
    let printer = &session.printer;
    let style = printer.message_style();
    let start = Instant::now();
    let stage = Stage::set(&session.environment()?).await?;
    printer.note(&format!("{} {}", style.bold("database:"), stage.told));
    let made = make(&stage).await?;
    printer.note(&told(&made, style));
    let program = std::env::current_exe()
        .map_err(|error| Error::new(Code::Internal, format!("the path of this program is not known: {error}")))?;
    let mut seen = Vec::new();
    for transport in [Transport::Stdio, Transport::Http, Transport::Sse] {
        let one = Box::pin(visit(transport, &stage, &program)).await?;
        printer.note(&told_of(&one, style));
        seen.push(one);
    }
    let problems = problems(&seen);
    let elapsed_ms = start.elapsed().as_secs_f64() * 1e3;
    let lines = config_lines(&program, style);
    let answer = json!({ "ok": problems.is_empty(), "problems": problems, "create": made, "transports": seen, "elapsedMs": elapsed_ms });
    printer.answer(&answer, |_| lines);
    for problem in &problems {
        printer.warn(problem);
    }
    if problems.is_empty() {
        printer.note(&format!("\n{} every answer was right, in {elapsed_ms:.0} ms", style.green("done:")));
        Ok(OK)
    } else {
        Ok(BAD_NEWS)
    }
}

async fn make(stage: &Stage) -> Result<Output, Error> {
    let spec = SpecText { name: demo::SPEC_NAME.to_owned(), text: demo::SPEC.to_owned(), format: Some(Format::Yaml) };
    let input = Input { dev: stage.dev, ..Input::of(spec) };
    Box::pin(create(&stage.context(), input)).await
}

fn told(made: &Output, style: Style) -> String {
    let mut text = format!(
        "{} {} {} from {} in {:.1} ms, {}",
        style.bold("create:"),
        made.name,
        made.version,
        demo::SPEC_NAME,
        made.timings.total_ms,
        counted(made.warnings.len(), "warning")
    );
    for warning in &made.warnings {
        text.push_str(&format!("\n  {} {}", style.dim(&warning.code), warning.message));
    }
    for tool in &made.tools {
        text.push_str(&format!("\n  {} was given this SQL:", style.bold(&tool.name)));
        for line in tool.sql.iter().flat_map(|sql| sql.lines()) {
            text.push_str(&format!("\n    {}", style.cyan(line)));
        }
        for why in &tool.why {
            text.push_str(&format!("\n  {} {why}", style.dim("because")));
        }
        if let Some(reason) = &tool.not_implemented {
            text.push_str(&format!("\n  {} {reason}", style.yellow("it does nothing:")));
        }
    }
    text
}

#[derive(Clone, Copy)]
enum Transport {
    Stdio,
    Http,
    Sse,
}

async fn visit(transport: Transport, stage: &Stage, program: &Path) -> Result<Seen, Error> {
    let start = Instant::now();
    match transport {
        Transport::Stdio => {
            let revision = "2025-11-25";
            let mut client = Pipe::start(stage.command(program, &["--transport", "stdio"]), revision).await?;
            let tools = client.request("tools/list", json!({})).await?;
            let mut seen = seen("stdio", revision, &tools, start);
            for arguments in calls() {
                let from = Instant::now();
                let answer = client.request("tools/call", call(&arguments)).await?;
                seen.calls.push(judged(arguments, &answer, from));
            }
            client.end().await?;
            Ok(seen)
        }
        Transport::Http => {
            let served = Served::start(stage.command(program, &["--transport", "http", "--port", "0"])).await?;
            let client = Stateless { url: served.url.clone(), key: ("X-API-Key", KEY.to_owned()) };
            let tools = client.request("tools/list", json!({})).await?;
            let mut seen = seen("http", STATELESS, &tools, start);
            for arguments in calls() {
                let from = Instant::now();
                let answer = client.request("tools/call", call(&arguments)).await?;
                seen.calls.push(judged(arguments, &answer, from));
            }
            let refused = status_without_key(&served.url).await?;
            served.end().await;
            if refused == 401 { Ok(seen) } else { Err(not_refused(refused)) }
        }
        Transport::Sse => {
            let revision = "2024-11-05";
            let served = Served::start(stage.command(program, &["--transport", "sse", "--port", "0"])).await?;
            let mut client = LegacySse::open(&served.url, ("X-API-Key", KEY.to_owned()), revision).await?;
            let tools = client.request("tools/list", json!({})).await?;
            let mut seen = seen("sse", revision, &tools, start);
            for arguments in calls() {
                let from = Instant::now();
                let answer = client.request("tools/call", call(&arguments)).await?;
                seen.calls.push(judged(arguments, &answer, from));
            }
            served.end().await;
            Ok(seen)
        }
    }
}

fn not_refused(status: u16) -> Error {
    Error::new(Code::Internal, format!("a caller without a key got status {status}, not 401"))
        .hint("please report this")
}

fn call(arguments: &Value) -> Value {
    json!({ "name": "search_products", "arguments": arguments })
}

fn seen(transport: &'static str, revision: &'static str, tools: &Value, start: Instant) -> Seen {
    let names = tools["tools"].as_array().into_iter().flatten().filter_map(|tool| tool["name"].as_str());
    Seen {
        transport,
        revision,
        tools: names.map(str::to_owned).collect(),
        ready_ms: start.elapsed().as_secs_f64() * 1e3,
        calls: Vec::new(),
    }
}

fn judged(arguments: Value, answer: &Value, from: Instant) -> Call {
    let elapsed_ms = from.elapsed().as_secs_f64() * 1e3;
    match names(answer) {
        Ok(rows) => Call { arguments, rows, elapsed_ms, problem: None },
        Err(problem) => Call { arguments, rows: Vec::new(), elapsed_ms, problem: Some(problem) },
    }
}

fn told_of(seen: &Seen, style: Style) -> String {
    let mut text = format!(
        "{} revision {}, tools {} after {:.1} ms",
        style.bold(&format!("{}:", seen.transport)),
        seen.revision,
        seen.tools.join(", "),
        seen.ready_ms
    );
    for call in &seen.calls {
        let rows = match &call.problem {
            Some(problem) => style.red(problem),
            None => match call.rows.len() {
                0 => "no row".to_owned(),
                count => format!("{}: {}", counted(count, "row"), call.rows.join(", ")),
            },
        };
        text.push_str(&format!("\n  search_products {} in {:.1} ms → {rows}", call.arguments, call.elapsed_ms));
    }
    if seen.transport == "http" {
        text.push_str("\n  without the key: 401");
    }
    text
}

/// What is wrong with the answers. Every transport must give the same rows; the first call must
/// find laptops, the second fewer of them, the third one row at most.
fn problems(seen: &[Seen]) -> Vec<String> {
    let mut found = Vec::new();
    for one in seen {
        if one.tools != ["search_products"] {
            found.push(format!("{}: the tools are {:?}", one.transport, one.tools));
        }
        for call in &one.calls {
            found.extend(call.problem.as_ref().map(|problem| format!("{}: {problem}", one.transport)));
        }
        let rows: Vec<&Vec<String>> = one.calls.iter().map(|call| &call.rows).collect();
        if rows.first().is_none_or(|rows| rows.is_empty()) {
            found.push(format!("{}: no laptop was found", one.transport));
        }
        if rows.get(2).is_none_or(|rows| rows.len() > 1) {
            found.push(format!("{}: the limit was passed", one.transport));
        }
        let first = seen.first().map(|first| first.calls.iter().map(|call| &call.rows).collect::<Vec<_>>());
        if first.as_ref() != Some(&rows) {
            found.push(format!("{} does not give the same rows as the first transport", one.transport));
        }
    }
    found
}

/// What to tell clients, when the server is made for good.
fn config_lines(program: &Path, style: Style) -> String {
    let reach = Reach::Command {
        program: program.display().to_string(),
        arguments: ["run", "inventory-mcp", "--transport", "stdio"].map(str::to_owned).to_vec(),
        variables: vec![demo::VARIABLE.to_owned()],
    };
    let mut text = format!(
        "To keep it: set {} and `mcp-factory create --spec {}`. Then tell your client:\n",
        demo::VARIABLE,
        demo::SPEC_NAME
    );
    for snippet in snippets("inventory-mcp", &reach) {
        let indented = snippet.text.replace('\n', "\n    ");
        text.push_str(&format!("\n  {} ({}):\n    {indented}\n", style.bold(snippet.client), snippet.place));
    }
    text
}
