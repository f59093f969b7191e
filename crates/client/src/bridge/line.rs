//! How the server is reached now.

use std::sync::Arc;

use connect::http::{Api, Body, Call, Live, Method};
use parking_lot::RwLock;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::Find;
use super::message::{self, Message};
use crate::door::Door;
use crate::limits::{ASKING_MAX, NOTIFY_TIMEOUT, PAGES_MAX, READY_TIMEOUT};
use crate::params::{STATELESS, header, with_meta};
use crate::result::Tool;
use crate::wire::Endpoint;

/// The header of a session.
pub(super) const SESSION: &str = "mcp-session-id";
/// The header of the revision.
const VERSION: &str = "mcp-protocol-version";

/// A connection to the endpoint, and the session over it.
pub(super) struct Line {
    door: Door,
    endpoint: Endpoint,
    pub(super) session: RwLock<Option<String>>,
    pub(super) version: RwLock<Option<String>>,
    /// The tools of the server, as far as their arguments are repeated in headers.
    tools: OnceCell<Vec<Tool>>,
}

impl Line {
    /// A connection without a session. Nothing is sent yet.
    pub(super) fn open(find: &Find) -> Result<Self, String> {
        let place = find()?;
        let api = Api::open(place.http).map_err(|error| error.to_string())?;
        Ok(Self {
            door: Door::new(api, place.login),
            endpoint: Endpoint::of(&place.endpoint),
            session: RwLock::default(),
            version: RwLock::default(),
            tools: OnceCell::new(),
        })
    }

    fn call(&self, method: Method, accept: &str) -> Call {
        let mut call = self.endpoint.call(method, accept);
        let parts = [(SESSION, self.session.read().clone()), (VERSION, self.version.read().clone())];
        call.headers.extend(parts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        call
    }

    /// Sends a message; gives the answer as soon as it begins.
    pub(super) async fn post(&self, message: &Message) -> Result<Live, connect::Error> {
        let mut call = match message.is_stateless() {
            true => self.endpoint.call(Method::POST, "application/json, text/event-stream"),
            false => self.call(Method::POST, "application/json, text/event-stream"),
        };
        call.headers.extend(self.headers(message).await);
        call.body = Body::Json(message.body.clone());
        self.door.live(&call, far()).await
    }

    /// Asks for a stream of the session: the rest of a broken one, or what belongs to no request.
    pub(super) async fn stream(&self, last: Option<&str>) -> Result<Live, connect::Error> {
        let mut call = self.call(Method::GET, "text/event-stream");
        call.headers.extend(last.map(|last| ("last-event-id".to_owned(), last.to_owned())));
        self.door.live(&call, far()).await
    }

    /// Ends the session, where there is one.
    pub(super) async fn leave(&self) {
        if self.session.read().is_none() {
            return;
        }
        let call = self.call(Method::DELETE, "*/*");
        let _ = tokio::time::timeout(NOTIFY_TIMEOUT, self.door.live(&call, far())).await;
    }

    /// The headers that repeat parts of a message of the stateless revision.
    async fn headers(&self, message: &Message) -> Vec<(String, String)> {
        let (Some(revision), Some(method)) = (message.revision(), message.method()) else { return Vec::new() };
        let mut headers = vec![(VERSION.to_owned(), revision.to_owned()), ("mcp-method".to_owned(), method.to_owned())];
        let named = ["name", "uri", "taskId"].iter().find_map(|name| message.parameter(name)).and_then(header);
        headers.extend(named.map(|name| ("mcp-name".to_owned(), name)));
        let Some(name) = message.parameter("name").and_then(Value::as_str).filter(|_| method == "tools/call") else {
            return headers;
        };
        let tools = self.tools.get_or_init(|| self.list()).await;
        let rules = tools.iter().find(|tool| tool.name == name).map(Tool::headers).unwrap_or_default();
        for (header_name, path) in rules {
            let arguments = message.parameter("arguments").unwrap_or(&Value::Null);
            let value = path.iter().try_fold(arguments, |value, key| value.get(key)).and_then(header);
            headers.extend(value.map(|value| (header_name, value)));
        }
        headers
    }

    /// The tools whose arguments are repeated in headers. Without them a call is refused with a clear error, if it needs any.
    async fn list(&self) -> Vec<Tool> {
        let mut tools = Vec::new();
        let mut cursor = Value::Null;
        for _ in 0..PAGES_MAX {
            let params = if cursor.is_null() { json!({}) } else { json!({ "cursor": cursor }) };
            let Some(page) = self.ask("tools/list", params).await else { break };
            let listed = page["tools"].as_array().into_iter().flatten().filter_map(Tool::read);
            tools.extend(listed.filter(|tool| !tool.headers().is_empty()));
            cursor = page["nextCursor"].clone();
            if !cursor.is_string() {
                break;
            }
        }
        tools
    }

    /// Asks something of our own, in the stateless revision.
    pub(super) async fn ask(&self, method: &str, params: Value) -> Option<Value> {
        let body = json!({ "jsonrpc": "2.0", "id": "bridge", "method": method,
            "params": with_meta(params, true, None, json!({})) });
        let mut call = self.endpoint.call(Method::POST, "application/json, text/event-stream");
        let headers = [(VERSION, STATELESS), ("mcp-method", method)];
        call.headers.extend(headers.map(|(name, value)| (name.to_owned(), value.to_owned())));
        call.body = Body::Json(body.to_string().into());
        let answer = tokio::time::timeout(READY_TIMEOUT, async {
            let mut answer = self.door.live(&call, far()).await.ok()?;
            if !answer.is_events() {
                return serde_json::from_slice(&answer.rest().await.ok()?).ok();
            }
            let id = json!("bridge");
            loop {
                let event = answer.event().await.ok()??;
                if let Some((_, true, value)) = message::of_server(event.data.as_bytes(), Some(&id)) {
                    return Some(value);
                }
            }
        });
        let answer: Option<Value> = answer.await.ok()?;
        answer?.get_mut("result").map(Value::take)
    }
}

/// When a request that a person may have to answer is given up.
fn far() -> Instant {
    Instant::now() + ASKING_MAX
}

/// Whether two are the same connection.
pub(super) fn is_same(a: &Arc<Line>, b: &Arc<Line>) -> bool {
    Arc::ptr_eq(a, b)
}
