//! A conversation with a server: requests, their progress, and their end.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;

use connect::{Error, ErrorKind};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::asked::Person;
use crate::limits::{ASKING_MAX, NOTIFY_TIMEOUT, PAGES_MAX, TOOLS_MAX};
use crate::message;
use crate::params::{header, with_meta};
use crate::pending::{Expected, Pending, Question};
use crate::result::Tool;
use crate::wire::{Fault, Outgoing, Wire, error};

/// Takes progress: how much is done, of how much in all, and a word about it.
pub type Progress<'a> = &'a (dyn Fn(f64, Option<f64>, &str) + Send + Sync);

/// Who waits for an answer.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    /// When nobody waits any more.
    pub deadline: Instant,
    /// Cancelled when nobody waits any more.
    pub cancel: &'a CancellationToken,
    /// Takes progress.
    pub progress: Option<Progress<'a>>,
    /// Whom the server may ask.
    pub person: Option<&'a dyn Person>,
}

impl std::fmt::Debug for Caller<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

/// A question on its way to a person and back.
type Passing<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// A conversation that is open.
pub(crate) struct Session {
    pub(crate) name: String,
    pub(crate) wire: Wire,
    pub(crate) pending: Arc<Pending>,
    /// Whether each request describes itself.
    pub(crate) is_stateless: bool,
    pub(crate) tools: OnceCell<Vec<Tool>>,
}

impl Session {
    /// Whether it has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.pending.closed().is_some()
    }

    /// Asks for something and waits for the answer. When the future is dropped the server is told that nobody waits any more.
    pub(crate) async fn request(
        self: &Arc<Self>,
        method: &str,
        params: Value,
        headers: Vec<(String, String)>,
        caller: Caller<'_>,
    ) -> Result<Value, Fault> {
        let Expected { id, mut answer, mut notes, mut questions } = self.pending.expect(caller.person.is_some());
        let mut flying = Flying { session: Arc::clone(self), id, answered: method == "initialize" };
        let params = with_meta(params, self.is_stateless, caller.progress.map(|_| id), caller.capabilities());
        let headers = self.headers(method, headers);
        let body = message::request(id, method, &params);
        let end = caller.person.map_or(caller.deadline, |_| caller.deadline + ASKING_MAX);
        let send = self.wire.send(Outgoing { body, id: Some(id), headers }, &self.pending, end);
        tokio::pin!(send);
        let mut sent = false;
        // The question that the person has before them.
        let mut asking: Option<(Value, Passing<'_>)> = None;
        let mut asked = VecDeque::new();
        loop {
            if asking.is_none()
                && let Some((id, params)) = asked.pop_front()
            {
                let passing = crate::asked::pass_on(self, caller, Value::clone(&id), params);
                asking = Some((id, Box::pin(passing)));
            }
            tokio::select! {
                biased;
                note = notes.recv(), if caller.progress.is_some() && !notes.is_closed() => {
                    if let (Some(note), Some(report)) = (note, caller.progress) {
                        report(note.done, note.total, &note.message);
                    }
                }
                Some(question) = questions.recv() => match question {
                    Question::Asked(id, params) => asked.push_back((id, params)),
                    Question::TakenBack(gone) => {
                        asked.retain(|(id, _)| *id != gone);
                        asking = asking.filter(|(id, _)| *id != gone);
                    }
                },
                () = async { if let Some((_, passing)) = &mut asking { passing.await } }, if asking.is_some() => asking = None,
                outcome = &mut answer => {
                    flying.answered = true;
                    return match outcome {
                        Ok(Ok(result)) => Ok(result),
                        Ok(Err(problem)) => Err(self.answered(&problem).into()),
                        Err(_) => Err(self.over().into()),
                    };
                }
                outcome = &mut send, if !sent => {
                    sent = true;
                    if let Err(fault) = outcome {
                        flying.answered = true;
                        // A program that does not read has most likely ended, which says more.
                        return Err(if self.is_over() { self.over().into() } else { fault });
                    }
                    if self.wire.answers_itself() && self.pending.awaits(id) {
                        flying.answered = true;
                        let why = "the server ended its answer without a result";
                        return Err(error(&self.name, ErrorKind::Transient, why).into());
                    }
                }
            }
        }
    }

    /// The headers that the stateless revision has over HTTP.
    fn headers(&self, method: &str, more: Vec<(String, String)>) -> Vec<(String, String)> {
        if !self.is_stateless {
            return Vec::new();
        }
        std::iter::once(("mcp-method".to_owned(), method.to_owned())).chain(more).collect()
    }

    /// Tells the server something.
    pub(crate) async fn notify(&self, method: &str, params: &Value) -> Result<(), Fault> {
        let body = message::notification(method, params);
        let deadline = Instant::now() + NOTIFY_TIMEOUT;
        let outgoing = Outgoing { body, id: None, headers: self.headers(method, Vec::new()) };
        let sent = tokio::time::timeout_at(deadline, self.wire.send(outgoing, &self.pending, deadline)).await;
        sent.unwrap_or_else(|_| Err(error(&self.name, ErrorKind::Timeout, "the server takes no messages").into()))
    }

    /// The tools of the server, which are asked for once.
    pub(crate) async fn tools(self: &Arc<Self>, caller: Caller<'_>) -> Result<&[Tool], Fault> {
        let tools = self.tools.get_or_try_init(|| self.list(caller)).await?;
        Ok(tools)
    }

    async fn list(self: &Arc<Self>, caller: Caller<'_>) -> Result<Vec<Tool>, Fault> {
        let caller = Caller { progress: None, person: None, ..caller };
        let mut tools = Vec::new();
        let mut cursor: Option<Value> = None;
        for _ in 0..PAGES_MAX {
            let params = cursor.as_ref().map_or_else(|| json!({}), |cursor| json!({ "cursor": cursor }));
            let page = self.request("tools/list", params, Vec::new(), caller).await?;
            let listed = page.get("tools").and_then(Value::as_array).into_iter().flatten();
            tools.extend(listed.filter_map(Tool::read));
            cursor = page.get("nextCursor").filter(|cursor| cursor.is_string()).cloned();
            if cursor.is_none() {
                break;
            }
            if tools.len() > TOOLS_MAX {
                let why = format!("the server lists more than {TOOLS_MAX} tools");
                return Err(error(&self.name, ErrorKind::Limit, why).into());
            }
        }
        Ok(tools)
    }

    /// The headers that repeat the name and the arguments of a call (2026-07-28).
    pub(crate) async fn call_headers(
        self: &Arc<Self>,
        name: &str,
        arguments: &Value,
        caller: Caller<'_>,
    ) -> Result<Vec<(String, String)>, Fault> {
        if !self.is_stateless || !self.wire.answers_itself() {
            return Ok(Vec::new());
        }
        let mut headers: Vec<(String, String)> =
            header(&name.into()).map(|name| ("mcp-name".to_owned(), name)).into_iter().collect();
        let tools = self.tools(caller).await?;
        let rules = tools.iter().find(|tool| tool.name == name).map(Tool::headers).unwrap_or_default();
        for (header_name, path) in rules {
            let value = path.iter().try_fold(arguments, |value, key| value.get(key)).and_then(header);
            headers.extend(value.map(|value| (header_name, value)));
        }
        Ok(headers)
    }

    /// The error that a server answered with.
    pub(crate) fn answered(&self, problem: &Value) -> Error {
        let code = problem.get("code").and_then(Value::as_i64);
        let kind = match code {
            Some(-32602) => ErrorKind::Value,
            Some(-32601 | -32600) => ErrorKind::Statement,
            _ => ErrorKind::Other,
        };
        let said = problem.get("message").and_then(Value::as_str).unwrap_or("it does not say why");
        let said: String = said.chars().take(1_000).collect();
        let mut error = error(&self.name, kind, format!("the server refused: {said}"));
        error.code = code.map(|code| code.to_string());
        error
    }

    /// That the conversation has ended.
    fn over(&self) -> Error {
        let why = self.pending.closed().unwrap_or_else(|| "the conversation ended".to_owned());
        let said = self.wire.last_words().map(|said| format!("; it last said: {said}")).unwrap_or_default();
        error(&self.name, ErrorKind::Transient, format!("{why}{said}"))
    }
}

/// A request that nobody may be waiting for any more.
struct Flying {
    session: Arc<Session>,
    id: u64,
    answered: bool,
}

impl Drop for Flying {
    fn drop(&mut self) {
        self.session.pending.forget(self.id);
        let is_told_by_closing = self.session.is_stateless && self.session.wire.answers_itself();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if self.answered || is_told_by_closing {
            return;
        }
        let (session, id) = (Arc::clone(&self.session), self.id);
        runtime.spawn(async move {
            let params = json!({ "requestId": id, "reason": "nobody waits for the answer any more" });
            let _ = session.notify("notifications/cancelled", &params).await;
        });
    }
}
