//! The cookie of a browser that signed in.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Response, header};
use identity::accounts::{Accounts, SESSION_LIFE};
use protocol::http::Body;

use super::Known;

/// Over TLS: browsers hold it to this host, to all of its paths, and to TLS.
const HOST: &str = "__Host-mcp_factory";
/// Over plain HTTP, which only this machine speaks: browsers take no `__Host-` cookie from it.
const PLAIN: &str = "mcp_factory";

fn name(origin: &str) -> &'static str {
    if origin.starts_with("https:") { HOST } else { PLAIN }
}

/// What a browser shows.
pub(super) fn token<'a>(headers: &'a HeaderMap, origin: &str) -> Option<&'a str> {
    let name = name(origin);
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(';')).find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// Who is signed in at a browser.
pub(crate) async fn signed_in(accounts: &Arc<Accounts>, headers: &HeaderMap, origin: &str) -> Option<Known> {
    let token = token(headers, origin)?;
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

/// Has a browser keep a token. Other sites' pages do not send it along, but for links to pages.
pub(super) fn set(answer: &mut Response<Body>, origin: &str, token: &str) {
    put(answer, origin, token, SESSION_LIFE.as_secs());
}

/// Has a browser forget it.
pub(super) fn clear(answer: &mut Response<Body>, origin: &str) {
    put(answer, origin, "", 0);
}

fn put(answer: &mut Response<Body>, origin: &str, token: &str, seconds: u64) {
    let secure = if origin.starts_with("https:") { "; Secure" } else { "" };
    let cookie = format!("{}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}", name(origin));
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
}
