//! Asking the client of a session: requests of the server over the stream of the request that needs the answer.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;

use crate::context::Context;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::exchange::Event;
use crate::json::render;
use crate::revision::Revision;
use crate::service::InputRequest;
use crate::session::Session;

/// Sends the questions and waits for all answers.
pub(in crate::dispatch) async fn ask(
    context: &Context,
    endpoint: &Arc<Endpoint>,
    requests: &[(String, InputRequest)],
) -> Result<Vec<(String, Bytes)>, Error> {
    let Some(session) = context.session() else {
        return Err(Error::internal("There is no client to ask"));
    };
    if !context.exchange().streams() {
        return Err(Error::invalid_request(
            "This request asks back: send it with \"Accept: application/json, text/event-stream\"",
        ));
    }
    let mut waiting = Vec::with_capacity(requests.len());
    for (key, request) in requests {
        let (id, answer) = session.expect_answer();
        let message = json!({
            "jsonrpc": "2.0",
            "id": id,
            "method": request.method(),
            "params": request.params(context.revision()),
        });
        let guard = Forget { session, id };
        context.exchange().must_send(Event::Message(render(&message)));
        waiting.push((key, answer, guard));
    }
    let deadline = tokio::time::Instant::now() + endpoint.runtime.options.ask_timeout;
    let mut answers = Vec::with_capacity(waiting.len());
    for (key, answer, _guard) in waiting {
        let outcome = tokio::time::timeout_at(deadline, answer).await;
        match outcome {
            Ok(Ok(Ok(result))) if result.starts_with(b"{") => answers.push((key.clone(), result)),
            Ok(Ok(Ok(_))) => return Err(Error::internal(format!("The client's answer to {key:?} is no object"))),
            Ok(Ok(Err(error))) => return Err(refused(key, &error, context.revision())),
            Ok(Err(_)) => return Err(Error::internal("The session ended before the client answered")),
            Err(_) => return Err(Error::internal(format!("The client did not answer {key:?} in time"))),
        }
    }
    Ok(answers)
}

fn refused(key: &str, error: &[u8], _revision: Revision) -> Error {
    let message = serde_json::from_slice::<serde_json::Value>(error)
        .ok()
        .and_then(|error| error.get("message").and_then(|text| text.as_str()).map(str::to_owned))
        .unwrap_or_default();
    Error::internal(format!("The client refused the question {key:?}: {}", crate::error::clip(&message)))
}

/// Forgets a question when nobody waits for its answer any more.
struct Forget<'a> {
    session: &'a Session,
    id: u64,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.session.forget_ask(self.id);
    }
}
