//! Questions to the person behind a caller.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limits;

/// Questions to the person behind the caller, before anything is done: for parameters that the caller left out, and for a yes. A
/// text is short for `confirm`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ask {
    /// Parameters that the person is asked for where the caller left them out, each a text, a number, a boolean or one of a set
    /// of texts. Callers need not give them, required or not; what a required one needs comes from the caller or the person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// What the person is told when they are asked for `fields`, a template. Default: what the tool does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What the person has to say yes to, a template; it sees all arguments, those that the person gave too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<String>,
    /// An expression; a yes is needed when it is true. Default: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// How long the person has for each answer, milliseconds. It does not count as time of the call.
    #[serde(default = "default_timeout", skip_serializing_if = "is_default_timeout")]
    pub timeout_ms: u64,
}

impl Ask {
    /// Whether the person is asked for this parameter.
    pub fn asks_for(&self, parameter: &str) -> bool {
        self.fields.iter().any(|field| field == parameter)
    }
}

fn default_timeout() -> u64 {
    limits::ASK_MS
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde wants it")]
fn is_default_timeout(number: &u64) -> bool {
    *number == limits::ASK_MS
}
