//! API keys and connected programs: who may come in to a server of this installation.

use std::sync::Arc;

use identity::keys::{Info, Keys, Refused};
use identity::{Clock, Kind, SCOPES_BYTES_MAX, Scopes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::blocking;
use crate::operation::Scope;
use crate::policies::OWN;
use crate::{Caller, Code, Context, Error};

/// The owner of what is made at the command line.
pub const LOCAL_OWNER: &str = "local";
/// What a key may do unless it is said: use servers.
pub const SCOPE: &str = "mcp";
/// What a key of a person may do unless it is said.
const MEMBER: [&str; 5] = ["mcp", "servers:read", "servers:write", "servers:call", "logs:read"];
/// Longest name of an owner, bytes.
const OWNER_BYTES_MAX: usize = 128;
/// Longest life of a key that ends, days.
pub const DAYS_MAX: u16 = 3_650;
/// Most connected programs that a list gives.
const PROGRAMS_MAX: usize = 1_000;

/// What a key is to be.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Create {
    /// What it is called, such as the program that will use it.
    pub name: String,
    /// What it may do. Default: `mcp`, to use servers; for somebody who is signed in, what they may do themselves but for
    /// running the platform and making keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// After how many days it ends. Default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u16>,
    /// Whose servers it may use. Default: the caller's own; only whoever runs the platform names somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// Which key or program.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Revoke {
    /// Id of the key or program.
    pub id: String,
}

/// A new key.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Created {
    /// The key itself. It is shown this once; empty when it was only tried.
    pub key: String,
    /// What is known of it.
    #[serde(flatten)]
    pub info: Key,
}

/// What is known of a key.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Key {
    /// Its id, by which it is revoked.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Whose servers it may use.
    pub owner: String,
    /// How it begins.
    pub start: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// When it ends, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
}

/// A program that was let in by OAuth.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Program {
    /// Its id, by which it is revoked.
    pub id: String,
    /// What it calls itself.
    pub name: String,
    /// Who let it in.
    pub owner: String,
    /// The server that it may use.
    pub server: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// When it was let in, RFC 3339.
    pub created_at: String,
    /// When it has to ask again unless it comes before, RFC 3339.
    pub expires_at: String,
}

/// Everything that lets somebody in.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// The API keys.
    pub keys: Vec<Key>,
    /// The programs that were let in by OAuth.
    pub programs: Vec<Program>,
}

/// What was revoked.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Revoked {
    /// The id.
    pub id: String,
    /// `key` or `program`.
    pub kind: String,
    /// What it was called.
    pub name: String,
}

/// The keys of this installation, for a server that lets them in.
///
/// # Errors
/// The catalogue cannot be used.
pub async fn open(context: &Context) -> Result<Arc<Keys>, Error> {
    let store = context.shared_store().await?;
    blocking(move || Ok(Arc::new(Keys::open(store, Clock::system())?))).await
}

/// Makes a key.
///
/// # Errors
/// The name or a scope does not do, or there are too many.
pub async fn create(context: &Context, input: Create) -> Result<Created, Error> {
    let bad = |message: String| Error::new(Code::BadKey, message);
    let usual = || match &context.caller {
        // A key of a person stands for them, but for what only whoever runs the platform may.
        Caller::Remote(principal) if principal.kind == Kind::Account => MEMBER.map(str::to_owned).to_vec(),
        _ => vec![SCOPE.to_owned()],
    };
    let scopes = if input.scopes.is_empty() { usual() } else { input.scopes };
    let scopes = Scopes::parse(&scopes.join(" ")).filter(|scopes| !scopes.is_empty()).ok_or_else(|| {
        bad(format!("the scopes are not visible ASCII, or longer than {SCOPES_BYTES_MAX} bytes together"))
            .hint("name scopes such as `mcp` or `servers:read`")
    })?;
    if input.days.is_some_and(|days| days == 0 || days > DAYS_MAX) {
        return Err(bad(format!("a key lives 1 to {DAYS_MAX} days, or for ever without `days`"))
            .hint(format!("send a number from 1 to {DAYS_MAX}, or leave `days` out")));
    }
    let scopes = for_own_servers(context, scopes).await?;
    crate::scopes::check(context, &scopes).await?;
    let owner = owner(context, input.owner, &scopes)?;
    let (keys, tries) = (unread(context).await?, context.tries);
    let lifetime = input.days.map(|days| u32::from(days) * 24 * 3_600);
    let work = move || {
        keys.create(&owner, &input.name, &scopes, lifetime).map_err(|refused| match refused {
            Refused::Fault(fault) => fault.into(),
            Refused::Name => {
                Error::new(Code::BadKey, refused.to_string()).hint("call it like the program that will use it")
            }
            Refused::Full { .. } => Error::new(Code::BadKey, refused.to_string())
                .hint("`mcp-factory keys list` shows them; revoke those that nobody uses"),
        })
    };
    let created = blocking(work).await?;
    // A key that was only tried lets nobody in.
    let shown = if tries { String::new() } else { created.key.expose().to_owned() };
    Ok(Created { key: shown, info: key(created.info) })
}

/// The scopes that a caller asks for, of which those that they have not, and that rules of their own ask for, count for their
/// own rules alone: who says what their servers need may also say who has it.
async fn for_own_servers(context: &Context, scopes: Scopes) -> Result<Scopes, Error> {
    let Caller::Remote(principal) = &context.caller else { return Ok(scopes) };
    let platform = crate::scopes::known();
    let lacks = |scope: &str| !principal.scopes.allow(scope) && !platform.contains(&scope);
    if !scopes.iter().any(lacks) {
        return Ok(scopes);
    }
    let own = crate::policies::scopes(context, Some(&principal.owner)).await?;
    let named = |scope: &str| own.iter().any(|known| known == scope);
    Ok(Scopes::of(scopes.iter().map(|scope| {
        let bare = scope.strip_prefix(OWN).unwrap_or(scope);
        if lacks(scope) && named(bare) { format!("{OWN}{bare}") } else { scope.to_owned() }
    })))
}

/// Whose the new key is. Nobody gives away more than they have but for their own servers.
fn owner(context: &Context, named: Option<String>, scopes: &Scopes) -> Result<String, Error> {
    let caller = &context.caller;
    let named = match named {
        Some(owner) if owner != caller.owner() && !caller.may(Scope::Admin) => {
            let what = format!("{caller} makes keys for their own servers alone, not for those of `{owner}`");
            return Err(Error::new(Code::Forbidden, what).hint("leave `owner` out"));
        }
        Some(owner) => owner,
        None => caller.owner().to_owned(),
    };
    let good = |byte: u8| byte.is_ascii_graphic();
    if named.is_empty() || named.len() > OWNER_BYTES_MAX || !named.bytes().all(good) {
        return Err(Error::new(
            Code::BadKey,
            format!("an owner is a word of 1 to {OWNER_BYTES_MAX} visible ASCII characters"),
        )
        .hint("leave it out for your own servers"));
    }
    let given: Scopes = Scopes::of(scopes.iter().filter(|scope| !scope.starts_with(OWN)));
    if let Caller::Remote(principal) = caller
        && !principal.scopes.cover(&given)
    {
        let what = format!("{caller} may do `{}`, and cannot make a key that may do `{given}`", principal.scopes);
        return Err(Error::new(Code::Forbidden, what)
            .hint("name fewer scopes: those of yours, and those that rules of your own ask for"));
    }
    Ok(named)
}

/// The keys, for making, listing and revoking them.
async fn unread(context: &Context) -> Result<Keys, Error> {
    let store = context.noted_store().await?;
    blocking(move || Ok(Keys::unread(store, Clock::system())?)).await
}

/// Lists the keys and the connected programs of the caller, or everybody's for whoever runs the platform. A home folder without a catalogue has none, and none is made.
///
/// # Errors
/// The catalogue cannot be used.
pub async fn list(context: &Context) -> Result<Listed, Error> {
    if !context.has_store() {
        return Ok(Listed::default());
    }
    let owner = crate::access::listed(&context.caller);
    let (keys, of) = (unread(context).await?, owner.clone());
    let keys = blocking(move || Ok(keys.list(of.as_deref())?)).await?;
    let now = Clock::system().now();
    let programs = context.store(move |store| store.oauth_grants(now, PROGRAMS_MAX)).await?;
    let programs = programs.into_iter().filter(|(grant, _)| owner.as_ref().is_none_or(|owner| *owner == grant.owner));
    let programs = programs.map(|(grant, document)| program(grant, document.as_deref()));
    Ok(Listed { keys: keys.into_iter().map(key).collect(), programs: programs.collect() })
}

/// Takes the force from a key or a program, at once.
///
/// # Errors
/// There is none of this id.
pub async fn revoke(context: &Context, id: &str) -> Result<Revoked, Error> {
    let listed = list(context).await?;
    let id = id.to_owned();
    let now = Clock::system().now();
    let (kind, name, gone) = if let Some(found) = listed.keys.into_iter().find(|key| key.id == id) {
        let wanted = id.clone();
        ("key", found.name, context.store(move |store| store.remove_key(&wanted, None)).await?.is_some())
    } else if let Some(found) = listed.programs.into_iter().find(|program| program.id == id) {
        let wanted = id.clone();
        ("program", found.name, context.store(move |store| store.oauth_revoke_grant(&wanted, now)).await?)
    } else {
        ("", String::new(), false)
    };
    if !gone {
        return Err(Error::new(Code::NoKey, format!("there is no key and no connected program `{id}`"))
            .hint("`mcp-factory keys list` shows them with their ids"));
    }
    Ok(Revoked { id, kind: kind.to_owned(), name })
}

fn key(info: Info) -> Key {
    let Info { id, name, owner, start, scopes, created_at, expires_at } = info;
    Key { id, name, owner, start, scopes, created_at: moment(created_at), expires_at: expires_at.map(moment) }
}

fn program(grant: store::oauth::Grant, document: Option<&str>) -> Program {
    let document = document.and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    let name = document.as_ref().and_then(|document| document.get("client_name")?.as_str()).map(str::to_owned);
    Program {
        id: grant.id,
        name: name.unwrap_or(grant.client),
        owner: grant.owner,
        server: grant.realm,
        scopes: grant.scope.split(' ').map(str::to_owned).collect(),
        created_at: moment(grant.created_at),
        expires_at: moment(grant.expires_at),
    }
}

/// RFC 3339 in UTC.
pub(crate) fn moment(seconds: i64) -> String {
    let moment = chrono::DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    moment.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
