//! Where a caller enters: the one place that turns what the wire knows of them into who an operation is done for.

use std::sync::Arc;

use http::request::Parts;
use operations::Caller;
use protocol::http::{AuthOutcome, Authenticator, Challenge, Peer};
use protocol::{Limit, Principal};

/// Lets a caller in, with what remains of their limit, or says how to get in.
pub(super) async fn authenticate(
    authenticator: Option<&Arc<dyn Authenticator>>,
    head: &Parts,
    peer: &Peer,
) -> Result<(Caller, Option<Limit>), Challenge> {
    let Some(authenticator) = authenticator else { return Ok((of(None), None)) };
    let principal = match authenticator.authenticate(head, peer) {
        AuthOutcome::Ready(outcome) => outcome?,
        AuthOutcome::Later(outcome) => outcome.await?,
    };
    Ok((of(Some(&principal)), principal.limit()))
}

/// Who an operation is done for. Nobody in particular may do everything: such a control plane listens on loopback alone,
/// or was told to let everybody in.
pub(super) fn of(principal: Option<&Principal>) -> Caller {
    let Some(principal) = principal else { return Caller::anybody() };
    let known = principal.facts::<identity::Principal>().cloned();
    // An authenticator that says no more than a name grants nothing.
    let nothing = || identity::Principal::new(identity::Kind::Anonymous, principal.id(), identity::Scopes::default());
    Caller::Remote(Arc::new(known.unwrap_or_else(nothing)))
}
