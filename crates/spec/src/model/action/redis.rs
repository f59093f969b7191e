//! Commands of Redis.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::redis::{self, Class};
use crate::sql::Effects;

/// Commands on the tool's Redis connection. One of `command`, `commands` and `scan`; a list is short for `command`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Redis {
    /// One command: its name, and its arguments as value templates. Each is sent as a value of its own; a list gives several,
    /// and what is absent is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<Value>>,
    /// Several commands; the result is the list of their answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commands: Option<Vec<Vec<Value>>>,
    /// Walks through keys, or through the members of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scan: Option<RedisScan>,
    /// Carries all commands out as one, between `MULTI` and `EXEC`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub atomic: bool,
    /// Allows commands that change data.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub write: bool,
    /// What texts of the answer are read as.
    #[serde(rename = "as", skip_serializing_if = "RedisText::is_text")]
    pub read_as: RedisText,
}

/// What texts of an answer are read as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RedisText {
    /// Text.
    #[default]
    Text,
    /// JSON, where it is JSON.
    Json,
}

impl RedisText {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde wants it")]
    fn is_text(&self) -> bool {
        *self == Self::Text
    }
}

/// Walks through keys, or through the members of one; the result is `{items, cursor}`. Without `cursor` it was the last page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RedisScan {
    /// The key of a hash, set or sorted set whose members are walked through, a template. Default: all keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Only what fits this pattern, a template: `user:*`.
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Only keys of this type; with `key`, what that is.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<RedisType>,
    /// Where an earlier page ended, a template such as `{{ args.cursor }}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// A page ends when it has this many; Redis gives them in groups, so it may have a few more. A number or a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Value>,
}

/// What a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RedisType {
    /// A text or bytes.
    String,
    /// A hash.
    Hash,
    /// A list.
    List,
    /// A set.
    Set,
    /// A sorted set.
    Zset,
    /// A stream.
    Stream,
}

impl RedisType {
    /// The word that Redis uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Hash => "hash",
            Self::List => "list",
            Self::Set => "set",
            Self::Zset => "zset",
            Self::Stream => "stream",
        }
    }
}

impl Redis {
    /// Its commands, whichever way they are written.
    pub fn all(&self) -> impl Iterator<Item = &Vec<Value>> {
        self.command.iter().chain(self.commands.iter().flatten())
    }

    /// What it does to the world.
    pub fn effects(&self) -> Effects {
        let words =
            |command: &Vec<Value>| command.iter().map_while(Value::as_str).map(str::to_owned).collect::<Vec<_>>();
        let read_only = self.all().all(|command| redis::class(&words(command)) == Ok(Class::Read));
        Effects { read_only, destructive: !read_only, idempotent: read_only }
    }
}
