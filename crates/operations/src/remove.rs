//! Removes a server from the catalogue.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
pub async fn remove(context: &Context, input: Input) -> Result<Output, Error> {
    let name = input.name.clone();
    let versions = if input.dry_run {
        context.store(move |store| store.server(&name)).await?.versions
    } else {
        context.store(move |store| store.remove(&name)).await?
    };
    if !input.dry_run {
        forget(context, &input.name).await;
    }
    Ok(Output { name: input.name, versions, removed: !input.dry_run })
}
