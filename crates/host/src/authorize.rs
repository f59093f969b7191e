//! A user authorises a server to act for them at an API (RFC 6749, section 4.1; RFC 7636; RFC 8252).

use std::path::Path;
use std::sync::Arc;

use base::{Diagnostic, Secret};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connect::http::{Api, Code, TokenStore as _};
use sha2::{Digest as _, Sha256};
use spec::Spec;
use spec::model::{Connection, Credentials, HttpConnection};

use crate::codes;
use crate::open::settings;
use crate::resolve::{Lookup, Missing, expand};
use crate::users::UserTokens;

/// An authorisation on its way: the user has to open [`Authorization::url`].
#[derive(Debug)]
pub struct Authorization {
    /// The page where the user authorises.
    pub url: String,
    /// What comes back with the code, to know it by.
    pub state: String,
    api: Arc<Api>,
    verifier: Secret,
    redirect: String,
    user: String,
    tokens: UserTokens,
}

/// Prepares the authorisation of a user for a connection; `redirect` is where the code comes to.
///
/// # Errors
/// There is no such connection, it takes no authorisations, or something that it needs is missing.
#[expect(clippy::result_large_err, reason = "once for each authorisation")]
pub fn authorize(
    spec: &Spec,
    connection: &str,
    user: &str,
    redirect: &str,
    lookup: Lookup<'_>,
    tokens: &Path,
) -> Result<Authorization, Diagnostic> {
    let fail = |message: String, help: &str| Diagnostic::error(codes::AUTHORIZE, message).help(help);
    let declared = spec
        .connections
        .iter()
        .find(|known| known.name() == connection)
        .ok_or_else(|| fail(format!("the server has no connection `{connection}`"), &take_users(spec)))?;
    let Some((api, Credentials::Oauth2User { authorization_url, client_id, scopes, audience, parameters, .. })) =
        of_api(declared).map(|api| (api, &api.credentials))
    else {
        let message = format!("connection `{connection}` takes no authorisations of users");
        return Err(fail(message, "its `credentials` need `type: oauth2_user`"));
    };
    let missing =
        |Missing { what, help }: Missing| fail(format!("connection `{connection}` is not complete: {what}"), &help);
    let opened = settings(spec, api, lookup, Some(tokens)).map_err(missing)?;
    let opened =
        Api::open(opened).map_err(|error| fail(error.message, error.hint.as_deref().unwrap_or("mend its settings")))?;
    let random = || random().map_err(|why| fail(format!("the system gives no random bytes: {why}"), "try again"));
    let (state, verifier) = (random()?, random()?);
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    let page = expand(authorization_url, lookup, "https://example.com/authorize").map_err(missing)?;
    let client_id = expand(client_id, lookup, "the client's identifier").map_err(missing)?;
    let mut url = url::Url::parse(&page).map_err(|_| fail(format!("`{page}` is no URL"), "mend `authorizationUrl`"))?;
    {
        let mut query = url.query_pairs_mut();
        query.append_pair("response_type", "code").append_pair("client_id", &client_id);
        query.append_pair("redirect_uri", redirect).append_pair("state", &state);
        query.append_pair("code_challenge", &challenge).append_pair("code_challenge_method", "S256");
        if !scopes.is_empty() {
            query.append_pair("scope", &scopes.join(" "));
        }
        if let Some(audience) = audience {
            query.append_pair("audience", audience);
        }
        for (name, value) in parameters {
            query.append_pair(name, value);
        }
    }
    Ok(Authorization {
        url: url.into(),
        state,
        api: Arc::new(opened),
        verifier: Secret::new(verifier),
        redirect: redirect.to_owned(),
        user: user.to_owned(),
        tokens: UserTokens::new(Some(tokens.to_owned()), &spec.name, connection),
    })
}

impl Authorization {
    /// Turns the code that came back into tokens, and keeps them.
    ///
    /// # Errors
    /// The token endpoint gives none, or they cannot be kept.
    pub async fn finish(self, code: &str) -> Result<(), Diagnostic> {
        let code = Code { code: Secret::new(code), redirect: self.redirect.clone(), verifier: self.verifier.clone() };
        let token = self.api.redeem(&code).await.map_err(|error| {
            let message = format!("the code could not be turned into tokens: {}", error.message);
            Diagnostic::error(codes::AUTHORIZE, message).help("authorise again; a code is good once, and not for long")
        })?;
        self.tokens.save(&self.user, &token).map_err(|why| {
            Diagnostic::error(codes::AUTHORIZE, why).help("make the home folder writable, then authorise again")
        })
    }
}

/// Says which connections of a server take authorisations of users.
pub fn take_users(spec: &Spec) -> String {
    let names: Vec<&str> = spec.connections.iter().filter(|known| takes_users(known)).map(Connection::name).collect();
    match names.as_slice() {
        [] => "none of its connections takes authorisations of users".to_owned(),
        names => format!("connections with authorisations of users: {}", names.join(", ")),
    }
}

fn of_api(connection: &Connection) -> Option<&HttpConnection> {
    match connection {
        Connection::Http(api) | Connection::Graphql(api) | Connection::Grpc(api) => Some(api),
        _ => None,
    }
}

fn takes_users(connection: &Connection) -> bool {
    of_api(connection).is_some_and(|api| matches!(api.credentials, Credentials::Oauth2User { .. }))
}

/// 256 random bits, in letters that a URL takes.
fn random() -> Result<String, String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| error.to_string())?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
