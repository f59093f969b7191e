//! Golden specs against the original servers that they rebuild, call by call.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::exec::Run;
use crate::fixture::{self, Fakes};
use crate::report::{self, Tally};
use crate::setup::python;
use crate::{repo, services, setup};

pub const HELP: &str = "\
Usage: cargo xtask originals [CASE]

Starts an official reference server (npm or PyPI) and the golden spec that rebuilds it, side by side, makes the same calls on both with
the official TypeScript SDK, and compares the names of tools and arguments, results, errors and resources. A case is a
JSON file of tests/originals/cases: the original, ours, the calls, and what may differ with the reason. The databases must be
up (`cargo xtask services up`).

Examples:
  cargo xtask originals
  cargo xtask originals memory
";

/// Longest run of one case.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a comparison says.
#[derive(Deserialize)]
struct Compared {
    passed: usize,
    failures: Vec<String>,
}

/// The command.
pub fn run(arguments: &[String]) -> Result<()> {
    let only = match arguments {
        [] => None,
        [name] if !name.starts_with('-') => Some(name.as_str()),
        _ => bail!("unknown arguments {arguments:?}; see `cargo xtask originals --help`"),
    };
    setup::tools()?;
    let variables = services::up()?;
    fixture::build()?;
    check(only, &variables)?.into_result("originals")
}

/// Compares on what is built.
pub fn check(only: Option<&str>, services: &[(String, String)]) -> Result<Tally> {
    let results = fixture::results("originals")?;
    let fakes = Fakes::start(&results.join("fakes.log"))?;
    let mut tally = Tally::default();
    let mut rows = Vec::new();
    for file in cases()? {
        let name = file.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if only.is_some_and(|only| only != name) {
            continue;
        }
        let compared = compare(&file, &fakes, services).with_context(|| format!("comparing {name}"));
        let compared = compared.unwrap_or_else(|error| Compared { passed: 0, failures: vec![format!("{error:#}")] });
        rows.push([name.clone(), compared.passed.to_string(), compared.failures.len().to_string()].to_vec());
        tally.passed += compared.passed;
        tally.failures.extend(compared.failures.into_iter().map(|failure| format!("{name}: {failure}")));
    }
    if rows.is_empty() {
        bail!("there is no case {}", only.unwrap_or_default());
    }
    report::table(&["original", "same", "different"], &rows);
    Ok(tally)
}

fn cases() -> Result<Vec<PathBuf>> {
    let folder = repo::root()?.join("tests/originals/cases");
    let entries = std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.sort();
    Ok(files)
}

fn compare(case: &std::path::Path, fakes: &Fakes, services: &[(String, String)]) -> Result<Compared> {
    let root = repo::root()?;
    let output = Run::new(python::node()?)
        .arg(root.join("tests/originals/compare.mjs"))
        .arg(case)
        .arg(repo::target()?.join("debug/mcp-factory"))
        .arg(root.join("tests/golden"))
        .arg(fakes.url())
        .env("MCP_FACTORY_ORIGINALS_PYTHON", python::place(python::ORIGINALS, "")?)
        .envs(services)
        .timeout(PATIENCE)
        .output()?;
    let line = output.lines().last().unwrap_or_default();
    serde_json::from_str(line).with_context(|| format!("the comparison said {line:?}"))
}
