//! The version of this program.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version of this program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// Name of the program.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The version of this program.
pub fn version() -> Output {
    Output { name: "mcp-factory".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}
