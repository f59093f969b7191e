//! The JSON-RPC envelope: parsed once, everything in it borrowed from the body.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::code;
use crate::error::Error;

/// Nesting of arrays and objects that a message may have. Everything that later parses arguments recurses, so the bound
/// is set here, before anything is handed on.
pub const MAX_DEPTH: usize = 64;
/// Length of a request id in bytes, quotes included.
pub const MAX_ID: usize = 256;
/// Length of a method name in bytes.
pub(crate) const MAX_METHOD: usize = 128;

/// One message from the peer.
#[derive(Debug)]
pub(crate) enum Message<'a> {
    Request(Request<'a>),
    Notification(Notification<'a>),
    /// An answer to something that we asked (session-based revisions only).
    Response(Response<'a>),
}

#[derive(Debug)]
pub(crate) struct Request<'a> {
    /// The id as written: a string with its quotes, or an integer.
    pub(crate) id: &'a str,
    pub(crate) method: Cow<'a, str>,
    pub(crate) params: Option<&'a RawValue>,
}

#[derive(Debug)]
pub(crate) struct Notification<'a> {
    pub(crate) method: Cow<'a, str>,
    pub(crate) params: Option<&'a RawValue>,
}

#[derive(Debug)]
pub(crate) struct Response<'a> {
    pub(crate) id: &'a str,
    pub(crate) outcome: Result<&'a RawValue, &'a RawValue>,
}

/// Why a message was refused, with the id if it could be read.
#[derive(Debug)]
pub(crate) struct Refusal<'a> {
    pub(crate) id: Option<&'a str>,
    pub(crate) error: Error,
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<&'a RawValue>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

/// Keeps a `null` that is present apart from a member that is absent.
fn present<'de: 'a, 'a, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&'a RawValue>::deserialize(deserializer).map(Some)
}

/// A body: one message, or an array of them where the revision has batches.
pub(crate) enum Body<'a> {
    One(&'a str),
    Many(Vec<&'a RawValue>),
}

/// Looks at a body without interpreting the messages in it.
pub(crate) fn open(bytes: &[u8]) -> Result<Body<'_>, Error> {
    let text = std::str::from_utf8(bytes)
        .map_err(|fault| parse_error(format!("The body is not UTF-8: fault at byte {}", fault.valid_up_to())))?;
    check_depth(bytes)?;
    if bytes.trim_ascii_start().first() != Some(&b'[') {
        return Ok(Body::One(text));
    }
    serde_json::from_str(text).map(Body::Many).map_err(|fault| parse_error(format!("The body is not JSON: {fault}")))
}

/// Parses one message.
pub(crate) fn parse(text: &str) -> Result<Message<'_>, Refusal<'_>> {
    let wire: Wire<'_> = serde_json::from_str(text).map_err(|fault| refuse_syntax(text, &fault))?;
    let id = match wire.id {
        None => None,
        Some(raw) => Some(check_id(raw).map_err(|error| Refusal { id: None, error })?),
    };
    let refuse = |message: &'static str| Refusal { id, error: Error::invalid_request(message) };
    if wire.jsonrpc.map(RawValue::get) != Some("\"2.0\"") {
        return Err(refuse("Not a JSON-RPC 2.0 message: \"jsonrpc\" must be \"2.0\""));
    }
    let Some(method) = wire.method else {
        let outcome = match (wire.result, wire.error) {
            (Some(result), None) => Ok(result),
            (None, Some(error)) => Err(error),
            _ => return Err(refuse("A message needs \"method\", or exactly one of \"result\" and \"error\"")),
        };
        // An error that the peer could not relate to a request has no id and nobody waits for it.
        return Ok(Message::Response(Response { id: id.unwrap_or("null"), outcome }));
    };
    let method = string(method).filter(|method| !method.is_empty() && method.len() <= MAX_METHOD);
    let Some(method) = method else { return Err(refuse("\"method\" must be a string of 1 to 128 bytes")) };
    if wire.result.is_some() || wire.error.is_some() {
        return Err(refuse("A request carries neither \"result\" nor \"error\""));
    }
    let params = wire.params.filter(|raw| raw.get() != "null");
    if params.is_some_and(|raw| !raw.get().starts_with('{')) {
        return Err(Refusal { id, error: Error::invalid_params("\"params\" must be an object") });
    }
    Ok(match id {
        Some(id) => Message::Request(Request { id, method, params }),
        None => Message::Notification(Notification { method, params }),
    })
}

/// Reads a JSON string, borrowed where it has no escapes.
pub(crate) fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    let text = raw.get();
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') { serde_json::from_str(text).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(inner)) }
}

fn check_id(raw: &RawValue) -> Result<&str, Error> {
    let text = raw.get();
    if text.len() > MAX_ID {
        return Err(Error::invalid_request("The request id is longer than 256 bytes"));
    }
    let integer = || {
        let digits = text.strip_prefix('-').unwrap_or(text);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    if text.starts_with('"') || integer() {
        return Ok(text);
    }
    Err(Error::invalid_request("The request id must be a string or an integer"))
}

fn refuse_syntax<'a>(text: &'a str, fault: &serde_json::Error) -> Refusal<'a> {
    // Well-formed JSON that is no message (a number, a member given twice) is a bad request, not bad JSON.
    if serde_json::from_str::<&RawValue>(text).is_ok() {
        if !text.trim_start().starts_with('{') {
            let error = Error::invalid_request("Not a JSON-RPC message: it must be an object");
            return Refusal { id: None, error };
        }
        return Refusal { id: None, error: Error::invalid_request(format!("Not a JSON-RPC message: {fault}")) };
    }
    Refusal { id: None, error: parse_error(format!("The body is not JSON: {fault}")) }
}

fn parse_error(message: String) -> Error {
    Error::custom(code::PARSE_ERROR, message)
}

/// Refuses nesting beyond [`MAX_DEPTH`] in one pass over the bytes.
fn check_depth(bytes: &[u8]) -> Result<(), Error> {
    // Nearly every body has fewer brackets in all than it may have levels, and counting them is much cheaper.
    if bytes.iter().filter(|byte| matches!(byte, b'{' | b'[')).count() <= MAX_DEPTH {
        return Ok(());
    }
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for byte in bytes {
        if quoted {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => quoted = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => quoted = true,
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(Error::invalid_request(format!(
                        "The message is nested deeper than {MAX_DEPTH} levels"
                    )));
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Body, MAX_DEPTH, Message, open, parse};
    use crate::code;
    use crate::revision::Revision;

    fn refused(text: &str) -> i32 {
        match parse(text) {
            Ok(message) => panic!("{text} was accepted as {message:?}"),
            Err(refusal) => refusal.error.code(Revision::LATEST),
        }
    }

    #[test]
    fn requests_keep_their_id_as_written() {
        for id in ["1", "-7", "\"a\"", "\"\\u0041\"", "9007199254740993"] {
            let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
            match parse(&text) {
                Ok(Message::Request(request)) => assert_eq!(request.id, id),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn ids_that_are_null_fractional_or_structured_are_refused() {
        for id in ["null", "1.5", "1e3", "{}", "[]", "true"] {
            let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
            assert_eq!(refused(&text), code::INVALID_REQUEST, "{id}");
        }
    }

    #[test]
    fn faults_have_their_codes() {
        assert_eq!(refused("{"), code::PARSE_ERROR);
        assert_eq!(refused(""), code::PARSE_ERROR);
        assert_eq!(refused("7"), code::INVALID_REQUEST);
        assert_eq!(refused(r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#), code::INVALID_REQUEST);
        assert_eq!(refused(r#"{"id":1,"method":"ping"}"#), code::INVALID_REQUEST);
        assert_eq!(refused(r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}"#), code::INVALID_PARAMS);
        assert_eq!(refused(r#"{"jsonrpc":"2.0","id":1}"#), code::INVALID_REQUEST);
    }

    #[test]
    fn depth_is_bounded_and_brackets_in_strings_do_not_count() {
        let deep = "[".repeat(MAX_DEPTH + 1);
        assert!(open(deep.as_bytes()).is_err());
        let quoted = format!("\"{}\\\"\"", "[".repeat(500));
        assert!(matches!(open(quoted.as_bytes()), Ok(Body::One(_))));
        assert!(matches!(open(b" [1,2]"), Ok(Body::Many(items)) if items.len() == 2));
    }
}
