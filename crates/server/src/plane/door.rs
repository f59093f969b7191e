//! The door of the control plane: REST, the factory's own MCP server and the deployed servers are behind it.
//!
//! Who shows a key, a token or the name of a guest is known by it. Who shows nothing is a visitor, or turned away; but
//! until there is an account, whoever sits at the machine of a control plane that only this machine reaches runs it.

use std::net::IpAddr;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use identity::accounts::{Accounts, SESSION_PREFIX};
use identity::callers::Callers;
use identity::openid::OpenId;
use identity::{ADMIN, Kind, Scopes};
use protocol::Principal;
use protocol::http::{AuthOutcome, Authenticator, Challenge, Guard, Peer};

use super::headers;
use crate::keys::{GUEST, Gate, KnownCallers, entered, shows_one, unavailable};
use crate::oauth::{self, OAuth};

/// What callers are let in to, as challenges name it.
const REALM: &str = "mcp-factory";

/// The id of whoever sits at the machine, and runs what it serves.
pub(crate) const OPERATOR: &str = "operator";
/// The owner of what is made at the machine itself.
const LOCAL: &str = operations::keys::LOCAL_OWNER;
/// Headers by which proxies and tunnels say that a request is somebody else's.
const PASSED_ON: [HeaderName; 6] = [
    header::FORWARDED,
    header::VIA,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("cf-connecting-ip"),
];

/// Who is let in to a control plane.
#[derive(Clone)]
pub struct Admission {
    /// Keys, guests, and those known by their address alone.
    pub callers: KnownCallers,
    /// People who sign in.
    pub accounts: Arc<Accounts>,
    /// A provider of OpenID Connect at which people sign in too.
    pub openid: Option<Arc<OpenId>>,
    /// Programs that people let in.
    pub oauth: OAuth,
    /// Whether whoever sits at this machine runs the control plane without showing anything, until there is an account.
    pub trusts_machine: bool,
}

/// Looks at every request.
pub(super) struct Door {
    gate: Gate,
    callers: KnownCallers,
    accounts: Arc<Accounts>,
    trusts_machine: bool,
    operator: Principal,
}

impl Door {
    pub(super) fn new(admission: Admission, guard: &Arc<Guard>) -> Self {
        let operator = identity::Principal::new(Kind::Operator, OPERATOR, Scopes::of([ADMIN])).owned_by(LOCAL);
        let Admission { callers, accounts, oauth, trusts_machine, .. } = admission;
        let programs = Arc::new(oauth::Gate::new(oauth, Arc::clone(guard)));
        Self {
            gate: Gate::new(REALM, callers.clone(), Some(programs)),
            callers,
            accounts,
            trusts_machine,
            operator: Principal::new(OPERATOR).with_facts(Arc::new(operator)),
        }
    }

    /// Lets a person in who signed in.
    fn person(&self, token: &str, head: &Parts, peer: &Peer) -> AuthOutcome {
        let callers = self.callers.callers.clone();
        if let Some((principal, _)) = self.accounts.known(token) {
            return AuthOutcome::Ready(entered(callers.admit(principal), REALM));
        }
        let (accounts, token) = (self.accounts.clone(), token.to_owned());
        let address = oauth::address(&self.callers.proxies, head, peer);
        AuthOutcome::Later(Box::pin(async move {
            let look = move || Ok(accounts.look_up(&token)?.map(|(principal, _)| principal));
            match tokio::task::spawn_blocking(move || callers.guess(address, look)).await {
                Ok(Ok(entry)) => entered(entry, REALM),
                Ok(Err(fault)) => Err(unavailable(&fault.to_string())),
                Err(fault) => Err(unavailable(&fault.to_string())),
            }
        }))
    }

    /// Counts what a program does that a person let in.
    fn metered(callers: &Callers, found: Result<Principal, Challenge>) -> Result<Principal, Challenge> {
        let principal = found?;
        let program = principal.facts::<identity::Principal>().filter(|known| known.kind == Kind::Client).cloned();
        program.map_or(Ok(principal), |known| entered(callers.admit(Arc::new(known)), REALM))
    }
}

impl Authenticator for Door {
    fn authenticate(&self, head: &Parts, peer: &Peer) -> AuthOutcome {
        named(head, self.look(head, peer))
    }

    fn address(&self, head: &Parts, peer: &Peer) -> Option<IpAddr> {
        Some(oauth::address(&self.callers.proxies, head, peer))
    }
}

/// Names the request in what turns its caller away. Where the answer is told of in the log, it is named there.
fn named(head: &Parts, found: AuthOutcome) -> AuthOutcome {
    fn with_id(own: &HeaderMap, mut challenge: Challenge) -> Challenge {
        let id = HeaderValue::try_from(headers::request_id(own));
        challenge.headers.extend(id.ok().map(|id| (headers::REQUEST_ID, id)));
        challenge
    }
    match found {
        AuthOutcome::Ready(found) => AuthOutcome::Ready(found.map_err(|challenge| with_id(&head.headers, challenge))),
        AuthOutcome::Later(found) => {
            let own = head.headers.get(headers::REQUEST_ID).cloned();
            let own = HeaderMap::from_iter(own.map(|id| (headers::REQUEST_ID, id)));
            AuthOutcome::Later(Box::pin(async move { found.await.map_err(|challenge| with_id(&own, challenge)) }))
        }
    }
}

impl Door {
    /// Who makes a request.
    fn look(&self, head: &Parts, peer: &Peer) -> AuthOutcome {
        if let Err(challenge) = shows_one(&head.headers) {
            return AuthOutcome::Ready(Err(challenge));
        }
        if self.trusts_machine && !self.accounts.exist() && is_of_this_machine(head, peer) {
            return AuthOutcome::Ready(Ok(self.operator.clone()));
        }
        if let Some(token) = oauth::bearer(head).filter(|token| token.starts_with(SESSION_PREFIX)) {
            return self.person(token, head, peer);
        }
        match self.gate.authenticate(head, peer) {
            AuthOutcome::Ready(found) => AuthOutcome::Ready(Self::metered(&self.callers.callers, found)),
            AuthOutcome::Later(found) => {
                let callers = self.callers.callers.clone();
                AuthOutcome::Later(Box::pin(async move { Self::metered(&callers, found.await) }))
            }
        }
    }
}

/// Whether a request comes from this machine itself and says nothing of who makes it. A tunnel or a proxy on this machine
/// speaks for others.
fn is_of_this_machine(head: &Parts, peer: &Peer) -> bool {
    let shows = head.headers.contains_key(header::AUTHORIZATION) || head.headers.contains_key(GUEST);
    let here = peer.address.is_some_and(|address| address.ip().to_canonical().is_loopback());
    here && !shows && !PASSED_ON.iter().any(|name| head.headers.contains_key(name))
}

#[cfg(test)]
mod tests {
    use http::Request;
    use protocol::http::Peer;

    #[test]
    fn only_who_sits_at_the_machine_is_trusted() {
        let trusted = |peer: &str, header: Option<(&str, &str)>| {
            let mut request = Request::builder().uri("/mcp");
            if let Some((name, value)) = header {
                request = request.header(name, value);
            }
            let (head, ()) = request.body(()).unwrap().into_parts();
            let peer = Peer { address: Some(peer.parse().unwrap()) };
            super::is_of_this_machine(&head, &peer)
        };
        assert!(trusted("127.0.0.1:9", None) && trusted("[::1]:9", None) && trusted("[::ffff:127.0.0.1]:9", None));
        assert!(trusted("127.0.0.1:9", Some(("accept", "*/*"))));
        assert!(!trusted("192.0.2.1:9", None));
        for shown in ["authorization", "x-guest-id", "x-forwarded-for", "forwarded", "via", "cf-connecting-ip"] {
            assert!(!trusted("127.0.0.1:9", Some((shown, "x"))), "{shown}");
        }
    }
}
