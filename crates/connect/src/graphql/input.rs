//! JSON Schema of variables.

use apollo_compiler::schema::{ExtendedType, InputObjectType, Schema, Type};
use serde_json::{Map, Value, json};

use super::types::{literal, scalar, variants, wrapped};

/// Deepest nesting of input objects that is written out.
const DEPTH_MAX: usize = 6;
/// Most fields that are written out for one variable.
const FIELDS_MAX: usize = 400;

/// The schema of values of a type.
pub(super) fn schema(all: &Schema, kind: &Type) -> Value {
    let left = std::cell::Cell::new(FIELDS_MAX);
    let writer = Writer { all, left: &left };
    let schema = wrapped(kind, &|name| writer.named(name, &[]));
    // A variable that may be null may be left out as well, which says the same in fewer words.
    if kind.is_non_null() { schema } else { writer.plain(kind) }
}

struct Writer<'a> {
    all: &'a Schema,
    left: &'a std::cell::Cell<usize>,
}

impl Writer<'_> {
    /// The schema without the outermost null.
    fn plain(&self, kind: &Type) -> Value {
        self.left.set(FIELDS_MAX);
        wrapped(&kind.clone().non_null(), &|name| self.named(name, &[]))
    }

    fn named(&self, name: &str, above: &[&str]) -> Value {
        match self.all.types.get(name) {
            Some(ExtendedType::Scalar(kind)) => scalar(kind, true),
            Some(ExtendedType::Enum(kind)) => variants(kind),
            Some(ExtendedType::InputObject(kind)) => self.object(kind, above),
            _ => json!({}),
        }
    }

    fn object(&self, kind: &InputObjectType, above: &[&str]) -> Value {
        let name = kind.name.as_str();
        let fits = self.left.get() >= kind.fields.len();
        let mut schema = Map::from_iter([("type".to_owned(), Value::from("object"))]);
        if let Some(description) = &kind.description {
            schema.insert("description".into(), description.as_str().into());
        }
        if !fits || above.contains(&name) || above.len() >= DEPTH_MAX {
            // The upstream checks what is not written out here.
            let said = schema.remove("description").map(|said| said.as_str().unwrap_or_default().to_owned());
            let said = said.map_or_else(|| format!("An object of the type {name}"), |said| format!("{name}: {said}"));
            schema.insert("description".into(), said.into());
            return Value::Object(schema);
        }
        self.left.set(self.left.get() - kind.fields.len());
        let path: Vec<&str> = above.iter().copied().chain([name]).collect();
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for field in kind.fields.values() {
            let mut of_field = wrapped(&field.ty, &|name| self.named(name, &path));
            if let Some(description) = &field.description {
                of_field["description"] = Value::from(description.as_str());
            }
            match field.default_value.as_ref().and_then(|value| literal(value)) {
                Some(default) => of_field["default"] = default,
                None if field.is_required() => required.push(Value::from(field.name.as_str())),
                None => {}
            }
            properties.insert(field.name.to_string(), of_field);
        }
        schema.insert("properties".into(), properties.into());
        if !required.is_empty() {
            schema.insert("required".into(), required.into());
        }
        schema.insert("additionalProperties".into(), false.into());
        if kind.directives.has("oneOf") {
            schema.insert("minProperties".into(), 1.into());
            schema.insert("maxProperties".into(), 1.into());
        }
        Value::Object(schema)
    }
}
