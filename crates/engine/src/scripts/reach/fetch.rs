//! `fetch` as scripts know it, and pages of HTML as Markdown.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use connect::http::{Api, Body, Call, Fetched, Method, Redirects};
use script::HostError;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::super::host::{ScriptHost, told};
use super::{refuse, silent};
use crate::markup;
use crate::outcome::FailureKind;

/// The global function.
pub(super) const FETCH: &str = "fetch";
/// The function beside `log` and `sleep`.
pub(crate) const MARKDOWN: &str = "markdown";
/// Pages from this size on are converted on a thread for long work, bytes.
const LONG_PAGE_BYTES: usize = 64 * 1024;

/// A request as the script's `fetch` hands it on.
#[derive(Deserialize)]
struct Init {
    method: String,
    headers: Vec<(String, String)>,
    redirect: Redirect,
    text: Option<String>,
    base64: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Redirect {
    Follow,
    Manual,
    Error,
}

pub(super) async fn call(api: &Arc<Api>, host: &ScriptHost<'_>, arguments: &str) -> Result<Bytes, HostError> {
    let (url, init): (String, Init) =
        serde_json::from_str(arguments).map_err(|error| refuse(FailureKind::Value, format!("`fetch`: {error}")))?;
    let call = request(&url, init, host)?;
    let fetched = api.fetch(&call, host.deadline().into(), host.context.cancel).await;
    let fetched = fetched.map_err(|error| {
        let HostError { code, .. } = told(&error, true);
        HostError { message: format!("fetch failed: {}", host.mask.text(&error.message)), code }
    })?;
    Ok(answer(host, fetched))
}

fn request(url: &str, init: Init, host: &ScriptHost<'_>) -> Result<Call, HostError> {
    let value = |why: String| refuse(FailureKind::Value, why);
    let method: Method =
        init.method.parse().map_err(|_| value(format!("`{}` is no method of a request", init.method)))?;
    if !host.writes() && ![Method::GET, Method::HEAD, Method::OPTIONS].contains(&method) {
        return Err(silent(&format!("`fetch` with {method}")));
    }
    if matches!(method, Method::CONNECT | Method::TRACE) {
        return Err(value(format!("`fetch` does not send {method}")));
    }
    let mut call = Call::whole(method, url);
    let is_type = |name: &str| name.eq_ignore_ascii_case("content-type");
    let kind = init.headers.iter().find(|(name, _)| is_type(name)).map(|(_, value)| value.clone());
    call.headers = init.headers.into_iter().filter(|(name, _)| !is_type(name)).collect();
    call.body = match (init.text, init.base64) {
        (Some(text), _) => Body::Raw {
            content_type: kind.unwrap_or_else(|| "text/plain;charset=UTF-8".to_owned()),
            bytes: text.into(),
        },
        (None, Some(text)) => {
            let bytes = STANDARD.decode(text).map_err(|error| value(format!("the body is no Base64: {error}")))?;
            Body::Raw {
                content_type: kind.unwrap_or_else(|| "application/octet-stream".to_owned()),
                bytes: bytes.into(),
            }
        }
        (None, None) => {
            call.headers.extend(kind.map(|kind| ("content-type".to_owned(), kind)));
            Body::None
        }
    };
    call.redirects = match init.redirect {
        Redirect::Follow => Redirects::Follow,
        Redirect::Manual => Redirects::Keep,
        Redirect::Error => Redirects::Refuse,
    };
    Ok(call)
}

/// The answer without the secrets of the server: a script could hand them on in a form in which they are not found again.
fn answer(host: &ScriptHost<'_>, fetched: Fetched) -> Bytes {
    let Fetched { reply, url, redirected } = fetched;
    let text = |bytes: &[u8]| host.mask.text(&String::from_utf8_lossy(bytes)).into_owned();
    let headers: Vec<(&str, String)> =
        reply.headers.iter().map(|(name, value)| (name.as_str(), text(value.as_bytes()))).collect();
    let body = host.mask.bytes(&reply.body);
    let mut value = json!({
        "status": reply.status.as_u16(),
        "statusText": reply.status.canonical_reason().unwrap_or_default(),
        "url": host.mask.text(&url),
        "redirected": redirected,
        "headers": headers,
    });
    match std::str::from_utf8(&body) {
        // As the WHATWG decodes UTF-8: a mark of its byte order is no text. The bytes have it.
        Ok(text) if !text.starts_with('\u{feff}') => value["text"] = text.into(),
        _ => {
            let text = String::from_utf8_lossy(&body);
            value["text"] = text.strip_prefix('\u{feff}').unwrap_or(&text).into();
            value["base64"] = STANDARD.encode(&body).into();
        }
    }
    value.to_string().into()
}

/// `await markdown(html, {url})`.
pub(super) async fn markdown(arguments: &str) -> Result<Bytes, HostError> {
    #[derive(Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Options {
        url: Option<String>,
    }
    let usage =
        || refuse(FailureKind::Value, format!("`{MARKDOWN}(html, {{url}})` takes a text, and the URL of the page"));
    let mut given = serde_json::from_str::<Vec<Value>>(arguments).map_err(|_| usage())?.into_iter();
    let (Some(Value::String(html)), options) = (given.next(), given.next().unwrap_or_default()) else {
        return Err(usage());
    };
    let options: Option<Options> = serde_json::from_value(options).map_err(|_| usage())?;
    let page = options.and_then(|options| options.url).map(|url| Url::parse(&url));
    let page = page
        .transpose()
        .map_err(|error| refuse(FailureKind::Value, format!("`{MARKDOWN}`: the URL is none: {error}")))?;
    let convert = move || Bytes::from(Value::from(markup::markdown(&html, page.as_ref())).to_string());
    if arguments.len() < LONG_PAGE_BYTES {
        return Ok(convert());
    }
    let done = tokio::task::spawn_blocking(convert).await;
    done.map_err(|_| refuse(FailureKind::Internal, "the page could not be converted".to_owned()))
}
