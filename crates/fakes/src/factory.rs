//! The sessions API of Factory (`/api/v0`): computers, sessions, messages.

mod page;
mod session;
mod state;

use std::sync::Arc;

use http::Method;
use parking_lot::Mutex;
use serde_json::{Value, json};
use shim::http::{Handler, Request, Response, json_answer, text_answer};

use self::page::page;
use self::state::State;
use crate::orders::{Orders, Turn, problem};
use crate::uri;

/// The key that the fake accepts. `fk-disabled` is a key of an organization that has no sessions API.
pub const KEY: &str = "fk-fake";
const DISABLED: &str = "fk-disabled";

/// How the fake behaves.
#[derive(Clone, Debug)]
pub struct FactorySettings {
    /// Time that each answer takes, milliseconds.
    latency_ms: u64,
    /// Time that a droid works on a prompt, milliseconds; a prompt with `[fake:work=MS]` says another one.
    work_ms: u64,
    /// How long a session stays idle after a prompt, milliseconds.
    idle_ms: u64,
    /// Computers, all active but the first.
    computers: usize,
}

impl Default for FactorySettings {
    fn default() -> Self {
        Self { latency_ms: 0, work_ms: 3_000, idle_ms: 150, computers: 3 }
    }
}

impl FactorySettings {
    /// Time that each answer takes, milliseconds.
    #[must_use]
    pub fn latency(self, ms: u64) -> Self {
        Self { latency_ms: ms, ..self }
    }

    /// Time that a droid works on a prompt, milliseconds.
    #[must_use]
    pub fn work(self, ms: u64) -> Self {
        Self { work_ms: ms, ..self }
    }

    /// How long a session stays idle after a prompt, milliseconds.
    #[must_use]
    pub fn idle(self, ms: u64) -> Self {
        Self { idle_ms: ms, ..self }
    }
}

/// The fake.
#[derive(Debug)]
pub struct Factory {
    state: Mutex<State>,
    orders: Arc<Orders>,
}

impl Factory {
    /// A fake with a few computers and no session.
    pub fn new(settings: FactorySettings) -> Arc<Self> {
        let orders = Orders::new(settings.latency_ms);
        Arc::new(Self { state: Mutex::new(State::new(settings)), orders })
    }

    fn route(&self, request: &Request, path: &[&str]) -> Response {
        let (get, post) = (request.method == Method::GET, request.method == Method::POST);
        let mut state = self.state.lock();
        match path {
            ["computers"] if get => state.computers(),
            ["computers"] if post => state.add_computer(&request.body),
            ["computers", id] if get => state.computer("id", id),
            ["computers", "name", name] if get => state.computer("name", name),
            ["sessions"] if get => {
                let computer = uri::value(&request.query, "computerId");
                page("sessions", "sessionId", state.sessions(computer.as_deref()), &request.query)
            }
            ["sessions"] if post => state.open(&request.body),
            ["sessions", id] if get => state.session(id),
            ["sessions", id] if request.method == Method::PATCH => state.change(id, &request.body),
            ["sessions", id] if request.method == Method::DELETE => state.delete(id),
            ["sessions", id, "messages"] if post => state.say(id, &request.body),
            ["sessions", id, "messages"] if get => match state.messages(id) {
                Ok(messages) => {
                    let role = uri::value(&request.query, "role");
                    let fits = |one: &Value| role.as_deref().is_none_or(|role| one["role"] == role);
                    page("messages", "id", messages.into_iter().filter(fits).collect(), &request.query)
                }
                Err(refused) => refused,
            },
            ["sessions", id, "messages", message] if get => match state.messages(id) {
                Ok(messages) => {
                    let found = messages.iter().find(|one| one["id"] == *message);
                    found.map_or_else(|| problem(404, "Message not found"), |one| json_answer(200, one))
                }
                Err(refused) => refused,
            },
            // The real one does not answer with JSON here.
            ["sessions", id, "interrupt"] if post => match state.interrupt(id) {
                Ok(()) => text_answer(200, "text/plain", "OK"),
                Err(refused) => refused,
            },
            ["computers" | "sessions", ..] => problem(405, "Method not allowed"),
            _ => problem(404, "Not found"),
        }
    }
}

/// Whether the key opens the path.
fn authorised(request: &Request, path: &[&str]) -> Result<(), Response> {
    let key = request.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    match key {
        KEY => Ok(()),
        DISABLED if path.first() == Some(&"sessions") => Err(problem(403, "Sessions are not enabled")),
        DISABLED => Ok(()),
        "" => Err(json_answer(401, &json!({ "error": "Missing authorization" }))),
        _ => Err(problem(401, "Invalid API key")),
    }
}

impl Handler for Factory {
    async fn answer(self: Arc<Self>, request: Request) -> Response {
        let all = uri::segments(&request.path);
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        match (all.as_slice(), &request.method) {
            (["_fake"], &Method::POST) => return self.orders.order(&request.body),
            (["_fake"], _) => {
                let state = self.state.lock();
                return self.orders.told(json!({ "prompts": state.prompts(), "sessions": state.count() }));
            }
            _ => {}
        }
        let Some(path) = all.strip_prefix(&["api", "v0"]) else { return problem(404, "Not found") };
        let route = match path {
            [first, _, rest @ ..] => {
                format!("{} {first}/*{}", request.method, rest.iter().map(|one| format!("/{one}")).collect::<String>())
            }
            other => format!("{} {}", request.method, other.join("/")),
        };
        let (_under, turn) = self.orders.begin(&request, &route).await;
        if let Turn::Before(response) = turn {
            return response;
        }
        if let Err(refused) = authorised(&request, path) {
            return refused;
        }
        match turn {
            Turn::Spoiled(spoil) => {
                let request = spoil.request(request);
                let good = self.route(&request, path);
                spoil.answer(&request, good).await
            }
            Turn::After(response, delay) => {
                let good = self.route(&request, path);
                tokio::time::sleep(delay).await;
                response.unwrap_or(good)
            }
            _ => self.route(&request, path),
        }
    }
}
