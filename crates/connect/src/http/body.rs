//! Bodies: what is sent, and what is read within limits.

use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZstdDecoder};
use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt as _;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::io::{AsyncRead, AsyncReadExt as _, BufReader};
use tokio_util::io::StreamReader;

use super::events::{Collector, Event, Events};

/// Bytes read at once.
const CHUNK: usize = 16 * 1024;

/// What a request carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Body {
    /// Nothing.
    #[default]
    None,
    /// JSON text.
    Json(Bytes),
    /// `application/x-www-form-urlencoded`.
    Form(Vec<(String, String)>),
    /// `multipart/form-data` (RFC 7578).
    Multipart(Vec<Part>),
    /// Bytes of a given type.
    Raw {
        /// The media type.
        content_type: String,
        /// The bytes.
        bytes: Bytes,
    },
}

/// A part of a multipart body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The field's name.
    pub name: String,
    /// The file's name, for a file.
    pub file_name: Option<String>,
    /// The media type; none for a plain value.
    pub content_type: Option<String>,
    /// The value.
    pub bytes: Bytes,
}

impl Body {
    /// The bytes and their media type.
    pub(super) fn encode(&self) -> Result<(Bytes, Option<String>), String> {
        Ok(match self {
            Self::None => (Bytes::new(), None),
            Self::Json(bytes) => (bytes.clone(), Some("application/json".to_owned())),
            Self::Form(fields) => {
                let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
                (text.into(), Some("application/x-www-form-urlencoded".to_owned()))
            }
            Self::Multipart(parts) => {
                let mut random = [0; 16];
                getrandom::fill(&mut random).map_err(|error| format!("no randomness: {error}"))?;
                let boundary = format!("part-{:032x}", u128::from_le_bytes(random));
                (multipart(parts, &boundary)?, Some(format!("multipart/form-data; boundary={boundary}")))
            }
            Self::Raw { content_type, bytes } => (bytes.clone(), Some(content_type.clone())),
        })
    }
}

fn multipart(parts: &[Part], boundary: &str) -> Result<Bytes, String> {
    let quoted = |text: &str| text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
    let mut out = BytesMut::new();
    for part in parts {
        out.extend_from_slice(
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"", quoted(&part.name)).as_bytes(),
        );
        if let Some(name) = &part.file_name {
            out.extend_from_slice(format!("; filename=\"{}\"", quoted(name)).as_bytes());
        }
        if let Some(kind) = &part.content_type {
            if kind.chars().any(char::is_control) {
                return Err(format!("the media type of the part `{}` holds a control character", part.name));
            }
            out.extend_from_slice(format!("\r\nContent-Type: {kind}").as_bytes());
        }
        out.extend_from_slice(b"\r\n\r\n");
        out.extend_from_slice(&part.bytes);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok(out.freeze())
}

/// What was read of an answer.
pub(super) struct Read {
    pub(super) bytes: Bytes,
    pub(super) events: Option<Vec<Event>>,
    pub(super) truncated: bool,
}

/// Why an answer could not be read.
pub(super) enum Fault {
    /// It is larger than the limit, unpacked.
    TooLarge,
    /// Its encoding or its stream is broken.
    Broken(String),
}

/// Reads an answer, unpacked, up to a limit. The limit counts unpacked bytes and they are unpacked piece by piece, so an
/// answer that swells costs no more than one of the limit's size.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Incoming,
    limit: usize,
    unpack: bool,
    events: Option<&Events>,
) -> Result<Read, Fault> {
    let stream = body.into_data_stream().map_err(std::io::Error::other);
    let packed = BufReader::with_capacity(CHUNK, StreamReader::new(stream));
    let encodings = headers.get_all(CONTENT_ENCODING).iter().map(|value| value.to_str().unwrap_or("?"));
    let encoding = encodings.collect::<Vec<_>>().join(",").trim().to_ascii_lowercase();
    let encoding = if unpack { encoding } else { String::new() };
    let mut plain: Box<dyn AsyncRead + Unpin + Send> = match encoding.as_str() {
        "" | "identity" => Box::new(packed),
        "gzip" | "x-gzip" => {
            let mut decoder = GzipDecoder::new(packed);
            decoder.multiple_members(true);
            Box::new(decoder)
        }
        "br" => Box::new(BrotliDecoder::new(packed)),
        "zstd" => Box::new(ZstdDecoder::new(packed)),
        other => return Err(Fault::Broken(format!("its content encoding `{other}` is not one that was asked for"))),
    };
    let is_events = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("text/event-stream"));
    let mut collector = events.filter(|_| is_events).map(Collector::new);
    let mut all = BytesMut::new();
    let mut chunk = BytesMut::with_capacity(CHUNK);
    let mut total = 0;
    loop {
        chunk.clear();
        chunk.reserve(CHUNK);
        let count = match plain.read_buf(&mut chunk).await {
            Ok(count) => count,
            // What was said until then is there, and that its end is missing can be seen.
            Err(_) if collector.as_ref().is_some_and(|collector| collector.takes_what_is_cut()) => 0,
            Err(error) => return Err(Fault::Broken(reason(&error))),
        };
        if count == 0 {
            if let Some(collector) = &mut collector {
                collector.end();
            }
            break;
        }
        total += count;
        if total > limit {
            return Err(Fault::TooLarge);
        }
        match &mut collector {
            Some(collector) => {
                if collector.take(&chunk) {
                    break;
                }
            }
            None => all.extend_from_slice(&chunk),
        }
    }
    let truncated = collector.as_ref().is_some_and(|collector| collector.truncated);
    Ok(Read { bytes: all.freeze(), events: collector.map(|collector| collector.found), truncated })
}

/// The innermost reason of an error.
pub(crate) fn reason(error: &(dyn std::error::Error + 'static)) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}
