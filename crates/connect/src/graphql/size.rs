//! How deep and how large an operation is, with its fragments in place. It works on the text alone, so that it holds without a
//! schema too.

use std::collections::HashMap;

use apollo_compiler::ast::{Definition, Document, FragmentDefinition, OperationDefinition, Selection};

use super::Limits;

/// Checks an operation of a document.
pub(super) fn check(document: &Document, operation: &OperationDefinition, limits: Limits) -> Result<(), String> {
    let fragments = document.definitions.iter().filter_map(|definition| match definition {
        Definition::FragmentDefinition(fragment) => Some((fragment.name.as_str(), &**fragment)),
        _ => None,
    });
    let mut walk = Walk { fragments: fragments.collect(), limits, fields: 0 };
    walk.selections(&operation.selection_set, 1)
}

struct Walk<'a> {
    fragments: HashMap<&'a str, &'a FragmentDefinition>,
    limits: Limits,
    fields: usize,
}

impl Walk<'_> {
    fn selections(&mut self, selections: &[Selection], depth: usize) -> Result<(), String> {
        if depth > self.limits.depth {
            let most = self.limits.depth;
            return Err(format!("the operation has more than {most} levels, or a fragment that holds itself"));
        }
        for selection in selections {
            // Fragments count too: many empty ones cost as much as fields.
            self.fields += 1;
            if self.fields > self.limits.fields {
                let most = self.limits.fields;
                return Err(format!(
                    "the operation selects more than {most} fields, those of fragments counted each time"
                ));
            }
            match selection {
                Selection::Field(field) if field.selection_set.is_empty() => {}
                Selection::Field(field) => self.selections(&field.selection_set, depth + 1)?,
                Selection::InlineFragment(fragment) => self.selections(&fragment.selection_set, depth)?,
                Selection::FragmentSpread(spread) => {
                    // One that is not there is told of by the check against the schema, or by the upstream.
                    if let Some(fragment) = self.fragments.get(spread.fragment_name.as_str()).copied() {
                        self.selections(&fragment.selection_set, depth + 1)?;
                    }
                }
            }
        }
        Ok(())
    }
}
