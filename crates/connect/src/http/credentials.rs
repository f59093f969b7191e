//! What a connection shows to its upstream.

use base::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::oauth::OAuth;
use super::sign::{SigV4, Signing};

/// What a connection shows to its upstream. It is sent to the origin of the base URL only.
#[derive(Clone, Debug, Default)]
pub enum Credentials {
    /// Nothing.
    #[default]
    None,
    /// A user and a password (RFC 7617).
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A token (RFC 6750).
    Bearer(Secret),
    /// A key in a header.
    Header {
        /// The header's name.
        name: String,
        /// The key.
        value: Secret,
    },
    /// A key in the query.
    Query {
        /// The parameter's name.
        name: String,
        /// The key.
        value: Secret,
    },
    /// Tokens that are fetched and renewed.
    OAuth(OAuth),
    /// Each request is signed.
    Signing(Signing),
    /// Each request is signed as AWS wants it.
    SigV4(SigV4),
}

impl Credentials {
    /// Everything in it that must not be seen.
    pub fn secrets(&self) -> Vec<Secret> {
        match self {
            Self::None => Vec::new(),
            Self::Basic { user, password } => vec![password.clone(), basic(user, password)],
            Self::Bearer(value) | Self::Header { value, .. } | Self::Query { value, .. } => vec![value.clone()],
            Self::OAuth(oauth) => oauth.secrets(),
            Self::Signing(signing) => vec![signing.key.clone()],
            Self::SigV4(keys) => keys.session_token.iter().cloned().chain([keys.secret.clone()]).collect(),
        }
    }
}

/// The value of `Authorization: Basic`, without the word.
pub(super) fn basic(user: &str, password: &Secret) -> Secret {
    Secret::new(STANDARD.encode(format!("{user}:{}", password.expose())))
}
