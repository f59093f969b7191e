//! Asking for tokens.

use base::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connect::Error;
use connect::http::{Body, Method};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::browser::{Answer, Listening};
use super::discover::Found;
use super::fetch::Fetch;
use super::kept::Tokens;
use super::register::Identity;
use super::{random, refused};

/// A client at a token endpoint.
pub(super) struct Teller<'a> {
    pub(super) fetch: &'a Fetch,
    pub(super) issuer: &'a str,
    pub(super) endpoint: &'a Url,
    pub(super) client: &'a Identity,
    pub(super) key: Option<&'a Secret>,
    pub(super) resource: Option<&'a str>,
}

/// What a token endpoint gave.
pub(super) enum Given {
    Tokens(Tokens),
    /// Nothing: the grant is not good any more.
    Spent,
    /// Nothing: the client is not known there any more.
    Unknown(Error),
}

impl Teller<'_> {
    /// Asks for tokens.
    pub(super) async fn ask(&self, grant: Vec<(&str, String)>) -> Result<Given, Error> {
        let proof = self.client.proof(self.key, self.issuer).map_err(|why| refused(&self.fetch.name, why))?;
        let mut form: Vec<(String, String)> = grant.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        form.extend(self.resource.map(|resource| ("resource".to_owned(), resource.to_owned())));
        form.extend(proof.fields);
        let asked = self.fetch.ask("a token", self.endpoint, Method::POST, Body::Form(form), proof.header.as_ref());
        let fetched = asked.await?;
        let text = |name: &str| fetched.value[name].as_str();
        if fetched.status != 200 {
            if text("error") == Some("invalid_grant") {
                return Ok(Given::Spent);
            }
            let said = text("error_description").or_else(|| text("error")).unwrap_or("no reason");
            let said: String = said.chars().take(300).flat_map(char::escape_debug).collect();
            let why = format!("the token endpoint answered with status {}: {said}", fetched.status);
            let error = refused(&self.fetch.name, why);
            return if text("error") == Some("invalid_client") { Ok(Given::Unknown(error)) } else { Err(error) };
        }
        let Some(access) = text("access_token").filter(|access| is_token(access)) else {
            return Err(refused(&self.fetch.name, "the token endpoint answered without a token"));
        };
        if !text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")) {
            return Err(refused(&self.fetch.name, "the token endpoint gave a token of a kind that is not `Bearer`"));
        }
        let life = fetched.value.get("expires_in").and_then(Value::as_i64).filter(|life| *life >= 0);
        let refresh = text("refresh_token").filter(|refresh| !refresh.is_empty()).map(str::to_owned);
        Ok(Given::Tokens(Tokens { access: access.to_owned(), refresh, life }))
    }
}

/// Whether a text can stand in a header.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Has a person agree: gives the grant with the code that came back.
pub(super) async fn agreed(
    fetch: &Fetch,
    found: &Found,
    client: &Identity,
    scopes: &[String],
    listening: Box<dyn Listening>,
) -> Result<Vec<(&'static str, String)>, Error> {
    let server = &found.server;
    let none = || refused(&fetch.name, format!("nobody can agree at `{}`: it names no page for that", server.issuer));
    let mut page = server.authorize.clone().ok_or_else(none)?;
    let (state, verifier) = (random(&fetch.name)?, random(&fetch.name)?);
    let redirect = listening.redirect();
    {
        let mut query = page.query_pairs_mut();
        query.append_pair("response_type", "code").append_pair("client_id", &client.id);
        query.append_pair("redirect_uri", &redirect).append_pair("state", &state);
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        query.append_pair("code_challenge", &challenge).append_pair("code_challenge_method", "S256");
        if let Some(resource) = &found.resource {
            query.append_pair("resource", resource);
        }
        if !scopes.is_empty() {
            query.append_pair("scope", &scopes.join(" "));
        }
    }
    let answered = listening.answer(page.as_str(), &state).await;
    let Answer { code, issuer } = answered.map_err(|why| refused(&fetch.name, format!("nobody agreed: {why}")))?;
    match issuer {
        Some(issuer) if issuer != server.issuer => {
            let why = format!(
                "the answer is one of `{}`, and `{}` was asked; its code is not shown to anybody",
                issuer.escape_debug(),
                server.issuer
            );
            return Err(refused(&fetch.name, why));
        }
        None if server.says_issuer => {
            let why = format!("the answer does not say whose it is (RFC 9207), which those of `{}` do", server.issuer);
            return Err(refused(&fetch.name, why));
        }
        _ => {}
    }
    Ok(vec![
        ("grant_type", "authorization_code".to_owned()),
        ("code", code.expose().to_owned()),
        ("redirect_uri", redirect),
        ("code_verifier", verifier),
    ])
}
