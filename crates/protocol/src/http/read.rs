//! Reading bodies of requests, within bounds.

use std::pin::Pin;
use std::time::Duration;

use ::http::HeaderMap;
use ::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, EXPECT};
use bytes::{Bytes, BytesMut};
use http_body::Body as HttpBody;
use http_body_util::BodyExt as _;

/// Largest body that is still read to its end, and thrown away, after it was refused for its size, bytes.
pub const DRAIN_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Longest time that is spent on that.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It is compressed, which nobody here undoes: to be answered with 415 and `Accept-Encoding: identity` (RFC 9110, 15.5.16).
    Encoded,
    /// It is larger than allowed.
    TooLarge,
    /// It did not come within the time.
    Late,
    /// The connection broke, or what came is no body.
    Broken,
}

/// Reads a body that is no larger and takes no longer than allowed; a body in one piece is not copied.
///
/// A client that is still sending does not look for an answer, and sees a broken connection instead of one if the connection
/// closes meanwhile. What is left of a body that is too large, or encoded, is therefore taken from it before the refusal is returned, up to
/// [`DRAIN_BYTES_MAX`] and for at most [`DRAIN_TIMEOUT`].
///
/// # Errors
/// Why it was not read.
pub async fn read_body<B>(headers: &HeaderMap, body: B, limit: usize, patience: Duration) -> Result<Bytes, Unread>
where
    B: HttpBody<Data = Bytes>,
{
    let mut body = std::pin::pin!(body);
    let declared = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let read = if is_encoded(headers) {
        Err(Unread::Encoded)
    } else if declared.is_some_and(|length| length > limit as u64) {
        Err(Unread::TooLarge)
    } else {
        tokio::time::timeout(patience, collect(body.as_mut(), limit)).await.unwrap_or(Err(Unread::Late))
    };
    // Who asks before sending is told before, and one whose rest is longer than the bound cannot be helped.
    let is_drained = || !headers.contains_key(EXPECT) && declared.is_none_or(|size| size <= DRAIN_BYTES_MAX as u64);
    if matches!(read, Err(Unread::TooLarge | Unread::Encoded)) && is_drained() {
        Box::pin(drain(body)).await;
    }
    read
}

/// Whether a body is something else before it is decoded.
fn is_encoded(headers: &HeaderMap) -> bool {
    let plain = |word: &[u8]| word.trim_ascii().is_empty() || word.trim_ascii().eq_ignore_ascii_case(b"identity");
    headers.get_all(CONTENT_ENCODING).iter().any(|value| !value.as_bytes().split(|byte| *byte == b',').all(plain))
}

async fn collect<B>(mut body: Pin<&mut B>, limit: usize) -> Result<Bytes, Unread>
where
    B: HttpBody<Data = Bytes>,
{
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Unread::Broken)?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + rest.len() + data.len() > limit {
            return Err(Unread::TooLarge);
        }
        if first.is_empty() {
            first = data;
        } else {
            rest.extend_from_slice(&data);
        }
    }
    if rest.is_empty() {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(first.len() + rest.len());
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&rest);
    Ok(whole.freeze())
}

/// Throws the rest of a body away.
async fn drain<B>(mut body: Pin<&mut B>)
where
    B: HttpBody<Data = Bytes>,
{
    let mut left = DRAIN_BYTES_MAX;
    let work = async {
        while let Some(Ok(frame)) = body.frame().await {
            let size = frame.data_ref().map_or(0, Bytes::len);
            let Some(after) = left.checked_sub(size) else { return };
            left = after;
        }
    };
    let _ = tokio::time::timeout(DRAIN_TIMEOUT, work).await;
}
