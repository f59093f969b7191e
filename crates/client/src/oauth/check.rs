//! Signing in ahead of any request, and looking at the server before.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connect::Error;
use connect::http::{Api, Body, Live, Method, Settings};
use serde_json::json;
use tokio::time::Instant;

use super::login::Login;
use super::{now, refused};
use crate::door::bearer;
use crate::limits::METADATA_TIMEOUT;
use crate::params::{NEWEST_SESSION, own_name};
use crate::wire::Endpoint;

/// A sign-in that was made.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who gave the tokens.
    pub issuer: String,
    /// For which scopes.
    pub scopes: Vec<String>,
}

impl Login {
    /// Signs in now. Before anybody is asked, the server is looked at: one that wants no token, or takes one that nobody
    /// signed, is given none.
    ///
    /// # Errors
    /// Why there are no tokens.
    pub async fn sign_in(self: &Arc<Self>, settings: &Settings) -> Result<SignedIn, Error> {
        let name = &self.fetch.name;
        let first = self.knock(settings, None).await?;
        let status = first.status.as_u16();
        if status != 401 {
            let why = match status {
                200..=299 => "the server answers without a token: there is nothing to sign in for".to_owned(),
                status => format!("the server answers with status {status}, not with 401: it does not ask for tokens"),
            };
            return Err(refused(name, why));
        }
        let forged = self.knock(settings, Some(&forged())).await?;
        if forged.status.is_success() {
            let why =
                "the server takes a token that nobody signed and that is for another server; it is shown no real one";
            return Err(refused(name, why));
        }
        let had = self.token().await?;
        let challenges: Vec<&str> = first.all("www-authenticate").collect();
        // A token that is there is tried before anybody is asked for another one.
        let token = match had {
            Some(token) => Some(token),
            None => self.challenged(401, challenges.iter().copied(), None).await?.map(|renewed| renewed.token),
        };
        let mut answer = self.knock(settings, token.as_ref().map(base::Secret::expose)).await?;
        if answer.status.as_u16() == 401 {
            let challenges: Vec<&str> = answer.all("www-authenticate").collect();
            let renewed = self.challenged(401, challenges.iter().copied(), token.as_ref()).await?;
            answer = self.knock(settings, renewed.as_ref().map(|renewed| renewed.token.expose())).await?;
        }
        if matches!(answer.status.as_u16(), 401 | 403) {
            let why = format!("the server answers the new token with status {}", answer.status.as_u16());
            return Err(refused(name, why));
        }
        let (issuer, scopes) = self.known().await.unwrap_or_default();
        Ok(SignedIn { issuer, scopes })
    }

    /// Begins a conversation that nobody goes on with. It has a connection of its own: some servers leave the body of a request
    /// that they refuse in the connection, where they take it for the next request.
    async fn knock(&self, settings: &Settings, token: Option<&str>) -> Result<Live, Error> {
        let api = Api::open(settings.clone())?;
        let query = self.at.query().map(|query| format!("?{query}")).unwrap_or_default();
        let endpoint = Endpoint::of(&format!("{}{query}", self.at.path()));
        let mut call = endpoint.call(Method::POST, "application/json, text/event-stream");
        let params = json!({ "protocolVersion": NEWEST_SESSION, "capabilities": {}, "clientInfo": own_name() });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params });
        call.body = Body::Json(body.to_string().into());
        if let Some(token) = token {
            bearer(&mut call, token);
        }
        api.live(&call, Instant::now() + METADATA_TIMEOUT).await
    }
}

/// A token without a signature, for a server that is not this one.
fn forged() -> String {
    let encode = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({ "iss": "https://issuer.invalid", "sub": "nobody", "aud": "https://elsewhere.invalid/mcp",
        "iat": now(), "exp": now() + 60 });
    format!("{}.{}.", encode(json!({ "alg": "none", "typ": "JWT" })), encode(claims))
}
