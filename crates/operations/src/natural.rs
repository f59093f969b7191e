//! Makes a server from a description in natural language.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Code, Context, Error, create};

/// What is wanted, in words.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// What the server is to do.
    pub prompt: String,
}

/// Refuses: nothing that turns words into a spec is configured.
///
/// # Errors
/// Always.
#[allow(clippy::unused_async, reason = "every operation has this shape")]
pub async fn create(_context: &Context, _input: Input) -> Result<create::Output, Error> {
    Err(Error::new(Code::NoIntake, "no intake configured: nothing here turns natural language into a spec")
        .hint("write the spec, or have a model write it (`GET /mcp/schema` says what it may contain), and use `POST /mcp/create`")
        .hint("`GET /mcp/templates` lists specs to start from"))
}
