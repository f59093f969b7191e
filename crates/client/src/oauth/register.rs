//! Who we are at an authorization server.

use base::Secret;
use connect::Error;
use connect::http::{Body, Method};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::fetch::Fetch;
use super::login::Options;
use super::refused;
use super::server::Server;

/// The ways to prove who we are that this client knows, the one that is liked best first.
const METHODS: [&str; 3] = ["none", "client_secret_basic", "client_secret_post"];
/// Proof by a signature of ours (RFC 7523).
pub(super) const BY_KEY: &str = "private_key_jwt";

/// Who we are at an authorization server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    pub(super) method: String,
    /// The address that it was registered with; none for one that somebody else registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) redirect: Option<String>,
}

impl Identity {
    pub(super) fn secret(&self) -> &str {
        self.secret.as_deref().unwrap_or_default()
    }

    /// The one that the user names, if any.
    pub(super) fn named(fetch: &Fetch, options: &Options, server: &Server) -> Result<Option<Self>, Error> {
        if let Some(id) = &options.client_id {
            let secret = options.secret.as_ref().map(|secret| secret.expose().to_owned());
            let method = match (&options.key, &secret) {
                (Some(_), _) => Some(BY_KEY),
                (None, Some(_)) => method(server, |method| method != "none"),
                (None, None) => Some("none"),
            };
            let none = || {
                let known = server.methods.join(", ");
                refused(
                    &fetch.name,
                    format!("the authorization server takes a secret in no way that is known: {known}"),
                )
            };
            let method = method.ok_or_else(none)?.to_owned();
            return Ok(Some(Self { id: id.clone(), secret, method, redirect: None }));
        }
        let document = options.document.as_ref().filter(|_| server.takes_documents);
        Ok(document.map(|url| Self { id: url.clone(), secret: None, method: "none".to_owned(), redirect: None }))
    }

    /// Registers us (RFC 7591).
    pub(super) async fn register(fetch: &Fetch, server: &Server, redirect: &str) -> Result<Self, Error> {
        let Some(url) = &server.register else {
            let why = format!("the authorization server `{}` registers nobody by itself", server.issuer);
            let mut error = refused(&fetch.name, why);
            error.hint = Some("register a client there, and name it with `--client-id`".to_owned());
            return Err(error);
        };
        let method = method(server, |_| true).unwrap_or("none");
        let body = json!({
            "client_name": "MCP Factory",
            "application_type": "native",
            "redirect_uris": [redirect],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": method,
        });
        let body = Body::Json(body.to_string().into());
        let fetched = fetch.ask("the registration", url, Method::POST, body, None).await?;
        let text = |name: &str| fetched.value[name].as_str().map(str::to_owned);
        let (200 | 201, Some(id)) = (fetched.status, text("client_id")) else {
            let said = text("error_description").or_else(|| text("error")).unwrap_or_default();
            let why = format!("the registration was refused with status {}: {}", fetched.status, said.escape_debug());
            return Err(refused(&fetch.name, why));
        };
        let secret = text("client_secret");
        let method = text("token_endpoint_auth_method").unwrap_or_else(|| method.to_owned());
        if !METHODS.contains(&method.as_str()) || (method != "none" && secret.is_none()) {
            let why = format!("the registration wants `{}`, which cannot be done", method.escape_debug());
            return Err(refused(&fetch.name, why));
        }
        Ok(Self { id, secret, method, redirect: Some(redirect.to_owned()) })
    }

    /// What proves who we are: the fields of the form, and the value of `Authorization`.
    pub(super) fn proof(&self, key: Option<&Secret>, server: &str) -> Result<Proof, String> {
        let id = ("client_id".to_owned(), self.id.clone());
        Ok(match self.method.as_str() {
            "client_secret_basic" => Proof { fields: Vec::new(), header: Some(basic(&self.id, self.secret())) },
            "client_secret_post" => {
                Proof { fields: vec![id, ("client_secret".to_owned(), self.secret().to_owned())], header: None }
            }
            BY_KEY => {
                let key = key.ok_or("the key that signs is not named")?;
                let assertion = super::assertion::sign(&self.id, server, key)?;
                let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned();
                let fields =
                    [id, ("client_assertion_type".to_owned(), kind), ("client_assertion".to_owned(), assertion)];
                Proof { fields: fields.to_vec(), header: None }
            }
            _ => Proof { fields: vec![id], header: None },
        })
    }
}

/// What proves who we are.
pub(super) struct Proof {
    pub(super) fields: Vec<(String, String)>,
    pub(super) header: Option<Secret>,
}

/// The best way that both know.
fn method(server: &Server, allowed: impl Fn(&str) -> bool) -> Option<&'static str> {
    METHODS.into_iter().filter(|method| allowed(method)).find(|method| server.methods.iter().any(|one| one == method))
}

/// Both parts are encoded before (RFC 6749, section 2.3.1).
fn basic(id: &str, secret: &str) -> Secret {
    use base64::Engine as _;
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encode(id), encode(secret));
    Secret::new(format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair)))
}
