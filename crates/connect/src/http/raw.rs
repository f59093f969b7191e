//! What other protocols over HTTP/2 use of a connection: its sockets, credentials, limits and masking.

use std::time::Duration;

use base::Secret;
use bytes::Bytes;
use http::{HeaderMap, Method, Response};
use hyper::body::Incoming;

use super::Api;
use crate::Error;

/// The secrets of one call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    /// The token of the calling user.
    pub(crate) subject: Option<Secret>,
    /// The token that was fetched for the call.
    pub(crate) token: Option<Secret>,
}

impl Api {
    /// Sends a request with the credentials of the connection; its answer is still to be read and to be masked.
    pub(crate) async fn start(
        &self,
        method: &Method,
        path: &str,
        mut headers: HeaderMap,
        body: Bytes,
        shown: &mut Shown,
    ) -> Result<Response<Incoming>, Error> {
        let mut url = self.url(path, &[])?;
        let subject = shown.subject.as_ref();
        shown.token = self.show_credentials(method, &mut url, &mut headers, &body, subject).await?;
        self.wire.start(method, &url, headers, body).await
    }

    /// The headers of every request.
    pub(crate) fn own_headers(&self) -> &[(String, String)] {
        &self.settings.headers
    }

    /// Most bytes of a request's body.
    pub(crate) fn request_bytes_max(&self) -> usize {
        self.settings.limits.request_bytes
    }

    /// The wait before repetition number `nth` (from 0); nothing when there have been enough.
    pub(crate) fn retry_wait(&self, nth: u32) -> Option<Duration> {
        (nth < self.settings.retries.max).then(|| self.settings.retries.wait(nth))
    }

    /// Drops the token that the upstream refused; false when it is none that was fetched.
    pub(crate) async fn refuse(&self, shown: &Shown) -> bool {
        self.forget_token(shown.subject.as_ref(), shown.token.as_ref()).await;
        shown.token.is_some()
    }

    /// Bytes without the secrets of the connection and of a call; nothing when there were none in it.
    pub(crate) fn masked(&self, bytes: &[u8], shown: &Shown) -> Option<Vec<u8>> {
        let further = self.secret_of(&shown.subject).into_iter().chain(&shown.token);
        let clean = self.wire.mask.bytes_without(Bytes::copy_from_slice(bytes), further);
        (clean != bytes).then(|| clean.into())
    }
}
