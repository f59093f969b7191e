//! Messages that pass through.

use bytes::Bytes;
use serde_json::{Value, json};

/// JSON-RPC: the text is no message.
pub(super) const PARSE_ERROR: i64 = -32700;
/// JSON-RPC: the text is JSON, and no message.
pub(super) const INVALID_REQUEST: i64 = -32600;
/// The server could not be asked.
pub(super) const REFUSED: i64 = -32000;

/// Where a request says which revision it is of (2026-07-28).
const REVISION: &str = "io.modelcontextprotocol/protocolVersion";
/// Methods that may be asked again when it is not known whether they were answered.
const REPEATABLE: &[&str] = &["initialize", "ping", "completion/complete", "server/discover", "subscriptions/listen"];
/// The same for methods that end so.
const REPEATABLE_ENDS: &[&str] = &["/list", "/read", "/get", "templates/list"];

/// A message of the client.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) kind: Kind,
    /// Its text.
    pub(super) body: Bytes,
    value: Value,
}

/// What a message is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// It is answered.
    Request { id: Value, method: String },
    /// The client is ready.
    Initialized,
    /// The client does not want an answer.
    Cancelled { id: Value },
    /// Several messages at once (2025-03-26).
    Batch,
    /// It is no message of JSON-RPC: it is not passed on, since a server may say nothing to it.
    Invalid { id: Value, why: &'static str },
    /// Another notification, or an answer of the client.
    Other,
}

impl Message {
    pub(super) fn read(text: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(text).map_err(|error| format!("The line is no JSON: {error}"))?;
        let id = value.get("id").cloned();
        let method = value.get("method").and_then(Value::as_str);
        let kind = match (method, id) {
            _ if let Some(why) = fault(&value) => Kind::Invalid { id: readable(value.get("id")), why },
            _ if value.is_array() => Kind::Batch,
            (Some(method), Some(id)) => Kind::Request { id, method: method.to_owned() },
            (Some("notifications/initialized"), None) => Kind::Initialized,
            (Some("notifications/cancelled"), None) => Kind::Cancelled { id: value["params"]["requestId"].clone() },
            _ => Kind::Other,
        };
        Ok(Self { kind, body: Bytes::copy_from_slice(text), value })
    }

    /// The identifiers of the requests in a batch.
    pub(super) fn batched(&self) -> impl Iterator<Item = &Value> {
        let all = self.value.as_array().into_iter().flatten();
        all.filter(|one| one.get("method").is_some()).filter_map(|one| one.get("id"))
    }

    /// The identifier of a request.
    pub(super) fn id(&self) -> Option<&Value> {
        match &self.kind {
            Kind::Request { id, .. } => Some(id),
            _ => None,
        }
    }

    /// The method of a request or a notification.
    pub(super) fn method(&self) -> Option<&str> {
        self.value.get("method")?.as_str()
    }

    /// A parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&Value> {
        self.value.get("params")?.get(name)
    }

    /// The revision that the message names of itself.
    pub(super) fn revision(&self) -> Option<&str> {
        self.parameter("_meta")?.get(REVISION)?.as_str()
    }

    /// Whether it describes itself, and needs no session.
    pub(super) fn is_stateless(&self) -> bool {
        self.revision().is_some()
    }

    /// Whether it may be sent again when it is not known what became of it.
    pub(super) fn is_repeatable(&self) -> bool {
        let Some(method) = self.method() else { return false };
        REPEATABLE.contains(&method) || REPEATABLE_ENDS.iter().any(|end| method.ends_with(end))
    }
}

/// What makes a value no message, as the transports of the server say it.
fn fault(value: &Value) -> Option<&'static str> {
    if let Some(all) = value.as_array() {
        return all.is_empty().then_some("A batch has at least one message");
    }
    let has = |key: &str| value.get(key).is_some();
    let is_answer = value.get("result").is_some() != value.get("error").is_some_and(|error| !error.is_null());
    match () {
        () if !value.is_object() => Some("Not a JSON-RPC message: it must be an object"),
        () if has("id") && readable(value.get("id")).is_null() && (has("method") || has("result")) => {
            Some("The request id must be a string or an integer")
        }
        () if value["jsonrpc"] != "2.0" => Some("Not a JSON-RPC 2.0 message: \"jsonrpc\" must be \"2.0\""),
        () if !has("method") && !is_answer => {
            Some("A message needs \"method\", or exactly one of \"result\" and \"error\"")
        }
        () if has("method") && !value["method"].is_string() => Some("\"method\" must be a string"),
        () => None,
    }
}

/// An identifier that an answer can repeat; null stands for any other.
fn readable(id: Option<&Value>) -> Value {
    id.filter(|id| id.is_string() || id.is_i64() || id.is_u64()).cloned().unwrap_or_default()
}

/// The answer to a request that could not be passed on.
pub(super) fn failure(id: &Value, code: i64, message: &str, hint: Option<&str>) -> Bytes {
    let mut error = json!({ "code": code, "message": message });
    if let Some(hint) = hint {
        error["data"] = json!({ "hint": hint });
    }
    json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string().into()
}

/// A message of the server as one line, and whether it answers this request.
pub(super) fn of_server(text: &[u8], id: Option<&Value>) -> Option<(Bytes, bool, Value)> {
    let value: Value = serde_json::from_slice(text).ok()?;
    let one = |value: &Value| value.get("method").is_none() && value.get("id").is_some() && value.get("id") == id;
    let answers = match &value {
        Value::Array(all) => all.iter().any(one),
        value => one(value),
    };
    let line = match text.contains(&b'\n') {
        true => value.to_string().into(),
        false => Bytes::copy_from_slice(text),
    };
    Some((line, answers, value))
}

/// An error of the protocol that came with a status of HTTP, for the request that it is about; without one, as it came.
pub(super) fn error_for(body: &[u8], id: Option<&Value>) -> Option<Bytes> {
    let mut value: Value = serde_json::from_slice(body).ok()?;
    value.get("jsonrpc")?;
    value.get("error")?;
    if let Some(id) = id {
        value["id"] = id.clone();
    }
    Some(value.to_string().into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Kind, Message, of_server};

    #[test]
    fn messages_are_told_apart() {
        let read = |value: serde_json::Value| Message::read(value.to_string().as_bytes()).unwrap();
        let call = read(json!({"jsonrpc": "2.0", "id": "a", "method": "tools/call", "params": {"name": "x",
            "_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}}}));
        assert!(matches!(call.kind, Kind::Request { .. }) && call.is_stateless() && !call.is_repeatable());
        let list = read(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}));
        assert!(list.is_repeatable() && !list.is_stateless());
        let cancelled = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}});
        assert!(matches!(read(cancelled).kind, Kind::Cancelled { id } if id == 7));
        assert!(matches!(read(json!([{"jsonrpc": "2.0", "id": 1, "method": "ping"}])).kind, Kind::Batch));
        assert!(matches!(read(json!({"jsonrpc": "2.0", "id": 1, "result": {}})).kind, Kind::Other));
        assert!(Message::read(b"{").is_err());
    }

    #[test]
    fn what_is_no_message_is_refused_with_its_identifier() {
        for (text, id) in [
            ("3", json!(null)),
            ("{}", json!(null)),
            ("[]", json!(null)),
            (r#"{"jsonrpc":"2.0","id":9}"#, json!(9)),
            (r#"{"jsonrpc":"2.0","id":"a","method":7}"#, json!("a")),
            (r#"{"id":9,"method":"ping"}"#, json!(9)),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, json!(null)),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, json!(null)),
        ] {
            let kind = Message::read(text.as_bytes()).unwrap().kind;
            assert!(matches!(&kind, Kind::Invalid { id: read, .. } if *read == id), "{text} {kind:?}");
        }
        let lost = Message::read(br#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"?"}}"#).unwrap();
        assert!(matches!(lost.kind, Kind::Other));
    }

    #[test]
    fn an_answer_is_told_from_a_question_with_the_same_identifier() {
        let seven = json!(7);
        let (_, answers, _) = of_server(br#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#, Some(&seven)).unwrap();
        assert!(!answers);
        let (line, answers, _) = of_server(b"{\"jsonrpc\":\"2.0\",\n\"id\":7,\"result\":{}}", Some(&seven)).unwrap();
        assert!(answers && !line.contains(&b'\n'));
    }
}
