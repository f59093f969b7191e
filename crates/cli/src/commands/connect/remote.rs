//! An MCP server at an address of its own: a client on standard streams joins it, and somebody signs in where it asks for that.

use std::sync::Arc;
use std::time::Duration;

use base::Secret;
use clap::Args;
use client::Place;
use client::oauth::{Browser, Login, Options};
use operations::{Code, Context, Error};
use serde_json::json;

use super::bridge;
use super::person::Person;
use crate::commands::{OK, Threads, run, runtime};
use crate::remote::settings;
use crate::session::Session;

/// How to sign in.
#[derive(Debug, Args)]
#[command(next_help_heading = "A server at an address")]
pub(super) struct SignIn {
    /// Sign in now, and end
    #[arg(long, requires = "name")]
    login: bool,
    /// Forget the sign-in, and end
    #[arg(long, requires = "name", conflicts_with = "login")]
    logout: bool,
    /// Client that was registered at the authorization server before
    #[arg(long, value_name = "ID", requires = "name")]
    client_id: Option<String>,
    /// Variable that holds the client's secret
    #[arg(long, value_name = "VARIABLE", requires = "client_id")]
    client_secret_env: Option<String>,
    /// Variable that holds the client's private key (PEM, P-256), instead of a secret
    #[arg(long, value_name = "VARIABLE", requires = "client_id", conflicts_with = "client_secret_env")]
    client_key_env: Option<String>,
    /// URL of a document that describes the client, where the authorization server takes one
    #[arg(long, value_name = "URL", requires = "name", conflicts_with = "client_id")]
    client_document: Option<String>,
    /// The client signs in for itself: nobody is asked
    #[arg(long, requires = "client_id")]
    client_credentials: bool,
    /// Scope to ask for besides those that the server names; may be repeated
    #[arg(long = "scope", value_name = "SCOPE", requires = "name")]
    scopes: Vec<String>,
    /// Take a server of 2025-03-26, which does not say who gives tokens for it
    #[arg(long, requires = "name")]
    legacy_auth: bool,
    /// Print the page to open, and open no browser
    #[arg(long, requires = "name")]
    no_browser: bool,
}

/// What the other options of `connect` say.
pub(super) struct Asked {
    pub(super) url: String,
    pub(super) key_header: Option<String>,
    pub(super) port: u16,
    pub(super) timeout: u64,
}

impl SignIn {
    /// Whether any of it was given.
    pub(super) fn is_given(&self) -> bool {
        let Self { login, logout, client_id, client_document, scopes, legacy_auth, no_browser, .. } = self;
        let named = client_id.is_some() || client_document.is_some() || !scopes.is_empty();
        named || *login || *logout || *legacy_auth || *no_browser
    }

    fn options(&self, context: &Context) -> Result<Options, Error> {
        let secret = |variable: &Option<String>| {
            let Some(variable) = variable else { return Ok(None) };
            let value = context.environment.get(variable).filter(|value| !value.is_empty());
            let none = || {
                Error::new(Code::SignIn, format!("the variable {variable}, which is to hold the secret, is not set"))
                    .hint(format!("set it: `export {variable}=…`"))
            };
            value.ok_or_else(none).map(|value| Some(Secret::new(value)))
        };
        Ok(Options {
            client_id: self.client_id.clone(),
            secret: secret(&self.client_secret_env)?,
            key: secret(&self.client_key_env)?,
            document: self.client_document.clone(),
            scopes: self.scopes.clone(),
            itself: self.client_credentials,
            legacy: self.legacy_auth,
        })
    }
}

pub(super) fn run(asked: Asked, sign_in: &SignIn, session: &Session) -> Result<u8, Error> {
    let context = session.context()?;
    let wrong = || {
        Error::new(Code::Usage, format!("`{}` is no address of a server", base::without_userinfo(&asked.url)))
            .hint("write it as `https://mcp.example.com/mcp`, without a user and a password")
    };
    let at: Address = asked.url.parse().map_err(|()| wrong())?;
    let file = operations::login_file(&context, &at.whole);
    if sign_in.logout {
        let was = file.forget().map_err(|why| Error::new(Code::CannotWrite, why))?;
        let done = json!({ "server": at.whole, "forgotten": was });
        session.printer.answer(&done, |_| match was {
            true => format!("the sign-in at {} is forgotten", at.whole),
            false => format!("there was no sign-in at {}", at.whole),
        });
        return Ok(OK);
    }
    let key = session.key(&context)?;
    let mut http = settings(&at.origin, key.clone(), asked.key_header.as_deref());
    "the server".clone_into(&mut http.name);
    let person = Person {
        printer: session.printer,
        port: asked.port,
        timeout: Duration::from_secs(asked.timeout),
        opens: !sign_in.no_browser && !session.global.no_input,
    };
    let person: Arc<dyn Browser> = Arc::new(person);
    let options = sign_in.options(&context)?;
    let url = at.whole.parse().map_err(|_| wrong())?;
    let login = Arc::new(Login::new(url, &http, options, Arc::new(file), Some(person)));
    let runtime = runtime(Threads::One)?;
    if sign_in.login {
        let signed = runtime.block_on(login.sign_in(&http)).map_err(refused)?;
        let done = json!({ "server": at.whole, "issuer": signed.issuer, "scopes": signed.scopes });
        session.printer.answer(&done, |style| {
            let scopes = match signed.scopes.is_empty() {
                true => String::new(),
                false => format!(" ({})", signed.scopes.join(", ")),
            };
            format!("signed in at {}: {}{scopes}", style.bold(&at.whole), signed.issuer)
        });
        return Ok(OK);
    }
    run::log_to_stderr();
    // A key that was given is what the server is shown, and nothing else.
    let login = key.is_none().then_some(login);
    let (http, endpoint) = (http.clone(), at.endpoint.clone());
    let find = move || Ok(Place { http: http.clone(), endpoint: endpoint.clone(), login: login.clone() });
    let ended = runtime.block_on(bridge::joined(Box::new(find)));
    runtime.shutdown_background();
    ended.map(|()| OK)
}

fn refused(error: connect::Error) -> Error {
    let refused = Error::new(Code::SignIn, error.message);
    error.hint.into_iter().fold(refused, Error::hint)
}

/// A URL in its parts.
struct Address {
    whole: String,
    origin: String,
    endpoint: String,
}

impl std::str::FromStr for Address {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (scheme, rest) = text.split_once("://").ok_or(())?;
        let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, endpoint) = rest.split_at(at);
        if !matches!(scheme, "http" | "https") || host.is_empty() || host.contains('@') || endpoint.contains('#') {
            return Err(());
        }
        let endpoint = if endpoint.starts_with('/') { endpoint.to_owned() } else { format!("/{endpoint}") };
        let origin = format!("{scheme}://{host}");
        Ok(Self { whole: format!("{origin}{endpoint}"), origin, endpoint })
    }
}
