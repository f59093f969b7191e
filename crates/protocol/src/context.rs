//! What a handler knows about its request, and what it can do besides answering.

mod ask;
mod client;
mod log;

use std::any::Any;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;

pub use ask::Answered;
pub use client::{Capability, ClientInfo};
pub(crate) use client::{Flags, SharedClient};
pub use log::LogLevel;

use crate::exchange::{Event, Exchange};
use crate::json::{Json, push_string};
use crate::principal::Principal;
use crate::revision::Revision;
use crate::service::{Binding, Input};
use crate::session::Session;

/// The context of one request. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Context {
    request: Arc<RequestFacts>,
    round: Option<Arc<Round>>,
}

struct RequestFacts {
    revision: Revision,
    principal: Option<Principal>,
    binding: Option<Binding>,
    peer: Peer,
    exchange: Arc<Exchange>,
    address: Option<IpAddr>,
    cancel: CancellationToken,
    progress_token: Option<Bytes>,
    trace_parent: Option<Bytes>,
    task: Option<Arc<str>>,
}

impl std::fmt::Debug for RequestFacts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestFacts").field("revision", &self.revision).finish_non_exhaustive()
    }
}

/// Whom the request comes from.
#[derive(Debug)]
pub(crate) enum Peer {
    /// A stateless request with its own metadata.
    Modern { client: SharedClient, log_level: Option<LogLevel> },
    /// A session opened by `initialize`.
    Session(Arc<Session>),
    /// A caller inside this process.
    Local,
}

/// The answers and state of the latest round of questions.
#[derive(Debug, Default)]
pub(crate) struct Round {
    pub(crate) inputs: Vec<(String, Bytes)>,
    pub(crate) state: Option<Bytes>,
}

/// What [`Context`] is made of.
pub(crate) struct ContextParts {
    pub(crate) revision: Revision,
    pub(crate) principal: Option<Principal>,
    pub(crate) binding: Option<Binding>,
    pub(crate) peer: Peer,
    pub(crate) exchange: Arc<Exchange>,
    pub(crate) progress_token: Option<Bytes>,
    pub(crate) trace_parent: Option<Bytes>,
}

impl Context {
    pub(crate) fn new(parts: ContextParts) -> Self {
        let ContextParts { revision, principal, binding, peer, exchange, progress_token, trace_parent } = parts;
        let cancel = exchange.cancel.clone();
        Self::from_facts(RequestFacts {
            revision,
            principal,
            binding,
            peer,
            address: exchange.address,
            exchange,
            cancel,
            progress_token,
            trace_parent,
            task: None,
        })
    }

    /// A context without a transport, for callers inside this process. It declares no client capabilities.
    pub fn local(revision: Revision, principal: Option<Principal>) -> Self {
        Self::new(ContextParts {
            revision,
            principal,
            binding: None,
            peer: Peer::Local,
            exchange: Exchange::new(false),
            progress_token: None,
            trace_parent: None,
        })
    }

    /// A local context, for tests.
    pub fn for_tests(revision: Revision) -> Self {
        Self::local(revision, None)
    }

    fn from_facts(facts: RequestFacts) -> Self {
        Self { request: Arc::new(facts), round: None }
    }

    /// The same request with the answers of another round.
    pub(crate) fn with_round(&self, round: Round) -> Self {
        Self { request: self.request.clone(), round: Some(Arc::new(round)) }
    }

    /// The same request, continued as the task of this id: its own way out and cancellation.
    pub(crate) fn into_task(self, exchange: Arc<Exchange>, id: Arc<str>) -> Self {
        let facts = &self.request;
        let request = RequestFacts {
            revision: facts.revision,
            principal: facts.principal.clone(),
            binding: facts.binding.clone(),
            peer: facts.peer.share(),
            address: facts.address,
            cancel: exchange.cancel.clone(),
            exchange,
            // What a task does is told to whoever asks for it.
            progress_token: Some(facts.progress_token.clone().unwrap_or_else(|| Bytes::from_static(b"\"task\""))),
            trace_parent: facts.trace_parent.clone(),
            task: Some(id),
        };
        Self { request: Arc::new(request), round: self.round }
    }

    /// The revision that the peer speaks.
    pub fn revision(&self) -> Revision {
        self.request.revision
    }

    /// Whether the peer speaks a stateless revision.
    pub fn is_modern(&self) -> bool {
        self.request.revision.is_modern()
    }

    /// Whether the call goes on as a task, detached from the request that started it.
    pub fn is_task(&self) -> bool {
        self.request.task.is_some()
    }

    /// The id of that task. A task that was called anew after a restart has the id that it had before.
    pub fn task(&self) -> Option<&str> {
        self.request.task.as_deref()
    }

    /// The authenticated caller.
    pub fn principal(&self) -> Option<&Principal> {
        self.request.principal.as_ref()
    }

    /// Where the request comes from; `None` where it comes over no network.
    pub fn address(&self) -> Option<IpAddr> {
        self.request.address
    }

    /// What the service made of the client's URL.
    pub fn binding<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.request.binding.as_deref().and_then(|binding| binding.downcast_ref())
    }

    /// Whether the client declared this capability.
    pub fn supports(&self, capability: Capability) -> bool {
        match &self.request.peer {
            Peer::Modern { client, .. } => client.flags().has(capability),
            Peer::Session(session) => session.flags().has(capability),
            Peer::Local => false,
        }
    }

    /// Name and version of the client, as it says itself.
    pub fn client_info(&self) -> Option<ClientInfo> {
        match &self.request.peer {
            Peer::Modern { client, .. } => client.info(),
            Peer::Session(session) => session.client_info(),
            Peer::Local => None,
        }
    }

    /// Fires when nobody wants the answer any more. The handler's future may also simply be dropped.
    pub fn cancellation(&self) -> &CancellationToken {
        &self.request.cancel
    }

    /// W3C `traceparent` of the request.
    pub fn trace_parent(&self) -> Option<&str> {
        self.request.trace_parent.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    /// Whether the client asked for progress.
    pub fn wants_progress(&self) -> bool {
        self.request.progress_token.is_some() && self.request.exchange.streams()
    }

    /// Reports progress, if the client asked for it. `done` must grow with every report.
    pub fn progress(&self, done: f64, total: Option<f64>, message: Option<&str>) {
        let Some(token) = &self.request.progress_token else { return };
        if !self.request.exchange.streams() || !done.is_finite() {
            return;
        }
        let mut out = Vec::with_capacity(160);
        out.extend_from_slice(
            b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":",
        );
        out.extend_from_slice(token);
        out.extend_from_slice(b",\"progress\":");
        out.extend_from_slice(Json::to(&done).as_bytes());
        if let Some(total) = total.filter(|total| total.is_finite()) {
            out.extend_from_slice(b",\"total\":");
            out.extend_from_slice(Json::to(&total).as_bytes());
        }
        if let Some(message) = message.filter(|_| self.request.revision.has_progress_message()) {
            out.extend_from_slice(b",\"message\":");
            push_string(&mut out, message);
        }
        out.extend_from_slice(b"}}");
        self.request.exchange.notify(out.into());
    }

    /// Whether a log message of this level would be sent.
    pub fn wants_log(&self, level: LogLevel) -> bool {
        let threshold = match &self.request.peer {
            Peer::Modern { log_level, .. } => *log_level,
            Peer::Session(session) => Some(session.log_level()),
            Peer::Local => None,
        };
        self.request.exchange.streams() && threshold.is_some_and(|threshold| level >= threshold)
    }

    /// Sends a log message, if the client wants messages of this level. It must hold no secrets.
    pub fn log(&self, level: LogLevel, logger: Option<&str>, data: &(impl Serialize + ?Sized)) {
        if !self.wants_log(level) {
            return;
        }
        let mut out = Vec::with_capacity(192);
        out.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"");
        out.extend_from_slice(level.as_str().as_bytes());
        out.extend_from_slice(b"\",");
        if let Some(logger) = logger {
            out.extend_from_slice(b"\"logger\":");
            push_string(&mut out, logger);
            out.push(b',');
        }
        out.extend_from_slice(b"\"data\":");
        out.extend_from_slice(Json::to(data).as_bytes());
        out.extend_from_slice(b"}}");
        self.request.exchange.notify(out.into());
    }

    /// The client's answer to the question asked under this key. Answers that are no objects count as missing.
    pub fn input(&self, key: &str) -> Option<Input<'_>> {
        let inputs = &self.round.as_ref()?.inputs;
        let (_, bytes) = inputs.iter().find(|(name, _)| name == key)?;
        serde_json::from_slice::<&RawValue>(bytes).ok().map(Input)
    }

    /// Whether the client has answered anything at all in this round.
    pub fn has_inputs(&self) -> bool {
        self.round.as_ref().is_some_and(|round| !round.inputs.is_empty())
    }

    /// The handler's own state from the previous round.
    pub fn state(&self) -> Option<&[u8]> {
        self.round.as_ref()?.state.as_deref()
    }

    /// Lets the client go and come back for the answer, where the revision has SSE polling (2025-11-25). Elsewhere it
    /// does nothing.
    pub fn disconnect(&self, retry_ms: u64) {
        if self.request.revision.has_sse_polling() && self.request.exchange.session.get().is_some() {
            self.request.exchange.must_send(Event::Disconnect { retry_ms });
        }
    }

    pub(crate) fn exchange(&self) -> &Arc<Exchange> {
        &self.request.exchange
    }

    pub(crate) fn session(&self) -> Option<&Arc<Session>> {
        match &self.request.peer {
            Peer::Session(session) => Some(session),
            _ => None,
        }
    }
}

impl Peer {
    fn share(&self) -> Self {
        match self {
            Self::Modern { client, log_level } => Self::Modern { client: client.clone(), log_level: *log_level },
            Self::Session(session) => Self::Session(session.clone()),
            Self::Local => Self::Local,
        }
    }
}
