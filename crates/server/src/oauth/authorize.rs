//! `/authorize`: the question of a program, and the owner's answer.

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use identity::oauth::{Asked, Parameters, Turned};
use protocol::http::Body;

use crate::accounts::{Known, SIGN_IN, signed_in};

use super::{Asking, QUERY_BYTES_MAX, Routes, blocking, page, respond};

/// The cookie by which a browser shows that it was asked.
const COOKIE: &str = "mcp_factory_consent";
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

impl Routes {
    /// A program sends a browser here.
    pub(super) async fn ask(&self, asked: Asking<'_>) -> Response<Body> {
        let query = asked.head.uri.query().unwrap_or_default();
        if query.len() > QUERY_BYTES_MAX {
            return respond::refusal_page(asked.head, &respond::bad_body("the query is too long"));
        }
        let authority = &self.oauth.authority;
        let question = match Parameters::form(query.as_bytes()) {
            Ok(parameters) => {
                let (authority, issuer, address) = (authority.clone(), asked.issuer.clone(), asked.address);
                let runtime = tokio::runtime::Handle::current();
                let work = move || Ok(runtime.block_on(authority.ask(&issuer, address, &parameters)));
                blocking(work).await.unwrap_or_else(|refusal| Err(Turned::Here(refusal)))
            }
            Err(refusal) => Err(Turned::Here(refusal)),
        };
        match question {
            Err(Turned::Here(refusal)) => respond::refusal_page(asked.head, &refusal),
            Err(Turned::Away(to)) => respond::redirect(StatusCode::FOUND, &to),
            Ok(question) if authority.approves_by_itself() => {
                self.approve(&asked, question, self.owner().to_owned(), StatusCode::FOUND).await
            }
            Ok(question) if authority.asks_accounts() => match self.person(&asked).await {
                Some(person) => self.page(&asked, &question, Some(&person.name), None),
                None => respond::redirect(StatusCode::SEE_OTHER, &sign_in(asked.head)),
            },
            Ok(question) => self.page(&asked, &question, None, None),
        }
    }

    /// Who is signed in at the browser that asks.
    async fn person(&self, asked: &Asking<'_>) -> Option<Known> {
        signed_in(self.accounts.as_ref()?, &asked.head.headers, &asked.issuer).await
    }

    /// The owner's answer comes from the page.
    pub(super) async fn answered(&self, asked: Asking<'_>, body: &[u8]) -> Response<Body> {
        let refused = |refusal| respond::refusal_page(asked.head, &refusal);
        if !is_own_page(&asked.head.headers, &asked.issuer, self.accounts.is_some()) {
            let why = "this answer comes from another site's page; start again in the program that sent you here";
            return refused(respond::error(403, "access_denied", why));
        }
        let authority = &self.oauth.authority;
        let given = match Parameters::form(body) {
            Ok(given) => given,
            Err(refusal) => return refused(refusal),
        };
        let browser = cookie(&asked.head.headers);
        let question = match authority.questioned(given.get("question").unwrap_or_default(), browser) {
            Ok(question) => question,
            Err(refusal) => return refused(refusal),
        };
        if given.get("answer") != Some("allow") {
            return respond::redirect(StatusCode::SEE_OTHER, &authority.deny(&question));
        }
        if authority.asks_accounts() {
            return match self.person(&asked).await {
                Some(person) => {
                    self.approve(&asked, question, person.principal.owner.to_string(), StatusCode::SEE_OTHER).await
                }
                None => refused(respond::error(
                    403,
                    "access_denied",
                    "nobody is signed in any more; sign in and start again",
                )),
            };
        }
        match authority.is_owner(asked.address, given.get("passphrase").unwrap_or_default()) {
            Ok(true) => self.approve(&asked, question, self.owner().to_owned(), StatusCode::SEE_OTHER).await,
            Ok(false) => self.page(&asked, &question, None, Some("This is not the passphrase. Try again.")),
            Err(refusal) => refused(refusal),
        }
    }

    async fn approve(&self, asked: &Asking<'_>, question: Asked, owner: String, status: StatusCode) -> Response<Body> {
        let authority = self.oauth.authority.clone();
        match blocking(move || Ok(authority.approve(&question, &owner)?)).await {
            Ok(to) => respond::redirect(status, &to),
            Err(refusal) => respond::refusal_page(asked.head, &refusal),
        }
    }

    fn page(&self, asked: &Asking<'_>, question: &Asked, person: Option<&str>, wrong: Option<&str>) -> Response<Body> {
        let authority = &self.oauth.authority;
        let made = authority.new_browser().map_err(Into::into);
        let made = made.and_then(|browser| Ok((authority.question(question, &browser)?, browser)));
        let (sealed, browser) = match made {
            Ok(made) => made,
            Err(refusal) => return respond::refusal_page(asked.head, &refusal),
        };
        let mut answer = page::consent(&authority.settings().title, question, &sealed, person, wrong);
        // A browser keeps no `Secure` cookie from plain HTTP, which only a server for this machine alone speaks.
        let secure = if asked.issuer.starts_with("https:") { "; Secure" } else { "" };
        let cookie = format!("{COOKIE}={browser}; Path=/authorize; HttpOnly; SameSite=Strict; Max-Age=600{secure}");
        if let Ok(cookie) = HeaderValue::try_from(cookie) {
            answer.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        answer
    }
}

/// Where a browser signs in and comes back from.
fn sign_in(head: &http::request::Parts) -> String {
    let to = head.uri.path_and_query().map_or("/authorize?", http::uri::PathAndQuery::as_str);
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("to", to).finish();
    format!("{SIGN_IN}?{query}")
}

/// Whether a form was sent by a page of this server, as far as the browser says; a browser that says nothing is believed
/// unless `strict`.
pub(crate) fn is_own_page(headers: &HeaderMap, issuer: &str, strict: bool) -> bool {
    let origin = respond::text(headers, &header::ORIGIN);
    let site = respond::text(headers, &FETCH_SITE);
    if strict && origin.is_none() && site.is_none() {
        return false;
    }
    origin.is_none_or(|origin| origin == issuer) && site.is_none_or(|site| matches!(site, "same-origin" | "none"))
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(';')).find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}
