//! The authorization server beside a served server: its options, and what is told of it.

use std::time::Duration;

use base::Secret;
use clap::{Args, ValueEnum};
use identity::Scopes;
use identity::address::Proxies;
use identity::oauth::{Approval, Lifetimes, Limits, PASSPHRASE_CHARS_MIN, RedirectHosts, Settings, new_passphrase};
use operations::{Code, Error};
use serde_json::{Value, json};
use server::OAuth;
use spec::model::Auth;

use super::{Arguments, Work};
use crate::session::Session;

/// The scope of a whole server.
const SCOPE: &str = "mcp";

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Letting callers in by OAuth (over HTTP)")]
pub(crate) struct OAuthArguments {
    /// Put an authorization server beside it: callers need a token, which its owner lets them have
    #[arg(long, value_enum, value_name = "KIND")]
    oauth: Option<Kind>,
    /// Environment variable with the passphrase that the owner gives on the consent page [default: one is made and printed]
    #[arg(long, value_name = "NAME", requires = "oauth")]
    oauth_owner_passphrase_env: Option<String>,
    /// Ask nobody, and send codes to these hosts alone; whoever reaches /authorize is let in: `perplexity`, `claude`, `chatgpt`, `composio`, `localhost`, names, by commas
    #[arg(long, value_name = "HOST", value_delimiter = ',', requires = "oauth")]
    oauth_allow_redirect: Vec<String>,
    /// Ask nobody and let every program in: whoever knows the URL can use the server
    #[arg(long, requires = "oauth", conflicts_with_all = ["oauth_allow_redirect", "oauth_owner_passphrase_env"])]
    oauth_open_registration: bool,
    /// Lifetimes in seconds [default: code=60,access=3600,refresh=2592000,consent=600,leeway=0]
    #[arg(long, value_name = "NAME=SECONDS", value_delimiter = ',', requires = "oauth")]
    oauth_lifetime: Vec<String>,
    /// Origin under which clients reach it, such as https://mcp.example.com
    #[arg(long, value_name = "URL", requires = "oauth")]
    public_url: Option<String>,
    /// Address or range of a proxy whose X-Forwarded-For is believed; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    trusted_proxy: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// One owner, who is the only user
    SingleUser,
}

/// An authorization server with what its operator should hear.
pub(super) struct Prepared {
    pub(super) oauth: OAuth,
    /// A passphrase that was made for this start.
    made: Option<String>,
}

impl OAuthArguments {
    pub(super) fn is_asked_for(&self) -> bool {
        self.oauth.is_some()
    }

    /// Reads the options and opens the authorization server; `None` when none is asked for.
    pub(super) async fn open(&self, work: &Work, arguments: &Arguments) -> Result<Option<Prepared>, Error> {
        if self.oauth.is_none() {
            return Ok(None);
        }
        let spec = &work.prepared.spec;
        let groups = if arguments.group.is_some() { Vec::new() } else { work.prepared.hosted.groups() };
        let named = match &spec.auth {
            Auth::Oauth2 { scopes, .. } => scopes.clone(),
            _ => Vec::new(),
        };
        let required = if named.is_empty() { Scopes::of([SCOPE]) } else { Scopes::of(&named) };
        let (approval, made) = self.approval(work)?;
        let settings = Settings {
            realm: spec.name.clone(),
            title: spec.title.clone().unwrap_or_else(|| spec.name.clone()),
            public_origin: self.public_origin(arguments)?,
            places: server::places(&spec.name, &groups),
            scopes: Scopes::of(std::iter::once(SCOPE).chain(named.iter().map(String::as_str))),
            most: None,
            required,
            approval,
            redirect_hosts: self.redirect_hosts()?,
            lifetimes: self.lifetimes()?,
            limits: Limits::default(),
        };
        let proxies = self.proxies()?;
        let authority = operations::authority::open(&work.context, settings).await?;
        Ok(Some(Prepared { oauth: OAuth { authority, proxies }, made }))
    }

    /// The proxies that are believed.
    pub(super) fn proxies(&self) -> Result<Proxies, Error> {
        Proxies::parse(self.trusted_proxy.iter().map(String::as_str)).map_err(|entry| {
            unfit(format!("`{entry}` is no address or range of a proxy")).hint("write 10.0.0.0/8 or 127.0.0.1")
        })
    }

    fn approval(&self, work: &Work) -> Result<(Approval, Option<String>), Error> {
        if let Some(name) = &self.oauth_owner_passphrase_env {
            let text = work.context.environment.get(name).unwrap_or_default().trim().to_owned();
            if text.chars().count() < PASSPHRASE_CHARS_MIN {
                let what = if text.is_empty() {
                    "is not set".to_owned()
                } else {
                    format!("has fewer than {PASSPHRASE_CHARS_MIN} characters")
                };
                return Err(Error::new(Code::Passphrase, format!("the owner's passphrase in {name} {what}"))
                    .hint(format!("export {name}=\"$(openssl rand -base64 18)\"")));
            }
            return Ok((Approval::Passphrase(Secret::new(text)), None));
        }
        if self.oauth_open_registration || !self.oauth_allow_redirect.is_empty() {
            return Ok((Approval::Automatic, None));
        }
        let made = new_passphrase()?;
        Ok((Approval::Passphrase(Secret::new(made.clone())), Some(made)))
    }

    fn redirect_hosts(&self) -> Result<Option<RedirectHosts>, Error> {
        if self.oauth_allow_redirect.is_empty() {
            return Ok(None);
        }
        RedirectHosts::parse(self.oauth_allow_redirect.iter().map(String::as_str)).map(Some).map_err(|entry| {
            unfit(format!("`{entry}` is no host that codes can be sent to"))
                .hint("name a host such as claude.ai or *.example.com, `localhost`, a scheme such as `cursor:`, or one of perplexity, claude, chatgpt, composio")
        })
    }

    fn public_origin(&self, arguments: &Arguments) -> Result<Option<String>, Error> {
        let Some(text) = &self.public_url else {
            if !arguments.host.is_loopback() || !arguments.allow_host.is_empty() {
                return Err(unfit("other machines can reach this server, and it is not said under which URL")
                    .hint("`--public-url https://mcp.example.com`: tokens are for this URL, and clients compare it"));
            }
            return Ok(None);
        };
        server::origin(text).map(Some).map_err(|why| {
            unfit(format!("`--public-url {}` {why}", base::without_userinfo(text)))
                .hint("write an origin such as https://mcp.example.com")
        })
    }

    fn lifetimes(&self) -> Result<Lifetimes, Error> {
        let mut lifetimes = Lifetimes::default();
        for entry in &self.oauth_lifetime {
            let known = entry.split_once('=').and_then(|(name, seconds)| {
                let seconds = Duration::from_secs(seconds.trim().parse::<u32>().ok()?.into());
                let place = match name.trim() {
                    "code" => &mut lifetimes.code,
                    "access" => &mut lifetimes.access,
                    "refresh" => &mut lifetimes.refresh,
                    "consent" => &mut lifetimes.consent,
                    "leeway" => &mut lifetimes.refresh_leeway,
                    _ => return None,
                };
                *place = seconds;
                Some(())
            });
            known.ok_or_else(|| {
                unfit(format!("`{entry}` is no lifetime"))
                    .hint("write code=60, access=3600, refresh=2592000, consent=600 or leeway=0")
            })?;
        }
        Ok(lifetimes)
    }
}

fn unfit(message: impl Into<String>) -> Error {
    Error::new(Code::OAuthSettings, message)
}

/// What an operator should hear of a server where nobody is asked. Hosts that codes go to keep no person out: a code is in the
/// answer of `/authorize`, whoever asks there.
pub(crate) fn let_in_unasked(settings: &Settings, base: &str) -> String {
    let hosts = match &settings.redirect_hosts {
        Some(_) => ", with or without an account at an allowed host",
        None => "",
    };
    format!(
        "nobody is asked: whoever reaches {base}/authorize is let in{hosts}, for `{}`; keep it in a network of yours, or behind \
         a proxy that signs people in",
        settings.offered()
    )
}

impl Prepared {
    fn issuer(&self, base: &str) -> String {
        self.oauth.authority.settings().public_origin.clone().unwrap_or_else(|| base.to_owned())
    }

    /// What programs are told.
    pub(super) fn told(&self, base: &str) -> Value {
        let issuer = self.issuer(base);
        let mut told = json!({
            "issuer": issuer,
            "connect": format!("{issuer}/mcp"),
            "asksOwner": !self.oauth.authority.approves_by_itself(),
        });
        if let Some(made) = &self.made {
            told["ownerPassphrase"] = made.clone().into();
        }
        told
    }

    /// What people are told.
    pub(super) fn announce(&self, base: &str, session: &Session) {
        let (printer, style) = (&session.printer, session.printer.message_style());
        printer.note(&format!("  callers get a token by OAuth; clients connect with {}/mcp", self.issuer(base)));
        if let Some(made) = &self.made {
            printer.always(&format!("  the owner lets them in with the passphrase {}", style.bold(made)));
            printer.note("  it is for this start; `--oauth-owner-passphrase-env NAME` names one of your own");
        }
        if !self.oauth.authority.approves_by_itself() {
            return;
        }
        printer.warn(&let_in_unasked(self.oauth.authority.settings(), &self.issuer(base)));
    }
}
