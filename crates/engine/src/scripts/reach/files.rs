//! Files as a script sees them: `await docs.read('notes/today.md')`, `await docs.search({text: 'shoes'})`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use connect::Error;
use connect::files::{Job, List, Move, Presign, Read, Search, Store, Tree};
use script::HostError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::super::host::{ScriptHost, told};
use super::refuse;
use crate::actions::files::{PRESIGNED, edit, written};
use crate::outcome::FailureKind;

/// Each takes what it cannot do without (`read(path)`, `write(path, text)`, `edit(path, edits)`, `move(from, to)`, `list(path)`), then an
/// object with the settings that the action `files` has. `read` gives a text; `readBase64` the bytes of any file.
pub(super) const FUNCTIONS: [&str; 12] =
    ["read", "readBase64", "list", "tree", "search", "stat", "presign", "write", "edit", "move", "folder", "delete"];

/// Those that change files.
const WRITES: [&str; 5] = ["write", "edit", "move", "folder", "delete"];

/// What a call says, beyond what it cannot do without.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Given {
    path: String,
    to: String,
    offset: Option<u64>,
    length: Option<u64>,
    recursive: bool,
    glob: Option<String>,
    exclude: Vec<String>,
    limit: Option<usize>,
    depth: Option<usize>,
    cursor: Option<String>,
    text: Option<String>,
    regex: Option<String>,
    any_case: bool,
    folders: bool,
    overwrite: bool,
    write: bool,
    seconds: Option<u64>,
}

pub(super) async fn call(
    store: &Arc<Store>,
    host: &ScriptHost<'_>,
    connection: &str,
    name: &str,
    arguments: &str,
) -> Result<Bytes, HostError> {
    let wrong = |why: &str| refuse(FailureKind::Value, format!("`{connection}.{name}`: {why}"));
    let settings = settings(name, arguments).ok_or_else(|| wrong("a path, then an object of settings"))?;
    // These two have settings of their own.
    let is_own = matches!(name, "write" | "edit");
    let given: Given = if is_own { Given::default() } else { read(&settings).map_err(|why| wrong(&why))? };
    if (WRITES.contains(&name) || (name == "presign" && given.write)) && !host.writes() {
        return Err(super::silent(&format!("`{connection}.{name}`")));
    }
    let job = Job { deadline: host.deadline().into(), cancel: host.context.cancel.clone() };
    let failed = |error: Error| told(&error, host.writes());
    let value = match name {
        "read" | "readBase64" => {
            let Given { path, offset, length, .. } = given;
            let found = store.read(&Read { path, offset, length }, &job).await.map_err(failed)?;
            if name == "read" { found.text().map_err(failed)?.into() } else { found.base64().into() }
        }
        "list" => {
            let Given { path: folder, recursive, glob, exclude, limit, cursor, .. } = given;
            let list = List { folder, recursive, glob, exclude, limit, cursor };
            json!(store.list(&list, &job).await.map_err(failed)?)
        }
        "tree" => {
            let Given { path: folder, exclude, depth, limit, .. } = given;
            json!(store.tree(&Tree { folder, exclude, depth, limit }, &job).await.map_err(failed)?)
        }
        "search" => {
            let Given { path: folder, glob, exclude, text, regex, any_case, folders, limit, .. } = given;
            let search = Search { folder, glob, exclude, text, regex, any_case, folders, limit };
            json!(store.search(&search, &job).await.map_err(failed)?)
        }
        "stat" => json!(store.stat(&given.path, &job).await.map_err(failed)?),
        "presign" => {
            let expires = Duration::from_secs(given.seconds.unwrap_or(PRESIGNED));
            let wanted = Presign { path: given.path, write: given.write, expires };
            store.presign(&wanted, &job).await.map_err(failed)?.into()
        }
        "write" => {
            let write = written(read(&settings).map_err(|why| wrong(&why))?).map_err(|why| wrong(&why))?;
            json!(store.write(&write, &job).await.map_err(failed)?)
        }
        "edit" => {
            let edit = edit(read(&settings).map_err(|why| wrong(&why))?);
            json!(store.edit(&edit, &job).await.map_err(failed)?)
        }
        "move" => {
            let Given { path: from, to, overwrite, .. } = given;
            json!(store.rename(&Move { from, to, overwrite }, &job).await.map_err(failed)?)
        }
        "folder" => {
            store.make_folder(&given.path, &job).await.map_err(failed)?;
            Value::Null
        }
        _ => {
            store.delete(&given.path, &job).await.map_err(failed)?;
            Value::Null
        }
    };
    Ok(value.to_string().into())
}

/// The arguments of a call as one object.
fn settings(name: &str, arguments: &str) -> Option<Value> {
    let mut given = serde_json::from_str::<Vec<Value>>(arguments).ok()?;
    let mut settings = match given.last() {
        Some(Value::Object(_)) => match given.pop() {
            Some(Value::Object(settings)) => settings,
            _ => return None,
        },
        _ => Map::new(),
    };
    let keys: &[&str] = match name {
        "search" => &[],
        "write" => &["path", "text"],
        "edit" => &["path", "edits"],
        "move" => &["path", "to"],
        _ => &["path"],
    };
    let optional = matches!(name, "list" | "tree" | "search");
    if given.len() > keys.len() || (!optional && !keys.is_empty() && given.is_empty()) {
        return None;
    }
    for (key, value) in keys.iter().zip(given) {
        if !value.is_null() {
            settings.insert((*key).to_owned(), value);
        }
    }
    Some(Value::Object(settings))
}

fn read<T: DeserializeOwned>(settings: &Value) -> Result<T, String> {
    T::deserialize(settings).map_err(|error| error.to_string())
}
