//! The schemas of parameters and answers.

use base::{Diagnostic, Span, nearest};
use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value as Json;

use super::Check;
use crate::codes;
use crate::limits::PATTERN_BYTES_MAX;
use crate::structure::{KEYWORDS, OF_NAMED, OF_SCHEMA, OF_SCHEMAS, TYPES, clip, list};
use crate::syntax::{Entry, Node, Value};

mod keywords;
mod patterns;
mod references;

pub use keywords::FORMATS;

pub(super) fn all(check: &mut Check<'_, '_>) {
    for tool in check.list("tools") {
        for parameter in tool.get("parameters").map(Node::items).unwrap_or_default() {
            let Some(schema) = parameter.get("schema") else { continue };
            references::all(check, schema, true);
            fragment(check, schema);
            required_default(check, parameter, schema);
        }
        references::shared(check, tool);
        if let Some(schema) = tool.get("returns") {
            references::all(check, schema, false);
            fragment(check, schema);
        }
    }
}

/// A validator of draft 2020-12 that reaches nothing and whose patterns run in linear time.
pub(super) fn validator(schema: &Json) -> Option<Validator> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .offline()
        .should_validate_formats(true)
        .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES_MAX))
        .build(schema)
        .ok()
}

/// A whole fragment: its keywords, then what its values say about each other.
fn fragment(check: &mut Check<'_, '_>, node: &Node) {
    schema(check, node);
    // Definitions stand elsewhere when they are shared by parameters.
    let shared = node.get("$defs").map(Node::entries).unwrap_or_default();
    if check.is_damaged(node) || shared.iter().any(|entry| check.is_damaged(&entry.value)) {
        return;
    }
    values(check, node);
    if check.is_damaged(node) {
        return;
    }
    if !is_plain(node) && validator(&node.to_json()).is_none() {
        check.error(codes::KEYWORD_SHAPE, node.span, "this is not a JSON Schema", "see the JSON Schema draft 2020-12");
    }
}

/// Whether the checks above are all there is to check: with these keywords nothing is left that a validator would find,
/// and making one costs more than all else that is done for a parameter.
fn is_plain(node: &Node) -> bool {
    const SCALARS: [&str; 18] = [
        "type",
        "title",
        "description",
        "default",
        "examples",
        "enum",
        "const",
        "format",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "uniqueItems",
        "required",
    ];
    let Some(entries) = node.as_map() else { return node.as_bool().is_some() };
    entries.iter().all(|entry| match entry.key.text.as_str() {
        "items" | "additionalProperties" => is_plain(&entry.value),
        "properties" => entry.value.entries().iter().all(|inner| is_plain(&inner.value)),
        name => SCALARS.contains(&name),
    })
}

/// The values that an argument of a prompt offers.
pub(super) fn offered(check: &mut Check<'_, '_>, node: &Node) {
    keywords::choices_of(check, node, None);
}

fn schema(check: &mut Check<'_, '_>, node: &Node) {
    let Some(entries) = node.as_map() else {
        if node.as_bool().is_none() {
            let message = format!("a schema must be a map or a type word, not {}", node.kind());
            check.error(codes::KEYWORD_SHAPE, node.span, message, "write `{type: string}`");
        }
        return;
    };
    for entry in entries {
        keyword(check, entry);
    }
    types(check, node);
    keywords::enumeration(check, node);
    keywords::bounds(check, node);
    keywords::integers(check, node);
    keywords::unused(check, node);
    keywords::required(check, node);
    for entry in entries {
        let name = entry.key.text.as_str();
        if OF_SCHEMA.contains(&name) {
            schema(check, &entry.value);
        } else if OF_SCHEMAS.contains(&name) {
            entry.value.items().iter().for_each(|item| schema(check, item));
        } else if OF_NAMED.contains(&name) {
            entry.value.entries().iter().for_each(|inner| schema(check, &inner.value));
        }
    }
}

fn keyword(check: &mut Check<'_, '_>, entry: &Entry) {
    /// Words of other schema languages.
    const SYNONYMS: [(&str, &str); 17] = [
        ("min", "minimum"),
        ("max", "maximum"),
        ("regex", "pattern"),
        ("regexp", "pattern"),
        ("match", "pattern"),
        ("optional", "required"),
        ("values", "enum"),
        ("choices", "enum"),
        ("options", "enum"),
        ("oneof", "oneOf"),
        ("desc", "description"),
        ("doc", "description"),
        ("help", "description"),
        ("length", "maxLength"),
        ("nullable", "type"),
        ("fields", "properties"),
        ("example", "examples"),
    ];
    let name = entry.key.text.as_str();
    if matches!(name, "$ref" | "$defs") {
        return; // These were looked at as a whole.
    }
    if matches!(name, "$dynamicRef" | "definitions" | "$anchor" | "$dynamicAnchor" | "$id") {
        let message = format!("`{name}` is not supported in a spec's schemas");
        let help = "write the schema out, or refer to a part of `$defs` with `$ref: \"#/$defs/NAME\"`";
        return check.error(codes::REFERENCE, entry.key.span, message, help);
    }
    if KEYWORDS.contains(&name) {
        return keywords::shape(check, entry);
    }
    if name.starts_with("x-") || matches!(name, "$schema" | "$comment" | "unevaluatedProperties" | "unevaluatedItems") {
        return;
    }
    let near = SYNONYMS.iter().find(|(other, _)| *other == name).map(|(_, word)| *word);
    if let Some(near) = near.or_else(|| nearest(name, KEYWORDS)) {
        let problem =
            Diagnostic::error(codes::MISSPELT_KEYWORD, format!("JSON Schema has no keyword `{}`", clip(name)))
                .at(entry.key.span)
                .label(format!("did you mean `{near}`?"))
                .help("a keyword of your own starts with `x-`");
        return check.push(problem);
    }
    let message = format!("JSON Schema has no keyword `{}`", clip(name));
    check.warning(codes::UNKNOWN_KEYWORD, entry.key.span, message, "a keyword of your own starts with `x-`");
}

fn types(check: &mut Check<'_, '_>, node: &Node) {
    let Some(kind) = node.get("type") else { return };
    let words = match &kind.value {
        Value::List(words) if !words.is_empty() => words.as_slice(),
        Value::String(..) => std::slice::from_ref(kind),
        _ => {
            let message = format!("`type` must be a type word or a list of them, not {}", kind.kind());
            return check.error(codes::KEYWORD_SHAPE, kind.span, message, format!("allowed: {}", list(&TYPES)));
        }
    };
    for (index, word) in words.iter().enumerate() {
        let Some(text) = word.as_str() else {
            let message = format!("a type must be a word, not {}", word.kind());
            check.error(codes::KEYWORD_SHAPE, word.span, message, format!("allowed: {}", list(&TYPES)));
            continue;
        };
        if !TYPES.contains(&text) {
            type_word(check, text, word.span);
        } else if words[..index].iter().any(|other| other.as_str() == Some(text)) {
            check.error(codes::KEYWORD_SHAPE, word.span, format!("the type `{text}` is named twice"), "name it once");
        }
    }
}

fn type_word(check: &mut Check<'_, '_>, text: &str, span: Span) {
    const SYNONYMS: [(&str, &str); 25] = [
        ("int", "integer"),
        ("int32", "integer"),
        ("int64", "integer"),
        ("long", "integer"),
        ("bigint", "integer"),
        ("float", "number"),
        ("double", "number"),
        ("decimal", "number"),
        ("numeric", "number"),
        ("real", "number"),
        ("bool", "boolean"),
        ("str", "string"),
        ("text", "string"),
        ("varchar", "string"),
        ("char", "string"),
        ("list", "array"),
        ("tuple", "array"),
        ("dict", "object"),
        ("map", "object"),
        ("json", "object"),
        ("struct", "object"),
        ("none", "null"),
        ("nil", "null"),
        ("void", "null"),
        ("num", "number"),
    ];
    let folded = text.to_lowercase();
    let near = SYNONYMS.iter().find(|(other, _)| *other == folded).map(|(_, word)| *word);
    let problem = Diagnostic::error(codes::TYPE_WORD, format!("there is no type `{}`", clip(text)))
        .at(span)
        .help(format!("types: {}", list(&TYPES)));
    let problem = match near.or_else(|| nearest(text, TYPES)) {
        Some(near) => problem.label(format!("did you mean `{near}`?")),
        None => problem,
    };
    check.push(match folded.as_str() {
        "date" | "time" | "datetime" | "date-time" | "timestamp" => {
            problem.help("write `{type: string, format: date-time}` (or `date`, `time`)")
        }
        "uuid" | "email" | "uri" | "url" => problem.help("write `{type: string, format: uuid}` (or `email`, `uri`)"),
        "enum" => problem.help("write `{type: string, enum: [a, b]}`"),
        "any" => problem.help("leave `type` out to take any value"),
        _ => problem,
    });
}

/// Defaults and examples against their own schema, everywhere in the fragment.
fn values(check: &mut Check<'_, '_>, node: &Node) {
    const JUDGED: [&str; 4] = ["default", "examples", "enum", "const"];
    let needs = JUDGED.iter().any(|key| node.get(key).is_some());
    if needs && let Some(validator) = validator(&node.to_json()) {
        choices(check, node, &validator);
        if let Some(default) = node.get("default")
            && let Some(problem) = validator.iter_errors(&default.to_json()).next()
        {
            let message = format!("the default is not allowed: {}", clip(&problem.to_string()));
            check.error(codes::BAD_DEFAULT, default.span, message, "change the default, or what the schema allows");
        }
        for example in node.get("examples").map(Node::items).unwrap_or_default() {
            if let Some(problem) = validator.iter_errors(&example.to_json()).next() {
                let message = format!("the example is not allowed: {}", clip(&problem.to_string()));
                check.warning(
                    codes::BAD_EXAMPLE,
                    example.span,
                    message,
                    "change the example, or what the schema allows",
                );
            }
        }
    }
    for entry in node.entries() {
        let name = entry.key.text.as_str();
        if OF_SCHEMA.contains(&name) {
            values(check, &entry.value);
        } else if OF_SCHEMAS.contains(&name) {
            entry.value.items().iter().for_each(|item| values(check, item));
        } else if OF_NAMED.contains(&name) {
            entry.value.entries().iter().for_each(|inner| values(check, &inner.value));
        }
    }
}

/// Values of `enum` and `const` that the rest of the schema does not allow: they can never be sent.
fn choices(check: &mut Check<'_, '_>, node: &Node, validator: &Validator) {
    let listed = node.get("enum").map(Node::items).unwrap_or_default();
    for value in listed.iter().chain(node.get("const")) {
        if let Some(problem) = validator.iter_errors(&value.to_json()).next() {
            let message = format!("the schema names a value and does not allow it: {}", clip(&problem.to_string()));
            check.error(codes::BOUNDS, value.span, message, "change the value, or the keyword that excludes it");
        }
    }
}

fn required_default(check: &mut Check<'_, '_>, parameter: &Node, schema: &Node) {
    if let (Some(true), Some(default)) = (parameter.get("required").and_then(Node::as_bool), schema.entry("default")) {
        let name = clip(parameter.str_of("name").unwrap_or_default());
        let message = format!("the parameter `{name}` is required and has a default, which is never used");
        check.error(codes::REQUIRED_DEFAULT, default.key.span, message, "remove `default`, or `required: true`");
    }
}
