//! Two principals: one has a server, the other one asks for it in every way that Schemathesis makes up.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{CHECKS, Plane, product, schemathesis};
use crate::exec::Run;
use crate::repo;

/// What only the owner of the server knows.
const SECRET: &str = "KNOWNTOONEALONE";
/// What both may do.
const SCOPES: &str = "mcp,servers:read,servers:write,logs:read,keys";

/// Gives what was found.
pub(super) fn check(folder: &Path, examples: u32) -> Result<Vec<String>> {
    // No limit is in the way of what is asked.
    let plane = Plane::start(folder, &["--auth", "keys", "--rate", "keys=1000000000/60"])?;
    let limits = ["policies", "quota", "members", "--servers", "100000", "--calls", "1000000000"];
    command(&plane, None, &limits)?;
    let (ann, bob) = (key(&plane, "ann")?, key(&plane, "bob")?);
    let spec = json!({
        "name": "private", "version": "1.0.0", "description": SECRET,
        "tools": [{"name": "say", "description": SECRET, "parameters": {}, "reply": {"text": SECRET}}],
    });
    let file = plane.folder.join("private.json");
    std::fs::write(&file, spec.to_string())?;
    command(&plane, Some(&ann), &["create", "--spec", &file.display().to_string()])?;
    let job = command(&plane, Some(&ann), &["test", "private", "--async"])?;
    let job = job["id"].as_str().context("no job was begun")?.to_owned();
    command(&plane, Some(&ann), &["deploy", "private", "--target", "local"])?;
    let before = command(&plane, Some(&ann), &["get", "private"])?;
    let hooks = repo::root()?.join("tests/contract/foreign.py");
    let header = format!("Authorization: Bearer {bob}");
    let env = [
        ("SCHEMATHESIS_HOOKS", &*hooks.display().to_string()),
        ("CONTRACT_SECRET", SECRET),
        ("CONTRACT_JOB", job.as_str()),
    ];
    let checks = format!("{CHECKS},nothing_of_others");
    let mut faults: Vec<String> =
        schemathesis(&plane, examples, &checks, &["--header", &header], &env)?.into_iter().collect();
    let after = command(&plane, Some(&ann), &["get", "private"])?;
    if before != after {
        faults.push(format!("what another one has was changed:\n{before}\n{after}"));
    }
    let said = command(&plane, Some(&ann), &["call", "private", "say"])?;
    if !said.to_string().contains(SECRET) {
        faults.push(format!("what another one has does not answer any more: {said}"));
    }
    Ok(faults)
}

fn key(plane: &Plane, owner: &str) -> Result<String> {
    let made = command(plane, None, &["keys", "create", owner, "--owner", owner, "--scope", SCOPES])?;
    Ok(made["key"].as_str().context("no key was made")?.to_owned())
}

/// A command: at the machine, or with a key over the wire.
fn command(plane: &Plane, key: Option<&str>, words: &[&str]) -> Result<Value> {
    let mut run = Run::new(product()?).args(words).args(["--output", "json", "--home"]).arg(&plane.home);
    if let Some(key) = key {
        run = run.args(["--url", &plane.url]).env("MCP_FACTORY_KEY", key);
    }
    let ran = run.capture()?;
    anyhow::ensure!(ran.status.success(), "{words:?} failed: {}{}", ran.stdout, ran.stderr);
    serde_json::from_str(&ran.stdout).with_context(|| format!("the answer of {words:?} is no JSON: {}", ran.stdout))
}
