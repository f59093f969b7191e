//! What other MCP servers say of the tools that a spec calls.

use base::{Diagnostic, nearest};
use client::{Caller, Tool as Listed};
use engine::Connections;
use futures_util::future::join_all;
use plan::OperationReality;
use serde_json::Value;
use spec::Spec;
use spec::model::{Action, Call, Parameter, Schema, Tool};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::codes;
use crate::limits::CATALOGUE_TIMEOUT;

/// A call of another server's tool: by a tool, or by one of its steps.
struct Asked<'a> {
    /// What the plan calls it: `tool`, or `tool/step`.
    name: String,
    path: String,
    tool: &'a Tool,
    connection: &'a str,
    call: &'a Call,
    /// Names that a step gives besides the tool's parameters.
    more: Vec<&'a str>,
}

/// Asks every server whose tools are called for its list, once, and checks each call against it.
pub(super) async fn calls(spec: &Spec, connections: &Connections) -> (Vec<OperationReality>, Vec<Diagnostic>) {
    let asked: Vec<Asked<'_>> = spec.tools.iter().enumerate().flat_map(|(index, tool)| of_tool(index, tool)).collect();
    let mut names: Vec<&str> = asked.iter().map(|one| one.connection).collect();
    names.sort_unstable();
    names.dedup();
    let cancel = CancellationToken::new();
    let lists = names.iter().filter_map(|name| {
        let client = connections.mcp.get(*name)?;
        let caller =
            Caller { deadline: Instant::now() + CATALOGUE_TIMEOUT, cancel: &cancel, progress: None, person: None };
        Some(async move { (*name, client.tools(caller).await) })
    });
    let lists = join_all(lists.map(Box::pin).collect::<Vec<_>>()).await;
    let (mut found, mut diagnostics) = (Vec::new(), Vec::new());
    for (name, list) in &lists {
        let tools = match list {
            Ok(tools) => tools,
            Err(error) => {
                let index = spec.connections.iter().position(|connection| connection.name() == *name).unwrap_or(0);
                let message = format!("the server of connection `{name}` did not list its tools: {}", error.message);
                let problem = Diagnostic::warning(codes::UNLISTED, message).path(format!("/connections/{index}"));
                diagnostics.push(problem.help("make it reachable, so that calls are checked before they are made"));
                continue;
            }
        };
        for one in asked.iter().filter(|one| one.connection == *name) {
            match fits(one, tools) {
                Ok(real) => found.push(real),
                Err(problem) => diagnostics.push(*problem),
            }
        }
    }
    (found, diagnostics)
}

fn of_tool(index: usize, tool: &Tool) -> Vec<Asked<'_>> {
    match &tool.action {
        Some(Action::Call(call)) => {
            let connection = tool.connection.as_deref();
            let one = connection.map(|connection| Asked {
                name: tool.name.clone(),
                path: format!("/tools/{index}/call"),
                tool,
                connection,
                call,
                more: Vec::new(),
            });
            one.into_iter().collect()
        }
        Some(Action::Steps(steps)) => {
            let each = steps.list.iter().enumerate().filter_map(|(nth, step)| match &step.action {
                Some(Action::Call(call)) => Some(Asked {
                    name: format!("{}/{}", tool.name, step.name),
                    path: format!("/tools/{index}/steps/do/{nth}/call"),
                    tool,
                    connection: step.connection.as_deref()?,
                    call,
                    more: step.with.keys().map(String::as_str).collect(),
                }),
                _ => None,
            });
            each.collect()
        }
        _ => Vec::new(),
    }
}

fn fits(asked: &Asked<'_>, tools: &[Listed]) -> Result<OperationReality, Box<Diagnostic>> {
    let wrong = |why: String| {
        let message =
            format!("tool `{}` cannot call `{}` of `{}`: {why}", asked.tool.name, asked.call.tool, asked.connection);
        Box::new(Diagnostic::error(codes::CALL, message).path(&asked.path))
    };
    let Some(listed) = tools.iter().find(|listed| listed.name == asked.call.tool) else {
        let near = nearest(&asked.call.tool, tools.iter().map(|listed| listed.name.as_str()));
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        return Err(wrong(format!("the server lists no such tool{near}")));
    };
    let properties = listed.input.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let required: Vec<&str> = listed
        .input
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let given: Option<Vec<&str>> = match (&asked.call.arguments, &asked.tool.parameters) {
        (Some(arguments), _) => Some(arguments.keys().map(String::as_str).collect()),
        (None, Some(own)) => Some(own.iter().map(|one| one.name.as_str()).chain(asked.more.iter().copied()).collect()),
        (None, None) => None,
    };
    if let Some(given) = given {
        let is_closed = listed.input.get("additionalProperties") == Some(&Value::Bool(false));
        if let Some(unknown) = given.iter().find(|name| !properties.contains_key(**name))
            && (is_closed || asked.call.arguments.is_some())
        {
            let near = nearest(unknown, properties.keys().map(String::as_str));
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return Err(wrong(format!("it takes no argument `{unknown}`{near}")));
        }
        if let Some(missing) = required.iter().find(|name| !given.contains(name)) {
            return Err(wrong(format!("it needs the argument `{missing}`")));
        }
    }
    let parameters = properties.iter().map(|(name, schema)| {
        Parameter::new(name, required.contains(&name.as_str()), Schema(schema.as_object().cloned().unwrap_or_default()))
    });
    Ok(OperationReality {
        tool: asked.name.clone(),
        parameters: parameters.collect(),
        output: listed.output.clone(),
        is_read_only: listed.is_read_only,
    })
}
