//! What is kept of a sign-in.

use std::any::Any;

use base::Secret;
use serde::{Deserialize, Serialize};

use super::now;
use super::register::Identity;

/// A token is renewed this long before it expires, seconds.
const EARLY: i64 = 30;

/// Where a sign-in is kept, as text that nobody else reads. Its calls are short.
pub trait Keep: Send + Sync {
    /// What was kept last.
    ///
    /// # Errors
    /// It cannot be read.
    fn load(&self) -> Result<Option<String>, String>;

    /// Keeps this in place of what was kept before.
    ///
    /// # Errors
    /// It cannot be kept.
    fn save(&self, text: &str) -> Result<(), String>;

    /// Holds the sign-in for whoever renews it, so that a refresh token is used once; nothing while another process holds it.
    ///
    /// # Errors
    /// It cannot be held.
    fn hold(&self) -> Result<Option<Held>, String>;
}

/// Holds a sign-in until it is dropped.
pub type Held = Box<dyn Any + Send + Sync>;

/// A sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// Who gave the tokens: they are shown to nobody but the server, and renewed nowhere else.
    pub(super) issuer: String,
    pub(super) token_endpoint: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) resource: Option<String>,
    pub(super) client: Identity,
    access: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh: Option<String>,
    /// When the access token expires, seconds since 1970; none where nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    /// The scopes that were asked for so far.
    #[serde(default)]
    pub(super) scopes: Vec<String>,
}

/// Tokens as they came.
pub(super) struct Tokens {
    pub(super) access: String,
    pub(super) refresh: Option<String>,
    pub(super) life: Option<i64>,
}

impl Kept {
    pub(super) fn new(
        server: &super::server::Server,
        resource: Option<String>,
        client: Identity,
        scopes: Vec<String>,
        tokens: Tokens,
    ) -> Self {
        Self {
            issuer: server.issuer.clone(),
            token_endpoint: server.token.to_string(),
            resource,
            client,
            access: tokens.access,
            refresh: tokens.refresh,
            expires_at: tokens.life.map(|life| now().saturating_add(life)),
            scopes,
        }
    }

    /// The same with newer tokens. A server that gives no new refresh token lets the old one be used again.
    pub(super) fn renewed(&self, tokens: Tokens) -> Self {
        Self {
            access: tokens.access,
            refresh: tokens.refresh.or_else(|| self.refresh.clone()),
            expires_at: tokens.life.map(|life| now().saturating_add(life)),
            ..self.clone()
        }
    }

    /// The same where the client is not known any more: it is registered anew, and somebody agrees.
    pub(super) fn forgotten(&self) -> Self {
        let mut kept = Self { access: String::new(), refresh: None, ..self.clone() };
        kept.client.redirect = None;
        kept
    }

    pub(super) fn access(&self) -> Secret {
        Secret::new(self.access.as_str())
    }

    pub(super) fn refresh(&self) -> Option<&str> {
        self.refresh.as_deref()
    }

    pub(super) fn is_fresh(&self) -> bool {
        !self.access.is_empty() && self.expires_at.is_none_or(|at| now() < at - EARLY)
    }
}
