//! Texts that are kept and found by what they are like.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::sql::Effects;

/// What is done with the texts of the tool's connection. Exactly one of its keys. All texts are templates.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Vector {
    /// Keeps a text, or several: all or none. One with a known identifier is replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<VectorKeep>,
    /// Finds the texts that are most like another one, the nearest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<VectorSearch>,
    /// Deletes texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete: Option<VectorDelete>,
}

/// A text to keep, or several. One of `text` and `items`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct VectorKeep {
    /// What it is known by. Without it, a digest of the text: the same text is then kept once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What belongs to it, and searches filter by: an object, or a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    /// Several texts: a list of `{id, text, metadata}`, or a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Value>,
}

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VectorSearch {
    /// A text that the results are like.
    pub text: String,
    /// Only texts whose metadata has these values: an object of values, in which a list stands for any of its values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Value>,
    /// Most results: a number, or a template. Default: 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Value>,
    /// Only texts that are at least so much alike: a number, or a template. Of cosines 1 is the same and 0 has nothing in common.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_score: Option<Value>,
}

/// Which texts are deleted. One of `ids` and `filter`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct VectorDelete {
    /// Their identifiers: a text, a list, or a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ids: Option<Value>,
    /// Those whose metadata has these values, as of a search. One that asks for nothing is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<Value>,
}

impl Vector {
    /// The verb and its settings as a value template; nothing unless there is exactly one.
    pub fn verb(&self) -> Option<(&'static str, Value)> {
        let Ok(Value::Object(mut verbs)) = serde_json::to_value(self) else { return None };
        let known = ["store", "search", "delete"].into_iter().find(|verb| verbs.contains_key(*verb))?;
        let settings = verbs.remove(known)?;
        verbs.is_empty().then_some((known, settings))
    }

    /// What it does to the world.
    pub fn effects(&self) -> Effects {
        Effects {
            read_only: self.store.is_none() && self.delete.is_none(),
            destructive: self.delete.is_some(),
            idempotent: true,
        }
    }
}
