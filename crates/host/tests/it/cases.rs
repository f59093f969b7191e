//! Cases as files: a spec, what is in the database, calls, and what they answer.
//!
//! A case has the sections `=== engines` (default `sqlite`), `=== env` (`NAME=value` lines), `=== spec`, `=== seed`
//! (statements with an empty line between them), and `=== calls`: lines `> TOOL ARGUMENTS`, each followed by its answer.
//! `as JSON` says who makes the following calls (`as nobody` ends it), `at QUERY` with which query in their URL. `$cursor` in arguments is the last cursor that was given; `* TOOL ARGUMENTS` walks all pages; `! SQL` changes the
//! data in between. A spec that names `API_URL` gets an HTTP API that says back what it was asked. With `UPDATE_CASES=1` the answers are written.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use engine::{CallContext, Outcome};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use crate::world::{Place, Variables, World, drop_from, skipped};

/// More pages than any case has.
const PAGES_MAX: usize = 50;

struct Case {
    path: PathBuf,
    head: String,
    engines: Vec<String>,
    variables: Variables,
    spec: String,
    seed: String,
    calls: Vec<String>,
    expected: String,
}

impl Case {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let (head, expected) = text.split_once("=== calls\n").unwrap_or_else(|| panic!("{}: no calls", path.display()));
        let section = |name: &str| {
            let (_, rest) = head.split_once(&format!("=== {name}\n"))?;
            Some(rest.split("=== ").next().unwrap_or_default().trim_end().to_owned())
        };
        let engines = section("engines").unwrap_or_else(|| "sqlite".to_owned());
        let variables = section("env").unwrap_or_default();
        Self {
            path: path.to_owned(),
            engines: engines.split_whitespace().map(str::to_owned).collect(),
            variables: variables
                .lines()
                .filter_map(|line| line.split_once('='))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            spec: section("spec").unwrap(),
            seed: section("seed").unwrap_or_default(),
            calls: expected
                .lines()
                .filter(|line| ["> ", "* ", "! ", "as ", "at"].iter().any(|sign| line.starts_with(sign)))
                .map(str::to_owned)
                .collect(),
            head: head.to_owned(),
            expected: expected.to_owned(),
        }
    }

    /// The answers on an engine; `None` when its server is not there.
    async fn run_on(&self, engine: &str) -> Option<String> {
        let (variable, kind) = match engine {
            "postgres" => ("MCP_FACTORY_TEST_POSTGRES", "postgresql"),
            "mysql" => ("MCP_FACTORY_TEST_MYSQL", "mariadb"),
            _ => return Some(self.run(Place::sqlite(), "sqlite").await),
        };
        let Ok(server) = std::env::var(variable) else {
            skipped(&format!("{} on {engine}", self.path.display()), &format!("{variable} is not set"));
            return None;
        };
        let place = Place::on(&server).await;
        let url = place.url.clone();
        let answers = self.run(place, kind).await;
        drop_from(&server, &url).await;
        Some(answers)
    }

    async fn run(&self, place: Place, kind: &str) -> String {
        let seed: Vec<&str> = self.seed.split("\n\n").map(str::trim).filter(|sql| !sql.is_empty()).collect();
        let spec = self.spec.replace("type: sqlite", &format!("type: {kind}"));
        let mut variables = self.variables.clone();
        if spec.contains("API_URL") {
            variables.insert("API_URL".to_owned(), crate::upstream::start().await);
        }
        let world = World::new(place, &spec, &seed, variables).await;
        let mut out = String::new();
        for warning in &world.warnings {
            let _ = writeln!(out, "warning {warning}");
        }
        let mut cursor = String::new();
        let (mut caller, mut query) = (None, String::new());
        for line in &self.calls {
            let _ = writeln!(out, "\n{line}");
            if let Some(known) = line.strip_prefix("as ") {
                caller = serde_json::from_str::<Map<String, Value>>(known).ok();
                continue;
            }
            if let Some(said) = line.strip_prefix("at") {
                query = said.trim().to_owned();
                continue;
            }
            let pairs: Vec<(String, String)> = query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            let bindings = match world.toolset.bindings(&pairs) {
                Ok(bindings) => bindings,
                Err(why) => {
                    let _ = writeln!(out, "refused: {why}");
                    continue;
                }
            };
            let cancel = CancellationToken::new();
            let mut context = CallContext::new(&cancel);
            if let Some(caller) = &caller {
                context = context.caller(caller);
            }
            if !bindings.is_empty() {
                context = context.bindings(&bindings);
            }
            let (tool, arguments) = line[2..].split_once(' ').unwrap_or((&line[2..], ""));
            if line.starts_with('!') {
                world.execute(&line[2..]).await;
            } else if line.starts_with('*') {
                out.push_str(&walk(&world, &context, tool, arguments).await);
            } else {
                let outcome = world.call_with(&context, tool, &arguments.replace("$cursor", &cursor)).await;
                let structured = structured(&outcome);
                if let Some(next) = structured.get("nextCursor").and_then(Value::as_str) {
                    cursor = next.to_owned();
                }
                out.push_str(&written(&outcome));
            }
        }
        out
    }
}

fn structured(outcome: &Outcome) -> Value {
    outcome.structured.as_deref().map(|json| serde_json::from_slice(json).unwrap()).unwrap_or_default()
}

/// An answer as a case has it. Cursors are opaque, so only that there is one is written.
fn written(outcome: &Outcome) -> String {
    let mut out = String::new();
    if let Some(failure) = &outcome.failure {
        // The engine's own words differ from engine to engine.
        let own = failure.detail.as_ref().map(|detail| (detail["message"].as_str(), detail["code"].as_str()));
        let mut text = failure.text.clone();
        // An address has the port of this run.
        while let Some(at) = text.find("127.0.0.1:") {
            let end = text[at..]
                .find(|c: char| !c.is_ascii_digit() && c != '.' && c != ':')
                .map_or(text.len(), |end| at + end);
            text.replace_range(at..end, "‹address›");
        }
        if let Some((Some(message), Some(code))) = own {
            text = text.replace(&format!("{message} ({code})"), "‹message›");
        }
        let _ = writeln!(out, "error {}: {text}", failure.kind.as_str());
    } else {
        if let Some(json) = &outcome.structured {
            let mut text = String::from_utf8(json.to_vec()).unwrap();
            if let Some(cursor) = structured(outcome).get("nextCursor").and_then(Value::as_str) {
                text = text.replace(cursor, "…");
            }
            let _ = writeln!(out, "{text}");
        }
        for content in &outcome.content {
            let _ = writeln!(out, "text: {}", content.text());
        }
        if let Some(meta) = &outcome.meta {
            let _ = writeln!(out, "meta: {}", String::from_utf8_lossy(meta));
        }
    }
    out
}

async fn walk(world: &World, context: &CallContext<'_>, tool: &str, arguments: &str) -> String {
    let mut out = String::new();
    let mut given: Value = serde_json::from_str(if arguments.is_empty() { "{}" } else { arguments }).unwrap();
    for _ in 0..PAGES_MAX {
        let outcome = world.call_with(context, tool, &given.to_string()).await;
        if outcome.is_error() {
            return out + &written(&outcome);
        }
        let page = structured(&outcome);
        let _ = writeln!(out, "{}", page["items"]);
        match page.get("nextCursor") {
            Some(cursor) => given["cursor"] = cursor.clone(),
            None => return out,
        }
    }
    panic!("{tool} has no last page: {}", json!(out))
}

#[tokio::test]
async fn cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/cases");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    let mut failures = String::new();
    for path in paths {
        let case = Case::read(&path);
        for engine in &case.engines {
            let Some(answers) = case.run_on(engine).await else { continue };
            if std::env::var_os("UPDATE_CASES").is_some() && engine == &case.engines[0] {
                std::fs::write(&case.path, format!("{}=== calls\n{answers}", case.head)).unwrap();
            } else if answers != case.expected {
                let _ = writeln!(failures, "{} on {engine} answers:\n{answers}", path.display());
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
}
