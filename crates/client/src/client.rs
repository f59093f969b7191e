//! A server that is called.

use std::sync::Arc;
use std::time::Instant as Moment;

use connect::http::Api;
use connect::{Error, ErrorKind};
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::door::Door;
use crate::limits::{READY_TIMEOUT, REST};
use crate::result::{Tool, ToolResult};
use crate::session::{Caller, Session};
use crate::settings::{Settings, Target};
use crate::wire::{Fault, error};
use crate::{asked, handshake};

/// Another MCP server. It is reached when it is first called; cheap to share behind an `Arc`. Dropping it ends what it started.
pub struct Client {
    settings: Settings,
    door: Option<Arc<Door>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    session: Option<Arc<Session>>,
    /// Why the server could not be reached, and when that was.
    failed: Option<(Moment, Error)>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("name", &self.settings.name).finish_non_exhaustive()
    }
}

impl Client {
    /// Checks the settings. Nothing is started and nothing is sent.
    ///
    /// # Errors
    /// The address cannot be used.
    pub fn open(settings: Settings) -> Result<Self, Error> {
        let door = match &settings.target {
            Target::Program { .. } => None,
            Target::Address { http, login, .. } => {
                Some(Arc::new(Door::new(Api::open((**http).clone())?, login.clone())))
            }
        };
        Ok(Self { settings, door, state: Mutex::default() })
    }

    /// What it is called in errors.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// Calls a tool. That a tool says it failed is no error here.
    ///
    /// # Errors
    /// There is no answer of the tool.
    pub async fn call(
        &self,
        name: &str,
        arguments: &Map<String, Value>,
        caller: Caller<'_>,
    ) -> Result<ToolResult, Error> {
        let arguments = Value::Object(arguments.clone());
        let result = self.waiting(caller, self.rounds(name, &arguments, caller)).await?;
        let unread = || self.error(ErrorKind::Other, format!("the answer of the tool `{name}` is no result of a tool"));
        ToolResult::read(result).ok_or_else(unread)
    }

    /// The tools of the server.
    ///
    /// # Errors
    /// It cannot be reached, or does not list any.
    pub async fn tools(&self, caller: Caller<'_>) -> Result<Vec<Tool>, Error> {
        self.waiting(caller, async {
            let mut again = false;
            loop {
                let session = self.session().await?;
                match session.tools(caller).await {
                    Ok(tools) => return Ok(tools.to_vec()),
                    Err(Fault::SessionGone) if !std::mem::replace(&mut again, true) => self.leave(&session).await,
                    Err(fault) => return Err(fault.into_error(&self.settings.name)),
                }
            }
        })
        .await
    }

    /// Calls until there is a result that asks for nothing more.
    async fn rounds(&self, name: &str, arguments: &Value, caller: Caller<'_>) -> Result<Value, Error> {
        let mut params = json!({ "name": name, "arguments": arguments });
        for round in 0.. {
            let result = self.attempt_call(name, &params, caller).await?;
            let needed = asked::needed(&self.settings.name, name, round, &result, caller).await?;
            let Some((answers, state)) = needed else { return Ok(result) };
            params["inputResponses"] = answers;
            match state {
                Some(state) => params["requestState"] = state,
                None => drop(params.as_object_mut().map(|params| params.remove("requestState"))),
            }
        }
        Err(self.error(ErrorKind::Limit, "it asks without end"))
    }

    async fn attempt_call(&self, name: &str, params: &Value, caller: Caller<'_>) -> Result<Value, Error> {
        let mut again = false;
        loop {
            let session = self.session().await?;
            let work = async {
                let headers = session.call_headers(name, &params["arguments"], caller).await?;
                session.request("tools/call", params.clone(), headers, caller).await
            };
            match work.await {
                Ok(result) => return Ok(result),
                // The server refused it before doing anything, so it may be sent once more.
                Err(Fault::SessionGone) if !std::mem::replace(&mut again, true) => self.leave(&session).await,
                Err(fault) => return Err(fault.into_error(&self.settings.name)),
            }
        }
    }

    /// The conversation, which is opened when there is none.
    async fn session(&self) -> Result<Arc<Session>, Error> {
        let mut state = self.state.lock().await;
        if let Some(session) = state.session.as_ref().filter(|session| !session.is_over()) {
            return Ok(Arc::clone(session));
        }
        state.session = None;
        if let Some((at, error)) = &state.failed
            && at.elapsed() < REST
        {
            return Err(error.clone());
        }
        let deadline = Instant::now() + READY_TIMEOUT;
        let opened =
            tokio::time::timeout_at(deadline, handshake::open(&self.settings, self.door.as_ref(), deadline)).await;
        let late = || self.error(ErrorKind::Unreachable, format!("the server was not ready within {READY_TIMEOUT:?}"));
        let opened = opened.unwrap_or_else(|_| Err(late()));
        match opened {
            Ok(session) => {
                state.failed = None;
                state.session = Some(Arc::clone(&session));
                Ok(session)
            }
            Err(mut error) => {
                error.attempted = "reach another MCP server";
                state.failed = Some((Moment::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// Gives up a conversation, unless another one has taken its place.
    async fn leave(&self, session: &Arc<Session>) {
        let mut state = self.state.lock().await;
        if state.session.as_ref().is_some_and(|current| Arc::ptr_eq(current, session)) {
            state.session = None;
        }
    }

    async fn waiting<T>(&self, caller: Caller<'_>, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        tokio::select! {
            biased;
            () = caller.cancel.cancelled() => Err(self.error(ErrorKind::Cancelled, "the caller went away")),
            outcome = work => outcome,
            () = caller.over() => Err(self.error(ErrorKind::Timeout, "there was no answer before the deadline")),
        }
    }

    fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        error(&self.settings.name, kind, message)
    }
}
