//! Tokens of users who authorised us one by one (RFC 6749, section 4.1, with PKCE, RFC 7636).

use std::fmt;
use std::sync::Arc;

use base::Secret;
use serde::{Deserialize, Serialize};

/// The tokens that one user's authorisation gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserToken {
    /// The access token.
    pub access: Secret,
    /// What gets the next one.
    pub refresh: Option<Secret>,
    /// When the access token expires, seconds since 1970.
    pub expires_at: i64,
}

/// The same as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    access: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh: Option<String>,
    expires_at: i64,
}

impl UserToken {
    /// The tokens as JSON, for a place that nobody else reads.
    pub fn to_json(&self) -> String {
        let stored = Stored {
            access: self.access.expose().to_owned(),
            refresh: self.refresh.as_ref().map(|token| token.expose().to_owned()),
            expires_at: self.expires_at,
        };
        serde_json::to_string(&stored).unwrap_or_default()
    }

    /// Tokens from JSON that [`UserToken::to_json`] wrote.
    pub fn from_json(text: &str) -> Option<Self> {
        let Stored { access, refresh, expires_at } = serde_json::from_str(text).ok()?;
        Some(Self { access: Secret::new(access), refresh: refresh.map(Secret::new), expires_at })
    }
}

/// Where the tokens of users are kept. Its calls are short: they are made while a token is needed.
pub trait TokenStore: Send + Sync {
    /// The tokens of a user; nothing when the user has authorised nothing.
    ///
    /// # Errors
    /// They cannot be read.
    fn load(&self, user: &str) -> Result<Option<UserToken>, String>;

    /// Keeps the tokens of a user in place of those before.
    ///
    /// # Errors
    /// They cannot be kept.
    fn save(&self, user: &str, token: &UserToken) -> Result<(), String>;

    /// What somebody has to do so that there are tokens of a user.
    fn advice(&self, user: &str) -> String;
}

/// The tokens of the users of a connection.
#[derive(Clone)]
pub struct Users(pub Arc<dyn TokenStore>);

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Users")
    }
}

/// An authorisation code, and what proves that it was ours to ask for.
#[derive(Clone, Debug)]
pub struct Code {
    /// The code.
    pub code: Secret,
    /// The address that it came to.
    pub redirect: String,
    /// The verifier behind the challenge.
    pub verifier: Secret,
}

impl Code {
    /// The form that asks for tokens.
    pub(super) fn form(&self) -> Vec<(&'static str, String)> {
        vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", self.code.expose().to_owned()),
            ("redirect_uri", self.redirect.clone()),
            ("code_verifier", self.verifier.expose().to_owned()),
        ]
    }
}
