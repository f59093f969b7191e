//! Answers.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, LINK, LOCATION};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};
use operations::operation::Done;
use protocol::http::Body;
use serde_json::Value;

use super::headers;

/// An answer with a body of a type.
pub(super) fn of(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let mut answer = Response::new(Body::from(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// A JSON document.
pub(super) fn json(status: StatusCode, value: &Value) -> Response<Body> {
    of(status, "application/json", format!("{value}\n"))
}

/// A page that is the same for as long as the process runs.
pub(super) struct Kept {
    text: Bytes,
    tag: String,
}

impl Kept {
    /// The page with its tag.
    pub(super) fn of(text: String) -> Self {
        Self { tag: base::Digest::of(text.as_bytes()).short().to_owned(), text: text.into() }
    }
}

/// Such a page, unless the caller has it.
pub(super) fn kept(asked: &HeaderMap, kind: &'static str, page: &Kept) -> Response<Body> {
    let mut answer = match headers::has(asked, &page.tag) {
        true => not_modified(),
        false => of(StatusCode::OK, kind, page.text.clone()),
    };
    answer.headers_mut().extend(headers::tag(&page.tag).map(|tag| (ETAG, tag)));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    answer
}

fn not_modified() -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::NOT_MODIFIED;
    answer
}

/// What an operation answered.
pub(super) fn done(method: &Method, uri: &Uri, asked: &HeaderMap, done: &Done) -> Response<Body> {
    // What was only tried was not made, and is nowhere.
    let made = done.made.as_ref().filter(|_| !headers::is_dry_run(asked));
    let status = if made.is_some() { StatusCode::CREATED } else { StatusCode::OK };
    let text = format!("{}\n", done.output);
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let tag = match &done.tag {
        Some(tag) => Some(tag.clone()),
        None if reads => Some(base::Digest::of(text.as_bytes()).short().to_owned()),
        None => None,
    };
    let unchanged = reads && tag.as_ref().is_some_and(|tag| headers::has(asked, tag));
    let mut answer = match unchanged {
        true => not_modified(),
        false => of(status, "application/json", text),
    };
    let out = answer.headers_mut();
    if let Some(tag) = tag.and_then(|tag| headers::tag(&tag)) {
        out.insert(ETAG, tag);
        out.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    }
    if let Some(made) = made.and_then(|made| HeaderValue::try_from(made).ok()) {
        out.insert(LOCATION, made);
    }
    if let Some(next) = next_page(uri, &done.output) {
        out.insert(LINK, next);
    }
    answer
}

/// Where the next page is (RFC 8288).
fn next_page(uri: &Uri, output: &Value) -> Option<HeaderValue> {
    let cursor = output.get("nextCursor")?.as_str()?;
    let kept =
        url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).filter(|(name, _)| name != "cursor");
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(kept).append_pair("cursor", cursor);
    HeaderValue::try_from(format!("<{}?{}>; rel=\"next\"", uri.path(), query.finish())).ok()
}

/// A job that was begun.
pub(super) fn job(job: &operations::jobs::Job) -> Response<Body> {
    let value = serde_json::to_value(job).unwrap_or_default();
    let mut answer = json(StatusCode::ACCEPTED, &value);
    if let Ok(place) = HeaderValue::try_from(format!("/mcp/jobs/{}", job.id)) {
        answer.headers_mut().insert(LOCATION, place);
    }
    answer.headers_mut().insert(http::header::RETRY_AFTER, HeaderValue::from_static("1"));
    answer
}
