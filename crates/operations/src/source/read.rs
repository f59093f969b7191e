//! Reading a spec's text out of JSON.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{Format, SpecText};

/// Stands for the name of a spec that came without one.
const NAMELESS: &str = "<spec>";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fields {
    #[serde(default)]
    name: Option<String>,
    text: String,
    #[serde(default)]
    format: Option<Format>,
}

impl<'de> Deserialize<'de> for SpecText {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = NAMELESS.to_owned();
        match Value::deserialize(from)? {
            Value::String(text) => Ok(Self { name, text, format: None }),
            // No spec has a key `text`.
            fields @ Value::Object(_) if fields.get("text").is_some() => {
                let Fields { name: own, text, format } = Fields::deserialize(fields).map_err(D::Error::custom)?;
                Ok(Self { name: own.unwrap_or(name), text, format })
            }
            spec @ Value::Object(_) => {
                let text = serde_json::to_string_pretty(&spec).map_err(D::Error::custom)?;
                Ok(Self { name, text, format: Some(Format::Json) })
            }
            _ => Err(D::Error::custom("a spec is an object, or its text as YAML or JSON")),
        }
    }
}

impl JsonSchema for SpecText {
    fn schema_name() -> Cow<'static, str> {
        "SpecText".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A server's spec: the object itself (see /mcp/schema), its text as YAML or JSON, or an object with `text`, and `name` for messages.",
            "anyOf": [
                { "type": "object", "description": "The spec itself, such as {\"name\": \"hello\", \"tools\": [{\"name\": \"hi\", \"reply\": {\"text\": \"hi\"}}]}; or {\"text\": …, \"name\": …}" },
                { "type": "string", "description": "The text of the spec, YAML or JSON" }
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Format, SpecText};

    #[test]
    fn a_spec_comes_as_text_as_itself_or_with_its_name() {
        let read = |value: serde_json::Value| serde_json::from_value::<SpecText>(value);
        let text = read(json!("name: a")).unwrap();
        assert_eq!((text.name.as_str(), text.text.as_str(), text.format), ("<spec>", "name: a", None));
        let itself = read(json!({"name": "a", "tools": []})).unwrap();
        assert_eq!(itself.format, Some(Format::Json));
        assert!(itself.text.contains("\"tools\": []"), "{}", itself.text);
        let named = SpecText { name: "a.yaml".into(), text: "x".into(), format: Some(Format::Yaml) };
        assert_eq!(read(serde_json::to_value(&named).unwrap()).unwrap(), named);
        for bad in [json!(1), json!([]), json!({"text": 1}), json!({"text": "a", "more": 1})] {
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
    }
}
