//! Measurements. They live in a workspace of their own, `bench`, so that peers' dependencies stay out of the product's.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::exec::Run;
use crate::setup::{self, node};
use crate::{repo, services};

pub const HELP: &str = "\
Usage: cargo xtask bench [--peers] [SCENARIO …] [--seconds N] [--rounds N]

Builds the product and the benchmark program, both optimised, starts a throw-away PostgreSQL, and runs the benchmarks
of `bench`: ours and the peers' one after the other, on the same machine with the same client, printed as ratios.

  --peers      installs the peers from npm first (into the work folder); peers that are missing are printed as missing
  --seconds N  length of each measured window (default 3)
  --rounds N   rounds of each measurement, of which the best counts (default 3)

Examples:
  cargo xtask bench --peers
  cargo xtask bench call --rounds 5
";

/// The command.
pub fn run(arguments: &[String]) -> Result<()> {
    let root = repo::root()?;
    let peers = repo::work()?.join("peers");
    if arguments.iter().any(|word| word == "--peers") {
        install_peers(&peers)?;
    }
    setup::databases()?;
    Run::cargo().args(["build", "--release", "--package", "mcp-factory"]).folder(&root).run()?;
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
