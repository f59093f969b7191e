//! Tokens by OAuth 2.0: client credentials and refresh tokens (RFC 6749, sections 4.4 and 6), and the exchange of a calling
//! user's token for one of the upstream (RFC 8693).

mod assertion;
mod source;
mod users;

use std::time::Duration;

use base::Secret;
use serde::Deserialize;
use tokio::time::Instant;

use crate::Error;

pub use assertion::Assertion;
pub(super) use source::Source;
pub use users::{Code, TokenStore, UserToken, Users};

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
    /// The calling user's token, which comes with each call, is exchanged for one of the upstream. It never goes there itself.
    pub exchange: Option<Exchange>,
    /// The grant is an assertion that a key of our own signs (RFC 7523).
    pub assertion: Option<Box<Assertion>>,
    /// Further fields of the form, such as `resource`.
    pub form: Vec<(String, String)>,
    /// Each calling user's own tokens, from an authorisation of theirs; which user calls comes with each call.
    pub users: Option<Users>,
}

/// How the token of a calling user is exchanged (RFC 8693).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// What kind of token the caller's is: [`Exchange::ACCESS_TOKEN`] or another registered name.
    pub subject_token_type: String,
    /// What kind of token is asked for, when the server wants to be told.
    pub requested_token_type: Option<String>,
}

impl Exchange {
    /// The name of access tokens.
    pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
}

impl Default for Exchange {
    fn default() -> Self {
        Self { subject_token_type: Self::ACCESS_TOKEN.to_owned(), requested_token_type: None }
    }
}

impl OAuth {
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let basic = self.client_secret.as_ref().map(|secret| super::credentials::basic(&self.client_id, secret));
        let key = self.assertion.as_ref().map(|assertion| assertion.key.clone());
        self.client_secret.iter().chain(&self.refresh_token).cloned().chain(basic).chain(key).collect()
    }

    /// The form of a request for a token.
    fn form(&self, refresh: Option<&Secret>, subject: Option<&Secret>) -> Result<Vec<(String, String)>, String> {
        if let Some(assertion) = &self.assertion {
            let text = assertion.sign(&self.scopes, chrono::Utc::now().timestamp())?;
            let form = [("grant_type".to_owned(), Assertion::GRANT.to_owned()), ("assertion".to_owned(), text)];
            return Ok(form.into_iter().chain(self.form.iter().cloned()).collect());
        }
        let form = match (refresh, self.exchange.as_ref().zip(subject)) {
            (Some(token), _) => {
                vec![("grant_type", "refresh_token".to_owned()), ("refresh_token", token.expose().to_owned())]
            }
            (None, Some((exchange, subject))) => {
                let grant = "urn:ietf:params:oauth:grant-type:token-exchange".to_owned();
                let kind = exchange.subject_token_type.clone();
                let subject = subject.expose().to_owned();
                let mut form = vec![("grant_type", grant), ("subject_token", subject), ("subject_token_type", kind)];
                form.extend(exchange.requested_token_type.iter().map(|kind| ("requested_token_type", kind.clone())));
                form
            }
            (None, None) => vec![("grant_type", "client_credentials".to_owned())],
        };
        // What a user agreed to is not asked for anew.
        let scopes: &[String] = if self.users.is_some() { &[] } else { &self.scopes };
        Ok(self.whole(form, scopes))
    }

    /// The form that turns a user's authorisation into tokens.
    fn code_form(&self, code: &Code) -> Vec<(String, String)> {
        self.whole(code.form(), &[])
    }

    /// A form with what every request for a token has.
    fn whole(&self, mut form: Vec<(&'static str, String)>, scopes: &[String]) -> Vec<(String, String)> {
        if !scopes.is_empty() {
            form.push(("scope", scopes.join(" ")));
        }
        if let Some(audience) = &self.audience {
            form.push(("audience", audience.clone()));
        }
        if self.secret_in_form || self.client_secret.is_none() {
            form.push(("client_id", self.client_id.clone()));
            form.extend(self.client_secret.as_ref().map(|secret| ("client_secret", secret.expose().to_owned())));
        }
        let form = form.into_iter().map(|(name, value)| (name.to_owned(), value));
        form.chain(self.form.iter().cloned()).collect()
    }

    /// The value of `Authorization` of that request, when the secret is not in the form.
    fn authorization(&self) -> Option<String> {
        let secret = self.client_secret.as_ref().filter(|_| !self.secret_in_form)?;
        let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let basic = super::credentials::basic(&encode(&self.client_id), &Secret::new(encode(secret.expose())));
        Some(format!("Basic {}", basic.expose()))
    }
}

/// The tokens of a connection, or of one user of it.
#[derive(Default)]
struct Tokens {
    access: Option<(Secret, Instant)>,
    /// The newest refresh token: servers may give a new one with each answer.
    refresh: Option<Secret>,
    /// A token of a user that the upstream refused although it had not expired.
    refused: Option<Secret>,
    /// The last failure, for those who waited for it.
    failed: Option<(Error, Instant)>,
}

impl Tokens {
    /// The token, if it is still good.
    fn fresh(&self) -> Option<Secret> {
        self.access.as_ref().filter(|(_, until)| *until > Instant::now()).map(|(token, _)| token.clone())
    }

    /// Takes over what is stored of a user, if it is still good.
    fn take(&mut self, stored: &UserToken) -> Option<Secret> {
        let left = u64::try_from(stored.expires_at - chrono::Utc::now().timestamp()).ok()?;
        let left = Duration::from_secs(left).checked_sub(EARLY).filter(|left| !left.is_zero())?;
        if self.refused.as_ref() == Some(&stored.access) {
            return None;
        }
        self.access = Some((stored.access.clone(), Instant::now() + left));
        Some(stored.access.clone())
    }

    /// Keeps what a server answered; gives the token and its life.
    fn keep(&mut self, body: &[u8], exchanged: bool) -> Result<(Secret, Duration), &'static str> {
        #[derive(Deserialize)]
        struct Answer {
            access_token: String,
            token_type: Option<String>,
            expires_in: Option<u64>,
            refresh_token: Option<String>,
        }
        let answer: Answer = serde_json::from_slice(body).map_err(|_| "the answer holds no `access_token`")?;
        // An exchange may give a token that is not an access token by its kind, and still is used as one.
        let usable = |kind: &String| kind.eq_ignore_ascii_case("bearer") || (exchanged && kind == "N_A");
        if answer.token_type.is_some_and(|kind| !usable(&kind)) {
            return Err("the token is not of the type `bearer`");
        }
        let life = answer.expires_in.map_or(LIFE, Duration::from_secs).min(Duration::from_secs(86_400 * 365));
        let token = Secret::new(answer.access_token);
        self.access = Some((token.clone(), Instant::now() + life.saturating_sub(EARLY.min(life / 2))));
        if let Some(refresh) = answer.refresh_token {
            self.refresh = Some(Secret::new(refresh));
        }
        Ok((token, life))
    }
}
