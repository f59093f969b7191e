//! `/register`, `/token`, `/revoke`.

use bytes::Bytes;
use http::{Response, StatusCode, header};
use identity::oauth::{Parameters, Refusal};
use protocol::http::Body;

use super::{Asking, Routes, blocking, respond};

impl Routes {
    pub(super) async fn post(&self, asked: Asking<'_>, body: Bytes) -> Response<Body> {
        let authority = self.oauth.authority.clone();
        let Asking { issuer, address, head } = asked;
        let path = head.uri.path();
        if path == "/register" {
            let outcome = blocking(move || authority.register(address, &body)).await;
            return answer(outcome.map(|told| respond::json(StatusCode::CREATED, &told)));
        }
        let given = match parameters(respond::text(&head.headers, &header::CONTENT_TYPE), &body) {
            Ok(given) => given,
            Err(refusal) => return respond::refusal(&refusal),
        };
        if head.headers.get_all(&header::AUTHORIZATION).iter().nth(1).is_some() {
            return respond::refusal(&respond::bad_body("the header `authorization` is there more than once"));
        }
        let authorization = respond::text(&head.headers, &header::AUTHORIZATION).map(str::to_owned);
        // A document of a client may have to be fetched, and the store writes: a blocking thread waits for both.
        let runtime = tokio::runtime::Handle::current();
        if path == "/revoke" {
            let work = move || runtime.block_on(authority.revoke(address, authorization.as_deref(), &given));
            return answer(blocking(work).await.map(|()| respond::plain(StatusCode::OK)));
        }
        let work = move || runtime.block_on(authority.token(&issuer, address, authorization.as_deref(), &given));
        answer(blocking(work).await.map(|tokens| respond::json(StatusCode::OK, &tokens)))
    }
}

fn answer(outcome: Result<Response<Body>, Refusal>) -> Response<Body> {
    outcome.unwrap_or_else(|refusal| respond::refusal(&refusal))
}

/// A form, or a JSON object.
fn parameters(content_type: Option<&str>, body: &[u8]) -> Result<Parameters, Refusal> {
    let essence = content_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") { Parameters::json(body) } else { Parameters::form(body) }
}
