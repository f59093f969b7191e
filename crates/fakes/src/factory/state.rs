//! Everything that the fake knows.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use shim::http::{Response, json_answer, text_answer};
use uuid::Uuid;

use super::FactorySettings;
use super::session::{Moment, Run, Session, directive};
use crate::orders::problem;

const AUTONOMY: [&str; 4] = ["off", "low", "medium", "high"];
const EFFORTS: [&str; 9] = ["none", "dynamic", "off", "minimal", "low", "medium", "high", "xhigh", "max"];
const MODES: [&str; 4] = ["auto", "spec", "agi", "mission"];
/// Part of the work for which a session is pending, of a hundred.
const PENDING_PERCENT: i64 = 20;
/// Longest time for which a session is pending, milliseconds.
const PENDING_MS_MAX: i64 = 1_000;

#[derive(Debug)]
pub(super) struct State {
    settings: FactorySettings,
    computers: Vec<Value>,
    /// Newest first.
    sessions: Vec<Session>,
}

fn now() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn unknown() -> Response {
    problem(404, "Session not found")
}

fn object(body: &[u8]) -> Result<Value, Response> {
    match serde_json::from_slice::<Value>(body) {
        Ok(value) if value.is_object() => Ok(value),
        _ => Err(problem(400, "The body is not a JSON object")),
    }
}

/// Whether the settings of a session are ones that the API takes.
fn checked(settings: &Value) -> Result<(), Response> {
    let choice = |name: &str, choices: &[&str]| match settings[name].as_str() {
        Some(value) if choices.contains(&value) => Ok(()),
        None if settings[name].is_null() => Ok(()),
        _ => Err(problem(400, &format!("sessionSettings.{name} must be one of {}", choices.join(", ")))),
    };
    choice("autonomyLevel", &AUTONOMY)?;
    choice("reasoningEffort", &EFFORTS)?;
    choice("interactionMode", &MODES)?;
    let tags = settings["tags"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !(settings["tags"].is_null() || settings["tags"].is_array()) || tags.iter().any(|tag| !tag["name"].is_string()) {
        return Err(problem(400, "sessionSettings.tags must be a list of {name, metadata}"));
    }
    if !(settings["model"].is_null() || settings["model"].is_string()) {
        return Err(problem(400, "sessionSettings.model must be a string"));
    }
    Ok(())
}

impl State {
    pub(super) fn new(settings: FactorySettings) -> Self {
        let at = now() - 86_400_000;
        let computer = |number: usize| {
            let status = if number == 0 { "provisioning" } else { "active" };
            json!({ "id": Uuid::new_v4().to_string(), "name": format!("computer-{number}"), "status": status,
                    "providerType": if number % 2 == 1 { "e2b" } else { "byom" }, "createdAt": at - number as i64 })
        };
        Self { computers: (0..settings.computers).map(computer).collect(), settings, sessions: Vec::new() }
    }

    pub(super) fn computers(&self) -> Response {
        json_answer(200, &json!({ "computers": self.computers }))
    }

    pub(super) fn computer(&self, key: &str, value: &str) -> Response {
        let found = self.computers.iter().find(|one| one[key] == value);
        found.map_or_else(|| problem(404, "Computer not found"), |one| json_answer(200, one))
    }

    pub(super) fn add_computer(&mut self, body: &[u8]) -> Response {
        let given = match object(body) {
            Ok(given) => given,
            Err(refused) => return refused,
        };
        let Some(name) = given["name"].as_str().filter(|name| (1..=63).contains(&name.len())) else {
            return problem(400, "name must have 1 to 63 characters");
        };
        let provider = given["provider"].as_str().unwrap_or("byom");
        let computer = json!({ "id": Uuid::new_v4().to_string(), "name": name, "providerType": provider,
            "status": "provisioning", "createdAt": now(), "remoteUser": given["remoteUser"] });
        self.computers.insert(0, computer.clone());
        json_answer(201, &computer)
    }

    pub(super) fn sessions(&self, computer: Option<&str>) -> Vec<Value> {
        let now = now();
        let fits = |one: &&Session| computer.is_none_or(|wanted| one.computer.as_deref() == Some(wanted));
        self.sessions.iter().filter(fits).map(|one| one.shown(now)).collect()
    }

    pub(super) fn open(&mut self, body: &[u8]) -> Response {
        let given = match object(body).and_then(|given| checked(&given["sessionSettings"]).map(|()| given)) {
            Ok(given) => given,
            Err(refused) => return refused,
        };
        let computer = given["computerId"].as_str().map(str::to_owned);
        if let Some(id) = &computer
            && !self.computers.iter().any(|one| one["id"] == id.as_str())
        {
            return problem(400, "Computer not found");
        }
        let settings = if given["sessionSettings"].is_object() { given["sessionSettings"].clone() } else { json!({}) };
        let at = now();
        let session =
            Session { id: Uuid::new_v4().to_string(), computer, settings, created: at, changed: at, runs: Vec::new() };
        let shown = session.shown(at);
        self.sessions.insert(0, session);
        json_answer(201, &shown)
    }

    fn find(&mut self, id: &str) -> Option<&mut Session> {
        self.sessions.iter_mut().find(|one| one.id == id)
    }

    pub(super) fn session(&mut self, id: &str) -> Response {
        self.find(id).map_or_else(unknown, |one| json_answer(200, &one.shown(now())))
    }

    pub(super) fn change(&mut self, id: &str, body: &[u8]) -> Response {
        let given = match object(body).and_then(|given| checked(&given["sessionSettings"]).map(|()| given)) {
            Ok(given) => given,
            Err(refused) => return refused,
        };
        let Some(session) = self.find(id) else { return unknown() };
        if let (Some(known), Some(new)) = (session.settings.as_object_mut(), given["sessionSettings"].as_object()) {
            known.extend(new.clone());
        }
        session.changed = now();
        json_answer(200, &session.shown(now()))
    }

    pub(super) fn delete(&mut self, id: &str) -> Response {
        let before = self.sessions.len();
        self.sessions.retain(|one| one.id != id);
        if self.sessions.len() == before { unknown() } else { text_answer(204, "application/json", "") }
    }

    pub(super) fn say(&mut self, id: &str, body: &[u8]) -> Response {
        let given = match object(body) {
            Ok(given) => given,
            Err(refused) => return refused,
        };
        let Some(text) = given["text"].as_str().filter(|text| !text.is_empty()) else {
            return problem(400, "text is required");
        };
        let (work, idle) = (self.settings.work_ms, self.settings.idle_ms);
        let Some(session) = self.find(id) else { return unknown() };
        let sent = now();
        let limited = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX / 4);
        let work = directive(text, "work").unwrap_or(limited(work)).clamp(0, 86_400_000);
        // One prompt after the other.
        let from = session.runs.last().map_or(sent, |run| run.stopped.unwrap_or(run.ends).max(sent));
        let pending = if from > sent { from } else { sent + limited(idle) };
        let begins = pending + (work * PENDING_PERCENT / 100).min(PENDING_MS_MAX);
        let message = Uuid::new_v4().to_string();
        session.runs.push(Run {
            message: message.clone(),
            prompt: text.to_owned(),
            sent,
            pending,
            begins,
            ends: pending + work,
            stopped: None,
        });
        session.changed = sent;
        json_answer(200, &json!({ "messageId": message, "status": "pending" }))
    }

    pub(super) fn messages(&mut self, id: &str) -> Result<Vec<Value>, Response> {
        self.find(id).map(|one| one.messages(now())).ok_or_else(unknown)
    }

    /// Stops what is under way; an idle session stays as it is.
    pub(super) fn interrupt(&mut self, id: &str) -> Result<(), Response> {
        let at = now();
        let session = self.find(id).ok_or_else(unknown)?;
        for run in session.runs.iter_mut().filter(|run| run.stopped.is_none() && at < run.ends) {
            run.stopped = Some(at.max(run.sent));
        }
        session.changed = at;
        Ok(())
    }

    /// How many sessions there are.
    pub(super) fn count(&self) -> usize {
        self.sessions.len()
    }

    /// Every prompt by its session, oldest session first.
    pub(super) fn prompts(&self) -> Value {
        let each = self.sessions.iter().rev().flat_map(|session| {
            session
                .runs
                .iter()
                .map(|run| json!({ "sessionId": session.id, "text": run.prompt, "tags": session.settings["tags"] }))
        });
        each.collect()
    }
}
