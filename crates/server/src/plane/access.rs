//! Who may come to a deployed server, as HTTP says it. The operations decide.

use std::sync::Arc;

use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use identity::accounts::{Accounts, SESSION_PREFIX};
use identity::keys::PREFIX;
use identity::oauth::ACCESS_PREFIX;
use identity::{Kind, Principal, Scopes};
use operations::Code;
use operations::deploy::{Access, Counted, Place};
use operations::policies::{Policies, Reach};
use protocol::Listing;
use protocol::http::Challenge;
use serde_json::{Value, json};

use super::problem;

/// Marks that a token lacks the scope for using a server. Where the request is known too, it is said where to ask for it.
pub(super) const INSUFFICIENT: HeaderValue = HeaderValue::from_static("Bearer error=\"insufficient_scope\"");

/// Says who may come to which server.
pub(super) struct Doors {
    pub(super) policies: Arc<Policies>,
    /// Who may have lost what they showed; nobody where callers show nothing.
    pub(super) accounts: Option<Arc<Accounts>>,
}

impl Doors {
    /// Who calls, and what they may do; nothing for whoever was let in by what the spec asks for.
    fn reach<'a>(
        &self,
        place: &Place,
        principal: Option<&'a protocol::Principal>,
    ) -> Option<(&'a Principal, Option<Reach>)> {
        let known = principal?.facts::<Principal>()?;
        Some((known, self.policies.reach(known, &place.server, &place.owner, place.group.as_deref())))
    }
}

impl Access for Doors {
    fn knows(&self, head: &Parts) -> bool {
        token(&head.headers)
            .is_some_and(|token| [PREFIX, ACCESS_PREFIX, SESSION_PREFIX].iter().any(|prefix| token.starts_with(prefix)))
    }

    fn enter(&self, place: &Place, principal: &protocol::Principal) -> Result<(), Challenge> {
        // Whoever has no facts was let in by what the spec asks for.
        let Some(known) = principal.facts::<Principal>() else { return Ok(()) };
        let group = place.group.as_deref();
        operations::access::enter(&self.policies, known, &place.server, &place.owner, group).map_err(|error| {
            let lacks_scope = known.kind == Kind::Client && error.code == Code::Forbidden;
            Challenge { www_authenticate: lacks_scope.then_some(INSUFFICIENT), ..turned_away(&error) }
        })
    }

    fn part(&self, place: &Place, principal: Option<&protocol::Principal>, listing: &Listing) -> Option<Listing> {
        let (_, reach) = self.reach(place, principal)?;
        match reach {
            Some(reach) if reach.is_whole() => None,
            Some(reach) => Some(listing.part(|tool| reach.sees(tool), false)),
            None => Some(listing.part(|_| false, false)),
        }
    }

    fn is_whole(&self, place: &Place, principal: Option<&protocol::Principal>) -> bool {
        self.reach(place, principal).is_none_or(|(_, reach)| reach.is_some_and(|reach| reach.is_whole()))
    }

    fn kept(&self, principal: &protocol::Principal) -> Option<String> {
        let Principal { kind, owner, scopes, .. } = principal.facts::<Principal>()?;
        let scopes: Vec<&str> = scopes.iter().collect();
        Some(json!({ "kind": kind, "owner": &**owner, "scopes": scopes }).to_string())
    }

    fn again(&self, place: &Place, id: &Arc<str>, kept: &str) -> Option<protocol::Principal> {
        let kept: Value = serde_json::from_str(kept).ok()?;
        let kind: Kind = serde_json::from_value(kept["kind"].clone()).ok()?;
        let scopes: Vec<String> = serde_json::from_value(kept["scopes"].clone()).ok()?;
        let owner = kept["owner"].as_str()?.into();
        let known = Principal { id: id.clone(), kind, owner, scopes: Scopes::of(scopes) };
        // A key that was revoked, or a person who was removed, has nothing go on.
        if self.accounts.as_ref().is_some_and(|accounts| !accounts.is_live(&known).unwrap_or(false)) {
            return None;
        }
        let principal = protocol::Principal::new(id.clone()).with_facts(Arc::new(known));
        self.enter(place, &principal).is_ok().then_some(principal)
    }

    fn call(&self, place: &Place, principal: Option<&protocol::Principal>, tool: &str) -> Result<Counted, String> {
        let Some((known, reach)) = self.reach(place, principal) else { return Ok(None) };
        let told = |error: operations::Error| {
            let hints: String = error.hints.iter().map(|hint| format!("\nhint: {hint}")).collect();
            format!("{}: {}{hints}", error.code.as_str(), error.message)
        };
        let reach = reach.ok_or_else(|| format!("there is no tool `{tool}` that you may call"))?;
        reach.calls(tool).map_err(told)?;
        let (policies, spending) = (Arc::clone(&self.policies), self.policies.spend(known).map_err(told)?);
        Ok(Some(Box::new(move |bytes| policies.spent(&spending, bytes))))
    }
}

/// How whoever may not come to a server is turned away.
pub(super) fn turned_away(error: &operations::Error) -> Challenge {
    let said: Vec<&str> =
        std::iter::once(error.message.as_str()).chain(error.hints.iter().map(String::as_str)).collect();
    let body = json!({ "error": error.code.as_str(), "error_description": said.join("; ") });
    let (status, body) = (problem::status(error.code), body.to_string().into());
    Challenge { status, www_authenticate: None, body, headers: Vec::new() }
}

/// The token of an `Authorization` header, whatever its scheme.
fn token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.split_once(' ').map(|(_, token)| token.trim_start())
}
