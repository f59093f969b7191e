//! Measurements. They live in a workspace of their own, `bench`, so that peers' dependencies stay out of the product's.

use anyhow::{Result, bail};

use crate::exec::Run;
use crate::repo;

pub const HELP: &str = "\
Usage: cargo xtask bench [ARGUMENTS]

Builds the product and the benchmark program, both optimised, and runs the benchmarks of `bench`. Arguments are handed
on; `cargo xtask bench -- --help` shows them.
";

/// The command.
pub fn run(arguments: &[String]) -> Result<()> {
    let root = repo::root()?;
    let folder = root.join("bench");
    if !folder.join("Cargo.toml").is_file() {
        bail!("{} is missing", folder.display());
    }
    Run::cargo().args(["build", "--quiet", "--release", "--package", "mcp-factory"]).folder(&root).run()?;
    let arguments = arguments.iter().filter(|word| *word != "--");
    Run::cargo().args(["run", "--quiet", "--release", "--"]).args(arguments).folder(&folder).run()
}
