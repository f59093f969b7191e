//! Generated contracts: files that are made from the code, committed, and checked.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::exec::Run;
use crate::repo;

pub const HELP: &str = "\
Usage: cargo xtask gen [--check]

Writes what is generated from the code: the JSON Schema of specs, and the reference pages of the spec language, the
command line and the codes of diagnostics, and the description of the REST API (OpenAPI). With --check nothing is written, and a difference is an error.
";

/// The files, which `mcp-factory __gen DIR` writes below DIR.
const FILES: [&str; 5] = [
    "schema/mcp-spec.schema.json",
    "docs/reference/spec.md",
    "docs/reference/cli.md",
    "docs/reference/codes.md",
    "docs/reference/openapi.json",
];

/// The command.
pub fn run(arguments: &[String]) -> Result<()> {
    let check = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => bail!("unknown arguments {arguments:?}; see `cargo xtask gen --help`"),
    };
    crate::fixture::build()?;
    if check { self::check() } else { write() }
}

/// Compares the committed files with what the built product writes.
pub fn check() -> Result<()> {
    let made = make()?;
    let root = repo::root()?;
    let stale: Vec<&str> = FILES.into_iter().filter(|file| !same(&made.join(file), &root.join(file))).collect();
    if stale.is_empty() {
        return Ok(());
    }
    bail!("out of date: {}; run `cargo xtask gen` and commit", stale.join(", "))
}

fn write() -> Result<()> {
    let made = make()?;
    let root = repo::root()?;
    for file in FILES {
        let (from, to) = (made.join(file), root.join(file));
        if same(&from, &to) {
            continue;
        }
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::copy(&from, &to).with_context(|| format!("cannot write {}", to.display()))?;
        println!("wrote {file}");
    }
    Ok(())
}

fn make() -> Result<PathBuf> {
    let folder = crate::fixture::results("gen")?;
    Run::new(repo::target()?.join("debug/mcp-factory")).arg("__gen").arg(&folder).output()?;
    Ok(folder)
}

fn same(left: &Path, right: &Path) -> bool {
    matches!((std::fs::read(left), std::fs::read(right)), (Ok(left), Ok(right)) if left == right)
}
