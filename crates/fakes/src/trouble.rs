//! Answers that are spoiled on demand, in the ways in which real ones were seen to be.

use bytes::Bytes;
use http::header::LOCATION;
use serde::Deserialize;
use serde_json::{Value, json};
use shim::http::{Request, Response, cut_short, hang_up, json_answer, text_answer, whole_body, with_header};

/// Size of a message that is too long, bytes.
const HUGE_BYTES: usize = 10 << 20;
/// How far a clock is off, milliseconds.
const SKEW_MS: i64 = 3 * 3_600_000;

/// How a good answer is spoiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Spoil {
    /// The connection ends without an answer.
    Hangup,
    /// The connection ends in the middle of the body.
    Cut,
    /// A success without a body.
    Empty,
    /// A success with a body that is no JSON.
    Text,
    /// A success with the body `null`.
    Null,
    /// Values have types that they should not have.
    Types,
    /// Every page says that there is another one, behind the same cursor.
    Loop,
    /// What is on a page stands there twice.
    Duplicates,
    /// What is on a page stands there in the other order.
    Reversed,
    /// Sessions have a status that nobody documents.
    Status,
    /// Messages are very long.
    Huge,
    /// Times are those of a clock that is wrong.
    Skew,
    /// The answer holds the key of the request.
    Key,
    /// The answer sends the caller to another host.
    Redirect,
}

impl Spoil {
    /// The request as it is answered: a list in a circle has only its first page.
    pub(crate) fn request(self, mut request: Request) -> Request {
        if self == Self::Loop {
            request.query =
                request.query.split('&').filter(|pair| !pair.starts_with("cursor=")).collect::<Vec<_>>().join("&");
        }
        request
    }

    /// The spoiled answer.
    pub(crate) async fn answer(self, request: &Request, good: Response) -> Response {
        let status = good.status().as_u16();
        let body = match self {
            Self::Hangup => return hang_up(),
            Self::Empty => return text_answer(status, "application/json", ""),
            Self::Text => return text_answer(status, "text/plain", "It works!"),
            Self::Null => return json_answer(status, &Value::Null),
            Self::Key => {
                let shown = request.header("authorization").unwrap_or_default();
                return json_answer(
                    500,
                    &json!({ "detail": format!("no worker for {shown}"), "request": { "headers": { "authorization": shown } } }),
                );
            }
            Self::Redirect => {
                return with_header(
                    text_answer(307, "text/plain", ""),
                    LOCATION.as_str(),
                    "http://127.0.0.1:9/api/v0/sessions",
                );
            }
            _ => whole_body(good).await,
        };
        if self == Self::Cut {
            return cut(status, &body);
        }
        let Ok(mut value) = serde_json::from_slice::<Value>(&body) else {
            return text_answer(status, "text/plain", body);
        };
        self.spoil(&mut value);
        json_answer(status, &value)
    }

    fn spoil(self, value: &mut Value) {
        match self {
            Self::Loop => {
                value["pagination"] = json!({ "hasMore": true, "nextCursor": "again" });
            }
            Self::Duplicates | Self::Reversed => {
                for list in ["sessions", "messages", "computers"] {
                    let Some(items) = value.get_mut(list).and_then(Value::as_array_mut) else { continue };
                    if self == Self::Duplicates {
                        items.extend(items.clone());
                    }
                    items.reverse();
                }
            }
            _ => self.each(value),
        }
    }

    /// Spoils every value by its key.
    fn each(self, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.each(item)),
            Value::Object(fields) => {
                for (key, value) in fields.iter_mut() {
                    match (self, key.as_str()) {
                        (Self::Status, "status") => *value = "hibernating".into(),
                        (Self::Huge, "text") => *value = "x".repeat(HUGE_BYTES).into(),
                        (Self::Skew, "createdAt" | "updatedAt" | "completedAt") => {
                            *value = (value.as_i64().unwrap_or_default() - SKEW_MS).into();
                        }
                        (Self::Types, "messageCount") => *value = "many".into(),
                        (Self::Types, "createdAt" | "updatedAt" | "completedAt") => *value = json!("yesterday"),
                        (Self::Types, "content") => *value = json!([7, null, { "type": 1 }]),
                        (Self::Types, "title" | "name" | "computerId") => *value = json!({ "is": "an object" }),
                        (Self::Types, "tags" | "tokenUsage" | "providerType") => *value = json!("a text"),
                        _ => self.each(value),
                    }
                }
            }
            _ => {}
        }
    }
}

/// The first half of a body that says that it is whole.
fn cut(status: u16, body: &Bytes) -> Response {
    cut_short(status, body.slice(..body.len() / 2), body.len().max(2))
}
