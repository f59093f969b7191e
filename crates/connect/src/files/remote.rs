//! What buckets have in common: requests, keys below a prefix, errors in words.

use bytes::Bytes;

use super::content::Span;
use super::{Content, Entry, EntryKind, Job, Path, fault};
use crate::http::{Api, Body, Call, HeaderMap, Method, Reply, StatusCode};
use crate::{Error, ErrorKind};

/// A bucket behind an HTTP API.
pub(super) struct Remote {
    pub(super) name: String,
    pub(super) api: Api,
    /// Before every key; empty or ends with `/`.
    pub(super) prefix: String,
}

impl Remote {
    /// Checks a prefix as a path and gives it a `/` at its end.
    pub(super) fn prefix(name: &str, text: &str) -> Result<String, Error> {
        let path = Path::parse(text, true, None)
            .map_err(|why| fault(name, ErrorKind::Config, "open", format!("the prefix `{text}` is refused: {why}")))?;
        Ok(if path.is_root() { String::new() } else { format!("{}/", path.as_str()) })
    }

    pub(super) fn key(&self, path: &Path) -> String {
        format!("{}{}", self.prefix, path.as_str())
    }

    /// The beginning of the keys in a folder.
    pub(super) fn folder(&self, path: &Path) -> String {
        if path.is_root() { self.prefix.clone() } else { format!("{}/", self.key(path)) }
    }

    /// The path of a key, when it can be asked for.
    pub(super) fn path(&self, key: &str) -> Option<String> {
        let path = key.strip_prefix(&self.prefix)?;
        let parsed = Path::parse(path, true, None).ok()?;
        (!parsed.is_root() && parsed.as_str() == path.trim_end_matches('/')).then(|| parsed.as_str().to_owned())
    }

    /// Sends a request; an answer that is no success becomes an error.
    pub(super) async fn send(&self, what: &What<'_>, call: &Call, job: &Job) -> Result<Reply, Error> {
        let reply = self.try_send(what, call, job).await?;
        if reply.status.is_success() { Ok(reply) } else { Err(self.refused(what, &reply)) }
    }

    /// Sends a request whose answer may say that it failed.
    pub(super) async fn try_send(&self, what: &What<'_>, call: &Call, job: &Job) -> Result<Reply, Error> {
        self.api.send(call, job.deadline, &job.cancel).await.map_err(|mut error| {
            error.attempted = what.attempted;
            error
        })
    }

    pub(super) fn fault(&self, what: &What<'_>, kind: ErrorKind, message: impl Into<String>) -> Error {
        fault(&self.name, kind, what.attempted, message)
    }

    pub(super) fn missing(&self, what: &What<'_>) -> Error {
        self.fault(what, ErrorKind::Value, format!("`{}` is not there", what.path)).with_code("not_found")
    }

    pub(super) fn exists(&self, what: &What<'_>) -> Error {
        self.fault(what, ErrorKind::Constraint, format!("`{}` is there already", what.path)).with_code("exists")
    }

    pub(super) fn changed(&self, what: &What<'_>) -> Error {
        let message = format!("`{}` was changed or deleted meanwhile", what.path);
        self.fault(what, ErrorKind::Constraint, message).with_code("changed")
    }

    /// An answer that is no success, in words. The store's own words are in it, cut.
    fn refused(&self, what: &What<'_>, reply: &Reply) -> Error {
        let (code, text) = reason(&reply.body);
        let said = match (code.as_str(), text.as_str()) {
            ("", "") => format!("the store answered {}", reply.status),
            ("", text) => format!("the store answered {}: {text}", reply.status),
            (code, text) => format!("the store answered {code} ({}): {text}", reply.status.as_u16()),
        };
        let status = reply.status;
        match status.as_u16() {
            404 if code == "NoSuchBucket" => self.fault(what, ErrorKind::Config, said),
            404 => self.missing(what),
            412 | 409 if what.new => self.exists(what),
            412 => self.changed(what),
            401 | 403 => self.fault(what, ErrorKind::Denied, said).with_code("permission"),
            408 | 429 | 500 | 502 | 503 | 504 => self.fault(what, ErrorKind::Transient, said),
            301 | 307 => {
                let mut error = self.fault(what, ErrorKind::Config, said);
                error.hint = Some("the bucket is in another region".to_owned());
                error
            }
            _ => self.fault(what, ErrorKind::Other, said),
        }
    }

    /// What a reading request gave.
    pub(super) fn content(
        &self,
        what: &What<'_>,
        reply: Reply,
        span: Span,
        mut entry: Entry,
    ) -> Result<Content, Error> {
        let headers = &reply.headers;
        let range = header(headers, "content-range").and_then(|range| range.rsplit_once('/')?.1.parse().ok());
        let total = range.unwrap_or(span.offset.min(reply.body.len() as u64) + reply.body.len() as u64);
        // A store that knows no ranges gives the whole.
        let bytes = if reply.status == StatusCode::PARTIAL_CONTENT {
            reply.body
        } else {
            let from = usize::try_from(span.offset).unwrap_or(usize::MAX).min(reply.body.len());
            let rest = reply.body.slice(from..);
            let most = usize::try_from(span.most).unwrap_or(usize::MAX).min(rest.len());
            rest.slice(..most)
        };
        let total = if reply.status == StatusCode::PARTIAL_CONTENT { range } else { Some(total) };
        span.check(&self.name, what.path, total.unwrap_or(0))?;
        entry.size = total;
        Ok(Content { entry, bytes, offset: span.offset, total, connection: self.name.clone() })
    }

    /// A content without bytes: the file ends before the first one that was asked for.
    pub(super) fn nothing(&self, entry: Entry, span: Span) -> Content {
        let total = entry.size;
        Content { entry, bytes: Bytes::new(), offset: span.offset, total, connection: self.name.clone() }
    }
}

/// What is attempted, for errors.
pub(super) struct What<'a> {
    pub(super) attempted: &'static str,
    pub(super) path: &'a str,
    /// Whether the file must not be there.
    pub(super) new: bool,
}

impl<'a> What<'a> {
    pub(super) fn new(attempted: &'static str, path: &'a str) -> Self {
        Self { attempted, path, new: false }
    }
}

/// Most characters of a store's own words.
const WORDS: usize = 300;

/// Code and text of an error, in XML (S3) or JSON (Google).
fn reason(body: &[u8]) -> (String, String) {
    let cut = |text: &str| text.chars().take(WORDS).map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    if let Ok(root) = super::s3::xml::parse(body) {
        return (cut(root.text("Code")), cut(root.text("Message")));
    }
    let json: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let error = &json["error"];
    let text = error["message"].as_str().or_else(|| error.as_str()).unwrap_or_default();
    (String::new(), cut(text))
}

pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// A file as the headers of an answer tell of it.
pub(super) fn described(path: &str, headers: &HeaderMap) -> Entry {
    let mut entry = Entry::new(path, EntryKind::File);
    entry.size = header(headers, "content-length").and_then(|length| length.parse().ok());
    entry.modified = header(headers, "last-modified")
        .and_then(|time| chrono::DateTime::parse_from_rfc2822(time).ok())
        .map(|time| time.to_utc());
    entry.version = header(headers, "etag").map(|tag| tag.trim_matches('"').to_owned());
    if let Some(kind) =
        header(headers, "content-type").filter(|kind| *kind != super::media::UNKNOWN && !kind.is_empty())
    {
        entry.media_type = Some(kind.to_owned());
    }
    entry
}

/// A request with bytes.
pub(super) fn put(method: Method, path: String, bytes: Bytes, media_type: &str) -> Call {
    let mut call = Call::new(method, path);
    call.body = Body::Raw { content_type: media_type.to_owned(), bytes };
    call
}
