//! Who may use which server: the one place that looks at whose something is.

use std::collections::HashSet;

use identity::{ADMIN, Principal};

use crate::operation::Scope;
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
    /// A server that the caller may use.
    Used(String),
}

impl About {
    /// A server that is used, or a spec that is run.
    pub(crate) fn used(subject: &Subject) -> Self {
        match subject {
            Subject::Server { name, .. } => Self::Used(name.clone()),
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
    if context.caller.may(Scope::Admin) {
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
            _ => Ok(()),
        },
        About::Owned(name) | About::Used(name) => match owner(context, name).await? {
            Some(owner) if owner == context.caller.owner() => Ok(()),
            _ => Err(crate::error::none_to_see(name)),
        },
    }
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

/// The names of the servers that the caller may see; `None` when they may see all.
pub(crate) async fn visible(context: &Context) -> Result<Option<HashSet<String>>, Error> {
    let Some(own) = listed(&context.caller) else { return Ok(None) };
    if !context.has_store() {
        return Ok(Some(HashSet::new()));
    }
    let all = context.store(store::Store::owners).await?;
    Ok(Some(all.into_iter().filter(|(_, owner)| *owner == own).map(|(name, _)| name).collect()))
}

/// As whom the caller stores something.
pub(crate) fn by(caller: &Caller) -> store::By {
    store::By { owner: caller.owner().to_owned(), others: caller.may(Scope::Admin) }
}

/// Whether a caller may come to a server of this owner that runs.
///
/// # Errors
/// They may not.
pub fn enter(principal: &Principal, server: &str, owner: &str) -> Result<(), Error> {
    let scopes = &principal.scopes;
    if scopes.allow(ADMIN) {
        return Ok(());
    }
    if *principal.owner != *owner {
        return Err(crate::error::none_to_see(server));
    }
    if !scopes.allow(USE) && !scopes.allow(Scope::ServersCall.as_str()) {
        let what = format!("using a server needs the scope `{USE}`, which `{}` lacks", principal.id);
        return Err(Error::new(Code::Forbidden, what).hint("ask whoever runs this control plane for a key with it"));
    }
    Ok(())
}
