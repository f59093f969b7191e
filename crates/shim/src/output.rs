//! What the lines of an agent's output mean: plain text, the JSON result of `droid exec`, or its JSON-RPC messages.

use serde_json::{Value, json};

/// What is handed on of one line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    /// Text.
    Text(String),
    /// Nothing.
    Nothing,
}

/// What an agent has told about itself so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Facts {
    /// The session.
    pub(crate) session: Option<String>,
    /// Whether it says that it failed.
    pub(crate) is_error: bool,
    /// The whole result of `--output-format json`, without its text.
    pub(crate) result: Option<Value>,
    /// Tokens.
    pub(crate) usage: Option<Value>,
}

impl Facts {
    /// Reads a line, without its line break.
    pub(crate) fn line(&mut self, line: &str) -> Said {
        let value: Option<Value> = Some(line.trim_start())
            .filter(|line| line.starts_with('{'))
            .and_then(|line| serde_json::from_str(line).ok());
        match value {
            Some(value) if value["type"] == "result" => self.result(value),
            Some(value) if value["jsonrpc"] == "2.0" => self.message(&value),
            _ => Said::Text(format!("{line}\n")),
        }
    }

    /// It could not do what it was asked for.
    pub(crate) fn failed(&mut self, why: String) -> Said {
        self.is_error = true;
        Said::Text(why)
    }

    /// `{type: "result", subtype, is_error, duration_ms, num_turns, result, session_id}`.
    fn result(&mut self, mut value: Value) -> Said {
        self.session = value["session_id"].as_str().map(str::to_owned).or(self.session.take());
        self.is_error |= value["is_error"] == true;
        let text = value.as_object_mut().and_then(|fields| fields.remove("result"));
        self.result = Some(value);
        match text {
            Some(Value::String(text)) => Said::Text(text),
            Some(Value::Null) | None => Said::Nothing,
            Some(other) => Said::Text(other.to_string()),
        }
    }

    /// A message of stream-jsonrpc: notifications hold what the agent says while it works.
    fn message(&mut self, message: &Value) -> Said {
        if let Some(session) = message.pointer("/result/sessionId").or(message.pointer("/params/sessionId")) {
            self.session = session.as_str().map(str::to_owned).or(self.session.take());
        }
        if message["method"] != "droid.session_notification" {
            return Said::Nothing;
        }
        let note = &message["params"]["notification"];
        match note["type"].as_str().unwrap_or_default() {
            "assistant_text_delta" => {
                let text = note["textDelta"].as_str().or(note["delta"].as_str()).unwrap_or_default();
                Said::Text(text.to_owned())
            }
            "session_token_usage_changed" | "agent_turn_completed" => {
                self.usage = note.get("tokenUsage").cloned().or(self.usage.take());
                Said::Nothing
            }
            "error" => {
                self.is_error = true;
                Said::Text(format!("{}\n", note["message"].as_str().unwrap_or("the agent failed")))
            }
            _ => Said::Nothing,
        }
    }

    /// The fields of the last event.
    pub(crate) fn told(&self) -> Value {
        let mut told = json!({ "is_error": self.is_error });
        let known = [
            ("session_id", self.session.clone().map(Value::from)),
            ("result", self.result.clone()),
            ("token_usage", self.usage.clone()),
        ];
        for (name, value) in known {
            if let Some(value) = value {
                told[name] = value;
            }
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recorded_form_is_read() {
        let mut facts = Facts::default();
        assert_eq!(facts.line("plain { text"), Said::Text("plain { text\n".to_owned()));
        assert_eq!(facts.line(r#"{"some":"json"}"#), Said::Text("{\"some\":\"json\"}\n".to_owned()));
        let note = |note: &str| {
            format!(
                r#"{{"jsonrpc":"2.0","type":"notification","method":"droid.session_notification","params":{{"notification":{note}}}}}"#
            )
        };
        let delta = r#"{"type":"assistant_text_delta","messageId":"m","blockIndex":0,"textDelta":"Hel"}"#;
        assert_eq!(facts.line(&note(delta)), Said::Text("Hel".to_owned()));
        assert_eq!(facts.line(&note(r#"{"type":"droid_working_state_changed","newState":"idle"}"#)), Said::Nothing);
        assert_eq!(facts.line(r#"{"jsonrpc":"2.0","id":"1","result":{"sessionId":"s-9"}}"#), Said::Nothing);
        assert_eq!(facts.session.as_deref(), Some("s-9"));
        let result = r#"{"type":"result","subtype":"success","is_error":false,"duration_ms":5,"num_turns":1,"result":"done","session_id":"s-1"}"#;
        assert_eq!(facts.line(result), Said::Text("done".to_owned()));
        assert_eq!(
            (facts.told()["session_id"].as_str(), facts.told()["is_error"].as_bool()),
            (Some("s-1"), Some(false))
        );
    }
}
