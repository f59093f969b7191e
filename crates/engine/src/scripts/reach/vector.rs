//! Texts with vectors as a script sees them: `await notes.search('what to look for', {limit: 5})`.

use std::sync::Arc;

use bytes::Bytes;
use connect::vector::Store;
use script::HostError;
use serde_json::{Map, Value, json};

use super::super::host::{ScriptHost, told};
use super::refuse;
use crate::actions::vector::Wanted;
use crate::outcome::FailureKind;

/// `store` takes a text or a list of `{id, text, metadata}`, `search` a text, `delete` an identifier or a list; what else is
/// said comes in an object after it.
pub(super) const FUNCTIONS: [&str; 3] = ["store", "search", "delete"];

pub(super) async fn call(
    store: &Arc<Store>,
    host: &ScriptHost<'_>,
    connection: &str,
    name: &str,
    arguments: &str,
) -> Result<Bytes, HostError> {
    let usage = || {
        let message = format!(
            "`{connection}.store(text or items, {{id, metadata}})`, `{connection}.search(text, {{filter, limit, minScore}})` and \
             `{connection}.delete(ids, {{filter}})` are what there is"
        );
        refuse(FailureKind::Value, message)
    };
    let mut given = serde_json::from_str::<Vec<Value>>(arguments).map_err(|_| usage())?.into_iter();
    let first = given.next().unwrap_or_default();
    let mut settings = match given.next() {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(settings)) => settings,
        Some(_) => return Err(usage()),
    };
    let key = match (name, &first) {
        ("store", Value::Array(_)) => "items",
        ("store" | "search", Value::String(_)) => "text",
        ("delete", Value::Null) => "",
        ("delete", _) => "ids",
        _ => return Err(usage()),
    };
    if !key.is_empty() {
        settings.insert(key.to_owned(), first);
    }
    let wanted = Wanted::read(name, Value::Object(settings), host.rows());
    let wanted = wanted.map_err(|why| refuse(FailureKind::Value, format!("`{connection}.{name}`: {why}")))?;
    if wanted.writes() && !host.writes() {
        return Err(super::silent(&format!("`{connection}.{name}`")));
    }
    let (value, _) =
        wanted.run(store, host.deadline(), host.context.cancel).await.map_err(|error| told(&error, wanted.writes()))?;
    let value = match (name, value) {
        ("search", mut value) => value.get_mut("items").map_or_else(|| json!([]), Value::take),
        (_, value) => value,
    };
    Ok(value.to_string().into())
}
