//! Removes a server from the catalogue.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dependencies::{self, User};
use crate::paths::{STATE, TASKS, TOKENS};
use crate::{Code, Context, Error};

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

/// Takes what ran out of service, and everything that was kept for it away: whoever makes the next server of this name must not
/// find it. The server itself is gone by then, so a failure is only told.
async fn forget(context: &Context, name: &str) {
    if let Err(error) = crate::deploy::reconcile(context).await {
        tracing::warn!(server = name, %error, "a removed server may still answer for a moment");
    }
    if let Err(error) = forget_kept(context, name).await {
        tracing::warn!(server = name, %error, "something of a removed server is still there; it goes when its name is taken again");
    }
}

/// Takes away what was kept by the name of a server that is not there: what its scripts remember, the tokens of its users, its
/// tasks, its log, and what was counted.
///
/// # Errors
/// Something is still there.
pub(crate) async fn forget_kept(context: &Context, name: &str) -> Result<(), Error> {
    let files = forget_files(context, name).await;
    crate::usage::forget(context, name).await?;
    files
}

/// The same of what is in this home folder.
///
/// # Errors
/// Something is still there.
pub(crate) async fn forget_files(context: &Context, name: &str) -> Result<(), Error> {
    // What is on its way into the log would be there after it was removed.
    crate::deploy::written(context).await;
    let at = |folder: &str| context.home.path().join(folder);
    let kept = host::Kept { state: at(STATE), tokens: at(TOKENS), tasks: at(TASKS) };
    let (logs, key) = (crate::deploy::logs_of(context), name.to_owned());
    let files = crate::context::blocking(move || Ok(logs.remove(&key).and(kept.forget(&key)))).await?;
    files.map_err(|error| {
        Error::new(
            Code::CannotWrite,
            format!("what was kept for an earlier server `{name}` cannot be removed: {error}"),
        )
        .hint("`mcp-factory doctor` checks the home folder")
    })
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
