//! Streamable HTTP: each message is a request of HTTP, and its answer is JSON or a stream of events.

use std::sync::Arc;

use bytes::Bytes;
use connect::ErrorKind;
use connect::http::{Body, Call, Live, Method};
use parking_lot::RwLock;
use tokio::time::Instant;

use super::{Fault, Outgoing, error, refused};
use crate::door::Door;
use crate::limits::{NOTIFY_TIMEOUT, RESUME_WAIT, RESUMES_MAX};
use crate::params::STATELESS;
use crate::pending::Pending;

/// The header of a session.
const SESSION: &str = "mcp-session-id";
/// The header of the revision.
const VERSION: &str = "mcp-protocol-version";

/// An endpoint.
pub(crate) struct Streamable {
    name: String,
    door: Arc<Door>,
    endpoint: Endpoint,
    state: RwLock<State>,
}

#[derive(Clone, Default)]
struct State {
    session: Option<String>,
    version: Option<String>,
}

/// The path of an endpoint and its query.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
}

impl Endpoint {
    pub(crate) fn of(text: &str) -> Self {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Self { path: path.to_owned(), query }
    }

    pub(crate) fn call(&self, method: Method, accept: &str) -> Call {
        let mut call = Call::new(method, self.path.clone());
        call.query.clone_from(&self.query);
        call.headers.push(("accept".to_owned(), accept.to_owned()));
        call
    }
}

impl Streamable {
    pub(crate) fn new(name: &str, door: Arc<Door>, endpoint: Endpoint) -> Self {
        Self { name: name.to_owned(), door, endpoint, state: RwLock::default() }
    }

    /// Says which revision is spoken from now on.
    pub(crate) fn speak(&self, version: &str) {
        self.state.write().version = Some(version.to_owned());
    }

    fn call(&self, method: Method, accept: &str) -> Call {
        let mut call = self.endpoint.call(method, accept);
        let state = self.state.read();
        let headers = [(SESSION, &state.session), (VERSION, &state.version)];
        let headers = headers.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
        call.headers.extend(headers);
        call
    }

    /// Sends a message. Of a request it ends when the answer was handed to `pending`.
    pub(crate) async fn send(&self, message: Outgoing, pending: &Arc<Pending>, deadline: Instant) -> Result<(), Fault> {
        let mut call = self.call(Method::POST, "application/json, text/event-stream");
        call.headers.extend(message.headers);
        call.body = Body::Json(message.body);
        let answer = self.door.live(&call, deadline).await?;
        let status = answer.status.as_u16();
        if let Some(session) = answer.header(SESSION).map(str::to_owned) {
            self.state.write().session.get_or_insert(session);
        }
        match (status, message.id) {
            (200..=299, None) => return Ok(()),
            (200..=299, Some(id)) if answer.is_events() => return self.follow(answer, id, pending, deadline).await,
            (200..=299, Some(id)) => {
                let body = answer.rest().await?;
                self.reply(pending.take(&body, Some(id)));
            }
            // Whatever else it says, there is no POST to this address.
            (405, _) => {
                let body = answer.rest().await.unwrap_or_default();
                return Err(Fault::OtherTransport(refused(&self.name, status, &body)));
            }
            (404, _) if self.has_session() => return Err(Fault::SessionGone),
            (_, id) => {
                let body = answer.rest().await.unwrap_or_default();
                if let Some(id) = id {
                    // An error of the protocol comes with a status of its own.
                    pending.take(&body, Some(id));
                    if !pending.awaits(id) {
                        return Ok(());
                    }
                }
                let problem = refused(&self.name, status, &body);
                let unknown = matches!(status, 400 | 404 | 405 | 406 | 415);
                return Err(if unknown { Fault::OtherTransport(problem) } else { problem.into() });
            }
        }
        Ok(())
    }

    fn has_session(&self) -> bool {
        self.state.read().session.is_some()
    }

    /// Reads a stream until the answer was on it. A server may close it and have it asked for again (2025-11-25).
    async fn follow(&self, mut answer: Live, id: u64, pending: &Arc<Pending>, deadline: Instant) -> Result<(), Fault> {
        let mut last = None;
        for _ in 0..RESUMES_MAX {
            loop {
                let event = match answer.event().await {
                    Ok(Some(event)) => event,
                    Ok(None) => break,
                    Err(broken) if last.is_none() || broken.kind != ErrorKind::Transient => return Err(broken.into()),
                    Err(_) => break,
                };
                last = event.id.or(last);
                if event.event == "message" && !event.data.is_empty() {
                    self.reply(pending.take(event.data.as_bytes(), Some(id)));
                    if !pending.awaits(id) {
                        return Ok(());
                    }
                }
            }
            let Some(from) = &last else { break };
            tokio::time::sleep(RESUME_WAIT).await;
            let mut call = self.call(Method::GET, "text/event-stream");
            call.headers.push(("last-event-id".to_owned(), from.clone()));
            answer = self.door.live(&call, deadline).await?;
            if !answer.status.is_success() || !answer.is_events() {
                break;
            }
        }
        Err(error(&self.name, ErrorKind::Transient, "the server closed the stream before it answered").into())
    }

    /// Answers questions of the server, without holding up what they came with.
    fn reply(&self, replies: Vec<Bytes>) {
        for body in replies {
            let mut call = self.call(Method::POST, "application/json, text/event-stream");
            call.body = Body::Json(body);
            let door = Arc::clone(&self.door);
            tokio::spawn(async move {
                let sent =
                    tokio::time::timeout(NOTIFY_TIMEOUT, door.live(&call, Instant::now() + NOTIFY_TIMEOUT)).await;
                if !matches!(sent, Ok(Ok(_))) {
                    tracing::debug!("another server did not take an answer");
                }
            });
        }
    }
}

impl Drop for Streamable {
    /// A session is ended where that is possible.
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let is_stateless = self.state.read().version.as_deref() == Some(STATELESS);
        if !self.has_session() || is_stateless {
            return;
        }
        let (door, call) = (Arc::clone(&self.door), self.call(Method::DELETE, "*/*"));
        runtime.spawn(async move {
            let _ = tokio::time::timeout(NOTIFY_TIMEOUT, door.live(&call, Instant::now() + NOTIFY_TIMEOUT)).await;
        });
    }
}
