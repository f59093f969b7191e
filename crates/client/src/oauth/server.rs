//! The metadata of an authorization server (RFC 8414, section 2; RFC 9207, section 3).

use connect::Error;
use serde_json::Value;
use url::Url;

use super::fetch::Fetch;
use super::refused;

/// What is known of an authorization server.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) issuer: String,
    /// None at a server that only programs sign in at.
    pub(super) authorize: Option<Url>,
    pub(super) token: Url,
    pub(super) register: Option<Url>,
    pub(super) has_s256: bool,
    /// How clients may prove who they are.
    pub(super) methods: Vec<String>,
    pub(super) scopes: Vec<String>,
    /// Whether its answers say whose they are.
    pub(super) says_issuer: bool,
    /// Whether clients may be documents.
    pub(super) takes_documents: bool,
}

impl Server {
    /// Reads metadata, which must be those of this issuer.
    pub(super) fn read(fetch: &Fetch, issuer: &str, value: &Value) -> Result<Self, Error> {
        let text = |name: &str| value[name].as_str();
        let url = |name: &str| text(name).map(|url| fetch.check(&format!("the `{name}`"), url)).transpose();
        match text("issuer") {
            Some(found) if found == issuer => {}
            found => {
                let why = format!(
                    "the authorization server `{issuer}` calls itself `{}`; tokens of an impostor are not asked for",
                    found.unwrap_or_default().escape_debug()
                );
                return Err(refused(&fetch.name, why));
            }
        }
        let list = |name: &str| -> Option<Vec<String>> {
            let found = value[name].as_array()?;
            Some(found.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        };
        let is_true = |name: &str| value[name].as_bool() == Some(true);
        let none = || refused(&fetch.name, format!("the authorization server `{issuer}` names no token endpoint"));
        Ok(Self {
            issuer: issuer.to_owned(),
            authorize: url("authorization_endpoint")?,
            token: url("token_endpoint")?.ok_or_else(none)?,
            register: url("registration_endpoint")?,
            has_s256: list("code_challenge_methods_supported").is_some_and(|all| all.iter().any(|one| one == "S256")),
            methods: list("token_endpoint_auth_methods_supported")
                .unwrap_or_else(|| vec!["client_secret_basic".to_owned()]),
            scopes: list("scopes_supported").unwrap_or_default(),
            says_issuer: is_true("authorization_response_iss_parameter_supported"),
            takes_documents: is_true("client_id_metadata_document_supported"),
        })
    }

    /// The endpoints that servers of 2025-03-26 have without saying so, below the origin of the MCP server.
    pub(super) fn unsaid(fetch: &Fetch, origin: &str) -> Result<Self, Error> {
        let url = |path: &str| fetch.check("the endpoint", &format!("{origin}{path}"));
        Ok(Self {
            issuer: origin.to_owned(),
            authorize: Some(url("/authorize")?),
            token: url("/token")?,
            register: Some(url("/register")?),
            has_s256: true,
            methods: vec!["none".to_owned(), "client_secret_post".to_owned()],
            scopes: Vec::new(),
            says_issuer: false,
            takes_documents: false,
        })
    }
}
