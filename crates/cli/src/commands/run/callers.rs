//! Letting callers in by API key, by a guest's name or by their address: the options, and what is made of them.

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use identity::address::Proxies;
use identity::buckets::Rate;
use identity::callers::{Allowance, Callers, Policy};
use operations::{Code, Context, Error};
use server::KnownCallers;

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Letting callers in by key (over HTTP)")]
pub(crate) struct CallerArguments {
    /// Who is let in, whatever a spec's `auth` says, by commas: `keys` that `keys create` made, `guests`, `anonymous`
    #[arg(
        long,
        value_enum,
        value_name = "KIND",
        value_delimiter = ',',
        hide_possible_values = true,
        env = "MCP_FACTORY_AUTH",
        hide_env_values = true
    )]
    auth: Vec<Kind>,
    /// How often one caller of a kind may come: COUNT/SECONDS, or COUNT/day [default: keys=1200/60,guests=60/60,anonymous=30/60]
    #[arg(
        long,
        value_name = "KIND=RATE",
        value_delimiter = ',',
        requires = "auth",
        env = "MCP_FACTORY_RATE",
        hide_env_values = true
    )]
    rate: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Callers with an API key
    Keys,
    /// Callers that name themselves with X-Guest-Id
    Guests,
    /// Callers that show nothing, by their address
    Anonymous,
}

impl CallerArguments {
    pub(crate) fn is_asked_for(&self) -> bool {
        !self.auth.is_empty()
    }

    /// What callers show, for the lines that are printed for clients.
    pub(super) fn header(&self) -> Option<(String, &'static str)> {
        self.auth.contains(&Kind::Keys).then(|| ("Authorization".to_owned(), "Bearer "))
    }

    pub(super) async fn open(&self, context: &Context, proxies: &Proxies) -> Result<Option<KnownCallers>, Error> {
        if !self.is_asked_for() {
            return Ok(None);
        }
        self.known(context, proxies).await.map(Some)
    }

    /// Those who are let in: by keys alone where nothing is said.
    pub(crate) async fn known(&self, context: &Context, proxies: &Proxies) -> Result<KnownCallers, Error> {
        let mut policy = Policy::default();
        let usual = [Kind::Keys];
        let kinds = if self.auth.is_empty() { &usual } else { self.auth.as_slice() };
        let allow = |kind, usual| kinds.contains(&kind).then_some(usual);
        policy.keys = allow(Kind::Keys, Allowance::KEY);
        policy.guests = allow(Kind::Guests, Allowance::GUEST);
        policy.anonymous = allow(Kind::Anonymous, Allowance::ANONYMOUS);
        for entry in &self.rate {
            set(&mut policy, entry).ok_or_else(|| {
                Error::new(Code::BadCallers, format!("`{entry}` is no rate of callers that are let in"))
                    .hint("write keys=600/60 or guests=1000/day, and name the kind in `--auth`")
            })?;
        }
        let keys = operations::keys::open(context).await?;
        Ok(KnownCallers { callers: Arc::new(Callers::new(keys, policy)), proxies: proxies.clone() })
    }
}

/// The proxies that are believed.
pub(crate) fn proxies(listed: &[String]) -> Result<Proxies, Error> {
    Proxies::parse(listed.iter().map(String::as_str)).map_err(|entry| {
        Error::new(Code::OAuthSettings, format!("`{entry}` is no address or range of a proxy"))
            .hint("write 10.0.0.0/8 or 127.0.0.1")
    })
}

/// Changes one rate; `None` when the text is none, or its kind is not let in.
fn set(policy: &mut Policy, entry: &str) -> Option<()> {
    let (kind, rate) = entry.split_once('=')?;
    let allowance = match kind.trim() {
        "keys" => policy.keys.as_mut(),
        "guests" => policy.guests.as_mut(),
        "anonymous" => policy.anonymous.as_mut(),
        _ => None,
    }?;
    let (count, time) = rate.split_once('/')?;
    let count = count.trim().parse::<u32>().ok().filter(|count| *count > 0)?;
    if time.trim() == "day" {
        allowance.daily = count;
        return Some(());
    }
    let seconds = time.trim().parse::<u32>().ok().filter(|seconds| (1..=86_400).contains(seconds))?;
    allowance.rate = Rate { count, period: Duration::from_secs(seconds.into()), burst: count };
    Some(())
}
