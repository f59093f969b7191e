//! The official client SDKs, old and new, play the same cases on every transport.

pub mod case;
mod oauth;
pub mod sdk;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde_json::Value;

use crate::exec::Run;
use crate::fixture::{self, Program, Transport};
use crate::report::{self, Tally};
use crate::setup::{self, python};
use case::{Case, Subject};
use sdk::{SDKS, Sdk};

pub const HELP: &str = "\
Usage: cargo xtask clients [CASE]

Each official client SDK plays each case of tests/clients/cases over stdio, Streamable HTTP and HTTP+SSE: it
connects, lists, calls with good and bad arguments, reads resources and gets prompts, and what it saw must match
what the case expects. A case is a JSON file; adding one adds a row for each SDK. The part `oauth`
lets the SDKs come in by OAuth.

Examples:
  cargo xtask clients
  cargo xtask clients library
  cargo xtask clients oauth
";

/// The command.
pub fn run(arguments: &[String]) -> Result<()> {
    let only = match arguments {
        [] => None,
        [name] if !name.starts_with('-') => Some(name.as_str()),
        _ => bail!("unknown arguments {arguments:?}; see `cargo xtask clients --help`"),
    };
    setup::tools()?;
    if only == Some("everything") {
        fixture::build_everything()?
    } else {
        fixture::build()?
    }
    check(only)?.into_result("clients")
}

/// Plays the cases on what is built.
pub fn check(only: Option<&str>) -> Result<Tally> {
    let results = fixture::results("clients")?;
    let mut tally = Tally::default();
    let mut rows = Vec::new();
    let by_oauth = only.is_none_or(|name| name == oauth::NAME);
    let cases: Vec<Case> = Case::all()?.into_iter().filter(|case| only.is_none_or(|name| case.name == name)).collect();
    if cases.is_empty() && !by_oauth {
        bail!("there is no case {}", only.unwrap_or_default());
    }
    for case in &cases {
        play_everywhere(case, &results, &mut tally, &mut rows)?;
    }
    if let Some(case) = Case::all()?.iter().find(|case| by_oauth && case.name == "library") {
        oauth::check(program(case, &results)?, &results, &mut tally, &mut rows)?;
    }
    report::table(&["case", "client", "stdio", "http", "sse"], &rows);
    Ok(tally)
}

/// The program that a case is played on, with the world that it needs.
pub fn program(case: &Case, results: &Path) -> Result<Program> {
    match &case.subject {
        Subject::Everything => fixture::everything(),
        Subject::Spec(spec) => {
            let mut program = fixture::product(spec)?;
            program.environment.push(("LIBRARY_DATABASE".into(), format!("sqlite:{}", database(results)?.display())));
            Ok(program)
        }
    }
}

/// The database of the library spec, made anew.
fn database(results: &Path) -> Result<PathBuf> {
    let folder = crate::repo::root()?.join("tests/clients");
    let file = results.join("library.db");
    Run::new(python::program(python::TOOLS, "python")?)
        .arg(folder.join("python/database.py"))
        .arg(&file)
        .arg(folder.join("specs/library.sql"))
        .output()?;
    Ok(file)
}

fn play_everywhere(case: &Case, results: &Path, tally: &mut Tally, rows: &mut Vec<Vec<String>>) -> Result<()> {
    let program = program(case, results)?;
    let mut table: Vec<Vec<String>> = SDKS.iter().map(|sdk| vec![case.name.clone(), sdk.name.to_owned()]).collect();
    for transport in Transport::ALL {
        let log = results.join(format!("{}-{}.log", case.name, transport.word()));
        let server = match transport {
            Transport::Stdio => None,
            other => Some(program.serve(other, &log)?),
        };
        for (sdk, row) in SDKS.iter().zip(&mut table) {
            let target = match &server {
                Some(server) => vec![server.url(transport)],
                None => [vec![program.path.display().to_string()], program.arguments(transport)].concat(),
            };
            let outcome = play(sdk, case, transport, &target, &program);
            row.push(if outcome.is_ok() { "ok".to_owned() } else { "FAILED".to_owned() });
            tally.check(&format!("{} on {} over {}", sdk.name, case.name, transport.word()), outcome);
        }
    }
    rows.extend(table);
    Ok(())
}

fn play(sdk: &Sdk, case: &Case, transport: Transport, target: &[String], program: &Program) -> Result<()> {
    let captured = sdk
        .command()?
        .args([transport.word(), sdk.mode])
        .arg(&case.file)
        .args(target)
        .envs(&program.environment)
        .timeout(sdk::PATIENCE)
        .capture()?;
    if !captured.status.success() {
        bail!("the client failed ({})\n{}", captured.status, last_lines(&captured.stderr));
    }
    let seen: Value = serde_json::from_str(captured.stdout.trim())?;
    let version = seen["protocolVersion"].as_str().unwrap_or_default();
    if version != sdk.revision {
        bail!("agreed on revision `{version}`, not {}", sdk.revision);
    }
    case.compare(version, seen["steps"].as_array().map(Vec::as_slice).unwrap_or_default())
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}
