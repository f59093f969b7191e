//! Requests to HTTP APIs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::limits;
use crate::sql::Effects;

/// A request to the HTTP API of the tool's connection. A text is short for method and path: `http: GET /users/{id}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Http {
    /// The method.
    #[serde(default = "default_method")]
    pub method: String,
    /// Path below the connection's URL: `/users/{id}` with parameters of the tool. A value is encoded and stays in its
    /// segment; `{+name}` may hold several segments. One of `path` and `url` is needed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// A whole URL in place of a path: `{+name}` is a parameter that holds one; `https://other.example.com/users/{id}` has
    /// parameters in its path. It may lead to the connection's own host and to those of its `hosts`. The credentials of the
    /// connection are shown to its own host alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Parameters of the query, a value template. A list repeats its key; what is absent is left out.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub query: Map<String, Value>,
    /// Headers besides those of the connection, a value template.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub headers: Map<String, Value>,
    /// What is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<HttpBody>,
    /// What the answer is read as.
    #[serde(default)]
    pub result: HttpResult,
    /// The part of a JSON answer that is the result: a path (`$.data.items[*].id`) or a pointer (`/data/items`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub select: Option<String>,
    /// What a status means to the caller, by status (`404`) or class (`4xx`): a text, in which `{{ status }}` and
    /// `{{ body }}` can be used.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub errors: BTreeMap<String, String>,
    /// How a stream of events becomes an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<HttpEvents>,
    /// Follows the pages of an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<HttpPages>,
    /// Whether sending it twice is as good as once, so that it may be tried again. Default: by the method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotent: Option<bool>,
}

impl Http {
    /// The path or the whole URL, as it is written.
    pub fn target(&self) -> &str {
        self.url.as_deref().unwrap_or(&self.path)
    }

    /// What a request does to the world, by its method (RFC 9110, section 9.2; RFC 5789).
    pub fn effects(&self) -> Effects {
        let safe = matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS");
        let twice = safe || matches!(self.method.as_str(), "PUT" | "DELETE");
        Effects {
            read_only: safe,
            destructive: matches!(self.method.as_str(), "PUT" | "PATCH" | "DELETE"),
            idempotent: self.idempotent.unwrap_or(twice),
        }
    }
}

fn default_method() -> String {
    "GET".to_owned()
}

/// What a request carries. Exactly one of its keys.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HttpBody {
    /// JSON, a value template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json: Option<Value>,
    /// `application/x-www-form-urlencoded`, a value template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<Map<String, Value>>,
    /// `multipart/form-data`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multipart: Option<Vec<HttpPart>>,
    /// A text, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Bytes in Base64, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    /// Media type of `text` or `base64`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
}

/// A part of a multipart body. One of `text` and `base64`; a part whose value is absent is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpPart {
    /// The field's name.
    pub name: String,
    /// A text, a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Bytes in Base64, a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    /// The file's name, a template, for a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// The media type, a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
}

/// What an answer is read as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HttpResult {
    /// By its media type: JSON, text, or a picture, sound or file.
    #[default]
    Auto,
    /// JSON.
    Json,
    /// Text.
    Text,
    /// Text; a page of HTML is written as Markdown, without its scripts, styles and forms.
    Markdown,
    /// A picture, a sound, or a file.
    File,
    /// `{status, headers, body}`, whatever the status: nothing of it is an error.
    Full,
    /// The status alone: `{"status": 204}`.
    Status,
}

/// How a stream of events (`text/event-stream`) becomes an answer: a list of `{event, data}`, with `data` read as JSON where
/// it is JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpEvents {
    /// Names of the events that are kept; all when empty. An event without a name is a `message`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keep: Vec<String>,
    /// The event of this name ends the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_event: Option<String>,
    /// An event with this data, such as `[DONE]`, ends the stream. It is not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_data: Option<String>,
    /// Joins a text of each event, picked by a path such as `$.choices[0].delta.content`, into one text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join: Option<String>,
    /// Most events that are kept.
    #[serde(default = "default_events")]
    pub max: u64,
}

fn default_events() -> u64 {
    limits::HTTP_EVENTS
}

/// Follows the pages of an answer; the result is the list of all items.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpPages {
    /// How the next page is found.
    pub by: HttpTurn,
    /// Where the items are in each answer, a path or a pointer. Default: the answer itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<String>,
    /// The query's parameter for `page`, `offset` and `cursor`. Default: the word itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// Where the cursor or the URL of the next page is in an answer, for `cursor` and `next`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Number of the first page, for `page`.
    #[serde(default = "default_first")]
    pub first: u64,
    /// Most pages.
    #[serde(default = "default_pages")]
    pub max: u64,
}

fn default_first() -> u64 {
    1
}

fn default_pages() -> u64 {
    limits::HTTP_PAGES
}

/// How the next page of an HTTP answer is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HttpTurn {
    /// A number of the page in the query; a page without items is the last.
    Page,
    /// How many items were seen, in the query; a page without items is the last.
    Offset,
    /// A cursor from the answer, in the query.
    Cursor,
    /// The header `Link` with `rel="next"` (RFC 8288).
    Link,
    /// A URL in the answer.
    Next,
}
