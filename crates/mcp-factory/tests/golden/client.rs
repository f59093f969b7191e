//! A client of MCP over standard input and output, that waits for each answer.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Longest wait for an answer. Nothing waits so long unless a test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// Calls that are sent before the first answer is read.
const AT_ONCE: usize = 50;

/// Where programs are looked up: ours goes first.
fn programs() -> OsString {
    let ours = Path::new(env!("CARGO_BIN_EXE_mcp-factory")).parent().map(Path::to_path_buf);
    let others = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(ours.into_iter().chain(std::env::split_paths(&others))).unwrap_or(others)
}

/// A server of the binary, and a session with it.
pub(crate) struct Session {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    errors: tokio::task::JoinHandle<String>,
    next: u64,
    notes: Vec<String>,
}

impl Session {
    /// Serves a spec in a folder, and connects.
    pub(crate) async fn open(
        folder: &Path,
        options: &[String],
        variables: &[(String, String)],
    ) -> Result<Self, String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-factory"));
        command.arg("run").arg("spec.yaml").args(options).current_dir(folder).env_clear();
        command.env("MCP_FACTORY_HOME", folder.join("home")).env("PATH", programs());
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| format!("the binary does not start: {error}"))?;
        let input = child.stdin.take().ok_or("no pipe to the server")?;
        let output = BufReader::new(child.stdout.take().ok_or("no pipe from the server")?).lines();
        let mut pipe = child.stderr.take().ok_or("no pipe from the server")?;
        let errors = tokio::spawn(async move {
            let mut bytes = Vec::new();
            let _ = pipe.read_to_end(&mut bytes).await;
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let mut session = Self { child, input, output, errors, next: 0, notes: Vec::new() };
        let about = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "golden", "version": "1.0.0" } });
        if let Err(fault) = session.ask("initialize", &about).await {
            return Err(format!("{fault}\n{}", session.close().await));
        }
        session.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await?;
        Ok(session)
    }

    async fn send(&mut self, message: &Value) -> Result<(), String> {
        let line = format!("{message}\n");
        self.input.write_all(line.as_bytes()).await.map_err(|error| format!("the server does not read: {error}"))
    }

    /// Sends a request, and waits for its answer: the result, or an error as `{"error": …}`.
    pub(crate) async fn ask(&mut self, method: &str, params: &Value) -> Result<Value, String> {
        self.next += 1;
        let id = self.next;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await?;
        loop {
            let line = tokio::time::timeout(PATIENCE, self.output.next_line()).await;
            let line = line.map_err(|_| format!("no answer to {method} in {PATIENCE:?}"))?;
            let line = line
                .map_err(|error| error.to_string())?
                .ok_or_else(|| format!("the server ended before it answered {method}"))?;
            let mut message: Value = serde_json::from_str(&line).map_err(|error| format!("{error} in {line}"))?;
            if message["id"] == id {
                return Ok(match message.get_mut("result") {
                    Some(result) => result.take(),
                    None => json!({ "error": message["error"] }),
                });
            }
            self.notes.push(line);
        }
    }

    /// Calls a tool.
    pub(crate) async fn call(&mut self, tool: &str, arguments: &Value) -> Result<Value, String> {
        self.ask("tools/call", &json!({ "name": tool, "arguments": arguments })).await
    }

    /// Calls tools without waiting in between; gives their results in the order of the calls.
    pub(crate) async fn call_all(&mut self, calls: &[(String, Value)]) -> Result<Vec<Value>, String> {
        let mut results = Vec::new();
        for part in calls.chunks(AT_ONCE) {
            let first = self.next + 1;
            for (tool, arguments) in part {
                self.next += 1;
                let params = json!({ "name": tool, "arguments": arguments });
                self.send(&json!({ "jsonrpc": "2.0", "id": self.next, "method": "tools/call", "params": params }))
                    .await?;
            }
            let mut answers = vec![Value::Null; part.len()];
            for _ in part {
                let line = tokio::time::timeout(PATIENCE, self.output.next_line())
                    .await
                    .map_err(|_| "no answer".to_owned())?;
                let line = line.map_err(|error| error.to_string())?.ok_or("the server ended")?;
                let mut message: Value = serde_json::from_str(&line).map_err(|error| error.to_string())?;
                let at = message["id"].as_u64().and_then(|id| usize::try_from(id.checked_sub(first)?).ok());
                let slot = at.and_then(|at| answers.get_mut(at)).ok_or_else(|| format!("nobody asked for {line}"))?;
                *slot = message["result"].take();
            }
            results.append(&mut answers);
        }
        Ok(results)
    }

    /// What the server said without being asked.
    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The most memory that the server ever had, KiB, where the system tells it.
    pub(crate) fn memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// Ends the server; gives what it wrote to standard error.
    pub(crate) async fn close(mut self) -> String {
        drop(self.input);
        if tokio::time::timeout(PATIENCE, self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
        self.errors.await.unwrap_or_default()
    }
}
