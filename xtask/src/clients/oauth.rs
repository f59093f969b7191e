//! The official client SDKs come in by OAuth, as the programs that use them do.

use std::path::Path;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::sdk::PATIENCE;
use crate::exec::Run;
use crate::fixture::{Program, Transport};
use crate::repo;
use crate::report::Tally;
use crate::setup::python;

/// The name of this part on the command line.
pub const NAME: &str = "oauth";

/// Name, environment or script, and arguments before the URL.
const CLIENTS: [(&str, Language, &[&str]); 4] = [
    ("typescript 2.4", Language::TypeScript, &["new"]),
    ("typescript 1.32", Language::TypeScript, &["old"]),
    ("python 2.3", Language::Python("py"), &[]),
    ("python 1.30", Language::Python("py-1x"), &[]),
];

#[derive(Clone, Copy)]
enum Language {
    TypeScript,
    Python(&'static str),
}

/// Each SDK is refused, asks, redeems, calls, and refreshes.
pub fn check(mut program: Program, results: &Path, tally: &mut Tally, rows: &mut Vec<Vec<String>>) -> Result<()> {
    let home = results.join("oauth-home");
    if home.exists() {
        std::fs::remove_dir_all(&home)?;
    }
    program.more =
        ["--home", &home.display().to_string(), "--oauth", "single-user", "--oauth-allow-redirect", "localhost"]
            .map(str::to_owned)
            .to_vec();
    let server = program.serve(Transport::Http, &results.join("oauth.log"))?;
    for (name, language, arguments) in CLIENTS {
        let outcome = come_in(language, arguments, &server.url(Transport::Http));
        let cell = if outcome.is_ok() { "ok" } else { "FAILED" };
        rows.push([NAME, name, "", cell, ""].map(str::to_owned).to_vec());
        tally.check(&format!("{name} comes in by OAuth"), outcome);
    }
    Ok(())
}

fn come_in(language: Language, arguments: &[&str], url: &str) -> Result<()> {
    let folder = repo::root()?.join("tests/clients");
    let run = match language {
        Language::TypeScript => Run::new(python::node()?).arg(folder.join("node/oauth.mjs")),
        Language::Python(environment) => {
            Run::new(python::program(environment, "python")?).arg(folder.join("python/oauth.py"))
        }
    };
    let captured = run.args(arguments).args([url]).timeout(PATIENCE).capture()?;
    if !captured.status.success() {
        bail!("the client failed ({})\n{}", captured.status, super::last_lines(&captured.stderr));
    }
    let seen: Value = serde_json::from_str(captured.stdout.trim())?;
    let wanted = json!({"refused": true, "asked": "S256", "called": true, "refreshed": true, "tools": true});
    if seen != wanted {
        bail!("it saw {seen}, not {wanted}");
    }
    Ok(())
}
