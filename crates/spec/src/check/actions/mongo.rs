//! Operations on collections of MongoDB.

use serde_json::{Map, Value};

use super::super::Check;
use super::super::templates::Names;
use crate::codes;
use crate::expression::is_template;
use crate::model::{Mongo, Tool};
use crate::mongo;
use crate::sql::Effects;
use crate::structure::{clip, list};
use crate::syntax::Node;

/// Checks an operation; gives what it does to the world.
pub(super) fn all(check: &mut Check<'_, '_>, tool: &Tool, action: &Mongo, node: &Node) -> Option<Effects> {
    let at = node.get("mongo")?;
    let mut names = Names::new(check, tool, node, &[]);
    if is_template(&action.collection) || action.collection.contains(['$', '\0']) {
        let help = "write the collection's name out; each collection needs a tool of its own";
        check.error(codes::MONGO, at.span_of("collection"), "the collection is not a plain name", help);
    }
    let operations = action.operations();
    if operations.len() != 1 && !check.is_damaged(at) {
        let help = format!("give exactly one of {}", list(&mongo::VERBS));
        check.error(codes::MONGO, at.span, "the action does not say one thing that is done", help);
    }
    for (verb, parts) in operations {
        let Some(at) = at.get(verb) else { continue };
        operation(check, action, verb, parts, at);
        for (value, entry) in parts.values().zip(at.entries()) {
            names.tree(check, value, &entry.value);
        }
    }
    if let (Some(limit), Some(at)) = (&action.limit, at.get("limit")) {
        names.tree(check, limit, at);
    }
    names.unused(check, node, "mongo");
    Some(action.effects())
}

fn operation(check: &mut Check<'_, '_>, action: &Mongo, verb: &str, parts: &Map<String, Value>, at: &Node) {
    let known = mongo::parts(verb);
    for entry in at.entries() {
        if !known.contains(&entry.key.text.as_str()) {
            let message = format!("`{verb}` has no `{}`", clip(&entry.key.text));
            check.error(codes::MONGO, entry.key.span, message, format!("it has {}", list(known)));
        }
    }
    let needed: &[&str] = match verb {
        "aggregate" => &["pipeline"],
        "insert" if !parts.contains_key("documents") => &["document"],
        "update" => &["filter", "update"],
        "delete" => &["filter"],
        "distinct" => &["field"],
        _ => &[],
    };
    for part in needed.iter().filter(|part| !parts.contains_key(**part)) {
        if !check.is_damaged(at) {
            check.error(codes::MONGO, at.span, format!("`{verb}` needs `{part}`"), format!("add `{part}`"));
        }
    }
    if verb == "distinct" && parts.get("field").and_then(Value::as_str).is_some_and(is_template) {
        let help = "write the field's name out: a caller who may name any field reads all of them";
        check.error(codes::MONGO, at.span_of("field"), "the field is named by the caller", help);
    }
    if action.write {
        return;
    }
    if mongo::writes(verb) {
        let message = format!("`{verb}` changes data, and the action does not say that it writes");
        return check.error(codes::MONGO, at.span, message, "add `write: true` if the tool should change data");
    }
    if let Some(word) = parts.values().find_map(mongo::forbidden) {
        let message =
            format!("`{word}` writes or runs JavaScript at the server, and the action does not say that it writes");
        check.error(codes::MONGO, at.span, message, "do without it, or add `write: true`");
    }
}
