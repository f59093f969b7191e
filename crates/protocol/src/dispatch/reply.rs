//! Answers, ready to be sent by any transport.

use ::http::StatusCode;
use bytes::Bytes;
use smallvec::SmallVec;

use crate::code;
use crate::error::Error;
use crate::revision::Revision;

/// Bytes of a message, in pieces so that shared ones need no copy.
pub(crate) type Chunks = SmallVec<[Bytes; 3]>;

/// The answer to one body.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The message; empty when there is nothing to say.
    pub(crate) body: Chunks,
    /// What HTTP says.
    pub(crate) status: StatusCode,
    /// The session that was opened.
    pub(crate) session: Option<Box<str>>,
}

/// Why a message has no session.
pub(crate) enum SessionFault {
    /// An HTTP request names none.
    Missing,
    /// A connection, which is its own session, was not opened.
    Unopened,
    /// It has ended, or never was.
    Dead,
}

impl Answer {
    /// Nothing to say: a notification was taken, or nobody waits any more.
    pub(crate) fn silent() -> Self {
        Self { body: Chunks::new(), status: StatusCode::ACCEPTED, session: None }
    }

    /// A whole message.
    pub(crate) fn message(status: StatusCode, bytes: impl Into<Bytes>) -> Self {
        Self { body: SmallVec::from_iter([bytes.into()]), status, session: None }
    }

    /// The message in one piece.
    pub(crate) fn flat(mut self) -> Bytes {
        if self.body.len() == 1 {
            return self.body.remove(0);
        }
        self.body.concat().into()
    }
}

/// A buffer that begins `{"jsonrpc":"2.0","id":…,"result":`, to be closed by one more brace.
pub(crate) fn result_buffer(id: &str, capacity: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(48 + id.len() + capacity);
    out.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(b",\"result\":");
    out
}

/// A result object that is shared between answers.
pub(crate) fn shared_result(id: &str, result: Bytes) -> Answer {
    let body = SmallVec::from_iter([result_buffer(id, 0).into(), result, Bytes::from_static(b"}")]);
    Answer { body, status: StatusCode::OK, session: None }
}

/// A result object that was just written.
pub(crate) fn result(id: &str, result: &[u8]) -> Answer {
    let mut out = result_buffer(id, result.len() + 1);
    out.extend_from_slice(result);
    out.push(b'}');
    Answer::message(StatusCode::OK, out)
}

/// An error answer to a request.
pub(crate) fn error(id: &str, revision: Revision, error: &Error) -> Answer {
    let code = error.code(revision);
    let status = match code {
        _ if !revision.is_modern() => StatusCode::OK,
        code::METHOD_NOT_FOUND => StatusCode::NOT_FOUND,
        code::HEADER_MISMATCH | code::MISSING_CAPABILITY | code::UNSUPPORTED_VERSION => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    };
    Answer::message(status, error_bytes(Some(id), revision, error))
}

/// Refuses a body before any handler has seen it.
pub(crate) fn refused(id: Option<&str>, revision: Revision, error: &Error) -> Answer {
    Answer::message(StatusCode::BAD_REQUEST, error_bytes(id, revision, error))
}

/// The message of an error. Without an id it is `null`, as JSON-RPC 2.0 has it.
pub(crate) fn error_bytes(id: Option<&str>, revision: Revision, error: &Error) -> Vec<u8> {
    let mut out = Vec::with_capacity(160);
    out.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
    out.extend_from_slice(id.unwrap_or("null").as_bytes());
    out.extend_from_slice(b",\"error\":");
    error.write(revision, &mut out);
    out.push(b'}');
    out
}

impl SessionFault {
    /// 404 makes clients of dead sessions initialise again (2025-03-26 and later, session management).
    pub(crate) fn answer(&self, id: Option<&str>) -> Answer {
        let (status, text) = match self {
            Self::Missing => (
                StatusCode::BAD_REQUEST,
                "No session: send \"initialize\" first and repeat its Mcp-Session-Id, or use the metadata of 2026-07-28",
            ),
            Self::Unopened => (
                StatusCode::BAD_REQUEST,
                "Not initialized: send \"initialize\" first, or use the metadata of 2026-07-28",
            ),
            Self::Dead => (StatusCode::NOT_FOUND, "Unknown or expired session: send \"initialize\" again"),
        };
        let error = Error::custom(code::REFUSED, text);
        Answer::message(status, error_bytes(id, Revision::LATEST_LEGACY, &error))
    }
}
