//! A result from the answer of an API.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use connect::http::{Call, Collected, Event, Fetched, Reply, StatusCode};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use spec::expression::{Scope, Template};
use spec::model::HttpResult;

use super::HttpAction;
use crate::errors::{self, Answered};
use crate::markup;
use crate::outcome::{Content, Failure, Outcome};
use crate::shape;
use crate::toolset::{Tool, Toolset};

type Attempt<T> = Result<T, Box<Failure>>;

/// What a status means to the caller.
#[derive(Debug)]
pub(super) struct Rule {
    /// `404`, or `4xx`.
    pub(super) status: Box<str>,
    pub(super) text: Template,
}

impl Rule {
    fn fits(&self, status: StatusCode) -> bool {
        let text = status.as_str();
        *self.status == *text || (self.status.ends_with("xx") && self.status.as_bytes()[0] == text.as_bytes()[0])
    }
}

/// The result of one answer. Only the author's words about a failure look names up in the scope.
pub(super) fn one(
    set: &Toolset,
    tool: &Tool,
    action: &HttpAction,
    call: &Call,
    (Fetched { reply, url, .. }, scope): (Fetched, Scope),
) -> Attempt<Outcome> {
    match action.result {
        HttpResult::Full => return json_result(set, tool, action, full(&reply)),
        HttpResult::Status => return json_result(set, tool, action, json!({ "status": reply.status.as_u16() })),
        _ => refuse(tool, action, &reply, scope)?,
    }
    if let Some(events) = &reply.events {
        let outcome = from_events(set, tool, action, events)?;
        return Ok(if reply.truncated { truncated(outcome, events.len(), "events") } else { outcome });
    }
    let kind = media_type(&reply);
    match action.result {
        HttpResult::Json => from_json(set, tool, action, &reply),
        HttpResult::Text => text(set, tool, &body_text(&reply)),
        HttpResult::Markdown => text(set, tool, &page(&reply, &url)),
        HttpResult::File => file(set, tool, action, call, &reply, &kind),
        _ if action.select.is_some() || is_json(&kind) => from_json(set, tool, action, &reply),
        _ if reply.body.is_empty() => json_result(set, tool, action, json!({ "status": reply.status.as_u16() })),
        _ if is_text(&kind) => text(set, tool, &body_text(&reply)),
        _ => file(set, tool, action, call, &reply, &kind),
    }
}

/// The result of all pages.
pub(super) fn pages(
    set: &Toolset,
    tool: &Tool,
    action: &HttpAction,
    found: Collected,
    scope: Scope,
) -> Attempt<Outcome> {
    refuse(tool, action, &found.last, scope)?;
    let count = found.items.len();
    let outcome = json_result(set, tool, action, Value::Array(found.items))?;
    let outcome = Outcome { rows: count, ..outcome };
    Ok(if found.truncated { truncated(outcome, count, "items") } else { outcome })
}

/// An answer whose status is no success is an error, by the author's words or ours.
fn refuse(tool: &Tool, action: &HttpAction, reply: &Reply, scope: Scope) -> Attempt<()> {
    let rule = action.rules.iter().find(|rule| rule.fits(reply.status));
    if reply.status.is_success() && rule.is_none() {
        return Ok(());
    }
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_else(|_| Value::String(body_text(reply)));
    let told = rule.map(|rule| {
        let scope = scope.with("status", &json!(reply.status.as_u16())).with("body", &body);
        rule.text.text(&scope).map_err(|fault| errors::template(tool, "errors", &fault)).map(Option::unwrap_or_default)
    });
    Err(errors::answered(
        tool,
        Answered { connection: &action.connection, status: reply.status, body: &body },
        told.transpose()?,
    ))
}

fn from_json(set: &Toolset, tool: &Tool, action: &HttpAction, reply: &Reply) -> Attempt<Outcome> {
    if action.select.is_none() {
        // Copied as it is, once it is known to be JSON.
        let raw: &RawValue = serde_json::from_slice(&reply.body).map_err(|error| no_json(tool, action, &error))?;
        return finish(set, tool, Bytes::copy_from_slice(raw.get().as_bytes()));
    }
    let value: Value = serde_json::from_slice(&reply.body).map_err(|error| no_json(tool, action, &error))?;
    json_result(set, tool, action, value)
}

fn no_json(tool: &Tool, action: &HttpAction, error: &serde_json::Error) -> Box<Failure> {
    errors::unreadable(tool, &action.connection, &format!("it is no JSON ({error})"))
}

/// A JSON value, of which a part may be selected.
fn json_result(set: &Toolset, tool: &Tool, action: &HttpAction, value: Value) -> Attempt<Outcome> {
    let value = match &action.select {
        None => value,
        Some((select, written)) => {
            let missing = || errors::unreadable(tool, &action.connection, &format!("it has no `{written}`"));
            select.pick(&value).ok_or_else(missing)?
        }
    };
    finish(set, tool, Bytes::from(value.to_string()))
}

fn finish(set: &Toolset, tool: &Tool, json: Bytes) -> Attempt<Outcome> {
    if json.len() > set.raw_bytes(tool) {
        return Err(errors::too_many_bytes(tool, json.len(), set.raw_bytes(tool)));
    }
    shape::conforms(tool, &json)?;
    Ok(Outcome::structured(json))
}

/// A text; where an output schema is known it is the structured result too.
fn text(set: &Toolset, tool: &Tool, text: &str) -> Attempt<Outcome> {
    if tool.output.is_some() {
        return finish(set, tool, Bytes::from(Value::from(text).to_string()));
    }
    if text.len() > set.raw_bytes(tool) {
        return Err(errors::too_many_bytes(tool, text.len(), set.raw_bytes(tool)));
    }
    Ok(Outcome::content(Content::Text(text.to_owned())))
}

/// A picture, a sound, or a file in place.
fn file(set: &Toolset, tool: &Tool, action: &HttpAction, call: &Call, reply: &Reply, kind: &str) -> Attempt<Outcome> {
    let size = reply.body.len();
    if size.saturating_mul(4) / 3 > set.raw_bytes(tool) {
        return Err(errors::too_many_bytes(tool, size.saturating_mul(4) / 3, set.raw_bytes(tool)));
    }
    let uri = match &call.whole {
        Some(url) => url.clone(),
        None => format!("mcp-factory://{}/{}{}", set.about.name, action.connection, call.path),
    };
    Ok(Outcome::content(Content::of_bytes(&reply.body, kind, uri)))
}

/// A page as Markdown; any other text as it is.
fn page(reply: &Reply, url: &str) -> String {
    let kind = reply.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let text = markup::text_of(&reply.body, kind);
    if !markup::is_html(&media_type(reply), &text) {
        return text.into_owned();
    }
    markup::markdown(&text, url::Url::parse(url).ok().as_ref())
}

fn from_events(set: &Toolset, tool: &Tool, action: &HttpAction, events: &[Event]) -> Attempt<Outcome> {
    let data = |event: &Event| serde_json::from_str(&event.data).unwrap_or_else(|_| Value::from(event.data.as_str()));
    if let Some(join) = &action.join {
        let texts = events.iter().filter_map(|event| spec::expression::plain(join.pick(&data(event))?));
        return text(set, tool, &texts.collect::<String>());
    }
    let list = events.iter().map(|event| {
        let mut one = json!({ "event": event.event, "data": data(event) });
        if let Some(id) = &event.id {
            one["id"] = id.as_str().into();
        }
        one
    });
    json_result(set, tool, action, list.collect())
}

fn full(reply: &Reply) -> Value {
    let mut headers = Map::new();
    for (name, value) in &reply.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        match headers.get_mut(name.as_str()) {
            Some(Value::String(known)) => {
                known.push_str(", ");
                known.push_str(&value);
            }
            _ => drop(headers.insert(name.as_str().to_owned(), value.into())),
        }
    }
    let kind = media_type(reply);
    let body = match serde_json::from_slice(&reply.body) {
        Ok(value) if is_json(&kind) => value,
        _ if reply.body.is_empty() => Value::Null,
        _ if is_text(&kind) || kind.is_empty() => body_text(reply).into(),
        _ => json!({ "base64": STANDARD.encode(&reply.body) }),
    };
    json!({ "status": reply.status.as_u16(), "headers": headers, "body": body })
}

/// Tells that there is more, as lists of rows do.
fn truncated(mut outcome: Outcome, count: usize, what: &str) -> Outcome {
    let text =
        format!("Only the first {count} {what} are shown; there are more. Narrow the arguments to see those you need.");
    outcome.content.push(Content::Text(text));
    outcome.meta = Some(Bytes::from(json!({ "mcp-factory/truncated": { what: count } }).to_string()));
    outcome
}

fn body_text(reply: &Reply) -> String {
    reply.text().into_owned()
}

/// The media type of an answer, without its parameters, in lower case.
fn media_type(reply: &Reply) -> String {
    let value = reply.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn is_json(kind: &str) -> bool {
    kind == "application/json" || kind.ends_with("+json")
}

fn is_text(kind: &str) -> bool {
    kind.starts_with("text/")
        || kind.ends_with("+xml")
        || matches!(kind, "application/xml" | "application/yaml" | "application/x-ndjson" | "application/javascript")
}
