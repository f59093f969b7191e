//! The policies of a control plane, in memory: asked on every call.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use ahash::HashMap;
use identity::{ADMIN, Kind as Who, Principal};
use parking_lot::{Mutex, RwLock};
use store::Store;
use store::policies::Kind;

use super::quota::Quota;
use super::rule::{EVERYBODYS, OWN, Right, Rule};
use super::sight::Sight;
use super::usage::{Usage, Used};
use crate::{Code, Context, Error};

/// The policies of a control plane, as they are now. Share them behind an `Arc`.
#[derive(Debug, Default)]
pub struct Policies {
    set: RwLock<Arc<Set>>,
    changes: AtomicI64,
    usage: Mutex<Usage>,
}

#[derive(Debug, Default)]
struct Set {
    /// Rules with the owner that they are of.
    rules: Vec<(String, Rule)>,
    quotas: HashMap<String, Quota>,
}

/// What somebody may do with the tools behind a door.
#[derive(Clone, Debug)]
pub struct Reach {
    set: Arc<Set>,
    /// Numbers of the rules that give rights; everything when absent.
    given: Option<Vec<usize>>,
    /// Numbers of the rules that ask for scopes which the caller lacks.
    needed: Vec<usize>,
}

impl Reach {
    /// Whether all of the server is open to them, resources and prompts too.
    pub fn is_whole(&self) -> bool {
        self.given.is_none()
    }

    /// Whether nothing is kept from them.
    pub fn is_free(&self) -> bool {
        self.given.is_none() && self.needed.is_empty()
    }

    /// Whether they see a tool.
    pub fn sees(&self, tool: &str) -> bool {
        self.may(tool, Right::List)
    }

    /// Whether they may call a tool.
    ///
    /// # Errors
    /// They may not: what it needs.
    pub fn calls(&self, tool: &str) -> Result<(), Error> {
        let needed = self.needed.iter().filter_map(|at| self.set.rules.get(*at));
        let lacks = needed.filter(|(_, rule)| rule.has(tool)).find_map(|(of, rule)| Some((of, rule.needs.as_ref()?)));
        if let Some((of, scope)) = lacks {
            let what =
                format!("calling `{tool}` needs the scope `{scope}`, which a rule asks for and the caller lacks");
            let own = self.given.is_none() && *of != *EVERYBODYS;
            return Err(Error::new(Code::Forbidden, what).hint(match own {
                true => format!(
                    "the rule is yours: make a key that has the scope and use it (`mcp-factory keys create NAME --scope \
                     mcp,servers:call,{scope}`, or `POST /api/mcp-keys`), or remove the rule (`mcp-factory policies list`)"
                ),
                false => "ask whoever runs this control plane for a key with that scope".to_owned(),
            }));
        }
        if self.may(tool, Right::Call) {
            return Ok(());
        }
        Err(Error::new(Code::NoTool, format!("there is no tool `{tool}` that you may call")))
    }

    fn may(&self, tool: &str, right: Right) -> bool {
        let Some(given) = &self.given else { return true };
        let rules = given.iter().filter_map(|at| self.set.rules.get(*at));
        let enough = |rule: &Rule| rule.allow == Some(Right::Call) || rule.allow == Some(right);
        rules.into_iter().any(|(_, rule)| enough(rule) && rule.has(tool))
    }
}

/// Calls that are about to be made.
#[derive(Clone, Debug)]
pub struct Spending(Arc<str>);

impl Policies {
    /// What a caller may do with the tools of a server of this owner, by one of its groups or as a whole; `None` when it
    /// is as if the server were not there.
    pub fn reach(&self, principal: &Principal, server: &str, owner: &str, group: Option<&str>) -> Option<Reach> {
        let set = Arc::clone(&self.set.read());
        let scopes = &principal.scopes;
        if scopes.allow(ADMIN) {
            return Some(Reach { set, given: None, needed: Vec::new() });
        }
        let about = |of: &String, rule: &Rule| {
            (*of == *EVERYBODYS || *of == *owner) && rule.covers(server, group) && rule.is_of(principal)
        };
        let (mut given, mut needed) = (Vec::new(), Vec::new());
        for (at, (of, rule)) in set.rules.iter().enumerate() {
            if !about(of, rule) {
                continue;
            }
            if rule.allow.is_some() {
                given.push(at);
            }
            if rule.needs.as_ref().is_some_and(|scope| !scopes.allow(scope) && !given_to_own(principal, of, scope)) {
                needed.push(at);
            }
        }
        let own = *principal.owner == *owner;
        if !own && given.is_empty() {
            return None;
        }
        Some(Reach { set, given: (!own).then_some(given), needed })
    }

    /// What a caller sees of the servers of everybody.
    pub(crate) fn sight(&self, principal: &Principal) -> Sight {
        match principal.scopes.allow(ADMIN) {
            true => Sight::All,
            false => Sight::of(principal, &self.set.read().rules),
        }
    }

    /// Another number whenever a policy was changed.
    pub fn version(&self) -> i64 {
        self.changes.load(Ordering::Relaxed)
    }

    /// The quota of a caller's owner.
    pub fn quota(&self, principal: &Principal) -> Quota {
        if principal.scopes.allow(ADMIN) {
            return Quota::NONE;
        }
        self.quota_among(&principal.owner, matches!(principal.kind, Who::Guest | Who::Anonymous))
    }

    /// What holds for an owner, or for `members` or `guests`.
    pub(super) fn quota_of(&self, who: &str) -> Quota {
        self.quota_among(who, who == "guests" || who.starts_with("guest:") || who.starts_with("address:"))
    }

    /// The quota of somebody over that of all guests, or of all members.
    fn quota_among(&self, who: &str, visits: bool) -> Quota {
        let set = self.set.read();
        let (kind, usual) = if visits { ("guests", Quota::GUESTS) } else { ("members", Quota::MEMBERS) };
        let own = set.quotas.get(who).copied().unwrap_or_default();
        own.over(set.quotas.get(kind).copied().unwrap_or_default()).over(usual)
    }

    /// Counts a call of a caller against the quota of their owner.
    ///
    /// # Errors
    /// Nothing remains today: says how much there was.
    pub fn spend(&self, principal: &Principal) -> Result<Spending, Error> {
        let quota = self.quota(principal);
        let mut usage = self.usage.lock();
        remains(&quota, usage.of(&principal.owner))?;
        usage.add(&principal.owner, 1, 0);
        Ok(Spending(principal.owner.clone()))
    }

    /// Whether a caller may make a call.
    ///
    /// # Errors
    /// As for [`Policies::spend`].
    pub(crate) fn may_spend(&self, principal: &Principal) -> Result<(), Error> {
        remains(&self.quota(principal), self.usage.lock().of(&principal.owner))
    }

    /// Counts the bytes of an answer.
    pub fn spent(&self, spending: &Spending, bytes: u64) {
        self.usage.lock().add(&spending.0, 0, bytes);
    }

    /// Reads what is set, if it was changed, and stores what was used. Blocks.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn follow(&self, store: &Store) -> Result<(), store::Error> {
        let changes = store.policy_changes()?;
        if changes != self.changes.load(Ordering::Relaxed) || changes == 0 {
            self.read(store)?;
            self.changes.store(changes, Ordering::Relaxed);
        }
        self.store_usage(store)
    }

    fn read(&self, store: &Store) -> Result<(), store::Error> {
        let mut set = Set::default();
        for policy in store.policies()? {
            match policy.kind {
                Kind::Rule => {
                    set.rules.extend(serde_json::from_str(&policy.document).ok().map(|rule| (policy.owner, rule)));
                }
                Kind::Quota => {
                    set.quotas.extend(serde_json::from_str(&policy.document).ok().map(|quota| (policy.name, quota)));
                }
            }
        }
        *self.set.write() = Arc::new(set);
        Ok(())
    }

    fn store_usage(&self, store: &Store) -> Result<(), store::Error> {
        let today = today();
        let (day, taken) = {
            let mut usage = self.usage.lock();
            (usage.day.clone(), usage.take())
        };
        if !taken.is_empty() && !day.is_empty() {
            store.spend(&day, &taken, &today)?;
        }
        if day != today {
            let stored = store.spent(&today)?;
            *self.usage.lock() = Usage::begin(today, stored);
        }
        Ok(())
    }
}

/// Whether something remains of what may be called today.
fn remains(quota: &Quota, used: Used) -> Result<(), Error> {
    if let Some(most) = quota.calls_per_day.filter(|most| used.calls >= *most) {
        return Err(exceeded("calls of tools a day", used.calls, most));
    }
    if let Some(most) = quota.bytes_per_day.filter(|most| used.bytes >= *most) {
        return Err(exceeded("bytes of answers a day", used.bytes, most));
    }
    Ok(())
}

/// Whether a caller has a scope for the rules of their own owner.
fn given_to_own(principal: &Principal, of: &str, scope: &str) -> bool {
    *of == *principal.owner && principal.scopes.iter().any(|known| known.strip_prefix(OWN) == Some(scope))
}

fn today() -> String {
    chrono::Utc::now().format("%Y-%m-%d").to_string()
}

/// What there is of something is used up.
pub(crate) fn exceeded(what: &str, used: u64, most: u64) -> Error {
    let remain = most.saturating_sub(used);
    Error::new(Code::Quota, format!("{used} of {most} {what} are used; {remain} remain"))
        .hint("whoever runs this control plane sets quotas: `mcp-factory policies quota WHO`")
}

/// The policies of a context; those of a home folder that no control plane holds are read anew.
pub(crate) async fn of(context: &Context) -> Result<Arc<Policies>, Error> {
    if let Some(policies) = &context.policies {
        return Ok(Arc::clone(policies));
    }
    let policies = Arc::new(Policies::default());
    let read = Arc::clone(&policies);
    context.store(move |store| read.read(store)).await?;
    Ok(policies)
}
