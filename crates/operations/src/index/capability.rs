//! What a server offers, one by one, as it is found again.

use std::collections::BTreeMap;

use ::plan::{Plan, ToolPlan};
use serde_json::Value;
use spec::model::{Prompt, Resource, Spec, Tool};

use super::inverted::Weighted;
use super::uses;
use super::words::words;

/// Where a word stands, with how much it counts there.
pub(super) const FIELDS: [(&str, f32); 9] = [
    ("name", 5.0),
    ("title", 4.0),
    ("description", 2.0),
    ("parameter", 2.0),
    ("parameter description", 0.7),
    ("group", 2.0),
    ("server name", 1.5),
    ("server description", 0.5),
    ("connection", 1.0),
];

/// What kind of capability it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Tool,
    Resource,
    Prompt,
}

/// A value that a capability takes or gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// Its JSON types, and its format.
    pub(crate) types: Vec<String>,
    pub(crate) required: bool,
}

/// A tool, a resource or a prompt of a server.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Capability {
    pub(crate) kind: Kind,
    pub(crate) server: String,
    /// Whose the server is.
    pub(crate) owner: String,
    pub(crate) version: String,
    pub(crate) name: String,
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) read_only: bool,
    pub(crate) destructive: bool,
    /// Names and kinds of the connections that it uses.
    pub(crate) connections: Vec<(String, &'static str)>,
    pub(crate) takes: Vec<Field>,
    pub(crate) gives: Vec<Field>,
}

impl Capability {
    /// Where it stands among others that fit as well.
    pub(super) fn key(&self) -> (&str, Kind, &str) {
        (&self.server, self.kind, &self.name)
    }
}

/// Everything that a server offers, with the words of each.
pub(super) fn all(spec: &Spec, plan: Option<&Plan>) -> Vec<(Capability, Vec<Weighted>)> {
    let planned = |name: &str| plan?.tools.iter().find(|tool| tool.tool == name);
    let tools = spec.tools.iter().map(|one| tool(spec, one, planned(&one.name)));
    let resources = spec.resources.iter().map(|one| resource(spec, one));
    let prompts = spec.prompts.iter().map(|one| prompt(spec, one));
    tools.chain(resources).chain(prompts).collect()
}

fn tool(spec: &Spec, tool: &Tool, planned: Option<&ToolPlan>) -> (Capability, Vec<Weighted>) {
    let hints = planned.map_or(&tool.annotations, |planned| &planned.annotations);
    let parameters = planned.map_or(tool.parameters(), |planned| planned.parameters.as_slice());
    let shown = parameters.iter().filter(|one| !one.is_hidden());
    let takes: Vec<Field> = shown
        .clone()
        .map(|one| Field { name: one.name.clone(), types: types(&one.schema.to_value()), required: one.required })
        .collect();
    let output = planned.and_then(|planned| planned.output.clone()).or_else(|| Some(tool.returns.as_ref()?.to_value()));
    let groups = uses::groups(spec, tool);
    let mut connections: Vec<(String, &'static str)> = tool
        .connections()
        .filter_map(|name| {
            let of = spec.connections.iter().find(|connection| connection.name() == name)?;
            Some((name.to_owned(), of.kind().as_str()))
        })
        .collect();
    connections.sort();
    connections.dedup();
    let found = Capability {
        kind: Kind::Tool,
        server: spec.name.clone(),
        owner: String::new(),
        version: spec.version.clone(),
        name: tool.name.clone(),
        title: tool.title.clone(),
        description: tool.description.clone(),
        groups,
        read_only: hints.read_only_hint == Some(true),
        // The default of the protocol: what may write may destroy.
        destructive: hints.read_only_hint != Some(true) && hints.destructive_hint != Some(false),
        connections,
        takes,
        gives: output.as_ref().map(fields).unwrap_or_default(),
    };
    let told: Vec<String> = shown.filter_map(|one| one.schema.description().map(str::to_owned)).collect();
    let words = weighted(spec, &found, &told);
    (found, words)
}

fn resource(spec: &Spec, resource: &Resource) -> (Capability, Vec<Weighted>) {
    let found = Capability {
        title: resource.title.clone(),
        description: resource.description.clone(),
        ..plain(spec, Kind::Resource, &resource.name)
    };
    let words = weighted(spec, &found, std::slice::from_ref(&resource.uri));
    (found, words)
}

fn prompt(spec: &Spec, prompt: &Prompt) -> (Capability, Vec<Weighted>) {
    let taken = prompt.arguments.iter().map(|argument| Field {
        name: argument.name.clone(),
        types: vec!["string".to_owned()],
        required: argument.required,
    });
    let found = Capability {
        title: prompt.title.clone(),
        description: prompt.description.clone(),
        takes: taken.collect(),
        ..plain(spec, Kind::Prompt, &prompt.name)
    };
    let told: Vec<String> = prompt.arguments.iter().filter_map(|argument| argument.description.clone()).collect();
    let words = weighted(spec, &found, &told);
    (found, words)
}

fn plain(spec: &Spec, kind: Kind, name: &str) -> Capability {
    Capability {
        kind,
        server: spec.name.clone(),
        owner: String::new(),
        version: spec.version.clone(),
        name: name.to_owned(),
        title: None,
        description: None,
        groups: Vec::new(),
        read_only: true,
        destructive: false,
        connections: Vec::new(),
        takes: Vec::new(),
        gives: Vec::new(),
    }
}

fn weighted(spec: &Spec, of: &Capability, told: &[String]) -> Vec<Weighted> {
    let mut all: BTreeMap<String, (f32, u16)> = BTreeMap::new();
    let mut put = |field: usize, text: &str| {
        for word in words(text) {
            let known = all.entry(word).or_default();
            known.0 += FIELDS[field].1;
            known.1 |= 1 << field;
        }
    };
    put(0, &of.name);
    put(1, of.title.as_deref().unwrap_or_default());
    put(2, of.description.as_deref().unwrap_or_default());
    of.takes.iter().chain(&of.gives).for_each(|field| put(3, &field.name));
    told.iter().for_each(|text| put(4, text));
    of.groups.iter().for_each(|group| put(5, group));
    put(6, &spec.name);
    put(6, spec.title.as_deref().unwrap_or_default());
    put(7, spec.description.as_deref().unwrap_or_default());
    of.connections.iter().for_each(|(name, kind)| {
        put(8, name);
        put(8, kind);
    });
    all.into_iter().map(|(word, (weight, fields))| Weighted { word, weight, fields }).collect()
}

/// The properties of an answer: of the object, or of the objects that it is a list of.
fn fields(schema: &Value) -> Vec<Field> {
    let of = if schema["properties"].is_object() { schema } else { &schema["items"] };
    let required: Vec<&str> = of["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = of["properties"].as_object().into_iter().flatten();
    properties
        .map(|(name, schema)| Field {
            name: name.clone(),
            types: types(schema),
            required: required.contains(&name.as_str()),
        })
        .collect()
}

/// The JSON types that a schema names, and its format.
fn types(schema: &Value) -> Vec<String> {
    let mut types: Vec<String> = match &schema["type"] {
        Value::String(one) => vec![one.clone()],
        Value::Array(many) => many.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    };
    types.extend(schema["format"].as_str().map(str::to_owned));
    types
}
