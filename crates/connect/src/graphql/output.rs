//! JSON Schema of the data that an operation selects.

use std::collections::BTreeSet;

use apollo_compiler::ExecutableDocument;
use apollo_compiler::executable::{Field, Selection, SelectionSet};
use apollo_compiler::schema::{ExtendedType, Schema};
use serde_json::{Map, Value, json};

use super::types::{scalar, variants, wrapped};

/// The schema of what a selection gives.
pub(super) fn schema(all: &Schema, document: &ExecutableDocument, set: &SelectionSet) -> Value {
    let writer = Writer { all, document };
    writer.object(&[set])
}

struct Writer<'a> {
    all: &'a Schema,
    document: &'a ExecutableDocument,
}

/// The fields under one key, which the language merges into one.
#[derive(Default)]
struct Merged<'a> {
    fields: Vec<&'a Field>,
    always: bool,
}

impl<'a> Writer<'a> {
    fn object(&self, sets: &[&'a SelectionSet]) -> Value {
        let mut keys: indexed::Keys<'a> = Vec::new();
        for set in sets {
            self.gather(set, &set.ty, true, &mut keys, &mut BTreeSet::new());
        }
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for (key, merged) in keys {
            let Some(first) = merged.fields.first() else { continue };
            let below: Vec<&SelectionSet> = merged.fields.iter().map(|field| &field.selection_set).collect();
            let mut schema = wrapped(first.ty(), &|name| self.named(name, &below));
            if let Some(description) = &first.definition.description {
                schema["description"] = Value::from(description.as_str());
            }
            if merged.always {
                required.push(Value::from(key));
            }
            properties.insert(key.to_owned(), schema);
        }
        json!({"type": "object", "properties": properties, "required": required})
    }

    fn named(&self, name: &str, below: &[&'a SelectionSet]) -> Value {
        match self.all.types.get(name) {
            Some(ExtendedType::Scalar(kind)) => scalar(kind, false),
            Some(ExtendedType::Enum(kind)) => variants(kind),
            _ => self.object(below),
        }
    }

    /// Collects the fields of a selection; those of a fragment that may not apply are not always there.
    fn gather(
        &self,
        set: &'a SelectionSet,
        on: &str,
        always: bool,
        keys: &mut indexed::Keys<'a>,
        open: &mut BTreeSet<&'a str>,
    ) {
        for selection in &set.selections {
            let directives = selection.directives();
            let always = always && !directives.has("skip") && !directives.has("include");
            match selection {
                Selection::Field(field) => {
                    let merged = indexed::entry(keys, field.response_key().as_str());
                    merged.fields.push(field);
                    merged.always |= always;
                }
                Selection::InlineFragment(fragment) => {
                    let same = fragment.type_condition.as_ref().is_none_or(|name| self.covers(name, on));
                    self.gather(&fragment.selection_set, on, always && same, keys, open);
                }
                Selection::FragmentSpread(spread) => {
                    let Some(fragment) = self.document.fragments.get(&spread.fragment_name) else { continue };
                    if open.insert(spread.fragment_name.as_str()) {
                        let same = self.covers(fragment.type_condition(), on);
                        self.gather(&fragment.selection_set, on, always && same, keys, open);
                        open.remove(spread.fragment_name.as_str());
                    }
                }
            }
        }
    }

    /// Whether every object of a type is one of another type too.
    fn covers(&self, condition: &str, on: &str) -> bool {
        let implemented = match self.all.types.get(on) {
            Some(ExtendedType::Object(kind)) => kind.implements_interfaces.contains(condition),
            Some(ExtendedType::Interface(kind)) => kind.implements_interfaces.contains(condition),
            _ => false,
        };
        condition == on || implemented
    }
}

mod indexed {
    //! Keys in the order in which they were first seen.

    use super::Merged;

    pub(super) type Keys<'a> = Vec<(&'a str, Merged<'a>)>;

    pub(super) fn entry<'k, 'a>(keys: &'k mut Keys<'a>, key: &'a str) -> &'k mut Merged<'a> {
        let at = keys.iter().position(|(known, _)| *known == key).unwrap_or_else(|| {
            keys.push((key, Merged::default()));
            keys.len() - 1
        });
        &mut keys[at].1
    }
}
