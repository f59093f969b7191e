//! Brings a spec into the usual form. Comments are kept, and the meaning does not change.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Code, Context, Error, SpecText};

/// What to format.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// The spec.
    pub spec: SpecText,
}

/// The formatted text.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// Where the text came from.
    pub name: String,
    /// The formatted text.
    pub text: String,
    /// Whether it differs from what was given.
    pub changed: bool,
}

/// Formats a spec.
#[allow(clippy::unused_async, reason = "every operation has this shape")]
pub async fn format(_context: &Context, input: Input) -> Result<Output, Error> {
    Err(Error::new(Code::NotBuilt, format!("cannot format {}: this build has no formatter", input.spec.name))
        .hint("`mcp-factory validate` checks the file as it is"))
}
