//! The MCP Inspector's command line, on the protocol example and on the product.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::clients::{self, case, sdk};
use crate::exec::Run;
use crate::fixture::{Program, Transport};
use crate::report::Tally;
use crate::setup::{node, python};

/// Longest run of one request.
const PATIENCE: Duration = Duration::from_secs(60);

/// Plays each case, one Inspector process per step, on every transport, in both eras where there are two.
pub fn check(results: &Path, tally: &mut Tally, rows: &mut Vec<Vec<String>>) -> Result<()> {
    for case in case::Case::all()? {
        let program = clients::program(&case, results)?;
        for (transport, era) in [
            (Transport::Stdio, "auto"),
            (Transport::Http, "legacy"),
            (Transport::Http, "modern"),
            (Transport::Sse, "legacy"),
        ] {
            let subject = format!("{} {} {era}", case.name, transport.word());
            let log = results.join(format!("inspector-{}.log", subject.replace(' ', "-")));
            let server = match transport {
                Transport::Stdio => None,
                other => Some(program.serve(other, &log)?),
            };
            let url = server.as_ref().map(|server| server.url(transport));
            let mut own = Tally::default();
            // The Inspector's command line has no completion.
            let steps: Vec<&case::Step> = case.steps.iter().filter(|step| can_play(step)).collect();
            for step in &steps {
                let result = ask(&program, transport, era, url.as_deref(), step);
                own.check(&format!("inspector {subject} {}", step.method), result);
            }
            let cells = [own.passed, steps.len(), own.failures.len()].map(|count| count.to_string());
            rows.push([["inspector".to_owned(), subject].to_vec(), cells.to_vec()].concat());
            tally.add(own);
        }
    }
    Ok(())
}

/// Its command line completes nothing, and has nobody who answers a server.
fn can_play(step: &case::Step) -> bool {
    step.method != "completion/complete" && step.answers.is_empty()
}

/// One request.
fn ask(program: &Program, transport: Transport, era: &str, url: Option<&str>, step: &case::Step) -> Result<()> {
    let run = Run::new(python::node()?)
        .arg(node::file("@modelcontextprotocol/inspector/clients/launcher/build/index.js")?)
        .args(["--cli", "--format", "json", "--quiet", "--transport", transport.word(), "--protocol-era", era])
        .args(["--method", &step.method])
        .args(arguments(step));
    let run = match url {
        Some(url) => run.args(["--server-url", url]),
        // Everything after `--` is the server's command line; only what `-e` names is in its environment.
        None => run
            .args(program.environment.iter().flat_map(|(name, value)| ["-e".to_owned(), format!("{name}={value}")]))
            .arg("--")
            .arg(&program.path)
            .args(program.arguments(transport)),
    };
    let captured = run.envs(&program.environment).timeout(PATIENCE).capture()?;
    let seen = answer(&captured.stdout, &captured.stderr)
        .with_context(|| format!("no JSON ({})\n{}{}", captured.status, captured.stdout, captured.stderr))?;
    let revision = if era == "legacy" { sdk::LEGACY } else { sdk::MODERN };
    step.compare(revision, &seen).map_err(anyhow::Error::msg)
}

fn arguments(step: &case::Step) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(uri) = &step.uri {
        words.extend(["--uri".to_owned(), uri.clone()]);
    }
    let Some(name) = &step.name else { return words };
    if step.method == "prompts/get" {
        words.extend(["--prompt-name".to_owned(), name.clone()]);
        for (key, value) in step.arguments.as_ref().and_then(Value::as_object).into_iter().flatten() {
            words.extend(["--prompt-args".to_owned(), format!("{key}={}", value.as_str().unwrap_or_default())]);
        }
    } else {
        words.extend(["--tool-name".to_owned(), name.clone()]);
        if let Some(arguments) = &step.arguments {
            words.extend(["--tool-args-json".to_owned(), arguments.to_string()]);
        }
    }
    words
}

/// The result on standard output, `{"result": …}`, or the error on standard error, `{"error": …}`.
fn answer(stdout: &str, stderr: &str) -> Result<Value> {
    if let Ok(mut value) = serde_json::from_str::<Value>(stdout.trim()) {
        return Ok(value["result"].take());
    }
    let line = stderr.lines().rfind(|line| line.starts_with('{')).context("no error envelope")?;
    Ok(serde_json::from_str(line)?)
}
