//! GraphQL and gRPC as a script sees them: `await gh.query(text, variables)`, `await orders.call('GetOrder', {id: '7'})`.

use std::sync::Arc;

use bytes::Bytes;
use connect::ErrorKind;
use connect::graphql::{Client as Graphql, Kind, Limits, Operation, Request};
use connect::grpc::{Call, Client as Grpc};
use script::HostError;
use serde_json::{Map, Value, json};

use super::super::host::{ScriptHost, told};
use super::refuse;
use crate::outcome::FailureKind;

/// The functions of a GraphQL API: the data of an operation, or data and problems.
pub(super) const GRAPHQL: [&str; 2] = ["query", "request"];
/// The functions of gRPC services: one message, or the list of a stream.
pub(super) const GRPC: [&str; 1] = ["call"];

pub(super) async fn graphql(
    client: &Arc<Graphql>,
    host: &ScriptHost<'_>,
    connection: &str,
    name: &str,
    arguments: &str,
) -> Result<Bytes, HostError> {
    let usage = || format!("`{connection}.{name}(text, variables)` takes an operation's text and an object");
    let (text, variables) = pair(arguments).ok_or_else(|| refuse(FailureKind::Value, usage()))?;
    let operation = Operation::parse(&text, None, Limits::default()).map_err(|faults| {
        let why = faults.into_iter().next().map(|fault| fault.message).unwrap_or_default();
        refuse(FailureKind::Statement, format!("the operation cannot be sent to `{connection}`: {why}"))
    })?;
    if operation.kind == Kind::Mutation && !host.writes() {
        return Err(refuse(FailureKind::Denied, silent("a mutation")));
    }
    let subject = host.context.upstream(client.subject());
    let request = Request {
        text: &operation.text,
        name: operation.name.as_deref(),
        kind: operation.kind,
        variables: &variables,
        headers: &[],
        subject: subject.as_ref(),
    };
    let answer = client.run(&request, host.deadline().into(), host.context.cancel).await;
    let answer = answer.map_err(|error| told(&error, true))?;
    if name == "request" {
        let problems: Vec<_> = answer
            .problems
            .iter()
            .map(|problem| json!({ "message": problem.message, "path": problem.path, "code": problem.code }))
            .collect();
        return Ok(json!({ "data": answer.data, "problems": problems }).to_string().into());
    }
    if let Some(problem) = answer.problems.first() {
        return Err(refuse(FailureKind::Internal, format!("`{connection}` could not give all of it: {problem}")));
    }
    Ok(answer.data.to_string().into())
}

pub(super) async fn grpc(
    client: &Arc<Grpc>,
    host: &ScriptHost<'_>,
    connection: &str,
    arguments: &str,
) -> Result<Bytes, HostError> {
    let usage = || format!("`{connection}.call(method, message)` takes the name of a method and an object");
    let (name, message) = pair(arguments).ok_or_else(|| refuse(FailureKind::Value, usage()))?;
    let (deadline, cancel) = (host.deadline().into(), host.context.cancel);
    let schema = client.schema(deadline, cancel).await.map_err(|error| told(&error, true))?;
    let method = schema.method(&name).map_err(|why| told(&client.error(ErrorKind::Statement, why), true))?;
    if !method.is_read_only() && !host.writes() {
        return Err(refuse(
            FailureKind::Denied,
            silent("a method whose schema does not say that it has no side effects"),
        ));
    }
    let message = Value::Object(message);
    let reply = {
        let subject = host.context.upstream(client.subject());
        let call = Call { subject: subject.as_ref(), ..Call::new(&message) };
        client.call(&method, &call, deadline, cancel, &mut |_, _| {}).await
    };
    let mut reply = reply.map_err(|error| told(&error, true))?;
    if reply.truncated {
        let message = format!("`{connection}` gives more than {} messages; ask for less", reply.messages.len());
        return Err(refuse(FailureKind::Limit, message));
    }
    let value =
        if method.is_streaming() { Value::Array(reply.messages) } else { reply.messages.pop().unwrap_or_default() };
    Ok(value.to_string().into())
}

fn silent(what: &str) -> String {
    format!("{what} may change data, and the tool does not say that it writes: `script: {{code: …, write: true}}`")
}

/// A text, and an object or nothing.
fn pair(arguments: &str) -> Option<(String, Map<String, Value>)> {
    let mut given = serde_json::from_str::<Vec<Value>>(arguments).ok()?.into_iter();
    let Some(Value::String(text)) = given.next() else { return None };
    match (given.next(), given.next()) {
        (None | Some(Value::Null), None) => Some((text, Map::new())),
        (Some(Value::Object(fields)), None) => Some((text, fields)),
        _ => None,
    }
}
