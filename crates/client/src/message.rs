//! Messages of JSON-RPC.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::asked::METHOD;

/// Methods of the protocol that a server may call at a client; none is offered.
const REFUSED: &[(&str, &str)] = &[
    ("sampling/createMessage", "This client has no model: sampling is not offered"),
    (
        "elicitation/create",
        "This client has nobody to ask, or cannot tell for which of its calls: elicitation is not offered",
    ),
];
/// JSON-RPC's code of a method that is not there.
const METHOD_NOT_FOUND: i64 = -32601;

pub(crate) fn request(id: u64, method: &str, params: &Value) -> Bytes {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string().into()
}

pub(crate) fn notification(method: &str, params: &Value) -> Bytes {
    json!({ "jsonrpc": "2.0", "method": method, "params": params }).to_string().into()
}

/// A message of a server.
#[derive(Debug)]
pub(crate) enum Message {
    /// The answer of a request: its result, or an error object.
    Answer(u64, Result<Value, Value>),
    /// How far a request is.
    Progress { token: u64, done: f64, total: Option<f64>, message: String },
    /// A request of the server, with what is answered.
    Request(Bytes),
    /// A question to a person: its identifier, its parameters, and what is answered when nobody can be asked.
    Question(Value, Value, Bytes),
    /// The server takes a question back.
    Cancelled(Value),
    /// An error that belongs to no request.
    Stray(Value),
    /// Nothing that has to be looked at.
    Other,
}

/// The messages in a text: one, or several in a batch.
pub(crate) fn read(text: &[u8]) -> Result<Vec<Message>, String> {
    let value: Value = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    Ok(match value {
        Value::Array(items) => items.into_iter().map(one).collect(),
        value => vec![one(value)],
    })
}

fn one(mut value: Value) -> Message {
    let id = value.get("id").filter(|id| !id.is_null()).cloned();
    if let Some(method) = value.get("method").and_then(Value::as_str) {
        return match id {
            Some(id) if method == METHOD => Message::Question(id.clone(), value["params"].clone(), answer(&id, method)),
            Some(id) => Message::Request(answer(&id, method)),
            None if method == "notifications/cancelled" => Message::Cancelled(value["params"]["requestId"].clone()),
            None if method == "notifications/progress" => progress(&value["params"]).unwrap_or(Message::Other),
            None => Message::Other,
        };
    }
    let outcome = if let Some(result) = value.get_mut("result") {
        Ok(result.take())
    } else if let Some(error) = value.get_mut("error") {
        Err(error.take())
    } else {
        return Message::Other;
    };
    match (id.as_ref().and_then(number), outcome) {
        (Some(id), outcome) => Message::Answer(id, outcome),
        (None, Err(error)) => Message::Stray(error),
        (None, Ok(_)) => Message::Other,
    }
}

/// Our identifiers are numbers; a server may give them back as text.
fn number(id: &Value) -> Option<u64> {
    id.as_u64().or_else(|| id.as_str()?.parse().ok())
}

fn progress(params: &Value) -> Option<Message> {
    Some(Message::Progress {
        token: number(params.get("progressToken")?)?,
        done: params.get("progress")?.as_f64()?,
        total: params.get("total").and_then(Value::as_f64),
        message: params.get("message").and_then(Value::as_str).unwrap_or_default().to_owned(),
    })
}

/// What a request of a server is answered with.
fn answer(id: &Value, method: &str) -> Bytes {
    let result = match method {
        "ping" => json!({}),
        "roots/list" => json!({ "roots": [] }),
        _ => {
            let known = REFUSED.iter().find(|(name, _)| *name == method).map(|(_, why)| (*why).to_owned());
            let message = known.unwrap_or_else(|| "This client does not offer the method".to_owned());
            return refusal(id, &message);
        }
    };
    self::result(id, &result)
}

/// The answer to a request of a server.
pub(crate) fn result(id: &Value, result: &Value) -> Bytes {
    json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string().into()
}

/// That a request of a server is refused.
pub(crate) fn refusal(id: &Value, message: &str) -> Bytes {
    let error = json!({ "code": METHOD_NOT_FOUND, "message": message });
    json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string().into()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Message, read};

    #[test]
    fn requests_of_a_server_are_answered() {
        for (method, answer) in [
            ("ping", json!({"jsonrpc": "2.0", "id": "a", "result": {}})),
            ("roots/list", json!({"jsonrpc": "2.0", "id": "a", "result": {"roots": []}})),
        ] {
            let text = json!({"jsonrpc": "2.0", "id": "a", "method": method}).to_string();
            let found = read(text.as_bytes()).unwrap();
            let [Message::Request(bytes)] = &found[..] else { panic!("{method}") };
            assert_eq!(serde_json::from_slice::<Value>(bytes).unwrap(), answer);
        }
        for method in ["sampling/createMessage", "elicitation/create", "tasks/list"] {
            let text = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": {}}).to_string();
            let found = read(text.as_bytes()).unwrap();
            let [Message::Request(bytes) | Message::Question(_, _, bytes)] = &found[..] else { panic!("{method}") };
            let answer: Value = serde_json::from_slice(bytes).unwrap();
            assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(7), &json!(-32601)), "{method}");
        }
    }

    #[test]
    fn odd_messages_are_no_answers() {
        for text in ["{}", "7", "[]", "[1, null]", r#"{"id":1}"#, r#"{"id":null,"result":{}}"#, r#"{"method":"x"}"#] {
            let found = read(text.as_bytes()).unwrap();
            assert!(found.iter().all(|message| matches!(message, Message::Other)), "{text}: {found:?}");
        }
        assert!(read(b"{").is_err() && read(b"").is_err());
        let found = read(br#"[{"id":"3","result":1},{"id":null,"error":{"code":-32700}}]"#).unwrap();
        assert!(matches!(&found[..], [Message::Answer(3, Ok(_)), Message::Stray(_)]), "{found:?}");
    }
}
