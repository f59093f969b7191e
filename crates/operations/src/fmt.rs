//! Brings a spec into the usual form. Comments are kept, and the meaning does not change.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Context, Error, SpecText};

/// What to format.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// The spec.
    pub spec: SpecText,
}

/// The formatted text.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// Where the text came from.
    pub name: String,
    /// The formatted text.
    pub text: String,
    /// Whether it differs from what was given.
    pub changed: bool,
}

/// Formats a spec. A text that cannot be read is an error with its diagnostics.
#[allow(clippy::unused_async, reason = "every operation has this shape")]
pub async fn format(_context: &Context, input: Input) -> Result<Output, Error> {
    let text = spec::fmt(&input.spec.text).map_err(|found| Error::invalid_spec(&input.spec, found, 0))?;
    let changed = text != input.spec.text;
    Ok(Output { name: input.spec.name, text, changed })
}
