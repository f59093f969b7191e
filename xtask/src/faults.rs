//! The fault scorecard: harm to a running control plane, judged by an outside ledger (`tests/faults`).

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::exec::Run;
use crate::report::Tally;
use crate::test::skips;
use crate::{fixture, repo, setup};

pub const HELP: &str = "\
Usage: cargo xtask soak [--gate] [SCENARIO …]

Does harm to a control plane and compares what is there afterwards with what was acknowledged. Every line says what was
measured and its bar. --gate does as much as CI does, in some minutes; without it the numbers are those of a long run.

Scenarios:
  kill       `kill -9` at random times while four writers work
  flush      death at the n-th flush (without --gate: at the n-th write too) of single operations, for every n
  disk       a full disk at several levels, and flushes that fail (needs root)
  database   PostgreSQL stopped at once and connections cut
  clock      the clock of the machine jumps
  foreign    two keys, a guest and nobody: what is another's stays so, by every operation of the OpenAPI document
  slow       clients that send and read slowly, or stop half-way
  envelopes  mutated MCP requests, JSON and YAML that is hard to read, HTTP that is read in two ways
  canaries   planted secrets must show up nowhere
  droids     the droid swarm server beside the fake of Factory: killed, raced, watched by many, and answered wrongly in every way; its parts
             are droid_start, droid_ends, droid_watch, droid_kill and droid_trouble

Examples:
  cargo xtask soak --gate
  cargo xtask soak kill flush
";

/// The scorecard as `tests/faults/main.py` prints it.
#[derive(Deserialize)]
struct Card {
    lines: Vec<Line>,
    skips: Vec<String>,
}

#[derive(Deserialize)]
struct Line {
    name: String,
    measured: String,
    bar: String,
    well: bool,
}

/// The command.
pub fn run(arguments: &[String]) -> Result<()> {
    let gate = arguments.iter().any(|word| word == "--gate");
    let scenarios: Vec<String> = arguments.iter().filter(|word| *word != "--gate").cloned().collect();
    setup::faults()?;
    fixture::build()?;
    check(&scenarios, !gate)?.into_result("soak")
}

/// Does harm to what is built; without scenarios, all of them.
pub fn check(scenarios: &[String], full: bool) -> Result<Tally> {
    let run = harm(&repo::target()?.join("debug/mcp-factory"), scenarios, full)?;
    let (status, output) = run.tee()?;
    let card = output.lines().rfind(|line| line.starts_with("{\"lines\":"));
    let card: Card = serde_json::from_str(card.with_context(|| format!("there is no scorecard ({status})"))?)?;
    let mut tally = Tally::default();
    for line in card.skips {
        skips::judge(line, &mut tally);
    }
    for line in card.lines {
        if line.well {
            tally.passed += 1;
        } else {
            tally.failures.push(format!("{}: {} (bar: {})", line.name, line.measured, line.bar));
        }
    }
    Ok(tally)
}

fn harm(binary: &Path, scenarios: &[String], full: bool) -> Result<Run> {
    let program = repo::root()?.join("tests/faults/main.py");
    let mut run = Run::new("python3").arg("-B").arg(program).arg("--binary").arg(binary);
    run = run.arg("--folder").arg(fixture::results("faults")?);
    if full {
        run = run.arg("--full");
    }
    Ok(run.args(scenarios))
}
