//! Operations as commands of the server, and its answers as ours.

use serde_json::{Map, Value, json};

use super::bson::int;
use super::{Mongo, Request, Verb};

/// Stages that write what a pipeline gives into a collection.
pub const WRITING_STAGES: [&str; 2] = ["$out", "$merge"];
/// Operators that run JavaScript at the server.
const JAVASCRIPT: [&str; 3] = ["$where", "$function", "$accumulator"];
/// Longest name of a collection, with its database.
const NAME_BYTES_MAX: usize = 255;

impl Verb {
    /// The word of specs and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Find => "find",
            Self::Aggregate => "aggregate",
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Count => "count",
            Self::Distinct => "distinct",
        }
    }

    /// The verb of a word.
    pub fn of(word: &str) -> Option<Self> {
        use Verb::{Aggregate, Count, Delete, Distinct, Find, Insert, Update};
        [Find, Aggregate, Insert, Update, Delete, Count, Distinct].into_iter().find(|verb| verb.as_str() == word)
    }

    /// Whether it always changes data.
    pub fn writes(self) -> bool {
        matches!(self, Self::Insert | Self::Update | Self::Delete)
    }

    /// What is attempted, for errors.
    pub(super) fn attempted(self) -> &'static str {
        match self {
            Self::Find => "find documents",
            Self::Aggregate => "run the pipeline",
            Self::Insert => "insert documents",
            Self::Update => "update documents",
            Self::Delete => "delete documents",
            Self::Count => "count documents",
            Self::Distinct => "list the values",
        }
    }

    fn options(self) -> &'static [&'static str] {
        match self {
            Self::Find => &["filter", "projection", "sort", "skip", "hint", "collation", "let"],
            Self::Aggregate => &["pipeline", "hint", "collation", "let", "allowDiskUse"],
            Self::Insert => &["document", "documents", "ordered"],
            Self::Update => &["filter", "update", "many", "all", "upsert", "arrayFilters", "hint", "collation"],
            Self::Delete => &["filter", "many", "all", "hint", "collation"],
            Self::Count => &["filter", "hint", "collation"],
            Self::Distinct => &["field", "filter", "collation"],
        }
    }
}

/// Why a request is no command, as a sentence.
pub(super) enum Wrong {
    /// It changes data and may not.
    Denied(String),
    /// It is not complete or not right.
    Request(String),
}

fn wrong<T>(message: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong::Request(message.into()))
}

/// A name of an operator that only a writing request may hold, anywhere in it.
fn forbidden(value: &Value) -> Option<&str> {
    match value {
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            let found = WRITING_STAGES.iter().chain(&JAVASCRIPT).find(|word| *word == name);
            found.copied().or_else(|| forbidden(value))
        }),
        Value::Array(items) => items.iter().find_map(forbidden),
        _ => None,
    }
}

fn check(request: &Request) -> Result<(), Wrong> {
    let Request { verb, collection, options, .. } = request;
    if collection.is_empty() || collection.len() > NAME_BYTES_MAX || collection.contains(['$', '\0']) {
        return wrong(format!("`{}` is no name of a collection", collection.escape_debug()));
    }
    if let Some(name) = options.keys().find(|name| !verb.options().contains(&name.as_str())) {
        return wrong(format!("`{}` takes no `{name}`; it takes {}", verb.as_str(), verb.options().join(", ")));
    }
    if request.write {
        return Ok(());
    }
    if verb.writes() {
        return Err(Wrong::Denied(format!("`{}` changes data, and the tool was not declared to write", verb.as_str())));
    }
    match options.values().find_map(forbidden) {
        Some(word) => Err(Wrong::Denied(format!("`{word}` is not allowed in a tool that was not declared to write"))),
        None => Ok(()),
    }
}

impl Mongo {
    /// The command of a request.
    pub(super) fn command(&self, request: &Request, database: &str) -> Result<Map<String, Value>, Wrong> {
        check(request)?;
        let Request { verb, collection, options, limit, .. } = request;
        let option = |name: &str| options.get(name).cloned();
        let filter = option("filter").unwrap_or_else(|| json!({}));
        let is = |name: &str| options.get(name).and_then(Value::as_bool).unwrap_or(false);
        let more = limit.saturating_add(1).min(i32::MAX as usize);
        let mut command = Map::new();
        let mut set = |name: &str, value: Value| drop(command.insert(name.to_owned(), value));
        match verb {
            Verb::Find => {
                set("find", json!(collection));
                set("filter", filter);
                set("limit", json!(more));
                set("batchSize", json!(more));
            }
            Verb::Aggregate => {
                set("aggregate", json!(collection));
                set("pipeline", Value::Array(limited(option("pipeline"), more)?));
                set("cursor", json!({"batchSize": more}));
            }
            Verb::Count => {
                set("aggregate", json!(collection));
                set("pipeline", json!([{"$match": filter}, {"$group": {"_id": 1, "n": {"$sum": 1}}}]));
                set("cursor", json!({}));
            }
            Verb::Insert => {
                set("insert", json!(collection));
                set("documents", Value::Array(self.documents(request)?));
                set("ordered", option("ordered").unwrap_or(Value::Bool(true)));
            }
            Verb::Update | Verb::Delete => {
                if filter.as_object().is_none_or(Map::is_empty) && !is("all") {
                    // Without this, an optional argument that is absent would widen a filter to everything.
                    return wrong("the filter is empty; `all: true` says that every document is meant");
                }
                let mut part = Map::from_iter([("q".to_owned(), filter)]);
                if *verb == Verb::Update {
                    let Some(update) = option("update") else { return wrong("`update` is missing") };
                    part.insert("u".to_owned(), update);
                    part.insert("multi".to_owned(), is("many").into());
                    part.insert("upsert".to_owned(), is("upsert").into());
                    part.extend(option("arrayFilters").map(|filters| ("arrayFilters".to_owned(), filters)));
                } else {
                    part.insert("limit".to_owned(), i32::from(!is("many")).into());
                }
                part.extend(
                    ["hint", "collation"].into_iter().filter_map(|name| Some((name.to_owned(), option(name)?))),
                );
                let (name, list) = if *verb == Verb::Update { ("update", "updates") } else { ("delete", "deletes") };
                set(name, json!(collection));
                set(list, json!([part]));
            }
            Verb::Distinct => {
                let Some(field) = option("field") else { return wrong("`field` is missing") };
                set("distinct", json!(collection));
                set("key", field);
                set("query", filter);
            }
        }
        if !verb.writes() {
            for name in ["projection", "sort", "skip", "hint", "collation", "let", "allowDiskUse"] {
                command.extend(option(name).map(|value| (name.to_owned(), value)));
            }
        }
        command.insert("$db".to_owned(), database.into());
        Ok(command)
    }

    /// The documents to insert, each with an identifier, which comes first.
    fn documents(&self, request: &Request) -> Result<Vec<Value>, Wrong> {
        let given = match (request.options.get("document"), request.options.get("documents")) {
            (Some(one), None) => vec![one.clone()],
            (None, Some(Value::Array(many))) if !many.is_empty() => many.clone(),
            _ => return wrong("`document`, or a list of `documents` with at least one, is needed"),
        };
        let with_id = |document| match document {
            Value::Object(fields) if fields.contains_key("_id") => Ok(Value::Object(fields)),
            Value::Object(fields) => {
                let id = ("_id".to_owned(), self.ids.next());
                Ok(Value::Object(std::iter::once(id).chain(fields).collect()))
            }
            _ => wrong("a document is an object"),
        };
        given.into_iter().map(with_id).collect()
    }
}

/// The pipeline with a limit at its end, unless its last stage writes.
fn limited(pipeline: Option<Value>, limit: usize) -> Result<Vec<Value>, Wrong> {
    let Some(Value::Array(mut stages)) = pipeline else { return wrong("`pipeline` is a list of stages") };
    let writes = |stage: &Value| WRITING_STAGES.iter().any(|word| stage.get(word).is_some());
    if !stages.last().is_some_and(writes) {
        stages.push(json!({"$limit": limit}));
    }
    Ok(stages)
}

/// What a command other than a reading cursor answered.
pub(super) fn answer(request: &Request, sent: &Map<String, Value>, said: &Map<String, Value>) -> Value {
    let count = |name: &str| said.get(name).and_then(int).unwrap_or_default();
    match request.verb {
        Verb::Insert => {
            let ids = sent.get("documents").and_then(Value::as_array).into_iter().flatten();
            let ids: Vec<Value> =
                ids.filter_map(|document| document.get("_id").map(|id| plain_id(id, request))).collect();
            json!({"inserted": count("n"), "ids": ids})
        }
        Verb::Update => {
            let upserted = said.get("upserted").and_then(Value::as_array).map_or(&[] as &[Value], Vec::as_slice);
            let ids: Vec<&Value> = upserted.iter().filter_map(|one| one.get("_id")).collect();
            // The server counts an inserted document among the matched ones.
            let matched = count("n") - i64::try_from(ids.len()).unwrap_or_default();
            json!({"matched": matched, "modified": count("nModified"), "upserted": ids})
        }
        Verb::Delete => json!({"deleted": count("n")}),
        Verb::Distinct => {
            let empty = Vec::new();
            let values = said.get("values").and_then(Value::as_array).unwrap_or(&empty);
            let kept = &values[..values.len().min(request.limit)];
            json!({"values": kept, "more": values.len() > kept.len()})
        }
        Verb::Find | Verb::Aggregate | Verb::Count => Value::Null,
    }
}

fn plain_id(id: &Value, request: &Request) -> Value {
    match (request.form, id.get("$oid")) {
        (super::Form::Plain, Some(hex)) => hex.clone(),
        _ => id.clone(),
    }
}
