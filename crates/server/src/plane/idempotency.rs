//! A request with an `Idempotency-Key` is done once, however often it is sent (draft-ietf-httpapi-idempotency-key-header).

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::BodyExt as _;
use operations::kept::{self, Reply};
use operations::operation::Erased;
use operations::{Code, Context, Error};
use protocol::http::Body;
use serde_json::{Map, Value};

use super::headers::{self, IDEMPOTENCY_KEY};

/// Says that an answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Headers that are kept with an answer.
const KEPT: [HeaderName; 5] = [
    http::header::CONTENT_TYPE,
    http::header::LOCATION,
    http::header::ETAG,
    http::header::CACHE_CONTROL,
    http::header::RETRY_AFTER,
];

/// Headers that change what a request asks for.
const ASKS: [HeaderName; 4] =
    [http::header::CONTENT_TYPE, http::header::IF_MATCH, http::header::IF_NONE_MATCH, headers::PREFER];

/// What an answer carries whose request was not begun, because it, or the spec in it, cannot be used.
#[derive(Clone, Copy)]
pub(super) struct NotBegun;

/// Whether an answer is given again to whoever sends the request again. A refusal is not: it may be let in the next time. And
/// neither is a failure of this side.
pub(super) fn is_kept(status: StatusCode) -> bool {
    const REFUSALS: [StatusCode; 8] = [
        StatusCode::BAD_REQUEST,
        StatusCode::UNAUTHORIZED,
        StatusCode::FORBIDDEN,
        StatusCode::NOT_ACCEPTABLE,
        StatusCode::PRECONDITION_FAILED,
        StatusCode::PAYLOAD_TOO_LARGE,
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        StatusCode::TOO_MANY_REQUESTS,
    ];
    !status.is_server_error() && !REFUSALS.contains(&status)
}

/// Whether a failure says that nothing was begun: a spec that cannot be used is mended and sent again.
pub(super) fn is_not_begun(code: Code) -> bool {
    matches!(code, Code::InvalidSpec | Code::ReservedName | Code::NotBuilt | Code::NoIntake)
}

/// A key that was claimed: its answer has to be kept.
pub(super) struct Claimed {
    key: String,
}

/// What became of the key of a request.
pub(super) enum Key {
    /// The request has none.
    None,
    /// It is new.
    Claimed(Claimed),
    /// The answer was given before.
    Answered(Box<Response<Body>>),
}

/// Looks at the key of a request.
pub(super) async fn look(context: &Context, operation: &dyn Erased, head: &Parts, body: &Bytes) -> Result<Key, Error> {
    let mut values = head.headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(Key::None) };
    let key = value.to_str().ok().map(|key| key.trim().trim_matches('"').to_owned());
    let key = key.filter(|_| values.next().is_none()).ok_or_else(kept::no_key)?;
    let mut request = format!("{} {}\n", head.method, head.uri).into_bytes();
    for name in ASKS {
        for value in head.headers.get_all(&name) {
            request.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"].concat());
        }
    }
    request.extend_from_slice(body);
    let digest = base::Digest::of(&request).as_str().to_owned();
    Ok(match kept::claim(context, operation, &key, &digest).await? {
        None => Key::Claimed(Claimed { key }),
        Some(reply) => Key::Answered(Box::new(replayed(reply))),
    })
}

/// Keeps an answer under its key, or gives the key back: the request may be sent again then.
pub(super) async fn keep(context: &Context, claimed: Claimed, answer: Response<Body>) -> Response<Body> {
    let (head, body) = answer.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let ended = if !is_kept(head.status) || head.extensions.get::<NotBegun>().is_some() {
        kept::drop_claim(context, &claimed.key).await
    } else {
        let headers: Map<String, Value> = KEPT
            .iter()
            .filter_map(|name| Some((name.to_string(), head.headers.get(name)?.to_str().ok()?.into())))
            .collect();
        let headers = Value::Object(headers).to_string();
        let reply = Reply { status: head.status.as_u16(), headers, body: body.to_vec() };
        kept::keep(context, &claimed.key, reply).await
    };
    if let Err(error) = ended {
        tracing::error!(%error, "the answer to a request with an Idempotency-Key could not be kept");
    }
    Response::from_parts(head, Body::from(body))
}

fn replayed(reply: Reply) -> Response<Body> {
    let mut answer = Response::new(Body::from(reply.body));
    *answer.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    let headers: Map<String, Value> = serde_json::from_str(&reply.headers).unwrap_or_default();
    for (name, value) in headers {
        let value = value.as_str().and_then(|value| HeaderValue::try_from(value).ok());
        if let (Ok(name), Some(value)) = (HeaderName::try_from(name), value) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    answer
}
