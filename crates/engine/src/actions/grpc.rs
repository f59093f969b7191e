//! The `grpc` action: a message from a call's arguments, and the messages that answer it.

use std::time::Instant;

use base::Select;
use bytes::Bytes;
use connect::grpc::{Call, Client};
use connect::{Error, ErrorKind};
use serde_json::{Map, Value, json};
use spec::expression::{Tree, plain};
use spec::model::Grpc;

use super::part::{self, Fault};
use super::{scope, selected};
use crate::connections::Link;
use crate::context::CallContext;
use crate::errors;
use crate::outcome::{Content, Failure, Outcome};
use crate::toolset::{Tool, Toolset};

/// Longest message of progress, characters.
const PROGRESS_CHARS: usize = 200;

/// A method with everything that is known before a call.
#[derive(Debug)]
pub(crate) struct GrpcAction {
    connection: Box<str>,
    client: Link<Client>,
    method: Box<str>,
    message: Option<Tree>,
    metadata: Tree,
    select: Option<(Select, Box<str>)>,
}

impl GrpcAction {
    /// Compiles a call.
    ///
    /// # Errors
    /// What cannot be read, for the author.
    pub(crate) fn compile(connection: &str, client: Link<Client>, action: &Grpc) -> Result<Self, Fault> {
        Ok(Self {
            connection: connection.into(),
            client,
            method: action.method.as_str().into(),
            message: action.message.as_ref().map(part::tree).transpose()?,
            metadata: part::tree(&Value::Object(action.metadata.clone()))?,
            select: super::selection(action.select.as_ref())?,
        })
    }
}

impl Toolset {
    pub(crate) async fn run_grpc(
        &self,
        context: &CallContext<'_>,
        tool: &Tool,
        action: &GrpcAction,
        arguments: Map<String, Value>,
        started: Instant,
    ) -> Result<Outcome, Box<Failure>> {
        let client = action.client.as_ref().map_err(|why| errors::no_connection(tool, &action.connection, why))?;
        let names = scope(context, &arguments);
        let message = match &action.message {
            Some(tree) => part::value(tool, "message", tree, &names)?.unwrap_or_else(|| json!({})),
            None => Value::Object(arguments),
        };
        let metadata = match part::value(tool, "metadata", &action.metadata, &names)? {
            Some(Value::Object(fields)) => {
                fields.into_iter().filter_map(|(name, value)| Some((name, plain(value)?))).collect()
            }
            _ => Vec::new(),
        };
        let turn = self.turn(context, tool, started).await?;
        let deadline = turn.deadline.into();
        let failed = |error: &Error| errors::api(tool, error, started.elapsed());
        let schema = client.schema(deadline, context.cancel).await.map_err(|error| failed(&error))?;
        let method = schema.method(&action.method).map_err(|why| failed(&client.error(ErrorKind::Statement, why)))?;
        let mut progress = |nth: usize, value: &Value| {
            if method.is_streaming() {
                let text: String = value.to_string().chars().take(PROGRESS_CHARS).collect();
                #[expect(clippy::cast_precision_loss, reason = "no stream has so many messages")]
                context.report(nth as f64, None, &self.mask().text(&text));
            }
        };
        let subject = context.upstream(client.subject());
        let call = Call { metadata: &metadata, subject: subject.as_ref(), ..Call::new(&message) };
        let reply = client.call(&method, &call, deadline, context.cancel, &mut progress).await;
        let reply = reply.map_err(|error| failed(&error))?;
        let count = reply.messages.len();
        let mut messages = reply.messages;
        if !method.is_streaming() {
            return selected(self, tool, action.select.as_ref(), messages.pop().unwrap_or_default());
        }
        let mut outcome = selected(self, tool, action.select.as_ref(), Value::Array(messages))?;
        outcome.rows = count;
        if reply.truncated {
            let text = format!(
                "Only the first {count} messages are shown; there are more. Narrow the arguments to see those you need."
            );
            outcome.content.push(Content::Text(text));
            outcome.meta = Some(Bytes::from(json!({ "mcp-factory/truncated": { "messages": count } }).to_string()));
        }
        Ok(outcome)
    }
}
