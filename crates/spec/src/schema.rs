//! The JSON Schema of a spec, from the types.

mod dialects;
mod fragment;
mod reference;

pub use reference::reference_markdown;

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::model::{Action, Spec};

/// Where the schema is published.
pub const SCHEMA_ID: &str = "https://mcp-factory.dev/schema/mcp-spec.schema.json";

/// The JSON Schema (draft 2020-12) of a spec file, every accepted way of writing included, for
/// editors and other tools.
pub fn json_schema() -> Value {
    dialects::published(canonical().clone())
}

/// The schema of the canonical form: what the types say, made strict.
pub(crate) fn canonical() -> &'static Value {
    static CANONICAL: LazyLock<Value> = LazyLock::new(make);
    &CANONICAL
}

/// The definition of a name, or the root for `Spec`.
pub(crate) fn definition(name: &str) -> Option<&'static Value> {
    if name == "Spec" { Some(canonical()) } else { canonical().get("$defs")?.get(name) }
}

fn make() -> Value {
    let mut schema = schemars::schema_for!(Spec).to_value();
    flatten_actions(&mut schema);
    refuse_null(&mut schema);
    schema
}

/// `Tool` and `Step` have their action flattened, which the derived schema says with `anyOf`; here each action
/// becomes an optional key of its owner. That there is one at most is checked apart.
fn flatten_actions(schema: &mut Value) {
    let actions = schemars::schema_for!(Action).to_value();
    let alternatives = actions.get("oneOf").or_else(|| actions.get("anyOf")).and_then(Value::as_array);
    let mut keys = Map::new();
    for alternative in alternatives.into_iter().flatten() {
        let properties = alternative.get("properties").and_then(Value::as_object);
        for (key, property) in properties.into_iter().flatten() {
            let mut property = property.clone();
            if let (Some(property), Some(description)) = (property.as_object_mut(), alternative.get("description")) {
                property.entry("description").or_insert_with(|| description.clone());
            }
            keys.insert(key.clone(), property);
        }
    }
    if let Some(definitions) = schema.get_mut("$defs").and_then(Value::as_object_mut) {
        let wanted = actions.get("$defs").and_then(Value::as_object).into_iter().flatten();
        for (name, definition) in wanted {
            definitions.entry(name).or_insert_with(|| definition.clone());
        }
        definitions.remove("Action");
        for owner in ["Tool", "Step"] {
            let Some(owner) = definitions.get_mut(owner).and_then(Value::as_object_mut) else { continue };
            owner.retain(|key, _| !matches!(key.as_str(), "anyOf" | "oneOf" | "unevaluatedProperties"));
            if let Some(properties) = owner.get_mut("properties").and_then(Value::as_object_mut) {
                properties.extend(keys.clone());
            }
            owner.insert("additionalProperties".to_owned(), json!(false));
        }
    }
}

/// An absent key is left out, not written as null.
fn refuse_null(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(refuse_null),
        Value::Object(map) => {
            if let Some(Value::Array(words)) = map.get_mut("type") {
                words.retain(|word| word != "null");
                if let [word] = words.as_slice() {
                    let word = word.clone();
                    map.insert("type".to_owned(), word);
                }
            }
            if let Some(Value::Array(choices)) = map.get_mut("anyOf") {
                choices.retain(|choice| choice != &json!({"type": "null"}));
                if let [Value::Object(choice)] = choices.as_slice() {
                    let choice = choice.clone();
                    map.remove("anyOf");
                    map.extend(choice);
                }
            }
            if map.get("default") == Some(&Value::Null) {
                map.remove("default");
            }
            map.values_mut().for_each(refuse_null);
        }
        _ => {}
    }
}
