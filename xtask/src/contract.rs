//! The REST API against its own description: Schemathesis makes up requests from the committed OpenAPI document.

mod foreign;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::exec::Run;
use crate::report::Tally;
use crate::setup::python;
use crate::{fixture, repo};

pub const HELP: &str = "\
Usage: cargo xtask contract [EXAMPLES]

Starts the control plane on an empty home folder and lets Schemathesis send it requests that it makes up from
docs/reference/openapi.json: EXAMPLES for each operation (default 40), valid and invalid ones. No answer may be a
failure of the server (5xx) or differ from the description, in its status, its type or its schema. Then the same as a
member beside whom another one has a server: no answer may tell of it, and it must be as it was.
";

/// Requests for each operation unless told otherwise.
pub const EXAMPLES: u32 = 40;
/// Longest run.
const PATIENCE: Duration = Duration::from_secs(900);
/// What is checked of every answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
response_schema_conformance,unsupported_method";

/// The command.
pub fn run(arguments: &[String]) -> Result<()> {
    let examples = match arguments {
        [] => EXAMPLES,
        [count] => count.parse().context("the number of examples is no number; see `cargo xtask contract --help`")?,
        _ => bail!("unknown arguments {arguments:?}; see `cargo xtask contract --help`"),
    };
    fixture::build()?;
    check(examples)?.into_result("contract")
}

/// Checks what is built: as who runs it, and as somebody beside whom another one has a server.
pub fn check(examples: u32) -> Result<Tally> {
    python::install(python::CONTRACT)?;
    let folder = fixture::results("contract")?;
    let operator = {
        let plane = Plane::start(&folder.join("operator"), &[])?;
        schemathesis(&plane, examples, CHECKS, &[], &[])?
    };
    let mut tally = Tally::default();
    for faults in [operator.into_iter().collect(), foreign::check(&folder.join("foreign"), examples)?] {
        tally.passed += usize::from(faults.is_empty());
        tally.failures.extend(faults);
    }
    Ok(tally)
}

/// Lets Schemathesis send requests; gives what it found.
fn schemathesis(
    plane: &Plane,
    examples: u32,
    checks: &str,
    more: &[&str],
    env: &[(&str, &str)],
) -> Result<Option<String>> {
    let description = repo::root()?.join("docs/reference/openapi.json");
    let mut run = Run::new(python::program(python::CONTRACT, "schemathesis")?)
        .arg("run")
        .arg(&description)
        .args(["--url", &plane.url, "--checks", checks, "--phases", "examples,coverage,fuzzing"])
        .args(["--max-examples", &examples.to_string(), "--seed", "1", "--no-color"])
        .args(more)
        .folder(&plane.folder)
        .timeout(PATIENCE);
    for (name, value) in env {
        run = run.env(name, value);
    }
    let ran = run.capture()?;
    std::fs::write(plane.folder.join("report.txt"), &ran.stdout)?;
    if ran.status.success() {
        return Ok(None);
    }
    let tail: Vec<&str> = ran.stdout.lines().rev().take(60).collect();
    let tail: Vec<&str> = tail.into_iter().rev().collect();
    Ok(Some(format!("Schemathesis found something:\n{}\n{}", tail.join("\n"), ran.stderr)))
}

/// A running control plane; ended when dropped.
struct Plane {
    child: Child,
    url: String,
    folder: PathBuf,
    home: PathBuf,
}

impl Plane {
    /// Starts one on an empty home folder in this folder.
    fn start(folder: &Path, more: &[&str]) -> Result<Self> {
        if folder.exists() {
            std::fs::remove_dir_all(folder)?;
        }
        let home = folder.join("home");
        std::fs::create_dir_all(&home)?;
        let mut child = Command::new(product()?)
            .args(["serve", "--port", "0", "--output", "json", "--home"])
            .arg(&home)
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(folder.join("serve.log"))?)
            .spawn()
            .context("the control plane does not start")?;
        let out = child.stdout.take().context("the control plane has no output")?;
        let mut text = String::new();
        for line in BufReader::new(out).lines() {
            text.push_str(&line?);
            if let Ok(told) = serde_json::from_str::<Value>(&text) {
                let url = told["url"].as_str().unwrap_or_default().to_owned();
                return Ok(Self { child, url, folder: folder.to_owned(), home });
            }
        }
        bail!("the control plane did not say where it is: {text}")
    }
}

impl Drop for Plane {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn product() -> Result<PathBuf> {
    Ok(repo::target()?.join("debug/mcp-factory"))
}
