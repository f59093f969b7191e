//! Tools as a script sees them: `await tools.find(args)` of this server, `await github.call('search', args)` of another one.

use std::sync::Arc;

use bytes::Bytes;
use client::{Caller, Client};
use script::HostError;
use serde_json::{Map, Value};

use super::super::host::{ScriptHost, told};
use super::refuse;
use crate::context::CallContext;
use crate::outcome::FailureKind;
use crate::person::Forward;

/// The function of another server.
pub(super) const OTHER: [&str; 1] = ["call"];
/// The object that holds the tools of this server.
pub(crate) const OWN: &str = "tools";

/// Calls a tool of this server.
pub(super) async fn own(host: &ScriptHost<'_>, name: &str, arguments: &str) -> Result<Bytes, HostError> {
    let usage = || refuse(FailureKind::Value, format!("`{OWN}.{name}(args)` takes one object"));
    let mut given = serde_json::from_str::<Vec<Value>>(arguments).map_err(|_| usage())?.into_iter();
    let arguments = match (given.next(), given.next()) {
        (None | Some(Value::Null), None) => Map::new(),
        (Some(Value::Object(fields)), None) => fields,
        _ => return Err(usage()),
    };
    let tool = host.set.tool(name).map_err(|unknown| refuse(FailureKind::Internal, unknown.0))?;
    if !host.writes() && tool.info.annotations.read_only_hint != Some(true) {
        let message = format!(
            "the tool `{name}` may change something, and this one does not say that it writes: `script: {{code: …, write: true}}`"
        );
        return Err(refuse(FailureKind::Denied, message));
    }
    let context = CallContext { deadline: Some(host.kept), is_held: true, ..*host.context };
    let outcome = host.set.call_inside(&context, name, arguments).await;
    match &outcome.failure {
        Some(failure) => Err(refuse(failure.kind, failure.text.clone())),
        None => Ok(outcome.value().to_string().into()),
    }
}

/// Calls a tool of another server. What it may change cannot be known here, so a script has to say that it writes unless the tool
/// says of itself that it only reads.
pub(super) async fn other(
    client: &Arc<Client>,
    host: &ScriptHost<'_>,
    connection: &str,
    arguments: &str,
) -> Result<Bytes, HostError> {
    let usage = || refuse(FailureKind::Value, format!("`{connection}.call('tool', args)` takes a name and an object"));
    let mut given = serde_json::from_str::<Vec<Value>>(arguments).map_err(|_| usage())?.into_iter();
    let (name, arguments) = match (given.next(), given.next(), given.next()) {
        (Some(Value::String(name)), None | Some(Value::Null), None) => (name, Map::new()),
        (Some(Value::String(name)), Some(Value::Object(fields)), None) => (name, fields),
        _ => return Err(usage()),
    };
    let forward = Forward::of(host.context, host.context.held, connection);
    let person = forward.as_ref().map(|forward| forward as &dyn client::Person);
    let caller = Caller { deadline: host.deadline().into(), cancel: host.context.cancel, progress: None, person };
    if !host.writes() {
        let tools = client.tools(caller).await.map_err(|error| told(&error, false))?;
        if !tools.iter().any(|tool| tool.name == name && tool.is_read_only) {
            let message = format!(
                "the tool `{name}` of `{connection}` does not say that it only reads, and this one does not say that it writes: `script: {{code: …, write: true}}`"
            );
            return Err(refuse(FailureKind::Denied, message));
        }
    }
    let result = client.call(&name, &arguments, caller).await.map_err(|error| told(&error, host.writes()))?;
    let outcome = crate::actions::call::answered(&name, connection, result);
    match &outcome.failure {
        Some(failure) => Err(refuse(failure.kind, failure.text.clone())),
        None => Ok(outcome.value().to_string().into()),
    }
}
