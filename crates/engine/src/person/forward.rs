//! Questions of other MCP servers, passed on to the person behind the caller.

use std::time::Duration;

use client::{Answering, Mode};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::{Answer, Form, Person, Question};
use crate::context::CallContext;
use crate::permit::Held;

/// The person behind a call, as another server sees them.
pub(crate) struct Forward<'a> {
    person: &'a Person<'a>,
    cancel: &'a CancellationToken,
    held: Option<&'a Held<'a>>,
    /// The connection whose server asks.
    connection: &'a str,
}

impl<'a> Forward<'a> {
    /// The person behind this call, for the server of a connection; nothing when there is nobody.
    pub(crate) fn of(context: &CallContext<'a>, held: Option<&'a Held<'a>>, connection: &'a str) -> Option<Self> {
        Some(Self { person: context.person?, cancel: context.cancel, held, connection })
    }

    async fn pass_on(&self, question: Value) -> Result<Value, String> {
        let text = |key: &str| question.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let form = match text("mode").as_str() {
            "url" => Form::Page { url: text("url"), id: text("elicitationId") },
            _ => Form::Fields(
                question
                    .get("requestedSchema")
                    .cloned()
                    .unwrap_or_else(|| json!({ "type": "object", "properties": {} })),
            ),
        };
        // The person knows this server; what stands behind it says its name.
        let message = format!("`{}` asks: {}", self.connection, text("message"));
        let timeout = Duration::from_millis(spec::limits::ASK_MS);
        let question = Question { message, form, is_first: false, timeout };
        match self.person.ask(question, self.cancel, self.held).await {
            Some(Answer::Accepted(content)) => Ok(accepted(content)),
            Some(Answer::Declined) => Ok(json!({ "action": "decline" })),
            Some(Answer::Cancelled | Answer::Late) | None => Ok(json!({ "action": "cancel" })),
            Some(Answer::Unasked(why)) => Err(why),
        }
    }
}

/// A page has no content.
fn accepted(content: Map<String, Value>) -> Value {
    if content.is_empty() { json!({ "action": "accept" }) } else { json!({ "action": "accept", "content": content }) }
}

impl client::Person for Forward<'_> {
    fn can(&self, mode: Mode) -> bool {
        self.person.can(&match mode {
            Mode::Form => Form::Fields(Value::Null),
            Mode::Url => Form::Page { url: String::new(), id: String::new() },
        })
    }

    fn ask(&self, question: Value) -> Answering<'_> {
        Box::pin(self.pass_on(question))
    }

    fn waited(&self) -> Duration {
        self.person.waited()
    }
}
