//! An OAuth 2.0 server (RFC 6749) with an API behind it: client credentials with the secret in the header or in the form, and
//! refresh tokens. A token is good for two requests, so that it has to be renewed.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{get, post};
use parking_lot::Mutex;
use serde_json::json;

use super::shared::{answer, basic, bearer, pairs, value};

/// Requests that a token is good for.
const USES: u32 = 2;

/// Tokens with what is left of them, and the scopes they are for.
#[derive(Default)]
struct Tokens {
    given: u32,
    live: Vec<(String, u32, String)>,
}

type Shared = State<Arc<Mutex<Tokens>>>;

pub(crate) fn router() -> Router {
    Router::new().route("/token", post(token)).route("/api/me", get(me)).with_state(Arc::default())
}

async fn token(State(state): Shared, headers: HeaderMap, body: Bytes) -> Response {
    let form = pairs(&String::from_utf8_lossy(&body));
    let of = |name| value(&form, name).unwrap_or_default().to_owned();
    let (client, secret) = basic(&headers).unwrap_or_else(|| (of("client_id"), of("client_secret")));
    if (client.as_str(), secret.as_str()) != ("client", "client-secret") {
        return answer(401, json!({ "error": "invalid_client" }));
    }
    let grant = of("grant_type");
    let granted = match grant.as_str() {
        "client_credentials" => true,
        "refresh_token" => of("refresh_token") == "refresh-token",
        _ => return answer(400, json!({ "error": "unsupported_grant_type" })),
    };
    if !granted {
        return answer(
            400,
            json!({ "error": "invalid_grant", "error_description": "The refresh token is not known." }),
        );
    }
    let mut state = state.lock();
    state.given += 1;
    let token = format!("access-token-{}", state.given);
    state.live.push((token.clone(), USES, of("scope")));
    answer(200, json!({ "access_token": token, "token_type": "Bearer", "expires_in": 3600, "scope": of("scope") }))
}

async fn me(State(state): Shared, headers: HeaderMap) -> Response {
    let mut state = state.lock();
    let given = state.given;
    match state.live.iter_mut().find(|(token, left, _)| token == bearer(&headers) && *left > 0) {
        Some((_, left, scope)) => {
            *left -= 1;
            answer(200, json!({ "name": "Ann", "scope": scope, "tokens": given }))
        }
        None => answer(401, json!({ "error": "invalid_token" })),
    }
}
