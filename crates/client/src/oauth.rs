//! Signing in at a server that wants tokens: the client's side of MCP authorization.
//!
//! A refused request says where to ask: the server's own metadata (RFC 9728) names the authorization server, whose metadata
//! (RFC 8414, OpenID Connect Discovery) names its endpoints. What is said there is believed only as far as it is about this
//! server: another resource, another issuer, no PKCE with S256, an endpoint without TLS, or a redirect is refused with its
//! reason. Then a person agrees in a browser (authorization code with PKCE, RFC 7636, for this resource alone, RFC 8707), or
//! the program signs in for itself (client credentials). Tokens are renewed with rotation, and asked for anew with more scopes
//! when the server wants more.

mod assertion;
mod browser;
mod challenge;
mod check;
mod discover;
mod fetch;
mod grant;
mod kept;
mod login;
mod register;
mod server;

pub use browser::{Answer, Boxed, Browser, Listening};
pub use check::SignedIn;
pub use kept::{Held, Keep};
pub use login::{Login, Options};

use connect::{Error, ErrorKind};

/// An error of signing in at a server.
fn refused(name: &str, why: impl Into<String>) -> Error {
    Error {
        kind: ErrorKind::Denied,
        connection: name.to_owned(),
        attempted: "sign in at another MCP server",
        message: why.into(),
        code: None,
        position: None,
        hint: None,
    }
}

/// 256 random bits, in letters that a URL takes.
fn random(name: &str) -> Result<String, Error> {
    use base64::Engine as _;
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|why| refused(name, format!("the system gives no random bytes: {why}")))?;
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes))
}

/// Seconds since 1970.
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
