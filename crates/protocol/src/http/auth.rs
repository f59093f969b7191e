//! Letting callers in.

use std::net::IpAddr;

use ::http::request::Parts;
use ::http::{HeaderName, HeaderValue, StatusCode};
use bytes::Bytes;

use super::Peer;
use crate::principal::Principal;
use crate::service::Boxed;

/// Decides who makes a request, from its head alone; the body is not read before.
pub trait Authenticator: Send + Sync + 'static {
    /// Looks at the head of a request.
    fn authenticate(&self, head: &Parts, peer: &Peer) -> AuthOutcome;

    /// Where a request comes from: the other end of the connection, or whom it truly speaks for.
    fn address(&self, _head: &Parts, peer: &Peer) -> Option<IpAddr> {
        Some(peer.address?.ip())
    }
}

impl<F> Authenticator for F
where
    F: Fn(&Parts, &Peer) -> AuthOutcome + Send + Sync + 'static,
{
    fn authenticate(&self, head: &Parts, peer: &Peer) -> AuthOutcome {
        self(head, peer)
    }
}

/// What an authenticator decided.
pub enum AuthOutcome {
    /// Now.
    Ready(Result<Principal, Challenge>),
    /// After asking somebody else.
    Later(Boxed<'static, Result<Principal, Challenge>>),
}

/// How a caller is turned away.
#[derive(Clone, Debug)]
pub struct Challenge {
    /// Usually 401 or 403.
    pub status: StatusCode,
    /// The `WWW-Authenticate` header.
    pub www_authenticate: Option<HeaderValue>,
    /// A JSON body.
    pub body: Bytes,
    /// Other headers, such as `Retry-After`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Challenge {
    /// 401 with this challenge.
    pub fn unauthorized(www_authenticate: HeaderValue) -> Self {
        let body = Bytes::from_static(b"{\"error\":\"unauthorized\"}");
        Self { status: StatusCode::UNAUTHORIZED, www_authenticate: Some(www_authenticate), body, headers: Vec::new() }
    }

    /// 403 without a challenge.
    pub fn forbidden() -> Self {
        let body = Bytes::from_static(b"{\"error\":\"forbidden\"}");
        Self { status: StatusCode::FORBIDDEN, www_authenticate: None, body, headers: Vec::new() }
    }
}
