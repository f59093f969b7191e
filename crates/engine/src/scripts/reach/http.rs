//! HTTP APIs as a script sees them: `await api.get('/users/{id}', {params: {id: 7}})`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use connect::http::{Api, Body, Call, Events, Method, PathTemplate, Reply};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use spec::expression::plain;

use super::super::host::{ScriptHost, told};
use super::refuse;
use crate::errors::of_status;
use crate::outcome::FailureKind;
use script::HostError;

/// The functions of an API. All but `request` give the body of a successful answer and throw for any other; `request` gives
/// `{status, headers, body}` whatever the status; `fingerprint` sends nothing.
pub(super) const FUNCTIONS: [&str; 8] = ["get", "head", "post", "put", "patch", "delete", "request", FINGERPRINT];
/// Gives a word that is another one for every account.
const FINGERPRINT: &str = "fingerprint";

/// What a request has beside its path.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Options {
    method: Option<String>,
    params: Map<String, Value>,
    query: Map<String, Value>,
    headers: Map<String, Value>,
    json: Option<Value>,
    form: Option<Map<String, Value>>,
    text: Option<String>,
    idempotent: Option<bool>,
    /// Longest wait for the whole answer; the deadline of the call ends it anyhow.
    timeout_ms: Option<u64>,
    /// Longest wait for its turn, where the connection has `limits.concurrency`; the code is `busy` then, and nothing was sent.
    turn_ms: Option<u64>,
    /// How a stream of events is read. Without it a stream is a text.
    events: Option<Stream>,
}

/// Which events of a stream are given.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Stream {
    keep: Vec<String>,
    done_event: Option<String>,
    done_data: Option<String>,
    max: Option<usize>,
    unfinished: bool,
}

impl From<Stream> for Events {
    fn from(stream: Stream) -> Self {
        let max = usize::try_from(spec::limits::HTTP_EVENTS_MAX).unwrap_or(usize::MAX);
        Self {
            keep: stream.keep,
            done_event: stream.done_event,
            done_data: stream.done_data,
            max: stream.max.unwrap_or(max).min(max),
            unfinished: stream.unfinished,
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Arguments {
    Bare((String,)),
    With((String, Option<Box<Options>>)),
}

pub(super) async fn call(
    api: &Arc<Api>,
    host: &ScriptHost<'_>,
    connection: &str,
    name: &str,
    arguments: &str,
) -> Result<Bytes, HostError> {
    if name == FINGERPRINT {
        let message = || format!("`{connection}.{name}(salt)` takes a text");
        let (salt,): (String,) = serde_json::from_str(arguments).map_err(|_| refuse(FailureKind::Value, message()))?;
        return Ok(Value::from(api.fingerprint(salt.as_bytes())).to_string().into());
    }
    let (path, options) = match serde_json::from_str(arguments) {
        Ok(Arguments::Bare((path,))) => (path, Options::default()),
        Ok(Arguments::With((path, options))) => (path, options.map(|options| *options).unwrap_or_default()),
        Err(_) => {
            let message = format!(
                "`{connection}.{name}(path, options)` takes a path and an object with `params`, `query`, `headers`, `json`, `form`, `text`, `timeoutMs`, `turnMs`, `events`, `idempotent`"
            );
            return Err(refuse(FailureKind::Value, message));
        }
    };
    let until = options.timeout_ms.map(|time| Instant::now() + Duration::from_millis(time));
    let until = until.map_or(host.deadline(), |until| until.min(host.deadline()));
    let mut call = request(name, &path, options, host.writes())?;
    call.subject = host.context.upstream(api.subject());
    let reply = api.send(&call, until.into(), host.context.cancel).await.map_err(|error| told(&error, true))?;
    if name == "request" {
        return Ok(whole(&reply));
    }
    if !reply.status.is_success() {
        let said: String = reply.text().chars().take(crate::limits::UPSTREAM_CHARS_MAX).collect();
        let message = format!("`{connection}` answered {} to {} {path}: {said}", reply.status.as_u16(), call.method);
        return Err(refuse(of_status(reply.status), message));
    }
    Ok(body(&reply))
}

fn request(name: &str, path: &str, options: Options, writes: bool) -> Result<Call, HostError> {
    let method = if name == "request" { options.method.as_deref().unwrap_or("GET") } else { name };
    let method: Method = method
        .to_ascii_uppercase()
        .parse()
        .map_err(|_| refuse(FailureKind::Value, format!("`{method}` is no method of a request")))?;
    if !writes && ![Method::GET, Method::HEAD, Method::OPTIONS].contains(&method) {
        let message = format!(
            "{method} may change data, and the tool does not say that it writes: `script: {{code: …, write: true}}`"
        );
        return Err(refuse(FailureKind::Denied, message));
    }
    let bad = |error: connect::http::PathError| refuse(FailureKind::Value, error.to_string());
    let params: Vec<(String, String)> =
        options.params.into_iter().filter_map(|(name, value)| Some((name, plain(value)?))).collect();
    let value = |name: &str| params.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let mut call = if path.starts_with("https://") || path.starts_with("http://") {
        Call::whole(method, path)
    } else if path.is_empty() {
        // The connection's URL itself.
        Call::new(method, "")
    } else {
        Call::new(method, PathTemplate::parse(path).and_then(|template| template.fill(value)).map_err(bad)?)
    };
    call.query = pairs(options.query);
    call.headers = pairs(options.headers);
    call.idempotent = options.idempotent;
    call.turn = options.turn_ms.map(Duration::from_millis);
    call.events = options.events.map(Events::from);
    call.body = match (options.json, options.form, options.text) {
        (None, None, None) => Body::None,
        (Some(json), None, None) => Body::Json(json.to_string().into()),
        (None, Some(form), None) => Body::Form(pairs(form)),
        (None, None, Some(text)) => {
            Body::Raw { content_type: "text/plain; charset=utf-8".to_owned(), bytes: text.into() }
        }
        _ => {
            let message = "a request carries one of `json`, `form` and `text`".to_owned();
            return Err(refuse(FailureKind::Value, message));
        }
    };
    Ok(call)
}

/// Texts by name; a list repeats its name, and null is left out.
fn pairs(values: Map<String, Value>) -> Vec<(String, String)> {
    let each = values.into_iter().flat_map(|(name, value)| {
        let texts = match value {
            Value::Array(items) => items.into_iter().filter_map(plain).collect(),
            other => plain(other).into_iter().collect::<Vec<_>>(),
        };
        texts.into_iter().map(move |text| (name.clone(), text))
    });
    each.collect()
}

/// The events of a stream; JSON as it is, anything else as text.
fn body(reply: &Reply) -> Bytes {
    if let Some(events) = &reply.events {
        let each = events.iter().map(|one| json!({ "event": one.event, "data": one.data, "id": one.id }));
        return Value::from_iter(each).to_string().into();
    }
    match serde_json::from_slice::<&serde_json::value::RawValue>(&reply.body) {
        Ok(_) => reply.body.clone(),
        Err(_) if reply.body.is_empty() => Bytes::from_static(b"null"),
        Err(_) => Value::from(reply.text()).to_string().into(),
    }
}

fn whole(reply: &Reply) -> Bytes {
    let headers: Map<String, Value> = reply
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into()))
        .collect();
    let body: Value = serde_json::from_slice(&body(reply)).unwrap_or_default();
    json!({ "status": reply.status.as_u16(), "headers": headers, "body": body }).to_string().into()
}
