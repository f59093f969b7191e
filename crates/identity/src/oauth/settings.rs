//! Everything that an operator can choose, with its default.

use std::borrow::Cow;
use std::time::Duration;

use base::Secret;

use super::redirect::RedirectHosts;
use crate::buckets::Rate;
use crate::scopes::Scopes;

/// The servers of a platform.
const SERVERS: &str = "/servers/";
/// The groups of what a platform serves itself.
const GROUPS: &str = "/mcp/groups/";
/// The scope for using a server.
const USE: &str = "mcp";

/// How an authorization server behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name of what is protected. Codes and tokens of another realm have no force here.
    pub realm: String,
    /// Its name for people.
    pub title: String,
    /// The public origin, such as `https://mcp.example.com`. Without it the server is one for this machine alone, and its
    /// issuer is the loopback host that a request names.
    pub public_origin: Option<String>,
    /// What is protected.
    pub places: Places,
    /// The scopes that can be asked for.
    pub scopes: Scopes,
    /// The most of them that a program gets, whatever it asks for; all when absent. Where nobody is asked, everybody gets it.
    pub most: Option<Scopes>,
    /// The scopes that a token needs.
    pub required: Scopes,
    /// Who says yes.
    pub approval: Approval,
    /// The hosts that codes may be sent to; every one when absent.
    pub redirect_hosts: Option<RedirectHosts>,
    /// How long things have force.
    pub lifetimes: Lifetimes,
    /// How much there may be of everything.
    pub limits: Limits,
}

/// The paths of a server, and which resource each belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    main: String,
    paths: Vec<(String, String)>,
    /// Whether it is a platform: with a REST API, and servers below `/servers/NAME`.
    platform: bool,
}

impl Places {
    /// A server whose resource is at this path, such as `/mcp`.
    pub fn at(main: &str) -> Self {
        Self { main: main.to_owned(), paths: vec![(main.to_owned(), main.to_owned())], platform: false }
    }

    /// One more path of the resource at `resource`.
    #[must_use]
    pub fn with(mut self, path: &str, resource: &str) -> Self {
        self.paths.push((path.to_owned(), resource.to_owned()));
        self
    }

    /// The same for a platform: its REST API is a part of the resource, and each server that it runs is a resource of its
    /// own.
    #[must_use]
    pub fn of_platform(mut self) -> Self {
        self.platform = true;
        self
    }

    /// The path of the resource that stands for the whole server.
    pub fn main(&self) -> &str {
        &self.main
    }

    /// The resource that a path belongs to.
    pub fn resource(&self, path: &str) -> Option<Cow<'_, str>> {
        let path = path.strip_suffix('/').unwrap_or(path);
        let known = self.paths.iter().find(|(known, _)| known == path).map(|(_, resource)| resource.as_str().into());
        known.or_else(|| if self.platform { self.of_part(path) } else { None })
    }

    /// The path by which metadata name a resource to a client of this path: the very one where MCP is spoken (RFC 9728,
    /// section 3.3), else that of the resource. What a header could not hold is named by the resource too.
    pub fn named<'a>(&self, path: &'a str, resource: &'a str) -> &'a str {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-+~%".contains(&b);
        let last = path.strip_suffix('/').unwrap_or(path).rsplit('/').next().unwrap_or_default();
        let speaks = matches!(last, "mcp" | "sse" | "messages") || (self.platform && path.starts_with(GROUPS));
        if speaks && path.bytes().all(plain) { path } else { resource }
    }

    fn of_part(&self, path: &str) -> Option<Cow<'_, str>> {
        if path.starts_with("/mcp/") || path.starts_with("/api/") || path == "/metrics" {
            return Some(self.main.as_str().into());
        }
        let (name, rest) = path.strip_prefix(SERVERS)?.split_once('/')?;
        // A version that stands beside the one that is switched to has an address of its own, which clients compare.
        let (version, rest) = match rest.strip_prefix("versions/") {
            Some(rest) => rest.split_once('/').map(|(version, rest)| (Some(version), rest))?,
            None => (None, rest),
        };
        let (group, last) = match rest.strip_prefix("groups/") {
            Some(rest) => rest.split_once('/').map(|(group, last)| (Some(group), last))?,
            None => (None, rest),
        };
        let word =
            |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-+".contains(&b));
        if !matches!(last, "mcp" | "sse" | "messages")
            || !word(name)
            || !version.is_none_or(word)
            || !group.is_none_or(word)
        {
            return None;
        }
        let below = group.map(|group| format!("groups/{group}/")).unwrap_or_default();
        let beside = version.map(|version| format!("versions/{version}/")).unwrap_or_default();
        Some(format!("{SERVERS}{name}/{beside}{below}mcp").into())
    }

    /// Whether a token for one resource does for another one: that of the whole for its parts, not the other way round.
    pub(super) fn covers(&self, given: &str, asked: &str) -> bool {
        let part = || asked.strip_prefix(given.strip_suffix("/mcp")?);
        let is_part = || part().is_some_and(|part| part.starts_with("/groups/") || part.starts_with("/versions/"));
        given == asked || given == self.main || (self.platform && is_part())
    }
}

impl Settings {
    /// The scopes that a program asks for when it wants to use the resource at a path: those that it needs, or, where it
    /// depends on what it does, those that there are.
    pub fn scopes_at(&self, place: &str) -> Scopes {
        if self.places.platform && place.starts_with(SERVERS) {
            return Scopes::of([USE]);
        }
        if self.required.is_empty() { self.offered() } else { self.required.clone() }
    }

    /// The scopes that a program can get.
    pub fn offered(&self) -> Scopes {
        self.granted(&self.scopes)
    }

    /// What a program gets that asks for these.
    pub(super) fn granted(&self, asked: &Scopes) -> Scopes {
        match &self.most {
            Some(most) => Scopes::of(asked.iter().filter(|scope| most.allow(scope))),
            None => asked.clone(),
        }
    }
}

/// Who says yes to a program.
#[derive(Clone, Debug)]
pub enum Approval {
    /// Nobody is asked. Only by the operator's explicit choice.
    Automatic,
    /// The owner, on a page, with this passphrase.
    Passphrase(Secret),
    /// Whoever is signed in, on a page.
    Accounts,
}

/// How long things have force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// An authorization code.
    pub code: Duration,
    /// An access token.
    pub access: Duration,
    /// A refresh token; each is used once, and its successor lives as long again.
    pub refresh: Duration,
    /// The page that asks the owner.
    pub consent: Duration,
    /// A used refresh token is exchanged once more within this time, for clients that lost the answer. Zero is strict:
    /// any second use ends the grant.
    pub refresh_leeway: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            code: Duration::from_secs(60),
            access: Duration::from_secs(3_600),
            refresh: Duration::from_secs(30 * 24 * 3_600),
            consent: Duration::from_secs(10 * 60),
            refresh_leeway: Duration::ZERO,
        }
    }
}

/// How much there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Registered programs. When there are more, those that nobody let in make way.
    pub clients: usize,
    /// A registered program that nobody let in may have to make way at this age.
    pub stale_client: Duration,
    /// Redirect URIs of one program.
    pub redirect_uris: usize,
    /// Registrations from one address.
    pub registrations: Rate,
    /// Questions to be let in, from one address. Each may store a code.
    pub questions: Rate,
    /// Wrong secrets, codes and tokens from one address.
    pub failures: Rate,
    /// Wrong passphrases from one address.
    pub passphrases: Rate,
    /// Access tokens that are held in memory.
    pub live_tokens: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let minute = Duration::from_secs(60);
        Self {
            clients: 1_000,
            stale_client: Duration::from_secs(3_600),
            redirect_uris: 16,
            registrations: Rate { count: 20, period: minute, burst: 20 },
            questions: Rate { count: 60, period: minute, burst: 60 },
            failures: Rate { count: 300, period: minute, burst: 100 },
            passphrases: Rate { count: 6, period: minute, burst: 5 },
            live_tokens: 100_000,
        }
    }
}
