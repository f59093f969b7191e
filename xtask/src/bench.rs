//! Measurements. They live in a workspace of their own, `bench`, so that peers' dependencies stay out of the product's.

pub mod instructions;

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::exec::Run;
use crate::setup::{self, node};
use crate::{repo, services};

pub const HELP: &str = "\
Usage: cargo xtask bench [--peers] [SCENARIO …] [--seconds N] [--rounds N]
       cargo xtask bench --instructions [--update]

Builds the product and the benchmark program, both optimised, starts a throw-away PostgreSQL, and runs the benchmarks
of `bench`: ours and the peers' in turn, on the same machine with the same client, printed as ratios and held against
the bars of `bench/README.md`. A bar that was missed is printed; it is no error, since machines are not quiet.

Scenarios: call, list, sql, http, fan, script, hosted, streams, writes, droids, create, start, memory, plane, size; all of
them when none is named.

  --peers         installs the peers from npm first (into the work folder); peers that are missing are printed as missing
  --seconds N     length of each measured window (default 3)
  --rounds N      rounds of each measurement, of which the median counts (default 5)
  --instructions  counts the instructions of single requests with Valgrind instead (installed where it is missing) and
                  compares them with `bench/instructions.json`; one that grew by more than 5 % is an error.
                  This is a step of `cargo xtask test`
  --update        writes the counts to that file

Examples:
  cargo xtask bench --peers
  cargo xtask bench call --rounds 9
  cargo xtask bench --instructions
";

/// The command.
pub fn run(arguments: &[String]) -> Result<()> {
    let root = repo::root()?;
    match arguments {
        [word] if word == "--instructions" => return instructions::check()?.into_result("instructions"),
        [word, update] if word == "--instructions" && update == "--update" => return instructions::update(),
        _ => {}
    }
    let peers = repo::work()?.join("peers");
    if arguments.iter().any(|word| word == "--peers") {
        install_peers(&peers)?;
    }
    setup::databases()?;
    Run::cargo()
        .args([
            "build",
            "--release",
            "--package",
            "mcp-factory",
            "--package",
            "server",
            "--bins",
            "--example",
            "thousand",
        ])
        .folder(&root)
        .run()?;
    let bench = build()?;
    let ours = !services::are_up();
    let variables = services::up()?;
    let measured = Run::new(bench)
        .arg("--product")
        .arg(repo::target()?.join("release/mcp-factory"))
        .arg("--repository")
        .arg(&root)
        .arg("--peers")
        .arg(&peers)
        .args(arguments.iter().filter(|word| *word != "--peers"))
        .envs(&variables)
        .run();
    if ours {
        services::down()?;
    }
    measured
}

/// Builds the benchmarks' workspace, whose lock file is its own.
fn build() -> Result<PathBuf> {
    let target = repo::target()?.join("bench");
    Run::cargo()
        .args(["build", "--release", "--workspace"])
        .folder(&repo::root()?.join("bench"))
        .env("CARGO_TARGET_DIR", &target)
        .run()?;
    Ok(target.join("release/bench"))
}

fn install_peers(folder: &std::path::Path) -> Result<()> {
    let source = repo::root()?.join("bench/peers/node");
    node::install_into(&source, folder)?;
    let script = source.join("server.mjs");
    std::fs::copy(&script, folder.join("server.mjs")).with_context(|| format!("cannot copy {}", script.display()))?;
    Ok(())
}
