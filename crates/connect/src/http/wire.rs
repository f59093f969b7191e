//! What requests travel by: the sockets of a connection, the masking of what comes back, and errors in words.

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::{Client, Error as ClientError};
use url::Url;

use super::body::{self, Fault, Read};
use super::connector::Connector;
use super::events::Events;
use super::{RESERVED, Reply};
use crate::egress::Refused;
use crate::mask::Mask;
use crate::{Error, ErrorKind};

/// What requests of a connection travel by.
pub(crate) struct Wire {
    pub(super) name: String,
    pub(super) answer_bytes: usize,
    pub(super) unpack: bool,
    pub(super) mask: Mask,
    pub(super) client: Client<Connector, Full<Bytes>>,
}

/// How an answer is read.
#[derive(Clone, Copy, Default)]
pub(super) struct ReadAs<'a> {
    /// Most bytes, where the limit of the connection is not meant.
    pub(super) most: Option<usize>,
    pub(super) events: Option<&'a Events>,
}

impl Wire {
    /// Sends one request to a checked URL; its answer is still to be read.
    pub(super) async fn start(
        &self,
        method: &Method,
        url: &Url,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<Incoming>, Error> {
        let mut request = Request::builder()
            .method(method)
            .uri(url.as_str())
            .body(Full::new(body))
            .map_err(|error| self.error(ErrorKind::Value, format!("the request cannot be written: {error}")))?;
        *request.headers_mut() = headers;
        self.client.request(request).await.map_err(|error| self.unsent(&error, url))
    }

    /// Sends one request to a checked URL and reads its answer, with whatever secrets are in it.
    pub(super) async fn once(
        &self,
        method: &Method,
        url: &Url,
        headers: HeaderMap,
        body: Bytes,
        read: ReadAs<'_>,
    ) -> Result<Reply, Error> {
        let (head, answer) = self.start(method, url, headers, body).await?.into_parts();
        let most = read.most.unwrap_or(self.answer_bytes);
        let read =
            body::read(&head.headers, answer, most, self.unpack, read.events).await.map_err(|fault| match fault {
                Fault::TooLarge => self.error(ErrorKind::Limit, format!("the answer is larger than {most} bytes")),
                Fault::Broken(why) => self.error(ErrorKind::Transient, format!("the answer cannot be read: {why}")),
            })?;
        let Read { bytes, events, truncated } = read;
        Ok(Reply { status: head.status, headers: head.headers, body: bytes, events, truncated })
    }

    /// Adds a header, without showing its value in an error.
    pub(crate) fn insert(&self, headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), Error> {
        let parsed = HeaderName::try_from(name)
            .map_err(|_| self.error(ErrorKind::Value, format!("`{}` is no name of a header", name.escape_debug())))?;
        if RESERVED.contains(&parsed.as_str()) {
            return Err(self.error(ErrorKind::Value, format!("the header `{parsed}` cannot be set")));
        }
        let value = HeaderValue::try_from(value).map_err(|_| {
            self.error(
                ErrorKind::Value,
                format!("the value of the header `{parsed}` holds a line break or another control character"),
            )
        })?;
        headers.insert(parsed, value);
        Ok(())
    }

    /// An error of this connection, without its secrets.
    pub(crate) fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        super::failure(&self.name, kind, "send a request", self.mask.text(&message.into()))
    }

    /// Says why a request brought no answer.
    fn unsent(&self, error: &ClientError, url: &Url) -> Error {
        let mut inner: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(source) = inner {
            let io = source.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
            let held = io.and_then(|held| held.downcast_ref::<Refused>());
            if let Some(refused) = held.or_else(|| source.downcast_ref::<Refused>()) {
                return self.error(ErrorKind::Denied, refused.to_string());
            }
            inner = source.source();
        }
        let reason = body::reason(error);
        let host = url.host_str().unwrap_or_default();
        if let Some(why) = turned_away(&reason) {
            return self.error(ErrorKind::Denied, format!("`{host}` {why}"));
        }
        if error.is_connect() {
            return self.error(ErrorKind::Unreachable, format!("`{host}` cannot be reached: {reason}"));
        }
        self.error(ErrorKind::Transient, format!("the connection broke: {reason}"))
    }
}

/// How an upstream that asks who we are turns us away, by the words of rustls: HTTP/2 keeps no more of an error than those.
fn turned_away(reason: &str) -> Option<String> {
    let alert = reason.split_once("received fatal alert: ")?.1;
    match alert.split(|c: char| !c.is_ascii_alphanumeric()).next()? {
        "CertificateRequired" => Some(
            "asks for a certificate of the client, and the connection shows none; declare `tls: {certificate: …, key: …}`"
                .to_owned(),
        ),
        alert @ ("BadCertificate" | "UnsupportedCertificate" | "CertificateRevoked" | "CertificateExpired"
        | "CertificateUnknown" | "UnknownCA" | "UnknownCa" | "AccessDenied" | "DecryptError") => Some(format!(
            "refuses the certificate of the connection ({alert}); it accepts those of its own authorities that are valid now"
        )),
        _ => None,
    }
}
