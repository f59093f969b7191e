//! References within a schema: `$ref: "#/$defs/NAME"`. Nothing is ever fetched.

use std::collections::BTreeMap;

use super::Check;
use crate::codes;
use crate::structure::{OF_NAMED, OF_SCHEMA, OF_SCHEMAS, clip};
use crate::syntax::{Entry, Node};

/// What stands before the name of a definition.
const LOCAL: &str = "#/$defs/";
/// Keywords whose schemas judge the same value as the schema that they stand in.
const IN_PLACE: [&str; 9] = ["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "$ref"];

/// Checks the references of a fragment. Where `allowed` is not set it may have none.
pub(super) fn all(check: &mut Check<'_, '_>, root: &Node, allowed: bool) {
    let definitions = root.get("$defs").map(Node::entries).unwrap_or_default();
    walk(check, root, definitions, true, allowed);
    if allowed {
        circles(check, definitions);
    }
}

/// Definitions of one name that differ: they cannot both become definitions of the tool's schema.
pub(super) fn shared(check: &mut Check<'_, '_>, tool: &Node) {
    let mut known: BTreeMap<&str, serde_json::Value> = BTreeMap::new();
    let parameters = tool.get("parameters").map(Node::items).unwrap_or_default();
    for entry in parameters.iter().filter_map(|one| one.get("schema")?.get("$defs")).flat_map(Node::entries) {
        let value = entry.value.to_json();
        if known.get(entry.key.text.as_str()).is_some_and(|other| *other != value) {
            let message = format!("two parameters define `{}` differently", clip(&entry.key.text));
            let help = "give one of them another name, or define it once: `parameters: {$defs: {…}, …}`";
            check.error(codes::REFERENCE, entry.key.span, message, help);
        }
        known.insert(&entry.key.text, value);
    }
}

fn walk(check: &mut Check<'_, '_>, node: &Node, definitions: &[Entry], is_root: bool, allowed: bool) {
    for entry in node.entries() {
        let name = entry.key.text.as_str();
        match name {
            "$ref" => reference(check, entry, definitions, allowed),
            "$defs" if !is_root || !allowed => {
                let help = "put it beside the parameters: `parameters: {$defs: {…}, …}`";
                check.error(codes::REFERENCE, entry.key.span, "`$defs` does not belong here", help);
            }
            _ => {}
        }
        if OF_SCHEMA.contains(&name) {
            walk(check, &entry.value, definitions, false, allowed);
        } else if OF_SCHEMAS.contains(&name) {
            entry.value.items().iter().for_each(|item| walk(check, item, definitions, false, allowed));
        } else if OF_NAMED.contains(&name) {
            entry.value.entries().iter().for_each(|inner| walk(check, &inner.value, definitions, false, allowed));
        }
    }
}

fn reference(check: &mut Check<'_, '_>, entry: &Entry, definitions: &[Entry], allowed: bool) {
    if !allowed {
        let help = "write the schema out here; references are for parameters";
        return check.error(codes::REFERENCE, entry.key.span, "`returns` cannot refer to another schema", help);
    }
    let text = entry.value.as_str().unwrap_or_default();
    let Some(name) = text.strip_prefix(LOCAL).filter(|name| !name.is_empty() && !name.contains(['/', '~', '%'])) else {
        let message = format!("`{}` is no reference that a spec may have", clip(text));
        let help = "write `$ref: \"#/$defs/NAME\"`; nothing is fetched, and other parts are not referred to";
        return check.error(codes::REFERENCE, entry.value.span, message, help);
    };
    if definitions.iter().any(|entry| entry.key.text == name) {
        return;
    }
    let names: Vec<&str> = definitions.iter().map(|entry| entry.key.text.as_str()).collect();
    let near = base::nearest(name, names.iter().copied()).map(|near| format!("did you mean `{near}`? "));
    let message = format!("`$defs` has no `{}`", clip(name));
    let help = format!("{}add it to `$defs` beside the parameters", near.unwrap_or_default());
    check.error(codes::REFERENCE, entry.value.span, message, help);
}

/// Definitions that lead back to themselves without going into a value: they say nothing, for ever.
fn circles(check: &mut Check<'_, '_>, definitions: &[Entry]) {
    let mut edges: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for entry in definitions {
        let mut found = Vec::new();
        in_place(&entry.value, &mut found);
        edges.insert(&entry.key.text, found);
    }
    for entry in definitions {
        let start = entry.key.text.as_str();
        let (mut seen, mut open): (Vec<&str>, Vec<&str>) = (Vec::new(), vec![start]);
        while let Some(at) = open.pop() {
            for next in edges.get(at).into_iter().flatten() {
                if next == start {
                    let message = format!("the definition `{}` refers to itself and says nothing else", clip(start));
                    let help = "a definition may come back to itself below `properties` or `items` only";
                    return check.error(codes::REFERENCE, entry.key.span, message, help);
                }
                if !seen.contains(&next.as_str()) {
                    seen.push(next);
                    open.push(next);
                }
            }
        }
    }
}

fn in_place(node: &Node, out: &mut Vec<String>) {
    for entry in node.entries().iter().filter(|entry| IN_PLACE.contains(&entry.key.text.as_str())) {
        match entry.value.as_str().and_then(|text| text.strip_prefix(LOCAL)) {
            Some(name) if entry.key.text == "$ref" => out.push(name.to_owned()),
            _ if entry.key.text == "dependentSchemas" => {
                entry.value.entries().iter().for_each(|inner| in_place(&inner.value, out));
            }
            _ => {
                in_place(&entry.value, out);
                entry.value.items().iter().for_each(|item| in_place(item, out));
            }
        }
    }
}
