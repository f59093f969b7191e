//! The parts of the published schema that describe schemas.

use serde_json::{Map, Value, json};

use crate::structure::TYPES;

/// A schema fragment: a map of keywords, or a type word.
pub(super) fn schema() -> Value {
    json!({
        "description": "What a value may be: a JSON Schema (draft 2020-12) fragment, or only a type word.",
        "anyOf": [{"enum": TYPES}, {"$ref": "#/$defs/SchemaKeywords"}],
    })
}

/// Everything that `parameters` takes.
pub(super) fn parameters() -> Value {
    let name = json!({"type": "string", "description": "Name, as callers write it."});
    let settings = json!({
        "hidden": {"type": "boolean", "description": "Not listed and never taken from a caller: its value is `default`, or comes from `claim` or `env`."},
        "claim": {"type": "string", "description": "Hidden; its value is this claim of the caller: `tenant`, `org.id`, or `sub` for who the caller is."},
        "env": {"type": "string", "description": "Hidden; its value is that of this environment variable."},
        "bind": {"enum": ["url"], "description": "`url`: the URL that the client was given may set it, `/mcp?project=x`; it is then not listed."},
    });
    let mut named = settings.clone();
    named["name"] = name;
    let listed = json!({"$ref": "#/$defs/SchemaKeywords", "required": ["name"], "properties": named});
    let one = json!({"anyOf": [{"enum": TYPES}, {"$ref": "#/$defs/SchemaKeywords", "properties": settings}]});
    let definitions = json!({
        "description": "Schemas that parameters refer to: `$ref: \"#/$defs/NAME\"`.",
        "type": "object",
        "additionalProperties": {"$ref": "#/$defs/Schema"},
    });
    json!({"anyOf": [
        {
            "description": "A map from name to schema.",
            "type": "object",
            "properties": {"$defs": definitions},
            "additionalProperties": one,
        },
        {
            "description": "A list of schemas with `name`.",
            "type": "array",
            "items": listed,
        },
        {
            "description": "The JSON Schema of the arguments.",
            "type": "object",
            "required": ["type", "properties"],
            "properties": {
                "type": {"const": "object"},
                "properties": {"type": "object", "additionalProperties": one},
                "$defs": definitions,
                "required": {"type": "array", "items": {"type": "string"}},
                "additionalProperties": {"const": false},
                "$schema": {"type": "string"},
            },
            "additionalProperties": false,
        },
    ]})
}

/// The keywords that editors should offer, with what they take.
pub(super) fn keywords() -> Value {
    let count = json!({"type": "integer", "minimum": 0});
    let number = json!({"type": "number"});
    let text = json!({"type": "string"});
    let flag = json!({"type": "boolean"});
    let list = json!({"type": "array"});
    let one = json!({"$ref": "#/$defs/Schema"});
    let schema = json!({"anyOf": [{"type": "boolean"}, one]});
    let schemas = json!({"type": "array", "minItems": 1, "items": schema});
    let named = json!({"type": "object", "additionalProperties": schema});
    let rows: [(&str, &Value, &str); 33] = [
        ("title", &text, "Name for people."),
        ("description", &text, "What it is, for the model that fills it in."),
        ("enum", &list, "The only values allowed."),
        ("examples", &list, "Values to follow."),
        ("deprecated", &flag, "It should not be used any more."),
        ("minimum", &number, "Least number."),
        ("maximum", &number, "Greatest number."),
        ("exclusiveMinimum", &number, "Every value is above it."),
        ("exclusiveMaximum", &number, "Every value is below it."),
        ("multipleOf", &number, "Every value is a multiple of it."),
        ("minLength", &count, "Fewest characters."),
        ("maxLength", &count, "Most characters."),
        ("pattern", &text, "Regular expression that is found in the text; no look-around."),
        ("format", &text, "Kind of text: `date-time`, `date`, `uuid`, `email`, `uri`, …"),
        ("contentEncoding", &text, "How bytes are written, such as `base64`."),
        ("contentMediaType", &text, "Media type of the content."),
        ("items", &schema, "Schema of every item."),
        ("prefixItems", &schemas, "Schemas of the first items."),
        ("minItems", &count, "Fewest items."),
        ("maxItems", &count, "Most items."),
        ("uniqueItems", &flag, "No item twice."),
        ("contains", &schema, "Schema of at least one item."),
        ("properties", &named, "Schemas of properties by name."),
        ("additionalProperties", &schema, "Schema of every other property, or `false`."),
        ("patternProperties", &named, "Schemas of properties by pattern."),
        ("propertyNames", &schema, "Schema of the names."),
        ("minProperties", &count, "Fewest properties."),
        ("maxProperties", &count, "Most properties."),
        ("allOf", &schemas, "All of these apply."),
        ("anyOf", &schemas, "At least one of these applies."),
        ("oneOf", &schemas, "Exactly one of these applies."),
        ("not", &schema, "This does not apply."),
        ("readOnly", &flag, "It is only given, never taken."),
    ];
    let mut properties: Map<String, Value> = Map::new();
    let word = json!({"enum": TYPES});
    properties.insert("type".to_owned(), json!({"anyOf": [word, {"type": "array", "items": word, "minItems": 1}]}));
    for (name, value, description) in rows {
        let mut value = value.clone();
        if let Some(map) = value.as_object_mut() {
            map.insert("description".to_owned(), json!(description));
        }
        properties.insert(name.to_owned(), value);
    }
    properties.insert("default".to_owned(), json!({"description": "Value that is used when none is given."}));
    properties.insert("const".to_owned(), json!({"description": "The only value allowed."}));
    properties.insert(
        "required".to_owned(),
        json!({
            "description": "On a parameter or property: whether it must be given. On an object: the names that must be given.",
            "anyOf": [{"type": "boolean"}, {"type": "array", "items": {"type": "string"}}],
        }),
    );
    json!({"type": "object", "properties": properties})
}
