//! The `vector` action: texts that are kept, and found by what they are like.

use std::time::Instant;

use base::Digest;
use connect::vector::{Found, Item, Search, Store};
use connect::{Error, ErrorKind};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use spec::expression::{Tree, plain};
use spec::model::Vector;
use tokio_util::sync::CancellationToken;

use super::{Fault, files, part, scope};
use crate::connections::Link;
use crate::context::CallContext;
use crate::errors;
use crate::limits::VECTOR_RESULTS;
use crate::outcome::{Failure, Outcome};
use crate::toolset::{Tool, Toolset};

type Attempt<T> = Result<T, Box<Failure>>;

/// What is done with texts, with everything that is known before a call.
pub(crate) struct VectorAction {
    connection: Box<str>,
    store: Link<Store>,
    verb: &'static str,
    settings: Tree,
    limit_max: usize,
}

impl std::fmt::Debug for VectorAction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VectorAction").field("connection", &self.connection).finish_non_exhaustive()
    }
}

impl VectorAction {
    /// Compiles an action.
    ///
    /// # Errors
    /// What cannot be read, for the author.
    pub(crate) fn compile(connection: &str, store: Link<Store>, action: &Vector, rows: u64) -> Result<Self, Fault> {
        let (verb, settings) = action.verb().ok_or("an action on texts with vectors does exactly one thing")?;
        let limit_max = usize::try_from(rows).unwrap_or(usize::MAX);
        Ok(Self { connection: connection.into(), store, verb, settings: part::tree(&settings)?, limit_max })
    }
}

/// What is wanted of a store, once all is known.
#[derive(Debug)]
pub(crate) enum Wanted {
    Keep(Vec<Item>),
    Search { text: String, filter: Map<String, Value>, limit: usize, min_score: Option<f64> },
    Delete(Vec<String>),
    DeleteWhere(Map<String, Value>),
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Given {
    id: Option<String>,
    ids: Option<Value>,
    text: Option<String>,
    metadata: Option<Map<String, Value>>,
    items: Option<Vec<GivenItem>>,
    filter: Option<Map<String, Value>>,
    limit: Option<usize>,
    min_score: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenItem {
    id: Option<String>,
    text: String,
    #[serde(default)]
    metadata: Option<Map<String, Value>>,
}

impl GivenItem {
    fn item(self) -> Item {
        // The same text is kept once.
        let id = self.id.unwrap_or_else(|| Digest::of(self.text.as_bytes()).to_string());
        Item { id, content: self.text, metadata: self.metadata.unwrap_or_default() }
    }
}

impl Wanted {
    /// Reads what a call, or a script, says.
    pub(crate) fn read(verb: &str, settings: Value, limit_max: usize) -> Result<Self, String> {
        let Given { id, ids, text, metadata, items, filter, limit, min_score } =
            serde_json::from_value(settings).map_err(|error| error.to_string())?;
        Ok(match verb {
            "store" => match (text, items) {
                (Some(text), _) => Self::Keep(vec![GivenItem { id, text, metadata }.item()]),
                (None, Some(items)) => Self::Keep(items.into_iter().map(GivenItem::item).collect()),
                (None, None) => return Err("there is no text to keep".to_owned()),
            },
            "search" => Self::Search {
                text: text.unwrap_or_default(),
                filter: filter.unwrap_or_default(),
                limit: limit.unwrap_or(VECTOR_RESULTS).clamp(1, limit_max.max(1)),
                min_score,
            },
            _ => match (ids, filter) {
                (Some(ids), _) => Self::Delete(texts(ids)),
                (None, Some(filter)) if !filter.is_empty() => Self::DeleteWhere(filter),
                _ => return Err("it is not said what is to be deleted".to_owned()),
            },
        })
    }

    /// Does it.
    pub(crate) async fn run(
        &self,
        store: &Store,
        deadline: Instant,
        cancel: &CancellationToken,
    ) -> Result<(Value, usize), Error> {
        let deadline = deadline.into();
        let work = async {
            match self {
                Self::Keep(items) => {
                    let stored = store.upsert(items, deadline, cancel).await?;
                    let ids: Vec<&str> = items.iter().map(|item| item.id.as_str()).collect();
                    Ok((json!({ "stored": stored, "ids": ids }), stored))
                }
                Self::Search { text, filter, limit, min_score } => {
                    let search = Search { text, filter, limit: *limit, min_score: *min_score };
                    let found = store.search(&search, deadline, cancel).await?;
                    Ok((json!({ "items": found.iter().map(item).collect::<Vec<_>>() }), found.len()))
                }
                Self::Delete(ids) => Ok((json!({ "deleted": store.delete(ids, deadline, cancel).await? }), 1)),
                Self::DeleteWhere(filter) => {
                    Ok((json!({ "deleted": store.delete_where(filter, deadline, cancel).await? }), 1))
                }
            }
        };
        work.await
    }

    /// Whether it changes what is kept.
    pub(crate) fn writes(&self) -> bool {
        !matches!(self, Self::Search { .. })
    }
}

fn item(found: &Found) -> Value {
    json!({ "id": found.id, "text": found.content, "metadata": found.metadata, "score": found.score })
}

fn texts(value: Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.into_iter().filter_map(plain).collect(),
        other => plain(other).into_iter().collect(),
    }
}

impl Toolset {
    pub(crate) async fn run_vector(
        &self,
        context: &CallContext<'_>,
        tool: &Tool,
        action: &VectorAction,
        arguments: Map<String, Value>,
        started: Instant,
    ) -> Attempt<Outcome> {
        let store = action.store.as_ref().map_err(|why| errors::no_connection(tool, &action.connection, why))?;
        let settings = part::value(tool, action.verb, &action.settings, &scope(context, &arguments))?;
        let settings: Value = files::given(tool, settings.unwrap_or_else(|| json!({})))?;
        let wanted = Wanted::read(action.verb, settings, action.limit_max).map_err(|why| errors::value(tool, &why))?;
        let turn = self.turn(context, tool, started).await?;
        let done = wanted.run(store, turn.deadline, context.cancel).await;
        let (value, rows) = done.map_err(|error| failed(tool, &error, wanted.writes(), started))?;
        let outcome = self.finish(tool, &value)?;
        Ok(Outcome { rows, ..outcome })
    }
}

fn failed(tool: &Tool, error: &Error, writes: bool, started: Instant) -> Box<Failure> {
    match error.kind {
        ErrorKind::Value => errors::value(tool, &error.message),
        _ => errors::store(tool, error, writes, started.elapsed()),
    }
}
