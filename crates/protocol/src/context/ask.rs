//! Asking the client of a session: a request of the server over the stream of the request that needs the answer.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use super::Context;
use crate::error::{Error, clip};
use crate::exchange::{Event, Exchange};
use crate::json::render;
use crate::service::{Input, InputRequest};
use crate::session::Session;

/// A question that was sent. When it is dropped before the answer came, the client is told that nobody waits any more.
pub(crate) struct Sent {
    session: Arc<Session>,
    exchange: Arc<Exchange>,
    id: u64,
    is_answered: bool,
    answer: oneshot::Receiver<Result<Bytes, Bytes>>,
}

/// An answer of the client: always a JSON object.
#[derive(Debug)]
pub struct Answered(Bytes);

impl Answered {
    /// What it says; nothing when it cannot be read.
    pub fn input(&self) -> Option<Input<'_>> {
        serde_json::from_slice::<&RawValue>(&self.0).ok().map(Input)
    }
}

impl Context {
    /// Whether [`Context::ask`] reaches the client: it has a session, and takes what is sent before the answer.
    pub fn can_ask(&self) -> bool {
        self.session().is_some() && self.exchange().streams()
    }

    /// Asks the client of a session while the request runs. It waits without an end: whoever asks says for how long. Clients of
    /// stateless revisions cannot be asked like this; see [`crate::Reply::NeedInput`].
    ///
    /// # Errors
    /// The client has no session, takes nothing before the answer, did not declare that it can be asked, or refuses.
    pub async fn ask(&self, request: &InputRequest) -> Result<Answered, Error> {
        if !self.supports(request.capability()) {
            return Err(Error::missing_capability(request.capability()));
        }
        self.send(request)?.answer("the question").await.map(Answered)
    }

    /// Sends a question.
    pub(crate) fn send(&self, request: &InputRequest) -> Result<Sent, Error> {
        let Some(session) = self.session() else {
            return Err(Error::internal("There is no client to ask"));
        };
        if !self.exchange().streams() {
            return Err(Error::invalid_request(
                "This request asks back: send it with \"Accept: application/json, text/event-stream\"",
            ));
        }
        let (id, answer) = session.expect_answer();
        let message = json!({
            "jsonrpc": "2.0",
            "id": id,
            "method": request.method(),
            "params": request.params(self.revision()),
        });
        let sent = Sent { session: session.clone(), exchange: self.exchange().clone(), id, is_answered: false, answer };
        self.exchange().must_send(Event::Message(render(&message)));
        Ok(sent)
    }
}

impl Sent {
    /// Waits for the answer; `what` names the question in errors.
    pub(crate) async fn answer(mut self, what: &str) -> Result<Bytes, Error> {
        let outcome = (&mut self.answer).await;
        self.is_answered = true;
        match outcome {
            Ok(Ok(result)) if result.starts_with(b"{") => Ok(result),
            Ok(Ok(_)) => Err(Error::internal(format!("The client's answer to {what} is no object"))),
            Ok(Err(error)) => Err(refused(what, &error)),
            Err(_) => Err(Error::internal("The session ended before the client answered")),
        }
    }
}

fn refused(what: &str, error: &[u8]) -> Error {
    let message = serde_json::from_slice::<serde_json::Value>(error)
        .ok()
        .and_then(|error| error.get("message").and_then(|text| text.as_str()).map(str::to_owned))
        .unwrap_or_default();
    Error::internal(format!("The client refused {what}: {}", clip(&message)))
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.session.forget_ask(self.id);
        if !self.is_answered {
            let cancelled = json!({
                "jsonrpc": "2.0",
                "method": "notifications/cancelled",
                "params": { "requestId": self.id, "reason": "nobody waits for the answer any more" },
            });
            self.exchange.notify(render(&cancelled));
        }
    }
}
