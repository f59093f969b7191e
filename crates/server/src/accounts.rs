//! Pages of people: setting up, signing in, one's own keys. And signing in for programs that do it for a person.

mod cookie;
mod openid;
mod page;
mod settings;

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use identity::Principal;
use identity::accounts::{Accounts, Entered, Refused};
use identity::address::Proxies;
use identity::oauth::Parameters;
use identity::openid::OpenId;
use operations::{Code, Context, Error, accounts};
use protocol::http::{Body, Guard, Peer};
use serde_json::json;

use crate::oauth::{QUERY_BYTES_MAX, address, is_own_page, issuer_of, read, respond};

pub(crate) use cookie::signed_in;
pub use openid::redirect_uri as openid_redirect_uri;

/// Where people sign in.
pub(crate) const SIGN_IN: &str = "/sign-in";
const SET_UP: &str = "/setup";
const PASSWORD: &str = "/password";
const SIGN_OUT: &str = "/sign-out";
const ACCOUNT: &str = "/account";
/// Where programs sign a person in.
const SESSION: &str = "/api/session";
/// The pages that signing in may lead to besides one's own: a program's question, and the description of the API.
const AUTHORIZE: &str = "/authorize?";
const DOCS: &str = "/docs";
/// Longest path that signing in leads to, bytes: a program's question with the longest query.
const TO_BYTES_MAX: usize = AUTHORIZE.len() + QUERY_BYTES_MAX;

/// The pages of people.
pub(crate) struct People {
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) openid: Option<Arc<OpenId>>,
    pub(crate) context: Context,
    pub(crate) guard: Arc<Guard>,
    pub(crate) public_origin: Option<String>,
    pub(crate) proxies: Proxies,
}

/// Somebody who is signed in at a browser.
pub(crate) struct Known {
    pub(crate) principal: Arc<Principal>,
    pub(crate) name: Arc<str>,
}

/// A request with what every page needs of it.
#[derive(Clone, Copy)]
struct Asked<'a> {
    head: &'a Parts,
    peer: &'a Peer,
    /// The origin that the browser sees.
    origin: &'a str,
    /// Names the request in the log, and on pages that say what went wrong.
    id: &'a str,
}

impl People {
    /// Whether a path is one of these.
    pub(crate) fn has(path: &str) -> bool {
        matches!(path, SIGN_IN | SET_UP | PASSWORD | SIGN_OUT | ACCOUNT | SESSION | openid::BEGIN | openid::BACK)
    }

    /// Answers a request for one of them.
    pub(crate) async fn answer(&self, request: Request<Incoming>, peer: &Peer, id: &str) -> Response<Body> {
        let (head, body) = request.into_parts();
        let origin = match issuer_of(self.public_origin.as_deref(), &self.guard, &head.headers) {
            Ok(origin) => origin,
            Err(refusal) => return respond::refusal_page(&head, &refusal),
        };
        let path = head.uri.path();
        let asked = Asked { head: &head, peer, origin: &origin, id };
        if matches!(path, openid::BEGIN | openid::BACK) {
            return self.by_provider(&asked).await;
        }
        match head.method {
            Method::GET | Method::HEAD if path != SIGN_OUT && path != SESSION => self.show(&head, &origin).await,
            Method::POST | Method::DELETE => match read(&head.headers, body).await {
                Ok(body) if path == SESSION => self.session(&asked, &body).await,
                Ok(body) if head.method == Method::POST => self.sent(&asked, &body).await,
                Ok(_) => respond::method_not_allowed("GET, HEAD, POST"),
                Err(refusal) => respond::refusal_page(&head, &refusal),
            },
            _ => respond::method_not_allowed(if path == SESSION { "POST, DELETE" } else { "GET, HEAD, POST" }),
        }
    }

    async fn show(&self, head: &Parts, origin: &str) -> Response<Body> {
        let query = Parameters::form(head.uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
        let link = query.get("link").unwrap_or_default();
        match head.uri.path() {
            SET_UP | PASSWORD => match self.link_has_force(head.uri.path(), link).await {
                Ok(true) if head.uri.path() == SET_UP => page::set_up(link, None),
                Ok(true) => page::password(link, None),
                Ok(false) => page::told(StatusCode::NOT_FOUND, &Refused::Link.to_string()),
                Err(error) => failed(&error),
            },
            SIGN_IN if !self.accounts.exist() && !self.lets_owner_in() => page::told(
                StatusCode::OK,
                "There is no account yet. Open the link that the control plane printed when it began; \
                 `mcp-factory accounts create` makes one at the machine itself.",
            ),
            SIGN_IN => page::sign_in(leads_to(&query), None, self.beside()),
            _ => match signed_in(&self.accounts, &head.headers, origin).await {
                Some(known) => self.own_page(&known, None).await,
                None => respond::redirect(StatusCode::SEE_OTHER, SIGN_IN),
            },
        }
    }

    async fn link_has_force(&self, path: &str, link: &str) -> Result<bool, Error> {
        let (accounts, link, first) = (self.accounts.clone(), link.to_owned(), path == SET_UP);
        let found = blocking(move || Ok(accounts.look_at_link(&link)?)).await?;
        Ok(found.is_some_and(|found| found.account.is_none() == first))
    }

    /// A form of one of the pages.
    async fn sent(&self, asked: &Asked<'_>, body: &Bytes) -> Response<Body> {
        let Asked { head, peer, origin, .. } = *asked;
        if !is_own_page(&head.headers, origin, true) {
            let why = "This was sent by another site's page, or by a browser that does not say whose page it is.";
            return page::told(StatusCode::FORBIDDEN, why);
        }
        let form = match Parameters::form(body) {
            Ok(form) => form,
            Err(refusal) => return respond::refusal_page(head, &refusal),
        };
        let word = |name: &str| form.get(name).unwrap_or_default().to_owned();
        let (accounts, link, name, password) = (self.accounts.clone(), word("link"), word("name"), word("password"));
        match head.uri.path() {
            SET_UP => {
                let (secret, chosen) = (link.clone(), password);
                let entered = hashing(move || accounts.set_up(&secret, &name, &chosen)).await;
                self.entered(entered, asked, ("set-up link", ACCOUNT), |why| page::set_up(&link, Some(why)))
            }
            PASSWORD => {
                let secret = link.clone();
                let entered = hashing(move || accounts.choose_password(&secret, &password)).await;
                self.entered(entered, asked, ("password link", ACCOUNT), |why| page::password(&link, Some(why)))
            }
            SIGN_IN if self.takes_no_passwords() => openid::no_passwords(asked),
            SIGN_IN => {
                let address = address(&self.proxies, head, peer);
                let named = name.clone();
                let entered = self.by_password(address, name, password).await;
                self.note_refused(entered.as_ref().err(), &named, address, asked.id);
                let to = leads_to(&form);
                let again = |why: &str| page::sign_in(to, Some(why), self.beside());
                self.entered(entered, asked, ("password", to.unwrap_or(ACCOUNT)), again)
            }
            SIGN_OUT => self.sign_out(head, origin).await,
            _ => match signed_in(&self.accounts, &head.headers, origin).await {
                Some(known) => self.own_page(&known, Some(&form)).await,
                None => respond::redirect(StatusCode::SEE_OTHER, SIGN_IN),
            },
        }
    }

    /// Looks at a password when it is its turn. Whoever waits holds no thread.
    async fn by_password(&self, address: IpAddr, name: String, password: String) -> Result<Entered, Refused> {
        let _turn = self.accounts.turn(address).await;
        let accounts = self.accounts.clone();
        hashing(move || accounts.sign_in(address, &name, &password)).await
    }

    /// Tells the audit of a password that was not taken.
    fn note_refused(&self, refused: Option<&Refused>, name: &str, address: IpAddr, id: &str) {
        if let Some(refused @ (Refused::Wrong | Refused::Slow(_))) = refused {
            let (slow, how) = (matches!(refused, Refused::Slow(_)), json!({ "by": "password", "address": address }));
            accounts::note_refused_sign_in(&self.context, name, slow, id, how);
        }
    }

    fn entered(
        &self,
        entered: Result<Entered, Refused>,
        asked: &Asked<'_>,
        (by, to): (&str, &str),
        again: impl FnOnce(&str) -> Response<Body>,
    ) -> Response<Body> {
        match entered {
            Ok(entered) => {
                let address = address(&self.proxies, asked.head, asked.peer);
                let how = json!({ "by": by, "address": address });
                accounts::note_sign_in(&self.context, &entered.account, asked.id, how);
                let mut answer = respond::redirect(StatusCode::SEE_OTHER, to);
                cookie::SESSION.set(&mut answer, asked.origin, &entered.token);
                answer
            }
            Err(Refused::Fault(fault)) => failed(&fault.into()),
            Err(refused) => with_wait(again(&refused.to_string()), &refused),
        }
    }

    async fn sign_out(&self, head: &Parts, origin: &str) -> Response<Body> {
        if let Some(token) = cookie::SESSION.shown(&head.headers, origin).map(str::to_owned) {
            let accounts = self.accounts.clone();
            if let Err(error) = blocking(move || Ok(accounts.sign_out(&token)?)).await {
                return failed(&error);
            }
        }
        let mut answer = respond::redirect(StatusCode::SEE_OTHER, SIGN_IN);
        cookie::SESSION.clear(&mut answer, origin);
        answer
    }

    /// Signs a person in for a program, which shows the token from then on; or signs it out.
    async fn session(&self, asked: &Asked<'_>, body: &Bytes) -> Response<Body> {
        let Asked { head, peer, origin, id } = *asked;
        let accounts = self.accounts.clone();
        if head.method == Method::DELETE {
            let token = crate::oauth::bearer(head).unwrap_or_default().to_owned();
            return match blocking(move || Ok(accounts.sign_out(&token)?)).await {
                Ok(true) => respond::plain(StatusCode::NO_CONTENT),
                Ok(false) => respond::refusal(&respond::error(401, "invalid_token", "nobody is signed in with this")),
                Err(error) => failed(&error),
            };
        }
        if !is_own_page(&head.headers, origin, false) {
            return respond::refusal(&respond::error(403, "access_denied", "another site's page sent this"));
        }
        if self.takes_no_passwords() {
            let why = format!(
                "passwords are not taken here ({}): use a key, or sign in with a browser",
                Code::OpenIdOnly.as_str()
            );
            return respond::refusal(&respond::error(403, "access_denied", &why));
        }
        let given = match Parameters::json(body) {
            Ok(given) => given,
            Err(refusal) => return respond::refusal(&refusal),
        };
        let word = |name: &str| given.get(name).unwrap_or_default().to_owned();
        let (name, password, address) = (word("name"), word("password"), address(&self.proxies, head, peer));
        let named = name.clone();
        let entered = self.by_password(address, name, password).await;
        self.note_refused(entered.as_ref().err(), &named, address, id);
        match entered {
            Ok(entered) => {
                let account = &entered.account;
                let how = json!({ "by": "password", "address": address });
                accounts::note_sign_in(&self.context, account, id, how);
                let told = json!({"token": entered.token, "expiresAt": entered.expires_at,
                    "account": {"id": account.id, "name": account.name, "role": account.role}});
                respond::json(StatusCode::CREATED, &told)
            }
            Err(Refused::Fault(fault)) => failed(&fault.into()),
            Err(refused) => {
                let slow = matches!(refused, Refused::Slow(_));
                let (status, error) = if slow { (429, "too_many_requests") } else { (401, "access_denied") };
                with_wait(respond::refusal(&respond::error(status, error, &refused.to_string())), &refused)
            }
        }
    }
}

/// Where signing in leads, as far as it may, and as a header can say it.
fn leads_to(given: &Parameters) -> Option<&str> {
    let is_docs = |to: &str| to.strip_prefix(DOCS).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let is_plain = |to: &str| to.len() <= TO_BYTES_MAX && to.bytes().all(|byte| byte.is_ascii_graphic());
    given.get("to").filter(|to| is_plain(to) && (to.starts_with(AUTHORIZE) || is_docs(to)))
}

fn with_wait(mut answer: Response<Body>, refused: &Refused) -> Response<Body> {
    if let Refused::Slow(spent) = refused {
        *answer.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        answer.headers_mut().extend(crate::keys::spent(spent));
    }
    answer
}

fn failed(error: &Error) -> Response<Body> {
    tracing::error!(%error, "a page of people could not be answered");
    let mut answer = page::told(StatusCode::SERVICE_UNAVAILABLE, "This does not work at the moment. Try again soon.");
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    answer
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.unwrap_or_else(|error| Err(Error::new(Code::Internal, format!("the work did not end: {error}"))))
}

/// The same for what hashes a password.
async fn hashing<T: Send + 'static>(work: impl FnOnce() -> Result<T, Refused> + Send + 'static) -> Result<T, Refused> {
    let fault = |error: tokio::task::JoinError| Refused::Fault(identity::Fault::Random(error.to_string()));
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(fault(error)))
}
