//! Judges of authorization: the server is scanned, attacked and asked for tokens; the client meets broken servers.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::exec::Run;
use crate::report::{self, Tally};
use crate::setup::{self, node, python};
use crate::{fixture, repo};

pub const HELP: &str = "\
Usage: cargo xtask judges

Lets outside judges look at authorization, at the control plane and at the client:
  mcp-authlab            signs in at a control plane behind TLS and grades it; the grade must be A
  mcp-authlab fixture    a server in its broken forms, each of which `mcp-factory connect URL --login` must refuse
  agent-security-harness attacks a control plane; no attack may succeed
  suite                  the official conformance suite: `mcp-factory connect URL` plays its scenarios of clients, and
                         the authorization server those of authorization servers

Reports are kept in `.work/results/judges`.
";

/// Longest run of all of them.
const PATIENCE: Duration = Duration::from_secs(600);
/// Verdicts that there are at least. Fewer would mean that judges went missing.
const VERDICTS_MIN: usize = 47;

/// The verdict of one judge.
#[derive(Deserialize)]
struct Verdict {
    name: String,
    good: bool,
    text: String,
}

/// The command.
pub fn run(arguments: &[String]) -> Result<()> {
    if !arguments.is_empty() {
        bail!("unknown arguments {arguments:?}; see `cargo xtask judges --help`");
    }
    setup::tools()?;
    // OpenSSL comes with them.
    setup::databases()?;
    fixture::build()?;
    check()?.into_result("judges")
}

/// Lets them look at what is built.
pub fn check() -> Result<Tally> {
    python::install(python::JUDGES)?;
    let results = fixture::results("judges")?;
    let script = repo::root()?.join("tests/clients/python/judges.py");
    let captured = Run::new(python::program(python::JUDGES, "python")?)
        .arg(script)
        .arg(repo::target()?.join("debug/mcp-factory"))
        .arg(python::node()?)
        .arg(node::file("@modelcontextprotocol/conformance/dist/index.js")?)
        .arg(&results)
        .timeout(PATIENCE)
        .capture()?;
    std::fs::write(results.join("judges.txt"), format!("{}{}", captured.stdout, captured.stderr))?;
    let mut tally = Tally::default();
    let mut rows = Vec::new();
    for line in captured.stdout.lines() {
        let verdict: Verdict = serde_json::from_str(line).with_context(|| format!("`{line}` is no verdict"))?;
        rows.push(vec![verdict.name.clone(), if verdict.good { "ok" } else { "FAILED" }.to_owned()]);
        let outcome = if verdict.good { Ok(()) } else { Err(anyhow::anyhow!(verdict.text)) };
        tally.check(&verdict.name, outcome);
    }
    report::table(&["judge", "verdict"], &rows);
    if rows.len() < VERDICTS_MIN || !captured.status.success() {
        let (found, said) = (rows.len(), &captured.stderr);
        tally.failures.push(format!("{found} of at least {VERDICTS_MIN} verdicts ({}): {said}", captured.status));
    }
    Ok(tally)
}
