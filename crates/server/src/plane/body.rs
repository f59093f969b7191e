//! Reading bodies.

use std::time::Duration;

use bytes::Bytes;
use http::header::ACCEPT_ENCODING;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use hyper::body::Incoming;
use operations::{Code, Error};
use protocol::http::{Body, Unread, read_body};

use super::problem;

/// Largest body of a request, bytes.
pub(super) const BODY_BYTES_MAX: usize = 4 << 20;
/// Longest time that a body may take to arrive.
pub(super) const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Reads a body to its end, or answers why it was not read.
pub(super) async fn read(headers: &HeaderMap, body: Incoming, request: &str) -> Result<Bytes, Response<Body>> {
    read_body(headers, body, BODY_BYTES_MAX, BODY_TIMEOUT).await.map_err(|why| unread(why, request))
}

fn unread(why: Unread, request: &str) -> Response<Body> {
    let error = match why {
        Unread::TooLarge => Error::new(Code::TooLarge, format!("the body has more than {} MiB", BODY_BYTES_MAX >> 20))
            .hint("split the spec into several servers"),
        Unread::Broken => {
            Error::new(Code::BadRequest, "the body did not arrive: the connection broke").hint("send it again")
        }
        Unread::Late => {
            Error::new(Code::TimedOut, format!("the body did not arrive within {} s", BODY_TIMEOUT.as_secs()))
                .hint("send it again")
        }
        Unread::Encoded => {
            Error::new(Code::MediaType, "the body has a Content-Encoding, and is taken only without one")
                .hint("send it as it is, without `Content-Encoding`")
        }
    };
    match why {
        Unread::Late => problem::with(StatusCode::REQUEST_TIMEOUT, &error, request, None),
        Unread::Encoded => {
            let mut answer = problem::of(&error, request, None);
            answer.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
            answer
        }
        Unread::TooLarge | Unread::Broken => problem::of(&error, request, None),
    }
}

#[cfg(test)]
mod tests {
    use protocol::http::Unread;

    #[test]
    fn a_body_that_was_not_read_has_the_status_that_says_why() {
        let wanted = [(Unread::TooLarge, 413), (Unread::Late, 408), (Unread::Broken, 400), (Unread::Encoded, 415)];
        for (why, status) in wanted {
            assert_eq!(super::unread(why, "id").status(), status, "{why:?}");
        }
    }
}
