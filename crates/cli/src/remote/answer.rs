//! From an answer to the output of an operation, or to the failure that the control plane tells.

use base::Diagnostic;
use connect::http::Reply;
use operations::{Code, Error, SpecText};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A problem document of a control plane.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Problem {
    code: String,
    detail: String,
    #[serde(default)]
    hints: Vec<String>,
    #[serde(default)]
    diagnostics: Vec<Diagnostic>,
    #[serde(default)]
    source: Option<SpecText>,
}

/// Reads an answer.
pub(super) fn read<T: DeserializeOwned>(url: &str, reply: &Reply, input: &Value) -> Result<T, Error> {
    let strange = |what: String| {
        Error::new(Code::ControlPlane, format!("what answers at {url} is no control plane of this version: {what}"))
            .hint("check the URL: `curl URL/version` tells what is there")
            .hint("use the same version of mcp-factory on both sides")
    };
    if reply.status.is_success() {
        return serde_json::from_slice(&reply.body)
            .map_err(|error| strange(format!("status {}, {error}", reply.status)));
    }
    let problem: Problem =
        serde_json::from_slice(&reply.body).map_err(|_| strange(format!("status {}", reply.status)))?;
    let code = Code::parse(&problem.code).ok_or_else(|| strange(format!("it tells of {}", problem.code)))?;
    let mut error = Error::new(code, problem.detail);
    error.hints = problem.hints;
    if !problem.diagnostics.is_empty() {
        // The text that was sent is not sent back.
        let sent = || ["/spec", "/subject/spec"].into_iter().find_map(|at| input.pointer(at).cloned());
        let sent = || sent().and_then(|spec| serde_json::from_value(spec).ok());
        error.text = problem.source.or_else(sent).map(Box::new);
    }
    error.diagnostics = problem.diagnostics;
    Err(error)
}
