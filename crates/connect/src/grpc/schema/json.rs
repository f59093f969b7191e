//! JSON Schema of messages, by the JSON mapping of protobuf.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use super::comment;

/// Deepest nesting of messages that is written out.
const DEPTH_MAX: usize = 6;
/// Most fields that are written out.
const FIELDS_MAX: usize = 400;

/// What a caller may give.
pub(super) fn input(message: &MessageDescriptor) -> Value {
    Writer { is_input: true, left: FIELDS_MAX }.message(message, &mut Vec::new())
}

/// What comes back.
pub(super) fn output(message: &MessageDescriptor) -> Value {
    Writer { is_input: false, left: FIELDS_MAX }.message(message, &mut Vec::new())
}

struct Writer {
    is_input: bool,
    left: usize,
}

impl Writer {
    fn message(&mut self, message: &MessageDescriptor, above: &mut Vec<String>) -> Value {
        let name = message.full_name();
        if let Some(known) = self.well_known(name) {
            return known;
        }
        let fields = message.fields().len();
        if above.iter().any(|open| open == name) || above.len() >= DEPTH_MAX || fields > self.left {
            // The server checks what is not written out here.
            return json!({"type": "object", "description": format!("A message of the type {name}")});
        }
        self.left -= fields;
        above.push(name.to_owned());
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for field in message.fields() {
            let always = if self.is_input { field.is_required() } else { is_always_there(&field) };
            if always {
                required.push(Value::from(field.json_name()));
            }
            properties.insert(field.json_name().to_owned(), self.field(message, &field, above));
        }
        above.pop();
        let mut schema = json!({"type": "object", "properties": properties});
        if !required.is_empty() {
            schema["required"] = required.into();
        }
        if self.is_input {
            schema["additionalProperties"] = false.into();
        }
        schema
    }

    fn field(&mut self, message: &MessageDescriptor, field: &FieldDescriptor, above: &mut Vec<String>) -> Value {
        let mut schema = if field.is_map() {
            let Kind::Message(entry) = field.kind() else { return json!({}) };
            json!({"type": "object", "additionalProperties": self.kind(&entry.map_entry_value_field().kind(), above)})
        } else if field.is_list() {
            json!({"type": "array", "items": self.kind(&field.kind(), above)})
        } else {
            self.kind(&field.kind(), above)
        };
        let mut words: Vec<String> = comment(&message.parent_file(), field.path()).into_iter().collect();
        if let Some(group) = field.containing_oneof().filter(|group| group.fields().len() > 1) {
            let names: Vec<_> = group.fields().map(|field| format!("`{}`", field.json_name())).collect();
            words.push(format!("One of {} at most.", names.join(", ")));
        }
        if !words.is_empty() {
            schema["description"] = words.join(" ").into();
        }
        schema
    }

    fn kind(&mut self, kind: &Kind, above: &mut Vec<String>) -> Value {
        match kind {
            Kind::Bool => json!({"type": "boolean"}),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
                json!({"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX})
            }
            Kind::Uint32 | Kind::Fixed32 => json!({"type": "integer", "minimum": 0, "maximum": u32::MAX}),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => self.long("^-?[0-9]{1,19}$"),
            Kind::Uint64 | Kind::Fixed64 => self.long("^[0-9]{1,20}$"),
            // What is no number is written as a text: `NaN`, `Infinity`.
            Kind::Float | Kind::Double if self.is_input => json!({"type": "number"}),
            Kind::Float | Kind::Double => json!({"type": ["number", "string"]}),
            Kind::String => json!({"type": "string"}),
            Kind::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
            Kind::Enum(kind) if kind.full_name() == "google.protobuf.NullValue" => json!({"type": "null"}),
            Kind::Enum(kind) => {
                let names: Vec<_> = kind.values().map(|value| value.name().to_owned()).collect();
                // A server may be newer than its schema: it then sends a number.
                if self.is_input {
                    json!({"type": "string", "enum": names})
                } else {
                    json!({"anyOf": [{"type": "string", "enum": names}, {"type": "integer"}]})
                }
            }
            Kind::Message(message) => self.message(message, above),
        }
    }

    /// Integers of 64 bits are texts in JSON; as arguments numbers do too.
    fn long(&self, pattern: &str) -> Value {
        if self.is_input {
            json!({"type": ["integer", "string"], "pattern": pattern})
        } else {
            json!({"type": "string", "pattern": pattern})
        }
    }

    /// The messages that have a JSON form of their own.
    fn well_known(&self, name: &str) -> Option<Value> {
        let number = |wrapper: &str| wrapper == "FloatValue" || wrapper == "DoubleValue";
        Some(match name.strip_prefix("google.protobuf.")? {
            "Timestamp" => json!({"type": "string", "format": "date-time"}),
            "Duration" => json!({"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]{1,9})?s$"}),
            "FieldMask" => json!({"type": "string"}),
            "Struct" => json!({"type": "object"}),
            "Value" => json!({}),
            "ListValue" => json!({"type": "array"}),
            "Any" => json!({"type": "object", "required": ["@type"], "properties": {"@type": {"type": "string"}}}),
            "Empty" if self.is_input => json!({"type": "object", "additionalProperties": false}),
            "Empty" => json!({"type": "object"}),
            "StringValue" => json!({"type": "string"}),
            "BytesValue" => json!({"type": "string", "contentEncoding": "base64"}),
            "BoolValue" => json!({"type": "boolean"}),
            "Int32Value" | "UInt32Value" => json!({"type": "integer"}),
            "Int64Value" => self.long("^-?[0-9]{1,19}$"),
            "UInt64Value" => self.long("^[0-9]{1,20}$"),
            wrapper if number(wrapper) && self.is_input => json!({"type": "number"}),
            wrapper if number(wrapper) => json!({"type": ["number", "string"]}),
            _ => return None,
        })
    }
}

/// Whether the JSON of a message always has the field.
fn is_always_there(field: &FieldDescriptor) -> bool {
    field.is_list() || field.is_map() || !field.supports_presence() || field.is_required()
}
