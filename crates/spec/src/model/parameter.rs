//! Parameters of tools and the schema fragments that describe values.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One parameter of a tool.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Parameter {
    /// Name, as callers write it.
    pub name: String,
    /// Whether a call without it is refused. A required parameter cannot have a default.
    #[serde(default)]
    pub required: bool,
    /// Not listed and never taken from a caller: its value is `default`, or comes from `claim` or `env`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// Hidden; its value is this claim of the caller: `tenant`, `org.id`, or `sub` for who the caller is. A caller without it
    /// is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// Hidden; its value is that of this environment variable, which counts as a secret and has to be set. With a `default` it is a
    /// setting: no secret, and it may be unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// Who else may give its value, once for a whole connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bind: Option<Bind>,
    /// What values it takes.
    pub schema: Schema,
}

/// Who may give the value of a parameter besides the caller of the tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Bind {
    /// The URL that the client was given: `/mcp?project=x` sets `project` and takes it out of the listed schema.
    Url,
}

impl Parameter {
    /// A parameter that callers give.
    pub fn new(name: impl Into<String>, required: bool, schema: Schema) -> Self {
        Self { name: name.into(), required, schema, ..Self::default() }
    }

    /// Whether callers neither see nor set it.
    pub fn is_hidden(&self) -> bool {
        self.hidden || self.claim.is_some() || self.env.is_some()
    }
}

/// A JSON Schema (draft 2020-12) fragment: `type`, `description`, `enum`, `default`, `minimum`,
/// `maximum`, `minLength`, `maxLength`, `pattern`, `format`, `items`, `properties`, `examples` and
/// the other keywords of the draft. `$ref` names a part of the same fragment: `#/$defs/NAME`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Schema(pub Map<String, Value>);

impl Schema {
    /// The `type` keyword when it is a single word.
    pub fn kind(&self) -> Option<&str> {
        self.0.get("type")?.as_str()
    }

    /// The `default` keyword.
    pub fn default(&self) -> Option<&Value> {
        self.0.get("default")
    }

    /// The `description` keyword.
    pub fn description(&self) -> Option<&str> {
        self.0.get("description")?.as_str()
    }

    /// The `properties` of an object schema, in the order written.
    pub fn properties(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(name, schema)| (name.as_str(), schema))
    }

    /// The schema as a JSON value.
    pub fn to_value(&self) -> Value {
        Value::Object(self.0.clone())
    }
}
