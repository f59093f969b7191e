//! Reading: a text, a picture, a sound, an embedded resource, or JSON.

use connect::ErrorKind;
use connect::files::{Content as Bytes, Lines, Read, Store};
use serde::Deserialize;
use serde_json::{Value, json};
use spec::model::FilesAs;

use super::{Attempt, Call};
use crate::errors;
use crate::limits::FILES_READ_MAX;
use crate::outcome::{Content, Outcome};
use crate::toolset::{Tool, Toolset};

/// The settings of a call.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Given {
    path: Option<String>,
    paths: Option<Vec<String>>,
    #[serde(rename = "as")]
    form: FilesAs,
    offset: Option<u64>,
    length: Option<u64>,
    head: Option<usize>,
    tail: Option<usize>,
}

impl Toolset {
    pub(super) async fn read_files(&self, call: &Call<'_>, given: Given) -> Attempt<Outcome> {
        match &given.paths {
            Some(paths) if paths.len() > FILES_READ_MAX => {
                Err(errors::value(call.tool, &format!("at most {FILES_READ_MAX} files are read at once")))
            }
            Some(paths) => self.read_several(call, paths, given.form == FilesAs::Json).await,
            None => self.read_file(call, given).await,
        }
    }

    /// Several files, one after the other. What is wrong with one of them is told in its place.
    async fn read_several(&self, call: &Call<'_>, paths: &[String], structured: bool) -> Attempt<Outcome> {
        let tool = call.tool;
        let (mut values, mut size) = (Vec::with_capacity(paths.len()), 0);
        for path in paths {
            let read = Read { path: path.clone(), ..Read::default() };
            let value = match call.store.read(&read, &call.job).await {
                Ok(found) => described(&found, found.text().ok().map(str::to_owned)),
                Err(error) if matches!(error.kind, ErrorKind::Timeout | ErrorKind::Cancelled) => {
                    return Err(call.failed(&error));
                }
                Err(error) => json!({ "path": path, "error": error.message }),
            };
            size += ["text", "base64"].iter().filter_map(|key| value[*key].as_str()).map(str::len).sum::<usize>();
            if size > self.raw_bytes(tool) {
                return Err(errors::too_many_bytes(tool, size, self.raw_bytes(tool)));
            }
            values.push(value);
        }
        if structured || tool.output.is_some() {
            return self.told(tool, &json!({ "files": values }));
        }
        let parts = paths.iter().zip(&values).map(|(path, value)| match (&value["text"], &value["error"]) {
            (Value::String(text), _) => format!("{path}:\n{text}\n"),
            (_, Value::String(error)) => format!("{path}: Error - {error}"),
            _ => format!("{path}: Error - it is no text"),
        });
        Ok(Outcome::content(Content::Text(parts.collect::<Vec<_>>().join("\n---\n"))))
    }

    async fn read_file(&self, call: &Call<'_>, given: Given) -> Attempt<Outcome> {
        let (tool, store) = (call.tool, call.store);
        let failed = |error: connect::Error| call.failed(&error);
        let read = Read { path: given.path.unwrap_or_default(), offset: given.offset, length: given.length };
        let found = store.read(&read, &call.job).await.map_err(failed)?;
        let lines = match (given.head, given.tail) {
            (Some(_), Some(_)) => return Err(errors::value(tool, "lines from the start and from the end at once")),
            (Some(count), None) => Some(Lines::Head(count)),
            (None, Some(count)) => Some(Lines::Tail(count)),
            (None, None) => None,
        };
        let text = || match lines {
            Some(lines) => found.lines(lines),
            None => found.text(),
        };
        let size = found.bytes.len();
        if size > self.raw_bytes(tool) {
            return Err(errors::too_many_bytes(tool, size, self.raw_bytes(tool)));
        }
        match given.form {
            FilesAs::Json => self.told(tool, &described(&found, text().ok().map(str::to_owned))),
            FilesAs::Text => self.text_of(tool, &found, text().map_err(failed)?.to_owned()),
            FilesAs::Auto if lines.is_some() || !is_media(&found) => match text() {
                Ok(text) => self.text_of(tool, &found, text.to_owned()),
                Err(error) if lines.is_some() => Err(failed(error)),
                Err(_) => Ok(content(store, &found)),
            },
            FilesAs::Auto | FilesAs::Content => Ok(content(store, &found)),
        }
    }

    fn text_of(&self, tool: &Tool, found: &Bytes, text: String) -> Attempt<Outcome> {
        if tool.output.is_some() {
            return self.told(tool, &text);
        }
        let mut outcome = Outcome::content(Content::Text(text));
        if found.has_more() {
            let (next, total) = (found.offset + found.bytes.len() as u64, found.total.unwrap_or_default());
            let note = format!("[The file has {total} bytes; the next part begins at offset {next}.]");
            outcome.content.push(Content::Text(note));
        }
        Ok(outcome)
    }
}

/// Whether it is shown rather than read.
fn is_media(found: &Bytes) -> bool {
    let kind = found.entry.media_type.as_deref().unwrap_or_default();
    let shown = ["image/", "audio/", "video/"].iter().any(|start| kind.starts_with(start));
    shown && kind != "image/svg+xml"
}

fn content(store: &Store, found: &Bytes) -> Outcome {
    let kind = found.entry.media_type.clone().unwrap_or_default();
    let path: String = url::form_urlencoded::byte_serialize(found.entry.path.as_bytes()).collect();
    let path = path.replace("%2F", "/").replace('+', "%20");
    let uri = format!("files://{}/{path}", store.name());
    Outcome::content(Content::of_bytes(&found.bytes, &kind, uri))
}

fn described(found: &Bytes, text: Option<String>) -> Value {
    let mut value = serde_json::to_value(&found.entry).unwrap_or_else(|_| json!({}));
    match text {
        Some(text) => value["text"] = text.into(),
        None => value["base64"] = found.base64().into(),
    }
    if found.has_more() {
        value["nextOffset"] = (found.offset + found.bytes.len() as u64).into();
    }
    value
}
