//! Schema fragments as people write them, in JSON Schema's own words.

use super::dialect::camel;
use crate::syntax::{Entry, Key, Node, Value};

/// The type words of JSON Schema, draft 2020-12.
pub const TYPES: [&str; 7] = ["string", "integer", "number", "boolean", "array", "object", "null"];

/// The keywords of draft 2020-12 that a fragment may use.
pub(crate) const KEYWORDS: [&str; 46] = [
    "type",
    "title",
    "description",
    "enum",
    "const",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "items",
    "prefixItems",
    "minItems",
    "maxItems",
    "uniqueItems",
    "contains",
    "minContains",
    "maxContains",
    "properties",
    "required",
    "additionalProperties",
    "patternProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
    "dependentRequired",
    "dependentSchemas",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
];

/// Keywords whose value is a schema.
pub(crate) const OF_SCHEMA: [&str; 10] = [
    "items",
    "contains",
    "additionalProperties",
    "propertyNames",
    "not",
    "if",
    "then",
    "else",
    "contentSchema",
    "unevaluatedProperties",
];
/// Keywords whose value is a list of schemas.
pub(crate) const OF_SCHEMAS: [&str; 4] = ["prefixItems", "allOf", "anyOf", "oneOf"];
/// Keywords whose value is a map of schemas.
pub(crate) const OF_NAMED: [&str; 4] = ["properties", "patternProperties", "dependentSchemas", "$defs"];

/// A fragment with type words written in full, `snake_case` keywords in JSON Schema's spelling and
/// `required: true` of a property moved to its object's list.
pub(crate) fn normalise(node: Node) -> Node {
    let span = node.span;
    match node.value {
        Value::String(..) => typed(node),
        Value::Map(entries) => {
            let mut entries: Vec<Entry> = entries.into_iter().map(keyword).collect();
            lift_required(&mut entries, span);
            Node::new(span, Value::Map(entries))
        }
        value => Node::new(span, value),
    }
}

/// The `returns` of a tool: a fragment, a type word, a description, or a map of properties.
pub(crate) fn returns(node: Node) -> Node {
    if let Some(text) = node.as_str() {
        return if TYPES.contains(&text) || !text.contains(' ') { typed(node) } else { described(node) };
    }
    let is_shorthand = node.as_map().is_some_and(|entries| {
        !entries.is_empty()
            && entries.iter().all(|entry| !KEYWORDS.contains(&entry.key.text.as_str()) || is_type(&entry.value))
            && entries.iter().all(|entry| is_type(&entry.value) || entry.value.get("type").is_some())
            && !entries.iter().any(|entry| entry.key.text == "type")
    });
    if !is_shorthand {
        return normalise(node);
    }
    let span = node.span;
    let kind = Entry { key: Key { span, text: "type".to_owned() }, value: Node::text(span, "object") };
    let properties = Entry { key: Key { span, text: "properties".to_owned() }, value: node };
    normalise(Node::new(span, Value::Map(vec![kind, properties])))
}

fn is_type(node: &Node) -> bool {
    node.as_str().is_some_and(|text| TYPES.contains(&text))
}

/// `string` as `{type: string}`.
pub(crate) fn typed(node: Node) -> Node {
    let span = node.span;
    Node::new(span, Value::Map(vec![Entry { key: Key { span, text: "type".to_owned() }, value: node }]))
}

fn described(node: Node) -> Node {
    let span = node.span;
    Node::new(span, Value::Map(vec![Entry { key: Key { span, text: "description".to_owned() }, value: node }]))
}

/// The definitions of `$defs`, each a fragment.
pub(crate) fn definitions(node: Node) -> Node {
    let span = node.span;
    let Value::Map(inner) = node.value else { return node };
    let inner = inner.into_iter().map(|entry| Entry { key: entry.key, value: normalise(entry.value) }).collect();
    Node::new(span, Value::Map(inner))
}

fn keyword(entry: Entry) -> Entry {
    let Entry { mut key, value } = entry;
    if key.text.contains('_') {
        let spelt = camel(&key.text);
        if KEYWORDS.contains(&spelt.as_str()) {
            key.text = spelt;
        }
    }
    let span = value.span;
    let name = key.text.as_str();
    let value = if OF_SCHEMA.contains(&name) {
        normalise(value)
    } else if OF_SCHEMAS.contains(&name) {
        match value.value {
            Value::List(items) => Node::new(span, Value::List(items.into_iter().map(normalise).collect())),
            other => Node::new(span, other),
        }
    } else if OF_NAMED.contains(&name) {
        definitions(value)
    } else {
        value
    };
    Entry { key, value }
}

/// Moves `required: true` of properties into the list of their object.
fn lift_required(entries: &mut Vec<Entry>, span: base::Span) {
    let mut names = Vec::new();
    for entry in entries.iter_mut().filter(|entry| entry.key.text == "properties") {
        let Value::Map(properties) = &mut entry.value.value else { continue };
        for property in properties {
            let Value::Map(keywords) = &mut property.value.value else { continue };
            let flag = keywords.iter().position(|e| e.key.text == "required" && e.value.as_bool().is_some());
            if let Some(at) = flag
                && keywords.remove(at).value.as_bool() == Some(true)
            {
                names.push(Node::text(property.key.span, property.key.text.clone()));
            }
        }
    }
    if names.is_empty() {
        return;
    }
    match entries.iter_mut().find(|entry| entry.key.text == "required") {
        Some(entry) => {
            if let Value::List(listed) = &mut entry.value.value {
                names.retain(|name| !listed.iter().any(|other| other.as_str() == name.as_str()));
                listed.extend(names);
            }
        }
        None => entries
            .push(Entry { key: Key { span, text: "required".to_owned() }, value: Node::new(span, Value::List(names)) }),
    }
}
