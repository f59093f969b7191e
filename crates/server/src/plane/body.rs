//! Reading bodies.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use operations::{Code, Error};

/// Largest body of a request, bytes.
pub(super) const BODY_BYTES_MAX: usize = 4 << 20;
/// Longest time that a body may take to arrive.
pub(super) const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Reads a body to its end.
pub(super) async fn read(body: Incoming) -> Result<Bytes, Error> {
    let reading = Limited::new(body, BODY_BYTES_MAX).collect();
    match tokio::time::timeout(BODY_TIMEOUT, reading).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.downcast_ref::<LengthLimitError>().is_some() => {
            Err(Error::new(Code::TooLarge, format!("the body has more than {} MiB", BODY_BYTES_MAX >> 20))
                .hint("split the spec into several servers"))
        }
        Ok(Err(error)) => {
            Err(Error::new(Code::BadRequest, format!("the body did not arrive: {error}")).hint("send it again"))
        }
        Err(_) => {
            Err(Error::new(Code::BadRequest, format!("the body did not arrive within {} s", BODY_TIMEOUT.as_secs()))
                .hint("send it again"))
        }
    }
}
