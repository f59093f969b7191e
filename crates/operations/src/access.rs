//! Who may use which server: the one place that looks at whose something is.

use identity::{ADMIN, Principal};

use crate::operation::Scope;
use crate::policies::{Policies, Sight, exceeded};
use crate::{Caller, Code, Context, Error, Subject};

/// The scope that programs ask for when they want to use servers.
pub const USE: &str = "mcp";

/// What an operation is about, so that it can be checked whether the caller may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// Nothing that belongs to anybody, or the operation looks at it by itself.
    Nothing,
    /// A spec of the caller's own is run: it may name what this machine has.
    Spec,
    /// A server that may be new.
    Makes(String),
    /// A server of the caller's own.
    Owned(String),
    /// A tool of a server that the caller may use.
    Calls {
        /// The server.
        server: String,
        /// The tool.
        tool: String,
    },
}

impl About {
    /// A tool of a server that is called, or a spec that is run.
    pub(crate) fn calls(subject: &Subject, tool: &str) -> Self {
        match subject {
            Subject::Server { name, .. } => Self::Calls { server: name.clone(), tool: tool.to_owned() },
            Subject::Spec { .. } => Self::Spec,
        }
    }

    /// The owner's own server, or a spec that is run.
    pub(crate) fn owned(subject: &Subject) -> Self {
        match subject {
            Subject::Server { name, .. } => Self::Owned(name.clone()),
            Subject::Spec { .. } => Self::Spec,
        }
    }
}

/// Checks whether the caller may do what is asked with what it is about. A server of somebody else is as if it were not
/// there.
///
/// # Errors
/// They may not.
pub(crate) async fn check(context: &Context, about: &About) -> Result<(), Error> {
    let Caller::Remote(principal) = &context.caller else { return Ok(()) };
    if principal.scopes.allow(ADMIN) {
        return Ok(());
    }
    match about {
        About::Nothing => Ok(()),
        About::Spec if context.caller.may(Scope::ServersWrite) => Ok(()),
        About::Spec => {
            let needed = Scope::ServersWrite.as_str();
            Err(Error::new(
                Code::Forbidden,
                format!("running a spec of one's own needs the scope `{needed}`, which {} lacks", context.caller),
            )
            .hint("name a server that you may use"))
        }
        About::Makes(name) => match owner(context, name).await? {
            Some(owner) if owner != context.caller.owner() => {
                Err(crate::error::taken(format!("the name `{name}` is taken")))
            }
            Some(_) => Ok(()),
            None => one_more_server(context, principal).await,
        },
        About::Owned(name) => match owner(context, name).await? {
            Some(owner) if owner == context.caller.owner() => Ok(()),
            _ => Err(crate::error::none_to_see(name)),
        },
        About::Calls { server, tool } => {
            let policies = crate::policies::of(context).await?;
            let owner = owner(context, server).await?.unwrap_or_default();
            let reach = policies.reach(principal, server, &owner, None).filter(|_| !owner.is_empty());
            reach.ok_or_else(|| crate::error::none_to_see(server))?.calls(tool)?;
            // It is counted when it is made.
            policies.may_spend(principal)
        }
    }
}

/// Whether there is a server of which a caller sees something. A catalogue that cannot be read hides nothing: what is asked then says
/// so.
pub async fn is_seen(context: &Context, name: &str) -> bool {
    match (owner(context, name).await, sight(context).await) {
        (Ok(Some(owner)), Ok(sight)) => sight.has_server(name, &owner),
        (Ok(None), _) => false,
        _ => true,
    }
}

/// Whether a caller may come to a server by a rule.
pub(crate) async fn may_come(context: &Context, name: &str, group: Option<&str>) -> bool {
    let Caller::Remote(principal) = &context.caller else { return true };
    let (Ok(policies), Ok(Some(owner))) = (crate::policies::of(context).await, owner(context, name).await) else {
        return false;
    };
    enter(&policies, principal, name, &owner, group).is_ok()
}

/// Whose a server is; `None` when there is none of this name.
async fn owner(context: &Context, name: &str) -> Result<Option<String>, Error> {
    if !context.has_store() {
        return Ok(None);
    }
    let name = name.to_owned();
    context.store(move |store| store.owner(&name)).await
}

/// Whose servers a list shows: the caller's own, or everybody's.
pub(crate) fn listed(caller: &Caller) -> Option<String> {
    (!caller.may(Scope::Admin)).then(|| caller.owner().to_owned())
}

/// What the caller sees of the servers of everybody.
pub(crate) async fn sight(context: &Context) -> Result<Sight, Error> {
    let Caller::Remote(principal) = &context.caller else { return Ok(Sight::All) };
    if principal.scopes.allow(ADMIN) {
        return Ok(Sight::All);
    }
    Ok(crate::policies::of(context).await?.sight(principal))
}

/// As whom the caller stores something. Their quota of servers is held where they are stored: of several that are made at once
/// no more are counted than there are.
///
/// # Errors
/// The policies cannot be read.
pub(crate) async fn by(context: &Context) -> Result<store::By, Error> {
    let caller = &context.caller;
    let servers_max = match caller {
        Caller::Remote(principal) => crate::policies::of(context).await?.quota(principal).servers,
        _ => None,
    };
    Ok(store::By { owner: caller.owner().to_owned(), others: caller.may(Scope::Admin), servers_max })
}

/// Whether a caller may come to a server of this owner that runs, as a whole or by one of its groups.
///
/// # Errors
/// They may not.
pub fn enter(
    policies: &Policies,
    principal: &Principal,
    server: &str,
    owner: &str,
    group: Option<&str>,
) -> Result<(), Error> {
    if policies.reach(principal, server, owner, group).is_none() {
        return Err(hidden(server));
    }
    let scopes = &principal.scopes;
    if !scopes.allow(USE) && !scopes.allow(Scope::ServersCall.as_str()) {
        let what = format!("using a server needs the scope `{USE}`, which `{}` lacks", principal.id);
        return Err(Error::new(Code::Forbidden, what).hint("ask whoever runs this control plane for a key with it"));
    }
    Ok(())
}

/// What whoever may not come to a server is told of it, whether there is one or not.
pub fn hidden(server: &str) -> Error {
    crate::error::none_to_see(server)
        .hint(format!("one of yours is served here once it is deployed: `mcp-factory deploy {server}`"))
}

/// The servers of a page of the list that the caller may see; those of others only where a rule says so.
pub(crate) async fn seen(context: &Context, page: store::Page) -> Result<store::Listing, Error> {
    let sight = sight(context).await?;
    if matches!(sight, Sight::All) {
        return context.store(move |store| store.list(&page)).await;
    }
    context
        .store(move |store| {
            let limit = page.limit.unwrap_or(store::PAGE_SIZE_MAX).clamp(1, store::PAGE_SIZE_MAX);
            let mut found = store::Listing { servers: Vec::new(), next: page.cursor };
            loop {
                let part = store.list(&store::Page { limit: None, cursor: found.next.take() })?;
                for server in part.servers {
                    if !sight.has_server(&server.name, &server.owner) {
                        continue;
                    }
                    if found.servers.len() == limit {
                        found.next = found.servers.last().map(|last: &store::Server| store::cursor_after(&last.name));
                        return Ok(found);
                    }
                    found.servers.push(server);
                }
                match part.next {
                    Some(next) => found.next = Some(next),
                    None => return Ok(found),
                }
            }
        })
        .await
}

/// Counts what a caller makes against the quota of their owner: one more of what there are so many of.
///
/// # Errors
/// There may be no more.
pub(crate) async fn one_more_job(context: &Context) -> Result<(), Error> {
    let Caller::Remote(principal) = &context.caller else { return Ok(()) };
    let Some(most) = crate::policies::of(context).await?.quota(principal).jobs else { return Ok(()) };
    let owner = principal.owner.to_string();
    let open = context.store(move |store| store.open_jobs_of(&owner)).await? as u64;
    if open >= most { Err(exceeded("jobs that wait or run", open, most)) } else { Ok(()) }
}

async fn one_more_server(context: &Context, principal: &Principal) -> Result<(), Error> {
    let Some(most) = crate::policies::of(context).await?.quota(principal).servers else { return Ok(()) };
    let owner = principal.owner.to_string();
    let made = if context.has_store() { context.store(move |store| store.servers_of(&owner)).await? } else { 0 } as u64;
    if made >= most { Err(exceeded("servers", made, most)) } else { Ok(()) }
}
