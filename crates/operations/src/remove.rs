//! Removes a server from the catalogue.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dependencies::{self, User};
use crate::{Context, Error};

/// What to remove.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// Name of the server.
    pub name: String,
    /// Only say what would be removed.
    #[serde(default)]
    pub dry_run: bool,
    /// Remove it although other servers use it.
    #[serde(default)]
    pub force: bool,
}

/// What was removed.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// Name of the server.
    pub name: String,
    /// How many versions went with it.
    pub versions: usize,
    /// `false` for a dry run.
    pub removed: bool,
    /// The servers whose tools do not work any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breaks: Vec<User>,
}

/// Takes what ran out of service, and its log away. The server itself is gone by then, so a failure is only told.
async fn forget(context: &Context, name: &str) {
    if let Err(error) = crate::deploy::reconcile(context).await {
        tracing::warn!(server = name, %error, "a removed server may still answer for a moment");
    }
    let (logs, key) = (crate::deploy::logs_of(context), name.to_owned());
    let removed = crate::context::blocking(move || Ok(logs.remove(&key))).await;
    if let Ok(Err(error)) = removed {
        tracing::warn!(server = name, %error, "the log of a removed server is still there");
    }
}

/// Removes a server with all its versions and plans. The databases that its tools use are not
/// touched.
///
/// # Errors
/// There is no such server; other servers use it, and `force` is not said.
pub async fn remove(context: &Context, input: Input) -> Result<Output, Error> {
    let name = input.name.clone();
    let known = context.store(move |store| store.server(&name)).await?;
    let name = known.name.clone();
    let breaks = dependencies::users_of(context, &name).await?;
    if !breaks.is_empty() && !input.force {
        return Err(dependencies::in_use(&name, &breaks));
    }
    let dry_run = input.dry_run || context.tries;
    let versions = if dry_run { known.versions } else { context.store(move |store| store.remove(&name)).await? };
    if !dry_run {
        forget(context, &input.name).await;
    }
    Ok(Output { name: input.name, versions, removed: !dry_run, breaks })
}
