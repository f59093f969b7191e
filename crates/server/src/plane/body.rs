//! Reading bodies.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use hyper::body::Incoming;
use operations::{Code, Error};
use protocol::http::{Unread, read_body};

/// Largest body of a request, bytes.
pub(super) const BODY_BYTES_MAX: usize = 4 << 20;
/// Longest time that a body may take to arrive.
pub(super) const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Reads a body to its end.
pub(super) async fn read(headers: &HeaderMap, body: Incoming) -> Result<Bytes, Error> {
    read_body(headers, body, BODY_BYTES_MAX, BODY_TIMEOUT).await.map_err(|why| match why {
        Unread::TooLarge => Error::new(Code::TooLarge, format!("the body has more than {} MiB", BODY_BYTES_MAX >> 20))
            .hint("split the spec into several servers"),
        Unread::Broken => {
            Error::new(Code::BadRequest, "the body did not arrive: the connection broke").hint("send it again")
        }
        Unread::Late => {
            Error::new(Code::BadRequest, format!("the body did not arrive within {} s", BODY_TIMEOUT.as_secs()))
                .hint("send it again")
        }
    })
}
