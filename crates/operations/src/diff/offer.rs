//! Comparing what two versions offer.

use ::plan::Plan;
use serde_json::{Value, json};
use spec::Spec;
use spec::model::{Annotations, Prompt, Tool, input_schema};

use super::schema::{self, Flow};
use super::{Change, Detail};

/// What a version offers.
pub(super) struct Offer {
    pub(super) spec: Spec,
    pub(super) plan: Plan,
}

/// A tool as its callers see it.
struct Face {
    input: Value,
    output: Option<Value>,
    hints: Annotations,
}

impl Offer {
    fn face(&self, tool: &Tool) -> Face {
        let planned = self.plan.tools.iter().find(|one| one.tool == tool.name);
        Face {
            input: input_schema(planned.map_or(tool.parameters(), |planned| &planned.parameters)),
            output: planned.and_then(|one| one.output.clone()).or_else(|| Some(tool.returns.as_ref()?.to_value())),
            hints: planned.map_or_else(|| tool.annotations.clone(), |planned| planned.annotations.clone()),
        }
    }
}

/// The differences.
pub(super) fn compare(old: &Offer, new: &Offer) -> Vec<Change> {
    let mut changes = Vec::new();
    let (a, b) = (&old.spec, &new.spec);
    each("tool", &a.tools, &b.tools, |one| &one.name, |x, y| tool(&old.face(x), &new.face(y), x, y), &mut changes);
    each("resource", &a.resources, &b.resources, |one| &one.uri, resource, &mut changes);
    each("prompt", &a.prompts, &b.prompts, |one| &one.name, prompt, &mut changes);
    let (x, y) = (a.all_groups(), b.all_groups());
    let group = |x: &spec::model::Group, y: &spec::model::Group| {
        let gone = x.tools.iter().filter(|tool| !y.tools.contains(tool));
        let come = y.tools.iter().filter(|tool| !x.tools.contains(tool));
        let gone = gone.map(|tool| Detail::new("tools", true, format!("`{tool}` is not in it any more")));
        gone.chain(come.map(|tool| Detail::new("tools", false, format!("`{tool}` is in it now")))).collect()
    };
    each("group", &x, &y, |one| &one.name, group, &mut changes);
    connections(a, b, &mut changes);
    server(a, b, &mut changes);
    changes
}

/// Pairs things by their names.
fn each<T>(
    of: &str,
    old: &[T],
    new: &[T],
    name: impl Fn(&T) -> &String,
    compare: impl Fn(&T, &T) -> Vec<Detail>,
    changes: &mut Vec<Change>,
) {
    let change = |name: &str, what: &str, breaking: bool, details: Vec<Detail>| Change {
        of: of.to_owned(),
        name: name.to_owned(),
        what: what.to_owned(),
        breaking,
        details,
    };
    for one in old.iter().filter(|one| !new.iter().any(|other| name(other) == name(one))) {
        changes.push(change(name(one), "removed", true, Vec::new()));
    }
    for one in new {
        match old.iter().find(|other| name(other) == name(one)) {
            None => changes.push(change(name(one), "added", false, Vec::new())),
            Some(before) => {
                let details = compare(before, one);
                if !details.is_empty() {
                    changes.push(change(name(one), "changed", details.iter().any(|detail| detail.breaking), details));
                }
            }
        }
    }
}

fn tool(old: &Face, new: &Face, before: &Tool, after: &Tool) -> Vec<Detail> {
    let mut details = Vec::new();
    texts(&before.title, &after.title, &before.description, &after.description, &mut details);
    schema::compare(&old.input, &new.input, Flow::In, &mut details);
    match (&old.output, &new.output) {
        (Some(old), Some(new)) => schema::compare(old, new, Flow::Out, &mut details),
        (Some(_), None) => details.push(Detail::new("output", true, "the schema of its answer is gone")),
        (None, Some(_)) => details.push(Detail::new("output", false, "its answer has a schema now")),
        (None, None) => {}
    }
    hints(&old.hints, &new.hints, &mut details);
    if before.action != after.action || before.connection != after.connection {
        details.push(Detail::new("action", false, "what it runs is another thing"));
    }
    details
}

/// A caller, and a person who approves calls, rely on what a tool was said not to do.
fn hints(old: &Annotations, new: &Annotations, details: &mut Vec<Detail>) {
    let all = [
        ("readOnlyHint", old.read_only_hint, new.read_only_hint, Some(true)),
        ("destructiveHint", old.destructive_hint, new.destructive_hint, Some(false)),
        ("idempotentHint", old.idempotent_hint, new.idempotent_hint, Some(true)),
        ("openWorldHint", old.open_world_hint, new.open_world_hint, Some(false)),
    ];
    let word = |hint: Option<bool>| hint.map_or_else(|| "not said".to_owned(), |hint| hint.to_string());
    for (name, old, new, safe) in all {
        if old != new {
            let breaking = old == safe && name != "openWorldHint";
            details.push(Detail::new(name, breaking, format!("it was {} and is {}", word(old), word(new))));
        }
    }
}

fn texts(
    title: &Option<String>,
    new_title: &Option<String>,
    description: &Option<String>,
    new_description: &Option<String>,
    details: &mut Vec<Detail>,
) {
    if title != new_title {
        details.push(Detail::new("title", false, "it has another title"));
    }
    if description != new_description {
        details.push(Detail::new("description", false, "it is described in other words"));
    }
}

fn resource(old: &spec::model::Resource, new: &spec::model::Resource) -> Vec<Detail> {
    let mut details = Vec::new();
    texts(&old.title, &new.title, &old.description, &new.description, &mut details);
    if old.mime_type != new.mime_type {
        details.push(Detail::new("mimeType", true, "its content is of another type"));
    }
    if old.text != new.text || old.tool != new.tool {
        details.push(Detail::new("content", false, "its content comes from somewhere else"));
    }
    details
}

fn prompt(old: &Prompt, new: &Prompt) -> Vec<Detail> {
    let mut details = Vec::new();
    texts(&old.title, &new.title, &old.description, &new.description, &mut details);
    schema::compare(&arguments(old), &arguments(new), Flow::In, &mut details);
    if old.messages != new.messages {
        details.push(Detail::new("messages", false, "it says something else"));
    }
    details
}

fn arguments(prompt: &Prompt) -> Value {
    let properties: serde_json::Map<String, Value> = prompt
        .arguments
        .iter()
        .map(|one| {
            let mut schema = json!({"type": "string"});
            if !one.choices.is_empty() {
                schema["enum"] = json!(one.choices);
            }
            (one.name.clone(), schema)
        })
        .collect();
    let required: Vec<&str> = prompt.arguments.iter().filter(|one| one.required).map(|one| one.name.as_str()).collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

/// Callers see nothing of connections; whoever runs the server has to provide for them.
fn connections(old: &Spec, new: &Spec, changes: &mut Vec<Change>) {
    let mut found = Vec::new();
    let names = |spec: &Spec| spec.connections.iter().map(|one| one.name().to_owned()).collect::<Vec<_>>();
    let (before, after) = (names(old), names(new));
    let compare = |name: &String, _: &String| {
        let of = |spec: &Spec| spec.connections.iter().find(|one| one.name() == name).cloned();
        match of(old) == of(new) {
            true => Vec::new(),
            false => vec![Detail::new("settings", false, "it has other settings")],
        }
    };
    each("connection", &before, &after, |name| name, compare, &mut found);
    changes.extend(found.into_iter().map(|change| Change { breaking: false, ..change }));
}

fn server(old: &Spec, new: &Spec, changes: &mut Vec<Change>) {
    let mut details = Vec::new();
    texts(&old.title, &new.title, &old.description, &new.description, &mut details);
    if old.auth != new.auth {
        let opened = new.auth == spec::model::Auth::None;
        let text = if opened { "callers need to show nothing any more" } else { "callers have to show something else" };
        details.push(Detail::new("auth", !opened, text));
    }
    if old.transport != new.transport {
        details.push(Detail::new("transport", true, "it is reached over another transport"));
    }
    if old.instructions != new.instructions {
        details.push(Detail::new("instructions", false, "models are told something else about it"));
    }
    if old.limits != new.limits {
        details.push(Detail::new("limits", false, "it has other limits"));
    }
    if !details.is_empty() {
        let breaking = details.iter().any(|detail| detail.breaking);
        changes.push(Change { of: "server".into(), name: new.name.clone(), what: "changed".into(), breaking, details });
    }
}
