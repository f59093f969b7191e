//! Files of a folder or a bucket.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::sql::Effects;

/// What is done with the files of the tool's connection. Exactly one of its keys. All texts are templates.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Files {
    /// Lists a folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<FilesList>,
    /// Reads a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<FilesRead>,
    /// Writes a file, whole and at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write: Option<FilesWrite>,
    /// Deletes a file or an empty folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete: Option<FilesPath>,
    /// Moves a file, or a local folder.
    #[serde(rename = "move", skip_serializing_if = "Option::is_none")]
    pub moved: Option<FilesMove>,
    /// Searches names and contents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<FilesSearch>,
    /// Says what is known of a file or folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stat: Option<FilesPath>,
    /// Makes a folder and those above it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<FilesPath>,
    /// Shows a folder with everything below it, as a tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tree: Option<FilesTree>,
    /// Changes a text file: texts put in the place of others. The answer is the difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edit: Option<FilesEdit>,
    /// Tells where the files are: `{}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roots: Option<FilesRoots>,
    /// Makes a URL that lets its holder read or write a file of a bucket for a while.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presign: Option<FilesPresign>,
}

/// The path of a file or folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FilesPath {
    /// Below the root of the connection.
    pub path: String,
}

/// A list of a folder.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct FilesList {
    /// The folder; the root when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Whether to list folders within folders: true or false, or a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recursive: Option<Value>,
    /// A pattern: `*.md`, `docs/**`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub glob: Option<String>,
    /// Patterns of what is left out: a list, or a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude: Option<Value>,
    /// Most entries: a number, or a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Value>,
    /// `next` of an earlier answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// By what the entries are ordered: `path`, `name`, `size` (the largest first), `modified` (the newest first), or a template.
    /// Other orders than by path need the whole folder on one page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    /// Whether the numbers of files and folders of the page and their bytes are told too.
    #[serde(skip_serializing_if = "is_false")]
    pub totals: bool,
}

/// What a file is given as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FilesAs {
    /// A text when it is one, else what `content` says.
    #[default]
    Auto,
    /// A text; a file that is none is refused.
    Text,
    /// A picture, a sound, or an embedded resource, by its media type.
    Content,
    /// JSON with what is known of the file and its `text` or `base64`.
    Json,
}

/// A file, or a part of it, or several files. One of `path` and `paths`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FilesRead {
    /// Below the root of the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Several files: a list, or a template. One that cannot be read is told of and does not keep the others from being read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paths: Option<Value>,
    /// What it is given as.
    #[serde(default, rename = "as")]
    pub form: FilesAs,
    /// First byte: a number, or a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<Value>,
    /// Most bytes: a number, or a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<Value>,
    /// So many lines from the start: a number, or a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Value>,
    /// So many lines from the end: a number, or a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail: Option<Value>,
}

/// What happens to a file that is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FilesMode {
    /// It is replaced.
    #[default]
    Overwrite,
    /// It is left alone, and the call fails.
    Create,
    /// What is written is added to its end.
    Append,
}

/// What is written. Exactly one of `text`, `base64` and `json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FilesWrite {
    /// Below the root of the connection.
    pub path: String,
    /// A text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Bytes in Base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    /// A value, written as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<Value>,
    /// What happens to a file that is there.
    #[serde(default)]
    pub mode: FilesMode,
    /// Only when the file still has this version, as `stat` and `read` tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_version: Option<String>,
    /// The media type that a bucket keeps; by the name when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Whether folders that are missing are made.
    #[serde(default)]
    pub parents: bool,
}

/// From where to where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FilesMove {
    /// The file.
    pub from: String,
    /// Its new path.
    pub to: String,
    /// Whether a file that is there is replaced: true or false, or a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overwrite: Option<Value>,
}

/// What is searched for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct FilesSearch {
    /// The folder; the root when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// A pattern of paths below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub glob: Option<String>,
    /// Patterns of what is left out: a list, or a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude: Option<Value>,
    /// A text that a line of the file holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// A regular expression that a line of the file fits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regex: Option<String>,
    /// Whether capitals do not matter: true or false, or a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub any_case: Option<Value>,
    /// Whether folders are found too, when names alone are searched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folders: Option<Value>,
    /// Most files: a number, or a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Value>,
}

/// A folder with everything below it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct FilesTree {
    /// The folder; the root when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Patterns of what is left out: a list, or a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude: Option<Value>,
    /// How many folders deep: a number, or a template. Default: all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depth: Option<Value>,
    /// Most entries: a number, or a template. At most 10 000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Value>,
}

/// Which places of a text are changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FilesWhich {
    /// The only one: a text that is there several times is refused.
    #[default]
    Only,
    /// The first one.
    First,
    /// Every one.
    All,
}

/// Changes of a text file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FilesEdit {
    /// Below the root of the connection.
    pub path: String,
    /// The changes, a list of `{oldText, newText}`, or a template. Each is made in what the one before it left; all are made or none.
    pub edits: Value,
    /// Which places of a text are changed.
    #[serde(default)]
    pub which: FilesWhich,
    /// Whether lines may differ in the spaces at their ends when a text is nowhere as it is. What comes in their place is indented as they were.
    #[serde(default)]
    pub loose: bool,
    /// Whether the file is left as it is and only the difference is told: true or false, or a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<Value>,
    /// What the answer is: a text with the difference, or JSON with it and what is known of the file.
    #[serde(default, rename = "as")]
    pub form: FilesDiffAs,
}

/// What a difference is given as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FilesDiffAs {
    /// A text, as `diff -u` shows it.
    #[default]
    Text,
    /// JSON with what is known of the file, `diff`, `changed` and `written`.
    Json,
}

/// Nothing is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FilesRoots {}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// A URL for others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FilesPresign {
    /// Below the root of the connection.
    pub path: String,
    /// Whether its holder may write the file rather than read it.
    #[serde(default)]
    pub write: bool,
    /// For how long, seconds: a number, or a template. Default: an hour; at most a week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<Value>,
}

impl Files {
    /// The verb and its settings as a value template; nothing unless there is exactly one.
    pub fn verb(&self) -> Option<(&'static str, Value)> {
        let Ok(Value::Object(mut verbs)) = serde_json::to_value(self) else { return None };
        let known = VERBS.iter().find(|verb| verbs.contains_key(**verb))?;
        let settings = verbs.remove(*known)?;
        verbs.is_empty().then_some((*known, settings))
    }

    /// What it does to the world.
    pub fn effects(&self) -> Effects {
        let writes = self.write.is_some()
            || self.delete.is_some()
            || self.moved.is_some()
            || self.folder.is_some()
            || self.edit.is_some();
        let adds = self.folder.is_some() || self.write.as_ref().is_some_and(|write| write.mode != FilesMode::Overwrite);
        let again =
            self.write.as_ref().is_some_and(|write| write.mode == FilesMode::Overwrite) || self.folder.is_some();
        let hands_out = self.presign.as_ref().is_some_and(|presign| presign.write);
        Effects {
            read_only: !writes && !hands_out,
            destructive: (writes && !adds) || hands_out,
            idempotent: !writes || again,
        }
    }
}

/// The verbs.
pub(crate) const VERBS: [&str; 12] =
    ["list", "read", "write", "delete", "move", "search", "stat", "folder", "tree", "edit", "roots", "presign"];
