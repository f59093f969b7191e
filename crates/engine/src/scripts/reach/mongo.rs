//! MongoDB as a script sees it: `await docs.find('users', {filter: {name: 'Ada'}, limit: 10})`.

use std::sync::Arc;

use bytes::Bytes;
use connect::mongo::{Form, Mongo, Request, Verb};
use script::HostError;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::host::{ScriptHost, told};
use super::refuse;
use crate::outcome::FailureKind;

/// Each takes a collection and the parts of the operation, with `limit`. `find` and `aggregate` give a list of documents, `count`
/// a number, `distinct` a list of values, the others what they did.
pub(super) const FUNCTIONS: [&str; 7] = spec::mongo::VERBS;

#[derive(Deserialize)]
#[serde(untagged)]
enum Arguments {
    Bare((String,)),
    With((String, Option<Map<String, Value>>)),
}

pub(super) async fn call(
    mongo: &Arc<Mongo>,
    host: &ScriptHost<'_>,
    connection: &str,
    name: &str,
    arguments: &str,
) -> Result<Bytes, HostError> {
    let (collection, mut options) = match serde_json::from_str(arguments) {
        Ok(Arguments::Bare((collection,))) => (collection, Map::new()),
        Ok(Arguments::With((collection, options))) => (collection, options.unwrap_or_default()),
        Err(_) => {
            let message = format!("`{connection}.{name}(collection, parts)` takes a name and an object");
            return Err(refuse(FailureKind::Value, message));
        }
    };
    let Some(verb) = Verb::of(name) else {
        return Err(refuse(FailureKind::Internal, format!("`{name}` is no operation")));
    };
    let most = host.rows();
    let limit = match options.shift_remove("limit") {
        None => most,
        Some(limit) => limit.as_u64().and_then(|limit| usize::try_from(limit).ok()).unwrap_or(most).clamp(1, most),
    };
    let write = host.writes();
    let request = Request { database: None, collection, verb, options, limit, write, form: Form::Plain };
    let value = mongo.run(&request, host.deadline().into(), host.context.cancel).await;
    let value = value.map_err(|error| told(&error, write))?;
    let value = match verb {
        Verb::Find | Verb::Aggregate => value.get("documents").cloned().unwrap_or_default(),
        Verb::Distinct => value.get("values").cloned().unwrap_or_default(),
        Verb::Count => value.get("count").cloned().unwrap_or_default(),
        _ => value,
    };
    Ok(value.to_string().into())
}
