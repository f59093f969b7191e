//! Secrets in a spec: where they are, never what they are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a secret is. Exactly one of its keys; `${env:NAME}`, `${file:/path}` and `${doppler:NAME}` are short for them.
/// It is read when the server starts, and is never a part of a spec, a plan, an answer or an error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SecretRef {
    /// Environment variable that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// File that holds it, as container systems mount them: an absolute path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Name of it in Doppler; the server reads the config of its service token in `DOPPLER_TOKEN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doppler: Option<String>,
}
