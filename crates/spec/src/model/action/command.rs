//! Programs of the machine that the server runs on.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::limits;
use crate::sql::Effects;

/// A program that is run without a shell. The operator has to allow it (`--allow-commands`). A list is short for the program and its
/// arguments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Command {
    /// The program: a name that is looked up in `PATH`, or an absolute path. No template.
    pub program: String,
    /// Its arguments, value templates. Each gives one argument, whatever is in it; a list gives one for each item, and what is absent is
    /// left out. A value of a caller that begins with `-` is refused where the argument is nothing but a template, unless a literal
    /// `--` stands before it or `options` is true.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<Value>,
    /// Whether callers may give options.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub options: bool,
    /// What the program reads from its standard input, a template. JSON is written with `| tojson`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<String>,
    /// The folder that it works in, an absolute path. Default: that of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Variables of its environment; `${env:NAME}` and `${file:/path}` are replaced.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Variables of the server's environment that it sees too, besides `PATH`, `HOME`, `LANG`, `LC_ALL`, `TZ` and `TMPDIR`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pass: Vec<String>,
    /// What its standard output is.
    #[serde(default, skip_serializing_if = "CommandOutput::is_text")]
    pub output: CommandOutput,
    /// Exit codes that are no failure.
    #[serde(default = "default_ok", skip_serializing_if = "is_default_ok")]
    pub ok_codes: Vec<u64>,
    /// What a caller is told for an exit code (`"2"`) or any other (`default`), templates over `code`, `output` and `errors`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub errors: BTreeMap<String, String>,
    /// Most of its runs at once; more wait.
    #[serde(default = "default_concurrency", skip_serializing_if = "is_default_concurrency")]
    pub concurrency: u64,
    /// Whether it may change something.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub write: bool,
}

/// What a program writes to its standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CommandOutput {
    /// A text.
    #[default]
    Text,
    /// JSON, the structured result.
    Json,
    /// Lines: the structured result is the list of them.
    Lines,
}

impl CommandOutput {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde wants it")]
    fn is_text(&self) -> bool {
        *self == Self::Text
    }
}

impl Command {
    /// What it does to the world, as far as the spec says.
    pub fn effects(&self) -> Effects {
        Effects { read_only: !self.write, destructive: self.write, idempotent: !self.write }
    }
}

fn yes() -> bool {
    true
}

fn default_ok() -> Vec<u64> {
    vec![0]
}

fn default_concurrency() -> u64 {
    limits::COMMAND_CONCURRENCY
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde wants it")]
fn is_yes(value: &bool) -> bool {
    *value
}

fn is_default_ok(codes: &[u64]) -> bool {
    codes == [0]
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde wants it")]
fn is_default_concurrency(number: &u64) -> bool {
    *number == limits::COMMAND_CONCURRENCY
}
