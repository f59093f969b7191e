//! The `call` action: another tool of this server, or a tool of another MCP server.

use std::future::Future;
use std::pin::Pin;
use std::time::Instant;

use bytes::Bytes;
use client::{Caller, Client, ToolResult};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use spec::expression::Tree;
use spec::model::Call;

use super::part::{self, Fault};
use super::{Selection, scope, selected, selection};
use crate::connections::Link;
use crate::context::CallContext;
use crate::errors;
use crate::limits::CALL_DEPTH_MAX;
use crate::outcome::{Content, Failure, FailureKind, Outcome};
use crate::permit::Held;
use crate::person::Forward;
use crate::shape;
use crate::toolset::{Tool, Toolset};

type Attempt<T> = Result<T, Box<Failure>>;

/// An outcome that is on its way.
pub(crate) type Coming<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// A call with everything that is known before it.
#[derive(Debug)]
pub(crate) struct CallAction {
    tool: Box<str>,
    arguments: Option<Tree>,
    select: Option<Selection>,
    target: Target,
}

/// Whose tool is called.
#[derive(Debug)]
pub(crate) enum Target {
    /// One of this server, and the names that it takes.
    Own(Vec<Box<str>>),
    /// One of another server.
    Other(Box<str>, Link<Client>),
}

impl CallAction {
    /// Compiles a call.
    ///
    /// # Errors
    /// What cannot be read, for the author.
    pub(crate) fn compile(action: &Call, target: Target) -> Result<Self, Fault> {
        let arguments = action.arguments.as_ref().map(|arguments| part::tree(&Value::Object(arguments.clone())));
        Ok(Self {
            tool: action.tool.as_str().into(),
            arguments: arguments.transpose()?,
            select: selection(action.select.as_ref())?,
            target,
        })
    }

    fn given(
        &self,
        context: &CallContext<'_>,
        tool: &Tool,
        mut arguments: Map<String, Value>,
    ) -> Attempt<Map<String, Value>> {
        if let Some(tree) = &self.arguments {
            let value = part::value(tool, "call/arguments", tree, &scope(context, &arguments))?;
            return Ok(match value {
                Some(Value::Object(given)) => given,
                _ => Map::new(),
            });
        }
        if let Target::Own(names) = &self.target {
            arguments.retain(|name, _| names.iter().any(|known| **known == *name));
        }
        Ok(arguments)
    }
}

impl Toolset {
    pub(crate) async fn run_call(
        &self,
        context: &CallContext<'_>,
        tool: &Tool,
        action: &CallAction,
        arguments: Map<String, Value>,
        started: Instant,
    ) -> Attempt<Outcome> {
        let given = action.given(context, tool, arguments)?;
        let outcome = match &action.target {
            Target::Own(_) => {
                let deadline = context.kept(context.end(tool, started));
                let inside = CallContext { deadline: Some(deadline), ..*context };
                self.call_inside(&inside, &action.tool, given).await
            }
            Target::Other(connection, client) => {
                let client = client.as_ref().map_err(|why| errors::no_connection(tool, connection, why))?;
                let deadline = context.end(tool, started);
                let held = Held::new(&self.permits, self.permit(context, tool, deadline).await?);
                let held = if context.is_held { context.held } else { Some(&held) };
                let forward = Forward::of(context, held, connection);
                let person = forward.as_ref().map(|forward| forward as &dyn client::Person);
                let caller =
                    Caller { deadline: deadline.into(), cancel: context.cancel, progress: context.progress, person };
                let result = client.call(&action.tool, &given, caller).await;
                answered(
                    &tool.info.name,
                    connection,
                    result.map_err(|error| errors::upstream(tool, &error, started.elapsed()))?,
                )
            }
        };
        if outcome.is_error() {
            return Ok(outcome);
        }
        self.passed_on(tool, action, outcome)
    }

    /// The outcome of the other tool as that of this one.
    fn passed_on(&self, tool: &Tool, action: &CallAction, mut outcome: Outcome) -> Attempt<Outcome> {
        if action.select.is_some() || (tool.output.is_some() && outcome.structured.is_none()) {
            let value = outcome.data().ok_or_else(|| errors::unusable(tool, "it is no JSON"))?;
            return selected(self, tool, action.select.as_ref(), value);
        }
        let (size, most) = (outcome.size(), self.result_bytes());
        if size > most {
            return Err(errors::too_many_bytes(tool, size, most));
        }
        match &outcome.structured {
            // Structured results without a schema are for those that understand them; the text stays.
            Some(json) => shape::conforms(tool, json)?,
            None if outcome.content.is_empty() => outcome.content.push(Content::Text(String::new())),
            None => {}
        }
        Ok(outcome)
    }

    /// Calls a tool of this server on behalf of another one.
    pub(crate) fn call_inside<'a>(
        &'a self,
        context: &'a CallContext<'a>,
        name: &'a str,
        arguments: Map<String, Value>,
    ) -> Coming<'a> {
        Box::pin(async move {
            let tool = match self.tool(name) {
                Ok(tool) => tool,
                Err(unknown) => return Outcome::from(Failure::new(FailureKind::Internal, unknown.0)),
            };
            if context.depth >= CALL_DEPTH_MAX {
                let text = format!(
                    "`{name}` was not called: tools have called each other {CALL_DEPTH_MAX} times, which is the most. The author of the server has to let one of them do its work by itself; other arguments will not help."
                );
                return Outcome::from(Failure::new(FailureKind::Limit, text));
            }
            let inside = CallContext { depth: context.depth + 1, progress: None, more: None, ..*context };
            let raw = RawValue::from_string(Value::Object(arguments).to_string()).ok();
            let running = tool.meter.start();
            let outcome = match self.run(&inside, tool, raw.as_deref(), running.started()).await {
                Ok(outcome) => outcome,
                Err(failure) => Outcome::from(*failure),
            };
            running.end(&outcome);
            outcome
        })
    }
}

/// What another server's tool answered.
pub(crate) fn answered(tool: &str, connection: &str, result: ToolResult) -> Outcome {
    let content: Vec<Content> = result.content.into_iter().map(block).collect();
    if result.is_error {
        let said: Vec<String> = content.iter().map(Content::text).filter(|text| !text.is_empty()).collect();
        let text = format!("`{tool}` failed: the tool of `{connection}` says: {}", said.join("\n"));
        let failure = Failure::new(FailureKind::Upstream, text).with(json!({ "connection": connection }));
        let mut outcome = Outcome::from(failure);
        if !said.is_empty() {
            outcome.content = content;
        }
        return outcome;
    }
    // A server that gives both tells its text for those that read only text.
    let echo = content.is_empty();
    let structured = result.structured.map(|value| Bytes::from(value.to_string()));
    Outcome { structured, echo, content, ..Outcome::default() }
}

/// A content block of another server.
fn block(mut block: Value) -> Content {
    let text = |value: &mut Value, key: &str| {
        value.get_mut(key).map(Value::take).and_then(|text| match text {
            Value::String(text) => Some(text),
            _ => None,
        })
    };
    let kind = block.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let read = match kind.as_str() {
        "text" => text(&mut block, "text").map(Content::Text),
        "image" | "audio" => text(&mut block, "data").zip(text(&mut block, "mimeType")).map(|(data, mime_type)| {
            if kind == "image" { Content::Image { data, mime_type } } else { Content::Audio { data, mime_type } }
        }),
        "resource_link" => text(&mut block, "uri").map(|uri| Content::Link {
            name: text(&mut block, "name").unwrap_or_else(|| uri.clone()),
            mime_type: text(&mut block, "mimeType"),
            uri,
        }),
        "resource" => block.get_mut("resource").and_then(|file| {
            let (body, is_blob) = match text(file, "text") {
                Some(body) => (body, false),
                None => (text(file, "blob")?, true),
            };
            let natural = if is_blob { "application/octet-stream" } else { "text/plain" };
            let mime_type = text(file, "mimeType").unwrap_or_else(|| natural.to_owned());
            Some(Content::Resource { uri: text(file, "uri")?, mime_type, body, is_blob })
        }),
        _ => None,
    };
    read.unwrap_or_else(|| Content::Block(Bytes::from(block.to_string())))
}
