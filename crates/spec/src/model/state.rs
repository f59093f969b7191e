//! What a server remembers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limits;

/// The server remembers values by key, and sets timers that call its tools. Scripts get both as the objects `state` and
/// `timers`. It is kept in the home folder and survives the end of the process, however it comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct State {
    /// Largest value, bytes of JSON.
    pub value_bytes: u64,
    /// Largest file, bytes.
    pub file_bytes: u64,
    /// Most timers that are set at once.
    pub timers: u64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            value_bytes: limits::STATE_VALUE_BYTES,
            file_bytes: limits::STATE_FILE_BYTES,
            timers: limits::STATE_TIMERS,
        }
    }
}
