//! People who use a control plane.

use std::sync::Arc;

use identity::Clock;
use identity::accounts::{ACCOUNTS_MAX, Accounts, Refused, Role};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::accounts::{Account as Stored, Tied};
use store::{AuditKind, AuditNote};

pub use store::accounts::Ways;

use crate::audit::word;
use crate::context::blocking;
use crate::keys::moment;
use crate::{Code, Context, Error};

/// Whom to make an account for.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Create {
    /// What the person signs in with.
    pub name: String,
    /// `member`: makes and uses what is theirs. `admin` and `owner`: everything. Default: `member`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

/// Which account.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Named {
    /// Its name.
    pub name: String,
}

/// An account.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// Its id, which owns what the person makes.
    pub id: String,
    /// What the person signs in with.
    pub name: String,
    /// `owner`, `admin` or `member`.
    pub role: String,
    /// Whether the person can sign in: by a password that they chose, or at a provider of OpenID Connect.
    pub ready: bool,
    /// The issuer at which the person signs in by OpenID Connect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Its name for the person (`sub`), to which the account is tied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What it last called the person: an address or a name, for people to read. Nobody has to have verified it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called: Option<String>,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// When the person last signed in, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_in_at: Option<String>,
}

/// An account, and the link by which its person chooses a password.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Invited {
    /// The account.
    pub account: Account,
    /// The link. It is shown this once, is used once, and has force for a day. Where no control plane runs it is the path
    /// on the one that will.
    pub link: String,
}

/// Every account.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// The accounts, by name.
    pub accounts: Vec<Account>,
}

/// What was removed.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Removed {
    /// Its name.
    pub name: String,
    /// How many servers it owned. They stay, for whoever runs the control plane.
    pub servers: usize,
}

/// The accounts of this installation, for a control plane that lets people in.
///
/// # Errors
/// The catalogue cannot be used.
pub async fn open(context: &Context) -> Result<Arc<Accounts>, Error> {
    let store = context.noted_store().await?;
    let takes_passwords = context.ways.as_ref().is_none_or(|ways| ways.passwords);
    let opened = move || {
        let accounts = Accounts::open(store, Clock::system())?;
        Ok(Arc::new(if takes_passwords { accounts } else { accounts.without_passwords() }))
    };
    blocking(opened).await
}

/// Whether there are accounts at a control plane, and no owner can sign in to theirs in the ways that are on.
///
/// # Errors
/// The catalogue cannot be used.
pub async fn shuts_owners_out(context: &Context) -> Result<bool, Error> {
    let Some(ways) = context.ways.clone() else { return Ok(false) };
    context.store(move |store| Ok(store.has_accounts()? && !store.can_come(Role::Owner.as_str(), &ways)?)).await
}

/// Makes an account, and a link for its person.
///
/// # Errors
/// The name or the role does not do, or the name is taken.
pub async fn create(context: &Context, input: Create) -> Result<Invited, Error> {
    let word = input.role.as_deref().unwrap_or(Role::Member.as_str());
    let role = Role::of_word(word).ok_or_else(|| {
        Error::new(Code::BadAccount, format!("there is no role `{word}`")).hint("the roles are member, admin and owner")
    })?;
    let accounts = open(context).await?;
    let tries = context.tries;
    let made = blocking(move || {
        let account = accounts.create(&input.name, role).map_err(refused)?;
        // The account that was only tried is not there to have a link.
        let link = if tries { None } else { Some(accounts.password_link(&account.id)?) };
        Ok((account, link))
    });
    let (account, link) = made.await?;
    let link = link.map(|link| place(context, &link)).unwrap_or_default();
    Ok(Invited { account: shown(account), link })
}

/// Makes a link by which the person of an account chooses another password. The old one has force until then.
///
/// # Errors
/// There is no such account.
pub async fn reset(context: &Context, input: Named) -> Result<Invited, Error> {
    let account = find(context, &input.name).await?;
    if context.tries {
        return Ok(Invited { account: shown(account), link: String::new() });
    }
    let (accounts, id) = (open(context).await?, account.id.clone());
    let link = blocking(move || Ok(accounts.password_link(&id)?)).await?;
    Ok(Invited { account: shown(account), link: place(context, &link) })
}

/// Lists the accounts. A home folder without a catalogue has none, and none is made.
///
/// # Errors
/// The catalogue cannot be used.
pub async fn list(context: &Context) -> Result<Listed, Error> {
    if !context.has_store() {
        return Ok(Listed::default());
    }
    let found = context.store(|store| store.accounts(ACCOUNTS_MAX)).await?;
    Ok(Listed { accounts: found.into_iter().map(shown).collect() })
}

/// Removes an account with its keys, and ends what it let programs do.
///
/// # Errors
/// There is no such account, or it is the last owner's.
pub async fn remove(context: &Context, input: Named) -> Result<Removed, Error> {
    let account = find(context, &input.name).await?;
    let (id, now, ways) = (account.id, Clock::system().now(), context.ways.clone());
    let removed = context
        .store(move |store| {
            let servers = store.servers_of(&id)?;
            Ok(store.remove_account(&id, Role::Owner.as_str(), ways.as_ref(), now)?.then_some(servers))
        })
        .await?;
    let servers = removed.ok_or_else(|| {
        let what = format!("`{}` is the last owner who can sign in, and stays", account.name);
        Error::new(Code::BadAccount, what).hint(
            "make another owner first, `mcp-factory accounts create NAME --role owner`, who has to open the link and choose a password, or sign in by OpenID Connect",
        )
    })?;
    Ok(Removed { name: account.name, servers })
}

async fn find(context: &Context, name: &str) -> Result<Stored, Error> {
    let key = name.trim().to_ascii_lowercase();
    let found = match context.has_store() {
        true => context.store(move |store| store.account_named(&key)).await?,
        false => None,
    };
    found.ok_or_else(|| {
        Error::new(Code::NoAccount, format!("there is no account `{name}`"))
            .hint("`mcp-factory accounts list` shows the accounts")
    })
}

/// The link that makes the first account; `None` when there is one already.
///
/// # Errors
/// The catalogue cannot be used.
pub async fn set_up_link(accounts: &Arc<Accounts>, url: &str) -> Result<Option<String>, Error> {
    let accounts = accounts.clone();
    let made = blocking(move || Ok(accounts.set_up_link()?)).await?;
    Ok(made.map(|secret| format!("{url}/setup?link={secret}")))
}

/// Records at a control plane that somebody signed in, with what the log says of how.
pub fn note_sign_in(context: &Context, account: &Stored, request: &str, how: Value) {
    let note = AuditNote {
        owner: account.id.as_str().into(),
        subject: word(&account.name).into(),
        ..sign_in(format!("account:{}", account.id), request, "ok", how)
    };
    if let Some(recorder) = &context.recorder {
        recorder.put(note);
    }
}

/// Records at a control plane that somebody was not let in whom a provider had named.
pub fn note_turned_away(context: &Context, code: Code, request: &str, how: Value) {
    if let Some(recorder) = &context.recorder {
        recorder.put(sign_in("anonymous".to_owned(), request, code.as_str(), how));
    }
}

/// Records at a control plane that somebody was not let in who named an account. How often is bounded by how often a wrong password
/// may be tried.
pub fn note_refused_sign_in(context: &Context, name: &str, is_slow: bool, request: &str, how: Value) {
    let code = if is_slow { Code::TooMany } else { Code::NeedsKey };
    let note = AuditNote { subject: word(name).into(), ..sign_in("anonymous".to_owned(), request, code.as_str(), how) };
    if let Some(recorder) = &context.recorder {
        recorder.put(note);
    }
}

fn sign_in(caller: String, request: &str, outcome: &'static str, how: Value) -> AuditNote {
    AuditNote {
        kind: AuditKind::Change,
        time: None,
        operation: "account.sign-in".into(),
        caller: caller.into(),
        owner: "".into(),
        subject: "".into(),
        request: word(request),
        outcome: outcome.into(),
        details: how.to_string(),
    }
}

/// Where a link is to be opened.
fn place(context: &Context, secret: &str) -> String {
    let here = context.targets.as_ref().map(|targets| targets.url.clone());
    let base = here.or_else(|| crate::plane::public(context)).unwrap_or_default();
    format!("{base}/password?link={secret}")
}

fn refused(refused: Refused) -> Error {
    match refused {
        Refused::Fault(fault) => fault.into(),
        other => Error::new(Code::BadAccount, other.to_string()).hint("`mcp-factory accounts list` shows the accounts"),
    }
}

fn shown(account: Stored) -> Account {
    let Stored { id, name, role, password, created_at, signed_in_at, tied } = account;
    let (created_at, signed_in_at) = (moment(created_at), signed_in_at.map(moment));
    let ready = password.is_some() || tied.is_some();
    let (issuer, subject, called) = match tied {
        Some(Tied { issuer, subject, called }) => (Some(issuer), Some(subject), called),
        None => (None, None, None),
    };
    Account { id, name, role, ready, issuer, subject, called, created_at, signed_in_at }
}
