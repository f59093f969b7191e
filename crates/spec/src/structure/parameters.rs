//! The ways of writing a tool's parameters: a map from name to schema, a list, and a whole JSON
//! Schema of an object.

use base::{Diagnostic, nearest};

use super::{clip, fragment};
use crate::codes;
use crate::report::Report;
use crate::syntax::{Entry, Key, Node, Value};

/// The canonical list `[{name, required, schema}]`.
pub(crate) fn normalise(node: Node, report: &mut Report) -> Option<Node> {
    let span = node.span;
    if is_object_schema(&node) {
        return Some(from_schema(node, report));
    }
    let items = match node.value {
        Value::Map(mut entries) => {
            let shared = entries.iter().position(|entry| entry.key.text == "$defs").map(|at| entries.remove(at));
            let made = entries
                .into_iter()
                .filter_map(|Entry { key, value }| parameter(Node::text(key.span, key.text), value, report));
            let mut made: Vec<Node> = made.collect();
            share(&mut made, shared);
            made
        }
        Value::List(items) => items.into_iter().filter_map(|item| listed(item, report)).collect(),
        value => {
            let node = Node::new(span, value);
            let message = format!("`parameters` must be a map from name to schema, or a list, not {}", node.kind());
            let problem = Diagnostic::error(codes::WRONG_TYPE, message)
                .at(span)
                .help("write `parameters: {}` for a tool without parameters, or remove the key");
            report.push(problem);
            return None;
        }
    };
    Some(Node::new(span, Value::List(items)))
}

/// `{type: object, properties: {…}}`: the JSON Schema of the arguments.
fn is_object_schema(node: &Node) -> bool {
    node.str_of("type") == Some("object") && node.get("properties").is_some_and(|p| p.as_map().is_some())
}

fn from_schema(node: Node, report: &mut Report) -> Node {
    const KEYS: [&str; 5] = ["type", "properties", "required", "additionalProperties", "$defs"];
    let span = node.span;
    let mut shared = None;
    let mut properties = Vec::new();
    let mut required: Vec<Node> = Vec::new();
    let Value::Map(entries) = node.value else { return Node::new(span, Value::List(Vec::new())) };
    for entry in entries {
        match (entry.key.text.as_str(), entry.value.value) {
            ("type" | "$schema", _) | ("additionalProperties", Value::Bool(false)) => {}
            ("properties", Value::Map(inner)) => properties = inner,
            ("$defs", value) => {
                shared = Some(Entry { key: entry.key, value: Node::new(entry.value.span, value) });
            }
            ("required", Value::List(names)) => required = names,
            ("required", other) => {
                let other = Node::new(entry.value.span, other);
                let message = format!("`required` of a schema must be a list of names, not {}", other.kind());
                report.push(Diagnostic::error(codes::KEYWORD_SHAPE, message).at(other.span));
            }
            ("additionalProperties", _) => {
                let problem =
                    Diagnostic::error(codes::KEYWORD_SHAPE, "a tool takes no parameters that are not declared")
                        .at(entry.value.span)
                        .help("remove `additionalProperties`, or declare a parameter of type `object`");
                report.push(problem);
            }
            (other, _) => {
                let problem = Diagnostic::error(
                    codes::UNKNOWN_KEY,
                    format!("a schema of parameters has no key `{}`", clip(other)),
                )
                .at(entry.key.span)
                .help(format!("keys of a schema of parameters: {}", KEYS.join(", ")));
                report.push(match nearest(other, KEYS) {
                    Some(near) => problem.label(format!("did you mean `{near}`?")),
                    None => problem,
                });
            }
        }
    }
    for name in &required {
        if !properties.iter().any(|property| Some(property.key.text.as_str()) == name.as_str()) {
            let shown = clip(name.as_str().unwrap_or("this"));
            let problem = Diagnostic::error(
                codes::REQUIRED_UNDECLARED,
                format!("`required` names `{shown}`, which is not declared"),
            )
            .at(name.span)
            .help("add it to `properties`, or remove it from `required`");
            report.push(problem);
        }
    }
    let mut items: Vec<Node> = properties
        .into_iter()
        .filter_map(|Entry { key, value }| {
            let is_required = required.iter().any(|name| name.as_str() == Some(&key.text));
            let mut made = parameter(Node::text(key.span, key.text), value, report)?;
            if is_required && let Value::Map(parts) = &mut made.value {
                parts.retain(|part| part.key.text != "required");
                parts.push(entry("required", Node::new(made.span, Value::Bool(true))));
            }
            Some(made)
        })
        .collect();
    share(&mut items, shared);
    Node::new(span, Value::List(items))
}

/// Gives each parameter those of the shared definitions that it refers to, so that it can be read alone.
fn share(parameters: &mut [Node], shared: Option<Entry>) {
    let Some(shared) = shared else { return };
    let Value::Map(definitions) = fragment::definitions(shared.value).value else { return };
    for parameter in parameters {
        let Value::Map(parts) = &mut parameter.value else { continue };
        let Some(schema) = parts.iter_mut().find(|part| part.key.text == "schema") else { continue };
        let mut wanted = Vec::new();
        references(&schema.value, &mut wanted);
        let mut used: Vec<Entry> = Vec::new();
        while let Some(name) = wanted.pop() {
            let Some(found) = definitions.iter().find(|entry| entry.key.text == name) else { continue };
            if !used.iter().any(|entry| entry.key.text == name) {
                references(&found.value, &mut wanted);
                used.push(found.clone());
            }
        }
        let Value::Map(keywords) = &mut schema.value.value else { continue };
        if used.is_empty() || keywords.iter().any(|entry| entry.key.text == "$defs") {
            continue;
        }
        used.sort_by_key(|entry| entry.key.span.start);
        let span = shared.key.span;
        let key = Key { span, text: "$defs".to_owned() };
        keywords.push(Entry { key, value: Node::new(span, Value::Map(used)) });
    }
}

/// The names behind `$ref: "#/$defs/NAME"`, wherever they stand.
fn references(node: &Node, out: &mut Vec<String>) {
    for entry in node.entries() {
        match entry.value.as_str().and_then(|text| text.strip_prefix("#/$defs/")) {
            Some(name) if entry.key.text == "$ref" => out.push(name.to_owned()),
            _ => references(&entry.value, out),
        }
    }
    node.items().iter().for_each(|item| references(item, out));
}

/// An item of the list form, which has its name inside.
fn listed(item: Node, report: &mut Report) -> Option<Node> {
    let span = item.span;
    let Value::Map(mut entries) = item.value else {
        let problem = Diagnostic::error(codes::WRONG_TYPE, format!("a parameter must be a map, not {}", item.kind()))
            .at(span)
            .help("write `- {name: query, type: string}`");
        report.push(problem);
        return None;
    };
    let Some(at) = entries.iter().position(|entry| entry.key.text == "name") else {
        let problem = Diagnostic::error(codes::MISSING_KEY, "a parameter needs `name`")
            .at(span)
            .label("no `name` here")
            .help("add `name: query`");
        report.push(problem);
        return None;
    };
    let name = entries.remove(at).value;
    if name.as_str().is_none() {
        let problem = Diagnostic::error(codes::WRONG_TYPE, format!("`name` must be text, not {}", name.kind()))
            .at(name.span)
            .help("put it in quotes");
        report.push(problem);
        return None;
    }
    parameter(name, Node::new(span, Value::Map(entries)), report)
}

fn parameter(name: Node, body: Node, report: &mut Report) -> Option<Node> {
    let span = body.span;
    let title = clip(name.as_str().unwrap_or_default());
    let mut keywords = match body.value {
        Value::String(..) => return Some(assemble(name, Vec::new(), fragment::typed(body))),
        Value::Map(keywords) => keywords,
        value => {
            let kind = Node::new(span, value).kind();
            let problem =
                Diagnostic::error(codes::WRONG_TYPE, format!("the parameter `{title}` must be a schema, not {kind}"))
                    .at(span)
                    .help("write `{type: string}`, or only the type: `string`");
            report.push(problem);
            return None;
        }
    };
    let flag = match keywords.iter().position(|entry| entry.key.text == "required" && entry.value.as_list().is_none()) {
        None => None,
        Some(at) => {
            let flag = keywords.remove(at);
            if flag.value.as_bool().is_none() {
                let problem = Diagnostic::error(
                    codes::WRONG_TYPE,
                    format!("`required` of a parameter must be `true` or `false`, not {}", flag.value.kind()),
                )
                .at(flag.value.span);
                report.push(match super::mend(&flag.value, "`true` or `false`") {
                    Some(help) => problem.help(help),
                    None => problem,
                });
                return None;
            }
            Some(flag)
        }
    };
    let mut settings: Vec<Entry> = flag.into_iter().collect();
    for key in ["hidden", "claim", "env", "bind"] {
        if let Some(at) = keywords.iter().position(|entry| entry.key.text == key) {
            settings.push(keywords.remove(at));
        }
    }
    let is_canonical = keywords.len() == 1 && keywords[0].key.text == "schema" && keywords[0].value.as_map().is_some();
    let schema = if is_canonical { keywords.remove(0).value } else { Node::new(span, Value::Map(keywords)) };
    Some(assemble(name, settings, fragment::normalise(schema)))
}

fn assemble(name: Node, settings: Vec<Entry>, schema: Node) -> Node {
    let span = schema.span;
    let mut parts = vec![entry("name", name)];
    parts.extend(settings);
    parts.push(entry("schema", schema));
    Node::new(span, Value::Map(parts))
}

fn entry(key: &str, value: Node) -> Entry {
    Entry { key: Key { span: value.span, text: key.to_owned() }, value }
}
