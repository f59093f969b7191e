//! Who may come to a deployed server, as HTTP says it. The operations decide.

use http::request::Parts;
use http::{HeaderMap, header};
use identity::Principal;
use identity::accounts::SESSION_PREFIX;
use identity::keys::PREFIX;
use identity::oauth::ACCESS_PREFIX;
use operations::deploy::{Access, Place};
use protocol::http::Challenge;
use serde_json::json;

use super::problem;

/// Says who may come to which server.
#[derive(Debug, Default)]
pub(super) struct Doors;

impl Access for Doors {
    fn knows(&self, head: &Parts) -> bool {
        token(&head.headers)
            .is_some_and(|token| [PREFIX, ACCESS_PREFIX, SESSION_PREFIX].iter().any(|prefix| token.starts_with(prefix)))
    }

    fn enter(&self, place: &Place, principal: &protocol::Principal) -> Result<(), Challenge> {
        // Whoever has no facts was let in by what the spec asks for.
        let Some(known) = principal.facts::<Principal>() else { return Ok(()) };
        operations::access::enter(known, &place.server, &place.owner).map_err(|error| {
            let body = json!({ "error": error.code.as_str(), "error_description": error.message });
            let (status, body) = (problem::status(error.code), body.to_string().into());
            Challenge { status, www_authenticate: None, body, headers: Vec::new() }
        })
    }
}

/// The token of an `Authorization` header, whatever its scheme.
fn token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.split_once(' ').map(|(_, token)| token.trim_start())
}
