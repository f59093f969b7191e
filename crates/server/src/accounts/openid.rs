//! Signing in at a provider of OpenID Connect: to its page, and back from it.

use http::{Method, Response, StatusCode, header};
use identity::oauth::Parameters;
use identity::openid::{Failure, Kind, OpenId, Person};
use operations::{Code, accounts};
use protocol::http::Body;
use serde_json::json;

use super::page::{self, Away, Beside};
use super::{ACCOUNT, Asked, People, cookie, failed, leads_to};
use crate::oauth::{address, respond};

/// Leads to the provider.
pub(super) const BEGIN: &str = "/sign-in/openid";
/// Where the provider sends browsers back to.
pub(super) const BACK: &str = "/sign-in/openid/callback";
/// Longest query, bytes: a path that is led to, with every byte of it written as three.
const QUERY_BYTES_MAX: usize = 4 * super::TO_BYTES_MAX;

/// What providers are told to send browsers back to, at an origin.
pub fn redirect_uri(origin: &str) -> String {
    format!("{}{BACK}", origin.trim_end_matches('/'))
}

impl People {
    /// The provider as the page for signing in shows it.
    pub(super) fn beside(&self) -> Option<Beside<'_>> {
        let settings = self.openid.as_ref()?.settings();
        // Without an account there is no password either.
        Some(Beside { name: &settings.name, is_alone: settings.only || !self.accounts.exist() })
    }

    /// Whether somebody may come in by the provider before there is an account.
    pub(super) fn lets_owner_in(&self) -> bool {
        self.openid.as_ref().is_some_and(|openid| openid.settings().allow.names_owner())
    }

    pub(super) fn takes_no_passwords(&self) -> bool {
        self.openid.as_ref().is_some_and(|openid| openid.settings().only)
    }

    /// Answers what has to do with the provider.
    pub(super) async fn by_provider(&self, asked: &Asked<'_>) -> Response<Body> {
        let Some(openid) = &self.openid else {
            return page::told(StatusCode::NOT_FOUND, "Nobody signs in by OpenID Connect here.");
        };
        if asked.head.method != Method::GET {
            return respond::method_not_allowed("GET");
        }
        let query = asked.head.uri.query().unwrap_or_default();
        let query = if query.len() <= QUERY_BYTES_MAX { query } else { "" };
        let given = Parameters::form(query.as_bytes()).unwrap_or_default();
        let redirect = redirect_uri(asked.origin);
        if asked.head.uri.path() == BEGIN {
            let (to, address) = (leads_to(&given), address(&self.proxies, asked.head, asked.peer));
            return match openid.begin(address, &redirect, to).await {
                Ok(begun) => {
                    let mut answer = respond::redirect(StatusCode::SEE_OTHER, &begun.page);
                    cookie::BEGUN.set(&mut answer, asked.origin, &begun.cookie);
                    answer
                }
                Err(failure) => away(openid, asked, &failure, to),
            };
        }
        let shown = cookie::BEGUN.shown(&asked.head.headers, asked.origin);
        let finished = openid.finish(&given, shown, &redirect).await;
        let back = finished.back.as_deref();
        let mut answer = match finished.outcome {
            Ok(person) => self.came(openid, asked, person, (back, finished.has_forgotten)).await,
            Err(failure) => away(openid, asked, &failure, back),
        };
        // A sign-in is answered once, whatever the answer was; but not by what another site made up.
        if finished.is_theirs {
            cookie::BEGUN.clear(&mut answer, asked.origin);
        }
        answer
    }

    /// Signs in whom the provider named.
    async fn came(
        &self,
        openid: &std::sync::Arc<OpenId>,
        asked: &Asked<'_>,
        person: Person,
        (back, has_forgotten): (Option<&str>, bool),
    ) -> Response<Body> {
        let (accounts, provider) = (self.accounts.clone(), openid.clone());
        let mut how = json!({ "by": "openid", "issuer": openid.settings().issuer });
        // Whoever reads the log has to know whose account it is, also where the provider vouches for no address.
        let unverified = person.called().filter(|called| Some(called.as_str()) != person.verified());
        how["person"] = json!({ "subject": person.subject, "address": person.verified(), "unverified": unverified });
        let entering = tokio::task::spawn_blocking(move || accounts.enter_by(&provider, &person)).await;
        let entered = entering.unwrap_or_else(|error| Err(Failure { kind: Kind::Fault, why: error.to_string() }));
        match entered {
            Ok((entered, came)) => {
                how["account"] = json!(came.as_str());
                accounts::note_sign_in(&self.context, &entered.account, asked.id, how);
                let mut answer = match has_forgotten {
                    true => page::signed_in(&entered.account.name),
                    false => respond::redirect(StatusCode::SEE_OTHER, back.unwrap_or(ACCOUNT)),
                };
                cookie::SESSION.set(&mut answer, asked.origin, &entered.token);
                answer
            }
            Err(failure) => {
                if matches!(failure.kind, Kind::Stranger | Kind::Taken) {
                    accounts::note_turned_away(&self.context, code(failure.kind), asked.id, how);
                }
                away(openid, asked, &failure, back)
            }
        }
    }
}

/// Says that passwords are not taken.
pub(super) fn no_passwords(asked: &Asked<'_>) -> Response<Body> {
    let what = "Passwords are not taken here. Sign in with the button of the page before.";
    let code = Code::OpenIdOnly.as_str();
    Away { status: StatusCode::FORBIDDEN, code, what, id: asked.id, to: None }.page()
}

fn code(kind: Kind) -> Code {
    match kind {
        Kind::Provider => Code::OpenIdProvider,
        Kind::Answer => Code::OpenIdAnswer,
        Kind::Declined => Code::OpenIdDeclined,
        Kind::Code => Code::OpenIdCode,
        Kind::Token => Code::OpenIdToken,
        Kind::Stranger => Code::OpenIdStranger,
        Kind::Taken => Code::OpenIdTaken,
        Kind::Slow(_) => Code::TooMany,
        Kind::Fault => Code::Internal,
    }
}

/// Tells somebody why they are not signed in, and the log more of it.
fn away(openid: &OpenId, asked: &Asked<'_>, failure: &Failure, to: Option<&str>) -> Response<Body> {
    if failure.kind == Kind::Fault {
        return failed(&operations::Error::new(Code::Internal, failure.why.clone()));
    }
    let code = code(failure.kind).as_str();
    tracing::warn!(code, request = asked.id, why = %failure, "somebody did not come in by OpenID Connect");
    let name = &openid.settings().name;
    let (status, what) = match failure.kind {
        Kind::Provider => (
            StatusCode::BAD_GATEWAY,
            format!("It does not work at the moment to sign in with {name}. Try again in a minute."),
        ),
        Kind::Answer => (
            StatusCode::BAD_REQUEST,
            "This browser began no sign-in that this answer belongs to, or it was answered before, or it took longer than ten \
             minutes. Sign in again, in one window, and let the browser keep cookies."
                .to_owned(),
        ),
        Kind::Declined => (
            StatusCode::FORBIDDEN,
            format!("You were not signed in with {name}: you, or it, said no. Sign in again if that was not meant."),
        ),
        Kind::Code => (
            StatusCode::BAD_GATEWAY,
            format!("Signing in with {name} did not come to its end. Sign in again; if that is of no use, whoever runs this control plane has to look at its client there."),
        ),
        Kind::Token => (
            StatusCode::BAD_GATEWAY,
            format!("What came from {name} could not be checked, so it is not believed. Sign in again; if that is of no use, tell whoever runs this control plane."),
        ),
        Kind::Stranger => (
            StatusCode::FORBIDDEN,
            format!("You are known at {name}, and not let in here: {failure}. Ask whoever runs this control plane to let you in."),
        ),
        Kind::Taken => (
            StatusCode::CONFLICT,
            "There is an account of your address here, and it is not tied to you. Sign in with its password, or ask whoever runs this \
             control plane to tie it to you."
                .to_owned(),
        ),
        Kind::Slow(_) | Kind::Fault => {
            (StatusCode::TOO_MANY_REQUESTS, "Too many sign-ins were begun from your address. Try again soon.".to_owned())
        }
    };
    let mut answer = Away { status, code, what: &what, id: asked.id, to }.page();
    if let Kind::Slow(wait) = failure.kind {
        answer.headers_mut().insert(header::RETRY_AFTER, respond::retry_after(wait));
    }
    answer
}
