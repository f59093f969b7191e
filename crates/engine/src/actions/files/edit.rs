//! Changing: texts put in the place of others, and the difference as the answer.

use connect::files::{Change, Edit, Which};
use serde::Deserialize;
use serde_json::Value;
use spec::model::{FilesDiffAs, FilesWhich};

use super::{Attempt, Call};
use crate::errors;
use crate::outcome::{Content, Outcome};
use crate::toolset::Toolset;

/// The settings of a call.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct Given {
    path: String,
    edits: Vec<GivenChange>,
    which: FilesWhich,
    loose: bool,
    dry_run: bool,
    #[serde(rename = "as")]
    form: FilesDiffAs,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct GivenChange {
    old_text: String,
    new_text: String,
}

impl Toolset {
    pub(super) async fn edit_file(&self, call: &Call<'_>, given: Given) -> Attempt<Outcome> {
        let (tool, form) = (call.tool, given.form);
        let edited = call.store.edit(&edit(given), &call.job).await.map_err(|error| call.failed(&error))?;
        if form == FilesDiffAs::Json {
            return self.told(tool, &edited);
        }
        if tool.output.is_some() {
            return self.told(tool, &Value::from(edited.diff));
        }
        if edited.diff.len() > self.raw_bytes(tool) {
            return Err(errors::too_many_bytes(tool, edited.diff.len(), self.raw_bytes(tool)));
        }
        let text = if edited.diff.is_empty() { NOTHING.to_owned() } else { edited.diff };
        Ok(Outcome::content(Content::Text(text)))
    }
}

/// The answer when what was put in is what was there.
const NOTHING: &str = "Nothing has changed.";

/// The changes, as the store takes them.
pub(crate) fn edit(given: Given) -> Edit {
    let changes = given.edits.into_iter().map(|one| Change { old: one.old_text, new: one.new_text });
    Edit {
        path: given.path,
        changes: changes.collect(),
        which: which(given.which),
        loose: given.loose,
        dry_run: given.dry_run,
    }
}

fn which(which: FilesWhich) -> Which {
    match which {
        FilesWhich::Only => Which::Only,
        FilesWhich::First => Which::First,
        FilesWhich::All => Which::All,
    }
}
