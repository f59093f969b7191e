//! A conversation with an agent that reads and writes JSON-RPC, one message on a line: `droid exec` with `stream-jsonrpc` on both
//! sides. A session is opened or loaded, the prompt is said, and when the agent has ended its turn the session is closed.

use serde_json::{Value, json};

use crate::request::{Job, Mode};

/// Versions of the protocol that are said in each message.
const API_VERSION: &str = "1.0.0";
const PROTOCOL_VERSION: &str = "1.221.0";
/// The state of an agent that does nothing.
const IDLE: &str = "idle";

/// How far the conversation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The session is asked for.
    Opening,
    /// The prompt is said; `busy` when the agent was seen at work.
    Prompted { busy: bool },
    /// It is over.
    Closed,
}

/// A conversation.
#[derive(Debug)]
pub(crate) struct Dialogue {
    prompt: String,
    stage: Stage,
    opening: Value,
}

/// What a line leads to.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Turn {
    /// Messages to the agent, each a line.
    pub(crate) say: Vec<String>,
    /// Why the agent could not do it.
    pub(crate) failed: Option<String>,
}

impl Dialogue {
    pub(crate) fn new(job: &Job) -> Self {
        let opening = match &job.session {
            Some(session) => ("droid.load_session", json!({ "sessionId": session })),
            None => {
                let cwd = job.folder.display().to_string();
                (
                    "droid.initialize_session",
                    json!({ "machineId": "mcp-factory-shim", "cwd": cwd, "autonomyLevel": level(job.mode) }),
                )
            }
        };
        Self { prompt: job.prompt.clone(), stage: Stage::Opening, opening: request("1", opening.0, &opening.1) }
    }

    /// The first message to the agent.
    pub(crate) fn opening(&self) -> String {
        line(&self.opening)
    }

    /// Whether the agent has nothing more to say.
    pub(crate) fn is_over(&self) -> bool {
        self.stage == Stage::Closed
    }

    /// Reads a line of the agent.
    pub(crate) fn heard(&mut self, text: &str) -> Turn {
        let Ok(message) = serde_json::from_str::<Value>(text) else { return Turn::default() };
        let method = message["method"].as_str().unwrap_or_default();
        if message["type"] == "request" || (message.get("id").is_some() && !method.is_empty()) {
            return Turn { say: vec![answer(&message, method)], failed: None };
        }
        match (self.stage, message["id"].as_str()) {
            (Stage::Opening | Stage::Prompted { .. }, Some("1" | "2")) if message["error"].is_object() => {
                let why = message["error"]["message"].as_str().unwrap_or("it gave no reason");
                let failed = Some(format!("the agent refused: {why}\n"));
                Turn { failed, ..self.close() }
            }
            (Stage::Opening, Some("1")) => {
                self.stage = Stage::Prompted { busy: false };
                let say = request("2", "droid.add_user_message", &json!({ "text": self.prompt }));
                Turn { say: vec![line(&say)], failed: None }
            }
            (Stage::Prompted { busy }, None) if method == "droid.session_notification" => {
                self.noted(busy, &message["params"]["notification"])
            }
            _ => Turn::default(),
        }
    }

    /// Idle is an end when the agent was at work before.
    fn noted(&mut self, busy: bool, note: &Value) -> Turn {
        match (note["type"].as_str(), note["newState"].as_str()) {
            (Some("agent_turn_completed"), _) => self.close(),
            (Some("droid_working_state_changed"), Some(IDLE)) if busy => self.close(),
            (Some("droid_working_state_changed"), Some(state)) if state != IDLE => {
                self.stage = Stage::Prompted { busy: true };
                Turn::default()
            }
            _ => Turn::default(),
        }
    }

    fn close(&mut self) -> Turn {
        self.stage = Stage::Closed;
        let say = request("3", "droid.close_session", &json!({ "reason": "other" }));
        Turn { say: vec![line(&say)], failed: None }
    }
}

/// The autonomy that a mode stands for.
fn level(mode: Mode) -> &'static str {
    mode.auto().unwrap_or("off")
}

fn request(id: &str, method: &str, params: &Value) -> Value {
    let mut message = json!({ "type": "request", "id": id, "method": method, "params": params });
    versions(&mut message);
    message
}

fn versions(message: &mut Value) {
    message["jsonrpc"] = "2.0".into();
    message["factoryApiVersion"] = API_VERSION.into();
    message["factoryProtocolVersion"] = PROTOCOL_VERSION.into();
}

fn line(message: &Value) -> String {
    format!("{message}\n")
}

/// Nobody is there to be asked: what the autonomy does not cover is not done.
fn answer(asked: &Value, method: &str) -> String {
    let mut message = json!({ "type": "response", "id": asked["id"] });
    match method {
        "droid.request_permission" => message["result"] = json!({ "selectedOption": "cancel" }),
        "droid.ask_user" => message["result"] = json!({ "cancelled": true, "answers": [] }),
        _ => message["error"] = json!({ "code": -32601, "message": format!("the shim does not know {method}") }),
    }
    versions(&mut message);
    line(&message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialogue(body: &str) -> Dialogue {
        let root = std::env::temp_dir().canonicalize().unwrap();
        Dialogue::new(&Job::read(body.as_bytes(), &root).unwrap())
    }

    fn said(turn: &Turn, at: usize) -> Value {
        serde_json::from_str(&turn.say[at]).unwrap()
    }

    fn note(note: &Value) -> String {
        json!({ "jsonrpc": "2.0", "type": "notification", "method": "droid.session_notification", "params": { "notification": note } }).to_string()
    }

    #[test]
    fn a_session_is_opened_prompted_and_closed() {
        let mut talk = dialogue(r#"{"prompt":"hi","mode":"auto-medium"}"#);
        let opening: Value = serde_json::from_str(&talk.opening()).unwrap();
        assert_eq!(
            (&opening["method"], &opening["params"]["autonomyLevel"]),
            (&json!("droid.initialize_session"), &json!("medium"))
        );
        let turn = talk.heard(r#"{"jsonrpc":"2.0","type":"response","id":"1","result":{"sessionId":"s"}}"#);
        assert_eq!(
            (&said(&turn, 0)["method"], &said(&turn, 0)["params"]),
            (&json!("droid.add_user_message"), &json!({ "text": "hi" }))
        );
        assert_eq!(
            talk.heard(&note(&json!({ "type": "droid_working_state_changed", "newState": "idle" }))),
            Turn::default(),
            "it has not begun"
        );
        talk.heard(&note(&json!({ "type": "droid_working_state_changed", "newState": "thinking" })));
        let asked = talk.heard(r#"{"jsonrpc":"2.0","type":"request","id":"p1","method":"droid.request_permission","params":{"toolUses":[],"options":[]}}"#);
        assert_eq!(
            (&said(&asked, 0)["id"], &said(&asked, 0)["result"]),
            (&json!("p1"), &json!({ "selectedOption": "cancel" }))
        );
        assert!(!talk.is_over());
        let end = talk.heard(&note(&json!({ "type": "droid_working_state_changed", "newState": "idle" })));
        assert_eq!(said(&end, 0)["method"], "droid.close_session");
        assert!(talk.is_over());
    }

    #[test]
    fn a_session_is_loaded_and_a_refusal_ends_it() {
        let mut talk = dialogue(r#"{"prompt":"hi","mission":"s-7"}"#);
        assert!(talk.opening().contains(r#""method":"droid.load_session""#) && talk.opening().contains("s-7"));
        let turn = talk.heard(
            r#"{"jsonrpc":"2.0","type":"response","id":"1","error":{"code":-32000,"message":"no such session"}}"#,
        );
        assert_eq!(turn.failed.as_deref(), Some("the agent refused: no such session\n"));
        assert!(talk.is_over());
    }
}
