//! Parameters of tools and the schema fragments that describe values.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One parameter of a tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Parameter {
    /// Name, as callers write it.
    pub name: String,
    /// Whether a call without it is refused. A required parameter cannot have a default.
    #[serde(default)]
    pub required: bool,
    /// What values it takes.
    pub schema: Schema,
}

/// A JSON Schema (draft 2020-12) fragment: `type`, `description`, `enum`, `default`, `minimum`,
/// `maximum`, `minLength`, `maxLength`, `pattern`, `format`, `items`, `properties`, `examples` and
/// the other keywords of the draft, without `$ref` to anything outside of the fragment.
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
