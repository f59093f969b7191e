//! How a conversation begins: without a session where the server knows how, else with `initialize`.

use std::sync::Arc;

use connect::{Error, ErrorKind};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::door::Door;
use crate::limits::PROBE_TIMEOUT;
use crate::params::{NEWEST_SESSION, SESSIONS, STATELESS, own_name};
use crate::pending::Pending;
use crate::session::{Caller, Session};
use crate::settings::{Protocol, Settings, Target, Transport};
use crate::wire::{Endpoint, Fault, Pipe, Sse, Streamable, Wire, error};

/// Opens a conversation.
pub(crate) async fn open(
    settings: &Settings,
    door: Option<&Arc<Door>>,
    deadline: Instant,
) -> Result<Arc<Session>, Error> {
    let begin = Begin { settings, door, deadline, cancel: CancellationToken::new() };
    begin.run().await.map_err(|fault| fault.into_error(&settings.name))
}

struct Begin<'a> {
    settings: &'a Settings,
    door: Option<&'a Arc<Door>>,
    deadline: Instant,
    cancel: CancellationToken,
}

impl Begin<'_> {
    async fn run(&self) -> Result<Arc<Session>, Fault> {
        let Target::Address { transport, .. } = &self.settings.target else {
            return self.begin(Transport::Auto).await;
        };
        match (transport, self.settings.protocol) {
            (Transport::Auto, protocol) => match self.begin(Transport::Streamable).await {
                // Before Streamable HTTP, servers know no POST to this address (2025-03-26, backwards compatibility).
                Err(Fault::OtherTransport(first)) if protocol != Protocol::Stateless => {
                    self.begin(Transport::Sse).await.map_err(|_| Fault::OtherTransport(first))
                }
                outcome => outcome,
            },
            (transport, _) => self.begin(*transport).await,
        }
    }

    async fn begin(&self, transport: Transport) -> Result<Arc<Session>, Fault> {
        let protocol = self.settings.protocol;
        if protocol != Protocol::Initialize && transport != Transport::Sse {
            match self.stateless(transport).await {
                Ok(session) => return Ok(session),
                Err(fault) if protocol == Protocol::Stateless => return Err(fault),
                Err(Fault::Error(error)) if is_final(&error) => return Err(Fault::Error(error)),
                Err(fault) => tracing::debug!(connection = self.settings.name, ?fault, "no stateless revision"),
            }
        }
        self.initialize(transport).await
    }

    async fn session(&self, transport: Transport, is_stateless: bool) -> Result<Arc<Session>, Fault> {
        let pending = Arc::new(Pending::default());
        let name = &self.settings.name;
        let wire = match (&self.settings.target, self.door) {
            (Target::Program { program, arguments }, _) => {
                let most = self.settings.limits.message_bytes;
                Wire::Pipe(Pipe::start(program, arguments, most, &self.settings.secrets, &pending)?)
            }
            (Target::Address { endpoint, .. }, Some(door)) => {
                let (door, endpoint) = (Arc::clone(door), Endpoint::of(endpoint));
                match transport {
                    Transport::Sse => Wire::Sse(Sse::open(name, door, &endpoint, &pending, self.deadline).await?),
                    Transport::Auto | Transport::Streamable => {
                        let streamable = Streamable::new(name, door, endpoint);
                        if is_stateless {
                            streamable.speak(STATELESS);
                        }
                        Wire::Streamable(streamable)
                    }
                }
            }
            (Target::Address { .. }, None) => return Err(error(name, ErrorKind::Config, "it has no address").into()),
        };
        Ok(Arc::new(Session { name: name.clone(), wire, pending, is_stateless, tools: OnceCell::new() }))
    }

    /// Asks the server what it speaks.
    async fn stateless(&self, transport: Transport) -> Result<Arc<Session>, Fault> {
        let session = self.session(transport, true).await?;
        let deadline = self.deadline.min(Instant::now() + PROBE_TIMEOUT);
        let caller = Caller { deadline, cancel: &self.cancel, progress: None, person: None };
        let asked = session.request("server/discover", json!({}), Vec::new(), caller);
        let found = tokio::time::timeout_at(deadline, asked).await;
        let late = || error(&self.settings.name, ErrorKind::Timeout, "the server did not say what it speaks");
        let found = found.unwrap_or_else(|_| Err(late().into()))?;
        let spoken = found.get("supportedVersions").and_then(Value::as_array);
        if spoken.is_some_and(|all| all.iter().any(|one| one == STATELESS)) {
            return Ok(session);
        }
        Err(error(&self.settings.name, ErrorKind::Other, format!("the server does not speak {STATELESS}")).into())
    }

    async fn initialize(&self, transport: Transport) -> Result<Arc<Session>, Fault> {
        let session = self.session(transport, false).await?;
        let params = json!({ "protocolVersion": NEWEST_SESSION, "capabilities": offered(), "clientInfo": own_name() });
        let caller = Caller { deadline: self.deadline, cancel: &self.cancel, progress: None, person: None };
        let begun = session.request("initialize", params, Vec::new(), caller).await?;
        let version = begun.get("protocolVersion").and_then(Value::as_str).unwrap_or_default();
        if !SESSIONS.contains(&version) {
            let shown: String = version.chars().take(40).collect();
            let why = format!("the server speaks the revision `{shown}`, which is none of {}", SESSIONS.join(", "));
            return Err(error(&self.settings.name, ErrorKind::Other, why).into());
        }
        if let Wire::Streamable(streamable) = &session.wire {
            streamable.speak(version);
        }
        session.notify("notifications/initialized", &json!({})).await?;
        tracing::debug!(connection = self.settings.name, version, "a session with another server is open");
        Ok(session)
    }
}

/// What a session offers. Its calls may have a person behind them; one that has none refuses its questions.
fn offered() -> Value {
    json!({ "elicitation": { "form": {}, "url": {} } })
}

/// Whether asking in another way is of no use.
fn is_final(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::Unreachable | ErrorKind::Denied | ErrorKind::Config)
}
