//! Tokens by OAuth 2.0: client credentials and refresh tokens (RFC 6749, sections 4.4 and 6).

use std::time::Duration;

use base::Secret;
use serde::Deserialize;
use tokio::time::Instant;

/// A token is renewed this long before it expires.
const EARLY: Duration = Duration::from_secs(30);
/// Life of a token whose answer says none.
const LIFE: Duration = Duration::from_secs(300);

/// How tokens are fetched.
#[derive(Clone, Debug)]
pub struct OAuth {
    /// The token endpoint.
    pub token_url: String,
    /// The client's identifier.
    pub client_id: String,
    /// The client's secret; none for a public client with a refresh token.
    pub client_secret: Option<Secret>,
    /// The refresh token; without it the client's own credentials are the grant.
    pub refresh_token: Option<Secret>,
    /// The scopes that are asked for.
    pub scopes: Vec<String>,
    /// The audience, for servers that want one.
    pub audience: Option<String>,
    /// Whether the client's secret goes into the form rather than into `Authorization`.
    pub secret_in_form: bool,
}

impl OAuth {
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let basic = self.client_secret.as_ref().map(|secret| super::credentials::basic(&self.client_id, secret));
        self.client_secret.iter().chain(&self.refresh_token).cloned().chain(basic).collect()
    }

    /// The form of a request for a token.
    pub(super) fn form(&self, refresh: Option<&Secret>) -> Vec<(String, String)> {
        let mut form = match refresh {
            Some(token) => {
                vec![("grant_type", "refresh_token".to_owned()), ("refresh_token", token.expose().to_owned())]
            }
            None => vec![("grant_type", "client_credentials".to_owned())],
        };
        if !self.scopes.is_empty() {
            form.push(("scope", self.scopes.join(" ")));
        }
        if let Some(audience) = &self.audience {
            form.push(("audience", audience.clone()));
        }
        if self.secret_in_form || self.client_secret.is_none() {
            form.push(("client_id", self.client_id.clone()));
            form.extend(self.client_secret.as_ref().map(|secret| ("client_secret", secret.expose().to_owned())));
        }
        form.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The value of `Authorization` of that request, when the secret is not in the form.
    pub(super) fn authorization(&self) -> Option<String> {
        let secret = self.client_secret.as_ref().filter(|_| !self.secret_in_form)?;
        let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let basic = super::credentials::basic(&encode(&self.client_id), &Secret::new(encode(secret.expose())));
        Some(format!("Basic {}", basic.expose()))
    }
}

/// The tokens of a connection.
#[derive(Default)]
pub(super) struct Tokens {
    pub(super) access: Option<(Secret, Instant)>,
    /// The newest refresh token: servers may give a new one with each answer.
    pub(super) refresh: Option<Secret>,
}

impl Tokens {
    /// The token, if it is still good.
    pub(super) fn fresh(&self) -> Option<Secret> {
        self.access.as_ref().filter(|(_, until)| *until > Instant::now()).map(|(token, _)| token.clone())
    }

    /// Keeps what a server answered.
    pub(super) fn keep(&mut self, body: &[u8]) -> Result<Secret, &'static str> {
        #[derive(Deserialize)]
        struct Answer {
            access_token: String,
            token_type: Option<String>,
            expires_in: Option<u64>,
            refresh_token: Option<String>,
        }
        let answer: Answer = serde_json::from_slice(body).map_err(|_| "the answer holds no `access_token`")?;
        if answer.token_type.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
            return Err("the token is not of the type `bearer`");
        }
        let life = answer.expires_in.map_or(LIFE, Duration::from_secs).min(Duration::from_secs(86_400 * 365));
        let token = Secret::new(answer.access_token);
        self.access = Some((token.clone(), Instant::now() + life.saturating_sub(EARLY.min(life / 2))));
        if let Some(refresh) = answer.refresh_token {
            self.refresh = Some(Secret::new(refresh));
        }
        Ok(token)
    }
}
