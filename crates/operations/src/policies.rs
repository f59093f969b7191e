//! Who may list and call which server, group and tool; and how much an owner may use. Declared here, asked by every face.

mod quota;
mod rule;
mod sight;
mod usage;
mod view;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::policies::{Kind, Policy};

use crate::operation::Scope;
use crate::{Code, Context, Error};

pub use quota::Quota;
pub(crate) use rule::OWN;
pub use rule::{Right, Rule};
pub(crate) use sight::Sight;
pub use view::{Policies, Reach, Spending};
pub(crate) use view::{exceeded, of};

/// Rules and quotas of one owner.
pub const PER_OWNER_MAX: usize = 1_000;
/// Longest name of a rule or a quota, characters.
const NAME_CHARS_MAX: usize = 64;

/// A rule to set.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetRule {
    /// Its name. A rule of the same name is replaced.
    pub name: String,
    /// What it says.
    #[serde(flatten)]
    pub rule: Rule,
}

/// A quota to set.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetQuota {
    /// Whose it is: `members`, `guests`, or the id of an owner.
    pub who: String,
    /// What it says. What is not said stays as it is for everybody.
    #[serde(flatten)]
    pub quota: Quota,
}

/// Which rule to remove.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Named {
    /// Name of the rule.
    pub name: String,
}

/// Which quota to remove.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Whose {
    /// Whose it is: `members`, `guests`, or the id of an owner.
    pub who: String,
}

/// A rule that is set.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NamedRule {
    /// Its name.
    pub name: String,
    /// Who set it: it speaks of their servers; one of whoever runs the platform speaks of all.
    pub owner: String,
    /// What it says.
    #[serde(flatten)]
    pub rule: Rule,
}

/// A quota that is set.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NamedQuota {
    /// Whose it is.
    pub who: String,
    /// What it says.
    #[serde(flatten)]
    pub quota: Quota,
}

/// The policies that are set.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// Who may use which servers.
    pub rules: Vec<NamedRule>,
    /// How much owners may use.
    pub quotas: Vec<NamedQuota>,
}

/// What was done.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Removed {
    /// Name of the rule, or whose quota.
    pub name: String,
}

/// Sets a rule.
///
/// # Errors
/// The name or the rule does not do; somebody else has one of this name.
pub async fn set_rule(context: &Context, input: SetRule) -> Result<NamedRule, Error> {
    check_name(&input.name)?;
    input.rule.check()?;
    let rule = resolved(context, input.rule).await?;
    let document = serde_json::to_string(&rule).map_err(unwritable)?;
    put(context, Kind::Rule, &input.name, document).await?;
    Ok(NamedRule { name: input.name, owner: set_by(context), rule })
}

/// Sets a quota.
///
/// # Errors
/// The name does not do, nobody is called so, or no limit is named.
pub async fn set_quota(context: &Context, input: SetQuota) -> Result<NamedQuota, Error> {
    let who = resolved_who(context, &input.who).await?;
    check_name(&who)?;
    if NOBODY.contains(&&*who) {
        return Err(Error::new(Code::BadPolicy, format!("`{who}` is nobody that a quota can speak of"))
            .hint("write `members`, `guests`, the name of an account, or the owner of keys"));
    }
    if input.quota == Quota::NONE {
        let holds = of(context).await?.quota_of(&who);
        let what = format!("no limit was named, so nothing was set; what holds for `{}` is {holds}", input.who);
        return Err(Error::new(Code::BadPolicy, what)
            .hint("name a limit: `--servers`, `--calls`, `--bytes` or `--jobs`; over REST `servers`, `callsPerDay`, `bytesPerDay`, `jobs`"));
    }
    is_somebody(context, &who).await?;
    let document = serde_json::to_string(&input.quota).map_err(unwritable)?;
    put(context, Kind::Quota, &who, document).await?;
    Ok(NamedQuota { who, quota: input.quota })
}

/// Lists the rules of the caller, or everybody's and the quotas for whoever runs the platform.
///
/// # Errors
/// The catalogue cannot be used.
pub async fn list(context: &Context) -> Result<Listed, Error> {
    if !context.has_store() {
        return Ok(Listed::default());
    }
    let all = context.caller.may(Scope::Admin);
    let mut listed = Listed::default();
    for policy in context.store(store::Store::policies).await? {
        match policy.kind {
            Kind::Rule if all || policy.owner == context.caller.owner() => {
                let Policy { name, owner, document, .. } = policy;
                listed.rules.extend(serde_json::from_str(&document).ok().map(|rule| NamedRule { name, owner, rule }));
            }
            Kind::Quota if all => {
                let quota = serde_json::from_str(&policy.document).ok();
                listed.quotas.extend(quota.map(|quota| NamedQuota { who: policy.name, quota }));
            }
            _ => {}
        }
    }
    Ok(listed)
}

/// The scopes that rules ask for: of this owner, or of anybody.
pub(crate) async fn scopes(context: &Context, owner: Option<&str>) -> Result<Vec<String>, Error> {
    if !context.has_store() {
        return Ok(Vec::new());
    }
    let all = context.store(store::Store::policies).await?;
    let is_theirs = |policy: &&Policy| owner.is_none_or(|owner| policy.owner == owner);
    let rules = all.iter().filter(|policy| policy.kind == Kind::Rule).filter(is_theirs);
    let needs = |policy: &Policy| serde_json::from_str::<Rule>(&policy.document).ok()?.needs;
    Ok(rules.filter_map(needs).collect())
}

/// Removes a rule.
///
/// # Errors
/// There is none of this name that the caller may remove.
pub async fn remove_rule(context: &Context, input: Named) -> Result<Removed, Error> {
    remove(context, Kind::Rule, input.name).await
}

/// Removes a quota: what is so for everybody is so again.
///
/// # Errors
/// There is none.
pub async fn remove_quota(context: &Context, input: Whose) -> Result<Removed, Error> {
    let who = resolved_who(context, &input.who).await?;
    remove(context, Kind::Quota, who).await
}

async fn remove(context: &Context, kind: Kind, name: String) -> Result<Removed, Error> {
    let (key, owner) = (name.clone(), crate::access::listed(&context.caller));
    match context.store(move |store| store.remove_policy(kind, &key, owner.as_deref())).await? {
        true => {
            keep(context).await;
            Ok(Removed { name })
        }
        false => Err(Error::new(Code::NoPolicy, format!("there is no policy `{name}`"))
            .hint("`mcp-factory policies list` shows them")),
    }
}

async fn put(context: &Context, kind: Kind, name: &str, document: String) -> Result<(), Error> {
    let policy = Policy { kind, name: name.to_owned(), owner: set_by(context), document, changed_at: String::new() };
    match context.store(move |store| store.set_policy(&policy, PER_OWNER_MAX)).await? {
        // Whoever asks next is already judged by it.
        true => {
            keep(context).await;
            Ok(())
        }
        false => Err(Error::new(
            Code::BadPolicy,
            format!("`{name}` is somebody else's, or you have {PER_OWNER_MAX} policies already"),
        )
        .hint("give it another name")),
    }
}

/// Whose a policy is: whoever runs the platform speaks for all.
fn set_by(context: &Context) -> String {
    if context.caller.may(Scope::Admin) { rule::EVERYBODYS.to_owned() } else { context.caller.owner().to_owned() }
}

fn check_name(name: &str) -> Result<(), Error> {
    let good = |c: char| c.is_ascii_graphic();
    if (1..=NAME_CHARS_MAX).contains(&name.len()) && name.chars().all(good) {
        return Ok(());
    }
    Err(Error::new(Code::BadPolicy, format!("a policy is called by 1 to {NAME_CHARS_MAX} visible ASCII characters"))
        .hint("such as `shop-for-guests`"))
}

/// Names of accounts become their ids, which nobody else gets later.
async fn resolved(context: &Context, mut rule: Rule) -> Result<Rule, Error> {
    for who in &mut rule.who {
        if let Some(name) = who.strip_prefix("account:") {
            *who = format!("owner:{}", resolved_who(context, &format!("account:{name}")).await?);
        }
    }
    Ok(rule)
}

/// Words of quotas that stand for many.
const MANY: [&str; 2] = ["members", "guests"];
/// Words that are easily taken for those, and for nobody.
const NOBODY: [&str; 8] = ["member", "guest", "everyone", "everybody", "nobody", "accounts", "anonymous", "*"];

/// Most accounts and keys that are looked through for a name.
const OWNERS_MAX: usize = 10_000;

/// Refuses an owner who has nothing here: a quota of theirs would be nobody's.
async fn is_somebody(context: &Context, who: &str) -> Result<(), Error> {
    let visits = ["guest:", "address:"].iter().any(|kind| who.strip_prefix(kind).is_some_and(|name| !name.is_empty()));
    if visits || MANY.contains(&who) || who == crate::keys::LOCAL_OWNER {
        return Ok(());
    }
    let (accounts, mut names) = context
        .store(|store| {
            let accounts = store.accounts(OWNERS_MAX)?;
            let keys = store.keys(None, OWNERS_MAX)?.into_iter().map(|key| key.owner);
            let servers = store.owners()?.into_iter().map(|(_, owner)| owner);
            Ok((accounts, keys.chain(servers).collect::<Vec<String>>()))
        })
        .await?;
    if names.iter().any(|known| known == who) || accounts.iter().any(|account| account.id == who) {
        return Ok(());
    }
    names.extend(accounts.into_iter().map(|account| account.name));
    names.extend(MANY.map(str::to_owned));
    names.sort();
    names.dedup();
    let mut error =
        Error::new(Code::NoAccount, format!("there is no account, and no owner of a key or server, `{who}`"));
    if let Some(near) = base::nearest(who, names.iter().map(String::as_str)) {
        error = error.hint(format!("did you mean `{near}`?"));
    }
    Err(error.hint("write `members`, `guests`, the name of an account (`mcp-factory accounts list`), or the owner of keys (`mcp-factory keys list`)"))
}

/// The id of an account of this name; another word as it is.
async fn resolved_who(context: &Context, word: &str) -> Result<String, Error> {
    if MANY.contains(&word) {
        return Ok(word.to_owned());
    }
    let named = word.strip_prefix("account:");
    let key = named.unwrap_or(word).to_ascii_lowercase();
    match context.store(move |store| store.account_named(&key)).await? {
        Some(account) => Ok(account.id),
        None if named.is_some() => Err(Error::new(Code::NoAccount, format!("there is no account `{word}`"))
            .hint("`mcp-factory accounts list` shows the accounts")),
        None => Ok(word.strip_prefix("owner:").unwrap_or(word).to_owned()),
    }
}

fn unwritable(error: serde_json::Error) -> Error {
    Error::new(Code::Internal, format!("the policy cannot be written: {error}"))
}

/// Counts a call that an operation makes against the quota of its caller's owner. Gives how the bytes of its answer are counted.
///
/// # Errors
/// Nothing remains today.
pub(crate) fn counted(context: &Context) -> Result<impl FnOnce(usize), Error> {
    let spent = match (&context.caller, &context.policies) {
        (crate::Caller::Remote(principal), Some(policies)) if !principal.scopes.allow(Scope::Admin.as_str()) => {
            Some((Arc::clone(policies), policies.spend(principal)?))
        }
        _ => None,
    };
    Ok(move |bytes| {
        if let Some((policies, spending)) = spent {
            policies.spent(&spending, bytes as u64);
        }
    })
}

/// How soon a change of another process is followed, and what was used is stored.
const FOLLOW_EVERY: std::time::Duration = std::time::Duration::from_millis(300);

/// Follows changes of policies by this and other processes, and stores what was used, for as long as a control plane runs.
pub async fn follow(context: &Context) {
    let mut told = String::new();
    loop {
        let failed = kept(context).await.err().map(|error| error.to_string()).unwrap_or_default();
        // What stays as it is is told once.
        if !failed.is_empty() && failed != told {
            tracing::warn!(error = failed, "policies could not be followed");
        }
        told = failed;
        tokio::time::sleep(FOLLOW_EVERY).await;
    }
}

/// Stores what was used, and reads policies that were changed, for the last time.
pub async fn keep(context: &Context) {
    if let Err(error) = kept(context).await {
        tracing::warn!(%error, "policies could not be followed");
    }
}

async fn kept(context: &Context) -> Result<(), Error> {
    let Some(policies) = context.policies.clone() else { return Ok(()) };
    context.store(move |store| policies.follow(store)).await.map(drop)
}
