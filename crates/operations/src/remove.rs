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
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// Name of the server.
    pub name: String,
    /// How many versions went with it.
    pub versions: usize,
    /// `false` for a dry run.
    pub removed: bool,
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
    Ok(Output { name: input.name, versions, removed: !input.dry_run })
}
