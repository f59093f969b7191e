//! Two principals: one has a server, the other one asks for it in every way that Schemathesis makes up.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
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
    let job = begin(&plane, &ann, &spec)?;
    command(&plane, Some(&ann), &["deploy", "private", "--target", "local"])?;
    let before = command(&plane, Some(&ann), &["list"])?;
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
    let after = command(&plane, Some(&ann), &["list"])?;
    if before != after {
        faults.push(format!("what another one has was changed:\n{before}\n{after}"));
    }
    let said = command(&plane, Some(&ann), &["test", "private", "say"])?;
    if !said.to_string().contains(SECRET) {
        faults.push(format!("what another one has does not answer any more: {said}"));
    }
    Ok(faults)
}

/// Begins a job of an owner; gives its id. Jobs are begun over REST alone.
fn begin(plane: &Plane, key: &str, spec: &Value) -> Result<String> {
    let (host, mut body) = (plane.url.trim_start_matches("http://"), spec.clone());
    body["name"] = "later".into();
    let body = body.to_string();
    let head = format!(
        "POST /mcp/create?async=true HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut socket = TcpStream::connect(host)?;
    socket.write_all(head.as_bytes())?;
    socket.write_all(body.as_bytes())?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    let said = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
    let job: Value = serde_json::from_str(said).with_context(|| format!("no job was begun: {answer}"))?;
    Ok(job["id"].as_str().with_context(|| format!("no job was begun: {answer}"))?.to_owned())
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
