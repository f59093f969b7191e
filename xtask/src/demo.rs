//! The main job, shown.

use anyhow::Result;

use crate::exec::Run;
use crate::repo;

pub const HELP: &str = "\
Usage: cargo xtask demo [ARGUMENTS]

Builds the product and runs `mcp-factory demo`: it makes the inventory server from its YAML on an embedded database
(on PostgreSQL when DATABASE_URL is given), serves it, calls its tools over each MCP transport, and prints the results
and the configuration for Claude, Cursor and Codex. Arguments are handed on.
";

/// The command.
pub fn run(arguments: &[String]) -> Result<()> {
    build_and_run(arguments)
}

fn build_and_run(arguments: &[String]) -> Result<()> {
    Run::cargo()
        .args(["run", "--quiet", "--package", "mcp-factory", "--", "demo"])
        .args(arguments)
        .folder(&repo::root()?)
        .run()
}
