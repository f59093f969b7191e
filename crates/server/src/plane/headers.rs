//! What headers of requests mean.

use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue};
use operations::{Code, Error, Precondition};

/// Names a request in logs and answers.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Makes a POST safe to send again.
pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// How the caller wants to be answered (RFC 7240).
pub(super) const PREFER: HeaderName = HeaderName::from_static("prefer");
/// Has a change only tried.
pub(super) const DRY_RUN: HeaderName = HeaderName::from_static("dry-run");

/// What web pages of allowed origins may read of an answer.
pub(super) const EXPOSED: &str = "etag, location, link, retry-after, ratelimit, ratelimit-policy, x-request-id, www-authenticate, \
idempotency-replayed, accept-encoding, allow";

/// The id of a request: the caller's own when it is a plain word, else a new one.
pub(super) fn request_id(headers: &HeaderMap) -> String {
    let own = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let plain = |id: &&str| {
        let word = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        (1..=64).contains(&id.len()) && id.chars().all(word)
    };
    own.filter(plain).map_or_else(|| uuid::Uuid::now_v7().simple().to_string(), str::to_owned)
}

/// Whether the caller asked not to wait.
pub(super) fn prefers_async(headers: &HeaderMap) -> bool {
    headers
        .get_all(PREFER)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.split([',', ';']).any(|preference| preference.trim().eq_ignore_ascii_case("respond-async")))
}

/// Refuses what is neither yes nor no where one of them is said. An option that is not understood is not dropped.
///
/// # Errors
/// `Dry-Run` says something else.
pub(super) fn check_dry_run(headers: &HeaderMap) -> Result<(), Error> {
    const WORDS: [&str; 7] = ["", "0", "?0", "false", "1", "?1", "true"];
    let known = |value: &HeaderValue| WORDS.iter().any(|word| value.as_bytes().eq_ignore_ascii_case(word.as_bytes()));
    match headers.get_all(DRY_RUN).iter().all(known) {
        true => Ok(()),
        false => Err(Error::new(Code::BadRequest, "the header `Dry-Run` says neither yes nor no")
            .hint("send `Dry-Run: true`, or leave it out")),
    }
}

/// Whether a change is only to be tried.
pub(super) fn is_dry_run(headers: &HeaderMap) -> bool {
    const NO: [&str; 4] = ["", "0", "?0", "false"];
    headers.get(DRY_RUN).is_some_and(|value| !NO.iter().any(|no| value.as_bytes().eq_ignore_ascii_case(no.as_bytes())))
}

/// What must be true of a server before it is changed.
pub(super) fn precondition(headers: &HeaderMap) -> Option<Precondition> {
    match (tags(headers, &IF_MATCH, Compared::Strongly), tags(headers, &IF_NONE_MATCH, Compared::Weakly)) {
        (Some(Tags::Any), _) => Some(Precondition::Exists),
        (Some(Tags::These(tags)), _) => Some(Precondition::Is(tags)),
        (None, Some(Tags::Any)) => Some(Precondition::Absent),
        (None, Some(Tags::These(tags))) => Some(Precondition::IsNot(tags)),
        (None, None) => None,
    }
}

/// Whether the caller has this state already.
pub(super) fn has(headers: &HeaderMap, tag: &str) -> bool {
    match tags(headers, &IF_NONE_MATCH, Compared::Weakly) {
        Some(Tags::Any) => true,
        Some(Tags::These(tags)) => tags.iter().any(|known| known == tag),
        None => false,
    }
}

/// The header that carries a tag.
pub(super) fn tag(tag: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("\"{tag}\"")).ok()
}

enum Tags {
    Any,
    These(Vec<String>),
}

/// How tags are compared (RFC 9110, section 8.8.3.2).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Compared {
    /// A weak tag is like no other.
    Strongly,
    /// A weak tag compares as its text does.
    Weakly,
}

/// The tags of a header that can be like another one, without their quotes.
fn tags(headers: &HeaderMap, name: &HeaderName, compared: Compared) -> Option<Tags> {
    let mut values = headers.get_all(name).iter().peekable();
    values.peek()?;
    let mut found = Vec::new();
    for part in values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')) {
        let part = part.trim();
        if part == "*" {
            return Some(Tags::Any);
        }
        match part.strip_prefix("W/") {
            Some(_) if compared == Compared::Strongly => {}
            Some(weak) => found.push(weak.trim_matches('"').to_owned()),
            None => found.push(part.trim_matches('"').to_owned()),
        }
    }
    Some(Tags::These(found))
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use http::header::{IF_MATCH, IF_NONE_MATCH};
    use operations::Precondition;

    use super::{has, precondition, prefers_async, request_id};

    #[test]
    fn headers_are_read() {
        let mut headers = HeaderMap::new();
        assert_eq!(precondition(&headers), None);
        headers.insert(IF_NONE_MATCH, "*".parse().unwrap());
        assert_eq!(precondition(&headers), Some(Precondition::Absent));
        headers.insert(IF_NONE_MATCH, "W/\"a\", \"b\"".parse().unwrap());
        assert!(has(&headers, "a") && has(&headers, "b") && !has(&headers, "c"));
        headers.insert(IF_MATCH, "\"x\"".parse().unwrap());
        assert_eq!(precondition(&headers), Some(Precondition::Is(vec!["x".to_owned()])));
        headers.insert(IF_MATCH, "W/\"x\", \"y\"".parse().unwrap());
        assert_eq!(precondition(&headers), Some(Precondition::Is(vec!["y".to_owned()])));
        headers.insert(IF_MATCH, "W/\"x\"".parse().unwrap());
        assert_eq!(precondition(&headers), Some(Precondition::Is(Vec::new())));
        headers.insert("prefer", "return=minimal; wait=1, respond-async".parse().unwrap());
        assert!(prefers_async(&headers));
        headers.insert("x-request-id", "abc-1".parse().unwrap());
        assert_eq!(request_id(&headers), "abc-1");
        headers.insert("x-request-id", "a b".parse().unwrap());
        assert_eq!(request_id(&headers).len(), 32);
    }
}
