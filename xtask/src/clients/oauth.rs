//! The official client SDKs come in by OAuth, as the programs that use them do.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::sdk::PATIENCE;
use crate::exec::{self, Run};
use crate::fixture::{self, Factory, Program, Transport};
use crate::repo;
use crate::report::Tally;
use crate::setup::{self, python};

/// The name of this part on the command line.
pub const NAME: &str = "oauth";

/// What the owner types.
const PASSPHRASE: &str = "correct horse battery staple";

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
    let browser = by_browser(results);
    let cell = if browser.is_ok() { "ok" } else { "FAILED" };
    rows.push([NAME, "chromium", "", cell, ""].map(str::to_owned).to_vec());
    tally.check("an owner lets a program in with Chromium", browser);
    let server = program.serve(Transport::Http, &results.join("oauth.log"))?;
    for (name, language, arguments) in CLIENTS {
        let outcome = come_in(language, arguments, &server.url(Transport::Http));
        let cell = if outcome.is_ok() { "ok" } else { "FAILED" };
        rows.push([NAME, name, "", cell, ""].map(str::to_owned).to_vec());
        tally.check(&format!("{name} comes in by OAuth"), outcome);
    }
    Ok(())
}

/// The owner of the droid swarm server lets a program in with a real browser, and the program uses the server.
fn by_browser(results: &Path) -> Result<()> {
    setup::browser()?;
    let browser = exec::find("chromium").context("Chromium was not installed")?;
    let factory = Factory::start(&results.join("factory.log"))?;
    let mut program = fixture::product("../../../servers/factory_droid_swarm/mcp.yaml")?;
    let home = results.join("browser-home").display().to_string();
    program.environment.extend(factory.environment());
    program.environment.push(("OWNER_PASSPHRASE".to_owned(), PASSPHRASE.to_owned()));
    program.more = ["--home", &home, "--oauth", "single-user", "--oauth-owner-passphrase-env", "OWNER_PASSPHRASE"]
        .map(str::to_owned)
        .to_vec();
    let server = program.serve(Transport::Http, &results.join("browser.log"))?;
    let script = repo::root()?.join("tests/clients/node/browser.mjs");
    let run = Run::new(python::node()?).arg(script).arg(browser).args([&server.url(Transport::Http), PASSPHRASE]);
    let captured = run.arg(results.join("consent.png")).timeout(PATIENCE).capture()?;
    if !captured.status.success() {
        bail!("the browser failed ({})\n{}", captured.status, super::last_lines(&captured.stderr));
    }
    let seen: Value = serde_json::from_str(captured.stdout.trim())?;
    let wanted = json!({"asked": true, "sentBack": true, "called": true});
    if seen != wanted {
        bail!("it saw {seen}, not {wanted}");
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
