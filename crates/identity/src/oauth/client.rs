//! The programs that ask to be let in.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::oauth::Hash;

use super::Authority;
use super::parameters::shown;
use super::redirect;
use super::refusal::Refusal;
use crate::scopes::Scopes;

/// Longest name of a program that is kept, characters.
const NAME_CHARS_MAX: usize = 100;
/// Longest id of a program, bytes.
const ID_BYTES_MAX: usize = 2_048;

/// How a program proves at the token endpoint who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// A secret in the body.
    ClientSecretPost,
    /// A secret in the header.
    ClientSecretBasic,
    /// Nothing: PKCE alone protects its codes.
    None,
}

impl Method {
    /// The names of all methods, for the metadata.
    pub const ALL: [&'static str; 3] = ["client_secret_post", "client_secret_basic", "none"];
}

/// A program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Its id: one that it was given, or the URL of its metadata document.
    #[serde(skip)]
    pub id: String,
    /// What it calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// Where codes may be sent.
    pub redirect_uris: Vec<String>,
    /// How it proves who it is.
    pub token_endpoint_auth_method: Method,
    /// It asked for no secret and got one nevertheless: it may show it or not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret_optional: bool,
    /// What it may turn into tokens.
    pub grant_types: Vec<String>,
    /// What it may ask for.
    pub scope: String,
    /// `web` or `native`, where it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application_type: Option<String>,
    /// The hash of its secret.
    #[serde(skip)]
    pub secret: Option<Hash>,
    /// Whether its id is the URL of a document that says the same: its host is proven.
    #[serde(skip)]
    pub documented: bool,
}

impl Client {
    /// Reads what a program says of itself (RFC 7591, section 2) and fills in what it leaves out.
    ///
    /// # Errors
    /// Something in it is wrong, or not taken here.
    pub(crate) fn read(metadata: &Value, scopes: &Scopes, uris_max: usize) -> Result<Self, Refusal> {
        let Value::Object(fields) = metadata else { return Err(Refusal::metadata("the body is no JSON object")) };
        let text = |name: &str| match fields.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(Refusal::metadata(format!("`{name}` is no text"))),
        };
        let grant_types = texts(fields.get("grant_types"), "grant_types")?;
        let grant_types = grant_types.unwrap_or_else(|| vec!["authorization_code".into(), "refresh_token".into()]);
        if !grant_types.iter().any(|one| one == "authorization_code") {
            return Err(Refusal::metadata("`grant_types` does not hold `authorization_code`"));
        }
        let response_types = texts(fields.get("response_types"), "response_types")?;
        if response_types.is_some_and(|types| !types.iter().any(|one| one == "code")) {
            return Err(Refusal::metadata("`response_types` does not hold `code`"));
        }
        let method = match text("token_endpoint_auth_method")? {
            None | Some("client_secret_post") => Method::ClientSecretPost,
            Some("client_secret_basic") => Method::ClientSecretBasic,
            Some("none") => Method::None,
            Some(other) => {
                return Err(Refusal::metadata(format!("`token_endpoint_auth_method` {} is not taken", shown(other))));
            }
        };
        let name = text("client_name")?.map(clean).filter(|name| !name.is_empty());
        Ok(Self {
            id: String::new(),
            client_name: name,
            redirect_uris: redirect_uris(fields.get("redirect_uris"), uris_max)?,
            token_endpoint_auth_method: method,
            secret_optional: false,
            grant_types: grant_types.into_iter().filter(|one| KNOWN_GRANTS.contains(&one.as_str())).collect(),
            scope: scope(text("scope")?, scopes)?,
            application_type: text("application_type")?
                .filter(|kind| matches!(*kind, "web" | "native"))
                .map(Into::into),
            secret: None,
            documented: false,
        })
    }

    /// What it is told of itself when it was registered.
    pub(crate) fn told(&self, secret: Option<&str>, issued_at: i64) -> Value {
        let mut told = json!({ "client_id": self.id, "client_id_issued_at": issued_at });
        if let Some(secret) = secret {
            told["client_secret"] = secret.into();
            told["client_secret_expires_at"] = 0.into();
        }
        told["redirect_uris"] = self.redirect_uris.clone().into();
        told["token_endpoint_auth_method"] = json!(self.token_endpoint_auth_method);
        told["grant_types"] = self.grant_types.clone().into();
        told["response_types"] = json!(["code"]);
        told["scope"] = self.scope.clone().into();
        for (name, value) in [("client_name", &self.client_name), ("application_type", &self.application_type)] {
            if let Some(value) = value {
                told[name] = value.clone().into();
            }
        }
        told
    }

    /// Whether it may use refresh tokens.
    pub(crate) fn refreshes(&self) -> bool {
        self.grant_types.iter().any(|one| one == "refresh_token")
    }
}

const KNOWN_GRANTS: [&str; 2] = ["authorization_code", "refresh_token"];

fn redirect_uris(value: Option<&Value>, most: usize) -> Result<Vec<String>, Refusal> {
    let uris = texts(value, "redirect_uris")?.unwrap_or_default();
    if uris.is_empty() || uris.iter().any(String::is_empty) {
        return Err(Refusal::metadata("`redirect_uris` is not a list of at least one URI"));
    }
    if uris.len() > most {
        return Err(Refusal::metadata(format!("`redirect_uris` holds more than {most} URIs")));
    }
    match uris.iter().find_map(|uri| redirect::check(uri).err()) {
        None => Ok(uris),
        Some(why) => Err(Refusal::new(400, "invalid_redirect_uri", why)),
    }
}

fn scope(asked: Option<&str>, known: &Scopes) -> Result<String, Refusal> {
    let Some(asked) = asked.filter(|text| !text.trim().is_empty()) else { return Ok(known.to_string()) };
    let scopes = Scopes::parse(asked).filter(|scopes| known.cover(scopes));
    scopes.map(|scopes| scopes.to_string()).ok_or_else(|| Refusal::metadata(format!("`scope` is not within `{known}`")))
}

fn texts(value: Option<&Value>, name: &str) -> Result<Option<Vec<String>>, Refusal> {
    let bad = || Refusal::metadata(format!("`{name}` is not a list of texts"));
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(list)) => {
            let text = |one: &Value| one.as_str().map(str::to_owned);
            list.iter().map(text).collect::<Option<Vec<_>>>().map(Some).ok_or_else(bad)
        }
        Some(_) => Err(bad()),
    }
}

/// A name for people: no control characters, no marks that turn the direction of writing.
fn clean(name: &str) -> String {
    let odd = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    name.chars().filter(|c| !odd(*c)).take(NAME_CHARS_MAX).collect::<String>().trim().to_owned()
}

impl Authority {
    /// The program of this id: a registered one, or one whose id is the URL of its metadata document.
    ///
    /// # Errors
    /// `unauthorized_client`: there is none.
    pub(crate) async fn client(&self, id: &str) -> Result<Client, Refusal> {
        let unknown =
            || Refusal::new(400, "unauthorized_client", format!("the client `{}` is not known here", shown(id)));
        if id.len() > ID_BYTES_MAX {
            return Err(unknown());
        }
        if id.starts_with("https://") {
            return self.documents.client(id, &self.settings).await;
        }
        self.registered(id)?.ok_or_else(unknown)
    }

    /// A registered program. Blocks for a read.
    pub(crate) fn registered(&self, id: &str) -> Result<Option<Client>, Refusal> {
        let Some(stored) = self.store.oauth_client(&self.settings.realm, id)? else { return Ok(None) };
        let Ok(mut client) = serde_json::from_str::<Client>(&stored.document) else {
            return Err(Refusal::new(500, "server_error", "the stored client cannot be read"));
        };
        client.id = stored.id;
        client.secret = stored.secret;
        Ok(Some(client))
    }
}
