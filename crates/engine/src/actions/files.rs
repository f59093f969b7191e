//! The `files` action: files of a folder or a bucket from a call's arguments, and a result from what was found.

mod edit;
mod list;
mod read;

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use connect::files::{Job, Mode, Move, Presign, Search, Store, Tree as Below, Write};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use spec::expression::Tree;
use spec::model::{Files, FilesMode};

pub(crate) use edit::edit;

use super::{Fault, part, scope};
use crate::connections::Link;
use crate::context::CallContext;
use crate::errors;
use crate::outcome::{Failure, Outcome};
use crate::shape;
use crate::toolset::{Tool, Toolset};

type Attempt<T> = Result<T, Box<Failure>>;

/// Life of a presigned URL that says none.
pub(crate) const PRESIGNED: u64 = 3600;

/// What is done with files, with everything that is known before a call.
pub(crate) struct FilesAction {
    connection: Box<str>,
    store: Link<Store>,
    verb: &'static str,
    settings: Tree,
}

impl std::fmt::Debug for FilesAction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FilesAction").field("connection", &self.connection).finish_non_exhaustive()
    }
}

impl FilesAction {
    /// Compiles an action.
    ///
    /// # Errors
    /// What cannot be read, for the author.
    pub(crate) fn compile(connection: &str, store: Link<Store>, action: &Files) -> Result<Self, Fault> {
        let (verb, settings) = action.verb().ok_or("an action on files does exactly one thing")?;
        Ok(Self { connection: connection.into(), store, verb, settings: part::tree(&settings)? })
    }
}

/// The settings of a call, once their templates have values.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Given {
    path: String,
    glob: Option<String>,
    exclude: Vec<String>,
    limit: Option<usize>,
    depth: Option<usize>,
    text: Option<String>,
    regex: Option<String>,
    any_case: bool,
    folders: bool,
    from: String,
    to: String,
    overwrite: bool,
    seconds: Option<u64>,
    write: bool,
}

/// What is written.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct Written {
    path: String,
    text: Option<Value>,
    base64: Option<String>,
    json: Option<Value>,
    mode: FilesMode,
    if_version: Option<String>,
    media_type: Option<String>,
    parents: bool,
}

/// A call that has its turn.
struct Call<'a> {
    tool: &'a Tool,
    store: &'a Store,
    job: Job,
    started: Instant,
}

impl Call<'_> {
    fn failed(&self, error: &connect::Error) -> Box<Failure> {
        errors::of_files(self.tool, error, self.started.elapsed())
    }
}

impl Toolset {
    pub(crate) async fn run_files(
        &self,
        context: &CallContext<'_>,
        tool: &Tool,
        action: &FilesAction,
        arguments: Map<String, Value>,
        started: Instant,
    ) -> Attempt<Outcome> {
        let store = action.store.as_ref().map_err(|why| errors::no_connection(tool, &action.connection, why))?;
        let settings = part::value(tool, action.verb, &action.settings, &scope(context, &arguments))?;
        let settings = settings.unwrap_or_else(|| json!({}));
        let turn = self.turn(context, tool, started).await?;
        let job = Job { deadline: turn.deadline.into(), cancel: context.cancel.clone() };
        let call = Call { tool, store, job, started };
        match action.verb {
            "read" => return self.read_files(&call, given(tool, settings)?).await,
            "list" => return self.list_files(&call, given(tool, settings)?).await,
            "edit" => return self.edit_file(&call, given(tool, settings)?).await,
            "write" => {
                let write = written(given(tool, settings)?).map_err(|why| errors::value(tool, &why))?;
                return self.told(tool, &store.write(&write, &call.job).await.map_err(|error| call.failed(&error))?);
            }
            _ => {}
        }
        let given: Given = given(tool, settings)?;
        let (job, failed) = (&call.job, |error: connect::Error| call.failed(&error));
        match action.verb {
            "tree" => {
                let Given { path: folder, exclude, depth, limit, .. } = given;
                let below = Below { folder, exclude, depth, limit };
                self.told(tool, &store.tree(&below, job).await.map_err(failed)?)
            }
            "roots" => self.told(tool, &json!({ "roots": [root(store)] })),
            "search" => {
                let Given { path: folder, glob, exclude, text, regex, any_case, folders, limit, .. } = given;
                let search = Search { folder, glob, exclude, text, regex, any_case, folders, limit };
                self.told(tool, &store.search(&search, job).await.map_err(failed)?)
            }
            "stat" => self.told(tool, &store.stat(&given.path, job).await.map_err(failed)?),
            "delete" => {
                let path = store.delete(&given.path, job).await.map_err(failed)?;
                self.told(tool, &json!({ "deleted": path }))
            }
            "folder" => {
                let path = store.make_folder(&given.path, job).await.map_err(failed)?;
                self.told(tool, &json!({ "path": path }))
            }
            "move" => {
                let Given { from, to, overwrite, .. } = given;
                let wanted = Move { from, to, overwrite };
                self.told(tool, &store.rename(&wanted, job).await.map_err(failed)?)
            }
            _ => {
                let expires = Duration::from_secs(given.seconds.unwrap_or(PRESIGNED));
                let wanted = Presign { path: given.path, write: given.write, expires };
                let url = store.presign(&wanted, job).await.map_err(failed)?;
                self.told(tool, &json!({ "url": url, "expiresInSeconds": expires.as_secs() }))
            }
        }
    }

    /// A structured result.
    pub(super) fn told(&self, tool: &Tool, value: &impl Serialize) -> Attempt<Outcome> {
        let json = serde_json::to_vec(value).map_err(|error| errors::output(tool, "", &error.to_string()))?;
        if json.len() > self.raw_bytes(tool) {
            return Err(errors::too_many_bytes(tool, json.len(), self.raw_bytes(tool)));
        }
        shape::conforms(tool, &json)?;
        Ok(Outcome::structured(Bytes::from(json)))
    }
}

/// Where the files of a store are: the path of a folder only when paths may be absolute, else a dot.
fn root(store: &Store) -> String {
    store.root().filter(|_| store.takes_absolute()).map_or_else(|| ".".to_owned(), |root| root.display().to_string())
}

/// The settings in their types.
pub(super) fn given<T: DeserializeOwned>(tool: &Tool, settings: Value) -> Attempt<T> {
    serde_json::from_value(settings).map_err(|error| errors::value(tool, &error.to_string()))
}

/// What is written, as the store takes it.
pub(crate) fn written(given: Written) -> Result<Write, String> {
    let bytes = match (given.text, given.base64, given.json) {
        (Some(Value::String(text)), ..) => text.into_bytes(),
        (Some(other), ..) => other.to_string().into_bytes(),
        (_, Some(base64), _) => STANDARD.decode(base64.trim()).map_err(|_| "what is to be written is not Base64")?,
        (_, _, Some(json)) => serde_json::to_vec_pretty(&json).unwrap_or_default(),
        _ => return Err("there is nothing to be written".to_owned()),
    };
    let mode = match given.mode {
        FilesMode::Overwrite => Mode::Overwrite,
        FilesMode::Create => Mode::Create,
        FilesMode::Append => Mode::Append,
    };
    let Written { path, if_version, media_type, parents, .. } = given;
    Ok(Write { path, bytes: bytes.into(), mode, if_version, media_type, parents })
}
