//! Questions of programs to be let in, and the codes that answer them.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use store::oauth::{Code, Grant};
use url::form_urlencoded;

use super::Authority;
use super::client::Client;
use super::parameters::Parameters;
use super::redirect;
use super::refusal::Refusal;
use crate::Fault;
use crate::buckets::Taken;
use crate::scopes::Scopes;
use crate::seal::{self, Purpose};

/// A question that may be answered with a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Id of the program.
    pub client: String,
    /// What the program calls itself.
    pub name: Option<String>,
    /// Whether the program's id proves its host.
    pub documented: bool,
    /// Where the answer goes.
    pub redirect_uri: String,
    /// What the program will have to prove.
    pub challenge: String,
    /// What it asks for, separated by spaces.
    pub scope: String,
    /// What its tokens will be for.
    pub resource: String,
    /// Comes back with the answer.
    pub state: Option<String>,
    /// Who answers.
    pub issuer: String,
}

impl Asked {
    /// The host that the answer goes to.
    pub fn host(&self) -> String {
        redirect::host(&self.redirect_uri)
    }
}

/// A question that is not answered with a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turned {
    /// The browser stays: it is not known whether the program may be told.
    Here(Refusal),
    /// The browser goes back to the program with an error.
    Away(String),
}

impl From<Refusal> for Turned {
    fn from(refusal: Refusal) -> Self {
        Self::Here(refusal)
    }
}

impl Authority {
    /// Checks a question from an address. `issuer` is the origin that was asked.
    ///
    /// # Errors
    /// It is wrong, or there are too many of them.
    pub async fn ask(&self, issuer: &str, address: IpAddr, parameters: &Parameters) -> Result<Asked, Turned> {
        if let Taken::No { wait } = self.questions.take(&address) {
            return Err(Refusal::too_many("questions", self.settings.limits.questions.spent("questions", wait)).into());
        }
        let client = self.client(parameters.need("client_id")?).await?;
        let redirect_uri = parameters.need("redirect_uri")?;
        if !redirect::is_registered(redirect_uri, &client.redirect_uris) {
            return Err(Refusal::request("`redirect_uri` is not one that the client registered").into());
        }
        self.check_hosts(&[redirect_uri.to_owned()]).map_err(|refusal| Refusal::request(refusal.description))?;
        let state = parameters.get("state");
        self.asked(issuer, parameters, &client, redirect_uri).map_err(|refusal| {
            let parts = [("error", refusal.error), ("error_description", refusal.description.as_str())];
            Turned::Away(answer(redirect_uri, &parts, state, issuer))
        })
    }

    fn asked(&self, issuer: &str, given: &Parameters, client: &Client, redirect_uri: &str) -> Result<Asked, Refusal> {
        if given.need("response_type")? != "code" {
            return Err(Refusal::new(400, "unsupported_response_type", "only the response type `code` is answered"));
        }
        let challenge = given
            .get("code_challenge")
            .ok_or_else(|| Refusal::request("`code_challenge` is missing: PKCE is needed"))?;
        if given.get("code_challenge_method") != Some("S256") {
            return Err(Refusal::request("`code_challenge_method` is not `S256`"));
        }
        // A SHA-256 in base64url has 43 characters.
        if challenge.len() != 43 || !challenge.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        {
            return Err(Refusal::request("`code_challenge` is no SHA-256 in base64url"));
        }
        let may = Scopes::parse(&client.scope).unwrap_or_default();
        let asked = match given.get("scope") {
            None => Some(may.clone()),
            Some(asked) => {
                Scopes::parse(asked).filter(|scopes| may.cover(scopes) && self.settings.scopes.cover(scopes))
            }
        };
        let scope = asked
            .map(|asked| self.settings.granted(&asked))
            .filter(|granted| !granted.is_empty())
            .ok_or_else(|| {
                let may = self.settings.granted(&may);
                Refusal::new(400, "invalid_scope", format!("`scope` is not within `{may}`"))
            })?
            .to_string();
        Ok(Asked {
            client: client.id.clone(),
            name: client.client_name.clone(),
            documented: client.documented,
            redirect_uri: redirect_uri.to_owned(),
            challenge: challenge.to_owned(),
            scope,
            resource: self
                .resource(issuer, given)?
                .unwrap_or_else(|| format!("{issuer}{}", self.settings.places.main())),
            state: given.get("state").map(str::to_owned),
            issuer: issuer.to_owned(),
        })
    }

    /// The resource that a request names (RFC 8707), as this server calls it; `None` when it names none.
    pub(crate) fn resource(&self, issuer: &str, given: &Parameters) -> Result<Option<String>, Refusal> {
        let mut found: Option<String> = None;
        for asked in given.all("resource") {
            let path = path_at(issuer, asked).map(|path| path.trim_end_matches('/'));
            let place = match path {
                Some("") => Some(self.settings.places.main().into()),
                Some(path) => self.settings.places.resource(path),
                None => None,
            };
            let place = place
                .ok_or_else(|| Refusal::new(400, "invalid_target", "`resource` is nothing that is protected here"))?;
            let resource = format!("{issuer}{place}");
            if found.as_ref().is_some_and(|other| *other != resource) {
                return Err(Refusal::new(400, "invalid_target", "a token is for one `resource`"));
            }
            found = Some(resource);
        }
        Ok(found)
    }

    /// Answers a question with a code, which stands for an owner's yes: gives where the browser goes. Blocks.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn approve(&self, asked: &Asked, owner: &str) -> Result<String, Fault> {
        let code = seal::random::<24>()?;
        let now = self.clock.now();
        let expires_at = now + seconds(self.settings.lifetimes.code);
        let grant = Grant {
            id: uuid::Uuid::new_v4().to_string(),
            realm: self.settings.realm.clone(),
            client: asked.client.clone(),
            owner: owner.to_owned(),
            scope: asked.scope.clone(),
            resource: asked.resource.clone(),
            created_at: now,
            expires_at,
        };
        let stored =
            Code { grant, redirect_uri: asked.redirect_uri.clone(), challenge: asked.challenge.clone(), expires_at };
        self.store.oauth_add_code(&self.sealer.hash(Purpose::Code, code.as_bytes()), &stored)?;
        Ok(answer(&asked.redirect_uri, &[("code", &code)], asked.state.as_deref(), &asked.issuer))
    }

    /// Answers a question with a no: gives where the browser goes.
    pub fn deny(&self, asked: &Asked) -> String {
        let parts = [("error", "access_denied"), ("error_description", "the owner of the server said no")];
        answer(&asked.redirect_uri, &parts, asked.state.as_deref(), &asked.issuer)
    }
}

/// The path of a URL at an origin. Scheme and host are the same in every case of letters (RFC 3986, section 6.2.2.1); a query
/// chooses what is shown of a resource, and names no other one.
fn path_at<'a>(origin: &str, url: &'a str) -> Option<&'a str> {
    let (start, rest) = url.split_at_checked(origin.len())?;
    let path = rest.split('?').next().unwrap_or_default();
    let is_path = path.is_empty() || path.starts_with('/');
    (start.eq_ignore_ascii_case(origin) && is_path && !rest.contains('#')).then_some(path)
}

pub(crate) fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

/// A redirect URI with an answer in its query.
fn answer(redirect_uri: &str, parts: &[(&str, &str)], state: Option<&str>, issuer: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parts);
    query.extend_pairs(state.map(|state| ("state", state)));
    query.append_pair("iss", issuer);
    let joint = match redirect_uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    format!("{redirect_uri}{joint}{}", query.finish())
}
