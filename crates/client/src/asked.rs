//! What another server asks the person behind a call.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use connect::{Error, ErrorKind};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::limits::{NOTIFY_TIMEOUT, ROUNDS_MAX};
use crate::message;
use crate::session::{Caller, Session};
use crate::wire::{Outgoing, error};

/// The method by which servers ask people.
pub(crate) const METHOD: &str = "elicitation/create";

/// How a person is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They fill in a form.
    Form,
    /// They visit a page.
    Url,
}

/// An answer that is on its way: `Err` says why nobody was asked.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Result<Value, String>> + Send + 'a>>;

/// The person behind a call.
pub trait Person: Send + Sync {
    /// Whether they can be asked in this way.
    fn can(&self, mode: Mode) -> bool;

    /// Asks what a server wants to know: the parameters of `elicitation/create`; gives its result. Dropping the future takes the
    /// question back.
    fn ask(&self, question: Value) -> Answering<'_>;

    /// How long answers have been waited for so far, which is not the time of the call.
    fn waited(&self) -> Duration;
}

impl Caller<'_> {
    /// What is told to servers of the person behind a call.
    pub(crate) fn capabilities(&self) -> Value {
        let Some(person) = self.person else { return json!({}) };
        let modes = [(Mode::Form, "form"), (Mode::Url, "url")];
        let known: Map<String, Value> = modes
            .into_iter()
            .filter(|(mode, _)| person.can(*mode))
            .map(|(_, key)| (key.to_owned(), json!({})))
            .collect();
        if known.is_empty() { json!({}) } else { json!({ "elicitation": known }) }
    }

    /// Ends when the call has had its time.
    pub(crate) async fn over(&self) {
        let Some(person) = self.person else { return tokio::time::sleep_until(self.deadline).await };
        let before = person.waited();
        loop {
            let end = self.deadline + person.waited().saturating_sub(before);
            if end <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(end).await;
        }
    }

    /// The answer to a question, where the person can be asked it.
    async fn answer(&self, question: Value) -> Result<Value, String> {
        let mode = match question.get("mode").and_then(Value::as_str) {
            None | Some("form") => Mode::Form,
            Some("url") => Mode::Url,
            Some(_) => return Err(NOBODY.to_owned()),
        };
        match self.person.filter(|person| person.can(mode)) {
            Some(person) => person.ask(question).await,
            None => Err(NOBODY.to_owned()),
        }
    }
}

const NOBODY: &str = "This client has nobody to ask: elicitation is not offered";

/// A question that came while a request was under way: asks it, and sends the answer.
pub(crate) async fn pass_on(session: &Arc<Session>, caller: Caller<'_>, id: Value, question: Value) {
    let body = match caller.answer(question).await {
        Ok(result) => message::result(&id, &result),
        Err(why) => message::refusal(&id, &why),
    };
    reply(session, body).await;
}

async fn reply(session: &Arc<Session>, body: Bytes) {
    let deadline = Instant::now() + NOTIFY_TIMEOUT;
    let sent = session.wire.send(Outgoing { body, ..Outgoing::default() }, &session.pending, deadline);
    if !matches!(tokio::time::timeout_at(deadline, sent).await, Ok(Ok(()))) {
        tracing::debug!(connection = session.name, "another server did not take an answer");
    }
}

/// The answers to what a stateless server needs before it goes on (2026-07-28), and its state; nothing when it needs nothing.
pub(crate) async fn needed(
    name: &str,
    tool: &str,
    round: usize,
    result: &Value,
    caller: Caller<'_>,
) -> Result<Option<(Value, Option<Value>)>, Error> {
    if result.get("resultType").and_then(Value::as_str) != Some("input_required") {
        return Ok(None);
    }
    if round >= ROUNDS_MAX {
        return Err(error(name, ErrorKind::Limit, format!("the tool `{tool}` asks more than {ROUNDS_MAX} times")));
    }
    let mut answers = Map::new();
    for (key, request) in result.get("inputRequests").and_then(Value::as_object).into_iter().flatten() {
        let params = request.get("params").cloned().unwrap_or_default();
        let answer = match request.get("method").and_then(Value::as_str) {
            Some(METHOD) => caller.answer(params).await,
            Some("roots/list") => Ok(json!({ "roots": [] })),
            _ => Err("only forms and pages can be passed on".to_owned()),
        };
        let unanswered = |why: String| {
            let why = why.trim_end_matches('.').to_owned();
            let text = format!(
                "the tool `{tool}` asks for more input, which only a person can give ({why}); call it with all of its arguments"
            );
            error(name, ErrorKind::Value, text)
        };
        answers.insert(key.clone(), answer.map_err(unanswered)?);
    }
    let state = result.get("requestState").cloned();
    if answers.is_empty() && state.is_none() {
        let why = format!("the tool `{tool}` asks for more input, but does not say which");
        return Err(error(name, ErrorKind::Other, why));
    }
    Ok(Some((Value::Object(answers), state)))
}
