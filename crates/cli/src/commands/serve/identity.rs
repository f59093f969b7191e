//! Who is let in to a control plane: what the options say of it.

use ::identity::Scopes;
use ::identity::oauth::{Approval, Lifetimes, Limits, RedirectHosts, Settings};
use ::identity::openid::Settings as Provider;
use operations::accounts::Ways;
use operations::{Code, Context, Error};
use server::{Admission, OAuth, Options};

use crate::commands::run::callers::{self, CallerArguments};

/// What programs may ask for. Running the platform is not among it.
const SCOPES: [&str; 5] = ["mcp", "servers:read", "servers:write", "servers:call", "logs:read"];
/// What programs get where nobody is asked: to use servers. Everybody who reaches `/authorize` gets it, and whoever may make
/// servers may read what this machine has.
const UNASKED: [&str; 1] = ["mcp"];

/// What the options say.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    pub(super) callers: &'a CallerArguments,
    pub(super) proxies: &'a [String],
    pub(super) public_url: Option<&'a str>,
    pub(super) redirect_hosts: &'a [String],
    pub(super) provider: Option<&'a Provider>,
}

impl Told<'_> {
    /// The ways to sign in that are on.
    pub(super) fn ways(&self) -> Ways {
        let passwords = self.provider.is_none_or(|provider| !provider.only);
        Ways { passwords, issuer: self.provider.map(|provider| provider.issuer.clone()) }
    }
}

/// Who is let in. Whoever sits at this machine runs the control plane without a key only where nobody else can reach it:
/// it listens on loopback, answers to no other name, nothing else was said, and there is no account. Where people sign in at a
/// provider that was said: everybody is asked who they are.
pub(super) async fn admission(context: &Context, options: &Options, told: &Told<'_>) -> Result<Admission, Error> {
    operations::authority::check_host_names(context).await?;
    let alone = options.address.ip().is_loopback() && options.hosts.is_empty() && told.public_url.is_none();
    let proxies = callers::proxies(told.proxies)?;
    let settings = settings(told)?;
    let authority = operations::authority::open(context, settings).await?;
    let openid = match told.provider {
        Some(provider) => Some(operations::openid::open(context, provider.clone()).await?),
        None => None,
    };
    Ok(Admission {
        openid,
        trusts_machine: alone && !told.callers.is_asked_for() && told.provider.is_none(),
        callers: told.callers.known(context, &proxies).await?,
        accounts: operations::accounts::open(context).await?,
        oauth: OAuth { authority, proxies },
    })
}

fn settings(told: &Told<'_>) -> Result<Settings, Error> {
    let unfit = |what: String| Error::new(Code::OAuthSettings, what);
    let public_origin = told.public_url.map(|url| {
        server::origin(url).map_err(|why| {
            unfit(format!("--public-url {} {why}", base::without_userinfo(url)))
                .hint("write an origin such as https://mcp.example.com")
        })
    });
    let hosts = match told.redirect_hosts {
        [] => None,
        hosts => Some(RedirectHosts::parse(hosts.iter().map(String::as_str)).map_err(|entry| {
            unfit(format!("`{entry}` is no host that codes can be sent to"))
                .hint("name a host such as claude.ai or *.example.com, `localhost`, a scheme such as `cursor:`, or one of perplexity, claude, chatgpt, composio")
        })?),
    };
    Ok(Settings {
        realm: "mcp-factory".to_owned(),
        title: "MCP Factory".to_owned(),
        public_origin: public_origin.transpose()?,
        places: server::platform_places(),
        scopes: Scopes::of(SCOPES),
        most: hosts.is_some().then(|| Scopes::of(UNASKED)),
        required: Scopes::default(),
        approval: if hosts.is_some() { Approval::Automatic } else { Approval::Accounts },
        redirect_hosts: hosts,
        lifetimes: Lifetimes::default(),
        limits: Limits::default(),
    })
}
