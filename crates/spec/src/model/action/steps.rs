//! Several actions, one after the other.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Action;
use crate::limits;

/// Several actions, one after the other. Each one's result is `steps.NAME` in the templates of those behind it. A list is short for
/// `do`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Steps {
    /// The steps.
    #[serde(rename = "do")]
    pub list: Vec<Step>,
    /// What the tool answers, a value template. Default: the result of the last step that was done.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub result: Option<Value>,
}

/// One step: a name, one action, and when and how often it is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Name, by which later steps find its result: a word of letters, digits and `_`.
    pub name: String,
    /// An expression; when it is not true the step is left out, and its result is null.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// A list, a value template: the step is done for each item, `item`, whose number from 0 is `index`. Its result is the list of their
    /// results, in the order of the items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<Value>,
    /// How many items are worked on at once.
    #[serde(default = "default_parallel", skip_serializing_if = "is_default_parallel")]
    pub parallel: u64,
    /// An expression over `result`; the step is done again until it is true. With `onError: continue` it is done again after a
    /// failure too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// With `until`: the time between two attempts, milliseconds.
    #[serde(default = "default_every", skip_serializing_if = "is_default_every")]
    pub every_ms: u64,
    /// With `until`: how long it is tried, milliseconds. Then the step has failed.
    #[serde(default = "default_within", skip_serializing_if = "is_default_within")]
    pub within_ms: u64,
    /// Arguments of the step's action besides those of the tool, a value template. They go before arguments of the same name.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub with: Map<String, Value>,
    /// What happens when it fails.
    #[serde(default, skip_serializing_if = "OnError::is_fail")]
    pub on_error: OnError,
    /// The result when it fails, a value template over `error.kind` and `error.message`; the steps behind it are done then.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub fallback: Option<Value>,
    /// Connection that its action uses. Default: the tool's, or the only one that fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// What is done: any action but `steps`.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
}

/// What happens when a step fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnError {
    /// The tool fails, and says in which step.
    #[default]
    Fail,
    /// The steps behind it are done; its result is `{error: {kind, message}}`.
    Continue,
}

impl OnError {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde wants it")]
    fn is_fail(&self) -> bool {
        *self == Self::Fail
    }
}

fn default_parallel() -> u64 {
    limits::STEP_PARALLEL
}

fn default_every() -> u64 {
    limits::STEP_EVERY_MS
}

fn default_within() -> u64 {
    limits::STEP_WITHIN_MS
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde wants it")]
fn is_default_parallel(number: &u64) -> bool {
    *number == limits::STEP_PARALLEL
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde wants it")]
fn is_default_every(number: &u64) -> bool {
    *number == limits::STEP_EVERY_MS
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde wants it")]
fn is_default_within(number: &u64) -> bool {
    *number == limits::STEP_WITHIN_MS
}

/// `null` is a value, and not the lack of one.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
