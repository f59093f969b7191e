//! Asking the client of a session before a handler is called again.

use std::sync::Arc;

use bytes::Bytes;

use crate::context::Context;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::service::InputRequest;

/// Sends the questions and waits for all answers.
pub(in crate::dispatch) async fn ask(
    context: &Context,
    endpoint: &Arc<Endpoint>,
    requests: &[(String, InputRequest)],
) -> Result<Vec<(String, Bytes)>, Error> {
    let mut waiting = Vec::with_capacity(requests.len());
    for (key, request) in requests {
        waiting.push((key, context.send(request)?));
    }
    let deadline = tokio::time::Instant::now() + endpoint.runtime.options.ask_timeout;
    let mut answers = Vec::with_capacity(waiting.len());
    for (key, sent) in waiting {
        let what = format!("the question {key:?}");
        let late = |_| Error::internal(format!("The client did not answer {key:?} in time"));
        answers.push((key.clone(), tokio::time::timeout_at(deadline, sent.answer(&what)).await.map_err(late)??));
    }
    Ok(answers)
}
