//! The cookies of a browser that signed in, or is about to.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Response, header};
use identity::accounts::{Accounts, SESSION_LIFE};
use identity::openid::SIGN_IN_LIFE;
use protocol::http::Body;

use super::Known;

/// A cookie. Other sites' pages do not send it along, but for links to pages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cookie {
    /// Over TLS: browsers hold it to this host, to all of its paths, and to TLS.
    host: &'static str,
    /// Over plain HTTP, which only this machine speaks: browsers take no `__Host-` cookie from it.
    plain: &'static str,
    seconds: u64,
}

/// Says who is signed in.
pub(super) const SESSION: Cookie =
    Cookie { host: "__Host-mcp_factory", plain: "mcp_factory", seconds: SESSION_LIFE.as_secs() };
/// Says which sign-in at a provider this browser began.
pub(super) const BEGUN: Cookie =
    Cookie { host: "__Host-mcp_factory_openid", plain: "mcp_factory_openid", seconds: SIGN_IN_LIFE.as_secs() };

impl Cookie {
    fn name(self, origin: &str) -> &'static str {
        if origin.starts_with("https:") { self.host } else { self.plain }
    }

    /// What a browser shows.
    pub(super) fn shown<'a>(self, headers: &'a HeaderMap, origin: &str) -> Option<&'a str> {
        let name = self.name(origin);
        let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        all.flat_map(|value| value.split(';')).find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
    }

    /// Has a browser keep a text.
    pub(super) fn set(self, answer: &mut Response<Body>, origin: &str, text: &str) {
        self.put(answer, origin, text, self.seconds);
    }

    /// Has a browser forget it.
    pub(super) fn clear(self, answer: &mut Response<Body>, origin: &str) {
        self.put(answer, origin, "", 0);
    }

    fn put(self, answer: &mut Response<Body>, origin: &str, text: &str, seconds: u64) {
        let secure = if origin.starts_with("https:") { "; Secure" } else { "" };
        let name = self.name(origin);
        let cookie = format!("{name}={text}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
        if let Ok(cookie) = HeaderValue::try_from(cookie) {
            answer.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
}

/// Who is signed in at a browser.
pub(crate) async fn signed_in(accounts: &Arc<Accounts>, headers: &HeaderMap, origin: &str) -> Option<Known> {
    let token = SESSION.shown(headers, origin)?;
    if let Some((principal, name)) = accounts.known(token) {
        return Some(Known { principal, name });
    }
    let (accounts, token) = (accounts.clone(), token.to_owned());
    match tokio::task::spawn_blocking(move || accounts.look_up(&token)).await {
        Ok(Ok(found)) => found.map(|(principal, name)| Known { principal, name }),
        Ok(Err(fault)) => {
            tracing::error!(%fault, "it could not be looked up who is signed in");
            None
        }
        Err(_) => None,
    }
}
