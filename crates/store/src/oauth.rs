//! What the authorization server keeps. Codes, tokens and secrets come as hashes; times are seconds since 1970.

mod exchange;
mod read;
mod write;

pub(crate) use read::hash;
pub(crate) use write::count_revocation;

pub use exchange::{Exchanged, Judged};

/// A keyed hash of a code, token or secret.
pub type Hash = [u8; 32];

/// A registered program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its id.
    pub id: String,
    /// Which authorization server knows it.
    pub realm: String,
    /// What it registered, JSON.
    pub document: String,
    /// Hash of its secret, where it has one.
    pub secret: Option<Hash>,
    /// When it was registered.
    pub created_at: i64,
}

/// What a person let a program do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its id.
    pub id: String,
    /// Which authorization server gave it.
    pub realm: String,
    /// The program.
    pub client: String,
    /// The person.
    pub owner: String,
    /// The scopes, separated by spaces.
    pub scope: String,
    /// What its tokens are for.
    pub resource: String,
    /// When it was given.
    pub created_at: i64,
    /// When nothing hangs on it any more.
    pub expires_at: i64,
}

/// A code that can be turned into tokens once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// What it stands for.
    pub grant: Grant,
    /// Where it was sent.
    pub redirect_uri: String,
    /// What its taker has to prove, RFC 7636.
    pub challenge: String,
    /// Its end.
    pub expires_at: i64,
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Shown with requests.
    Access,
    /// Turned into new tokens.
    Refresh,
}

impl TokenKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }
}

/// A new token of a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// Its hash.
    pub hash: Hash,
    /// What it is for.
    pub kind: TokenKind,
    /// Its scopes, separated by spaces.
    pub scope: String,
    /// Its end.
    pub expires_at: i64,
}

/// A stored token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its hash.
    pub hash: Hash,
    /// What it is for.
    pub kind: TokenKind,
    /// Its scopes, separated by spaces.
    pub scope: String,
    /// Its end.
    pub expires_at: i64,
    /// When a refresh token was turned into new ones.
    pub used_at: Option<i64>,
    /// What it hangs on.
    pub grant: Grant,
}
