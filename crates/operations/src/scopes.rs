//! The scopes that something here asks for.

use base::nearest;
use identity::Scopes;
use spec::Spec;
use spec::model::Auth;
use store::{Deployment, Store};

use crate::access::USE;
use crate::operation::Scope;
use crate::{Code, Context, Error, policies};

/// The scope for reading the figures of the process: they name servers and tools of every owner.
pub const MEASURE: &str = "metrics:read";

/// The scopes of the platform, in the order in which they are explained.
pub fn known() -> Vec<&'static str> {
    let asked =
        [Scope::ServersRead, Scope::ServersWrite, Scope::ServersCall, Scope::LogsRead, Scope::Keys, Scope::Admin];
    let mut all: Vec<&'static str> = asked.iter().map(|scope| scope.as_str()).collect();
    all.insert(0, USE);
    all.insert(all.len() - 1, MEASURE);
    all
}

/// Checks that every scope means something: to the platform, to a policy, or to a server that is deployed.
///
/// # Errors
/// One means nothing: a key with it would be refused wherever it is shown.
pub(crate) async fn check(context: &Context, scopes: &Scopes) -> Result<(), Error> {
    let platform = known();
    // One for the servers of its owner is named by a rule of theirs, or it would not be written so.
    let bare = |scope: &str| scope.strip_prefix(policies::OWN).unwrap_or(scope).to_owned();
    let mut strange: Vec<String> = scopes.iter().map(bare).filter(|scope| !platform.contains(&&**scope)).collect();
    if strange.is_empty() {
        return Ok(());
    }
    let mut declared = Vec::new();
    if context.has_store() {
        declared = policies::scopes(context, None).await?;
        strange.retain(|scope| !declared.contains(scope));
        if !strange.is_empty() {
            let of_servers = context.store(of_deployed).await?;
            strange.retain(|scope| !of_servers.contains(scope));
            declared.extend(of_servers);
        }
    }
    let Some(scope) = strange.first() else { return Ok(()) };
    let what = format!("nothing here asks for the scope `{scope}`");
    let mut error = Error::new(Code::BadKey, what);
    if let Some(near) = nearest(scope, platform.iter().copied().chain(declared.iter().map(String::as_str))) {
        error = error.hint(format!("did you mean `{near}`?"));
    }
    let listed: Vec<String> = platform.iter().map(|scope| format!("`{scope}`")).collect();
    Err(error.hint(format!(
        "the scopes are {}, and those that policies and deployed servers ask for: set those first",
        listed.join(", ")
    )))
}

/// The scopes that the specs of deployed servers ask for.
fn of_deployed(store: &Store) -> Result<Vec<String>, store::Error> {
    let mut found = Vec::new();
    for Deployment { name, version, .. } in store.deployments()? {
        let Some(version) = store.find_version(&name, version.as_deref())? else { continue };
        if let Ok(Spec { auth: Auth::Oauth2 { scopes, .. }, .. }) = serde_json::from_str(&version.release.canonical) {
            found.extend(scopes);
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use crate::operation::Scope;

    #[test]
    fn every_scope_of_an_operation_is_known() {
        let known = super::known();
        for operation in crate::all::all() {
            let scope = operation.declared().scope;
            assert!(scope == Scope::Open || known.contains(&scope.as_str()), "{}", scope.as_str());
        }
    }
}
