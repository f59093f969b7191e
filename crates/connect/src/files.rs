//! Files behind one interface: a folder of this machine, an S3 bucket, a Google Cloud Storage bucket.
//!
//! Paths are relative, `/` separates, and nothing leads out of the root or prefix of a store: see [`Path`]. Everything is
//! bounded by [`Limits`], and lists and searches say when there is more.

mod content;
mod diff;
mod edit;
mod gcs;
mod glob;
mod local;
mod media;
mod path;
mod remote;
mod s3;
mod scan;
mod tree;

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};

pub use crate::Job;
use crate::{Error, ErrorKind};

pub use content::{Content, Lines};
pub use edit::{Change, EDITS_MAX, Edit, Edited, Which};
pub use gcs::Gcs;
pub use glob::Glob;
pub use local::Local;
pub use path::{PATH_BYTES_MAX, Path};
pub use s3::S3;
pub use scan::{Found, Line, Matches, Search};
pub use tree::{Branch, Grown, TREE_ENTRIES_MAX, Tree};

/// A place with files.
pub struct Store {
    name: String,
    limits: Limits,
    kind: Kind,
}

enum Kind {
    Local(local::Folder),
    S3(Box<s3::Bucket>),
    Gcs(Box<gcs::Bucket>),
}

/// Bounds of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of a file that are read at once.
    pub read_bytes: u64,
    /// Most bytes that are written at once; a file that grows by appending may have no more either.
    pub write_bytes: u64,
    /// Most entries of a page of a list.
    pub entries: usize,
    /// Most entries that a list or a search looks at.
    pub visited: usize,
    /// Most folders within each other that a list or a search enters.
    pub depth: usize,
    /// Most bytes that a search reads.
    pub search_bytes: u64,
    /// A file larger than this is not searched for text.
    pub search_file_bytes: u64,
    /// Most files that a search gives.
    pub matches: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            read_bytes: 8 << 20,
            write_bytes: 64 << 20,
            entries: 1000,
            visited: 100_000,
            depth: 64,
            search_bytes: 64 << 20,
            search_file_bytes: 4 << 20,
            matches: 200,
        }
    }
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    /// A file.
    File,
    /// A folder; in a bucket, a common beginning of names.
    Folder,
    /// A symbolic link: told of, never followed.
    Link,
    /// A device, a socket, a pipe: told of, never opened.
    Other,
}

/// A file or folder.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Path below the root of the store.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// When it was changed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<DateTime<Utc>>,
    /// When it was made, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<DateTime<Utc>>,
    /// When it was read last, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accessed: Option<DateTime<Utc>>,
    /// Permissions in octal digits, of a local file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<String>,
    /// Names this state of the file; another one has another version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The media type, of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
}

impl Entry {
    fn new(path: impl Into<String>, kind: EntryKind) -> Self {
        let path = path.into();
        let media_type = (kind == EntryKind::File).then(|| media::of(&path).to_owned());
        Self {
            path,
            kind,
            size: None,
            modified: None,
            created: None,
            accessed: None,
            permissions: None,
            version: None,
            media_type,
        }
    }

    /// The last part of the path.
    pub fn name(&self) -> &str {
        self.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
    }
}

/// What to list.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// The folder; the root when empty.
    pub folder: String,
    /// Whether to list folders within folders.
    pub recursive: bool,
    /// Only entries whose path below the folder, or whose name when the pattern has no `/`, fits.
    pub glob: Option<String>,
    /// No entries that fit one of these, and nothing in folders that do.
    pub exclude: Vec<String>,
    /// Most entries; bounded by [`Limits::entries`], which is also the default.
    pub limit: Option<usize>,
    /// Where an earlier list ended.
    pub cursor: Option<String>,
}

/// A page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Listing {
    /// The entries, by path.
    pub entries: Vec<Entry>,
    /// For the next page, when there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What to read.
#[derive(Clone, Debug, Default)]
pub struct Read {
    /// The file.
    pub path: String,
    /// First byte.
    pub offset: Option<u64>,
    /// Most bytes. Without it the whole rest is read, and one over the limit refused.
    pub length: Option<u64>,
}

/// What to write.
#[derive(Clone, Debug, Default)]
pub struct Write {
    /// The file.
    pub path: String,
    /// The bytes.
    pub bytes: Bytes,
    /// What happens to a file that is there.
    pub mode: Mode,
    /// Only when the file still has this version.
    pub if_version: Option<String>,
    /// The media type that a bucket keeps; by the name when not said.
    pub media_type: Option<String>,
    /// Whether folders that are missing are made.
    pub parents: bool,
}

/// What happens to a file that is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// It is replaced, whole and at once.
    #[default]
    Overwrite,
    /// It is left alone, and the request fails.
    Create,
    /// The bytes are added to its end.
    Append,
}

/// What to move.
#[derive(Clone, Debug, Default)]
pub struct Move {
    /// The file or folder.
    pub from: String,
    /// Where it goes.
    pub to: String,
    /// Whether a file that is there is replaced.
    pub overwrite: bool,
}

/// A URL that lets its holder do one thing for a while.
#[derive(Clone, Debug)]
pub struct Presign {
    /// The file.
    pub path: String,
    /// Whether the holder may write it rather than read it.
    pub write: bool,
    /// For how long; at most [`EXPIRES_MAX`].
    pub expires: Duration,
}

/// Longest life of a presigned URL.
pub const EXPIRES_MAX: Duration = Duration::from_secs(7 * 24 * 3600);

impl Store {
    /// A folder of this machine. It has to be there.
    pub fn local(name: &str, settings: Local, limits: Limits) -> Result<Self, Error> {
        let folder = local::Folder::open(name, settings)?;
        Ok(Self { name: name.to_owned(), limits, kind: Kind::Local(folder) })
    }

    /// A bucket of S3 or of a store that speaks its protocol. Nothing is sent.
    pub fn s3(name: &str, settings: S3, limits: Limits) -> Result<Self, Error> {
        let bucket = s3::Bucket::open(name, settings, &limits)?;
        Ok(Self { name: name.to_owned(), limits, kind: Kind::S3(Box::new(bucket)) })
    }

    /// A bucket of Google Cloud Storage. Nothing is sent.
    pub fn gcs(name: &str, settings: Gcs, limits: Limits) -> Result<Self, Error> {
        let bucket = gcs::Bucket::open(name, settings, &limits)?;
        Ok(Self { name: name.to_owned(), limits, kind: Kind::Gcs(Box::new(bucket)) })
    }

    /// Connection by name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its limits.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The absolute path of a local root.
    pub fn root(&self) -> Option<&std::path::Path> {
        match &self.kind {
            Kind::Local(folder) => Some(folder.root()),
            _ => None,
        }
    }

    /// Whether a path may be absolute, when it lies below the root.
    pub fn takes_absolute(&self) -> bool {
        matches!(&self.kind, Kind::Local(folder) if folder.absolute_root().is_some())
    }

    /// Whether it can be reached: the root is there, the bucket answers.
    pub async fn ping(&self, job: &Job) -> Result<(), Error> {
        self.list(&List { limit: Some(1), ..List::default() }, job).await.map(drop)
    }

    /// Lists a folder.
    pub async fn list(&self, list: &List, job: &Job) -> Result<Listing, Error> {
        let wanted = self.wanted(list)?;
        match &self.kind {
            Kind::Local(folder) => folder.list(wanted, self.limits, job).await,
            Kind::S3(bucket) => bucket.list(wanted, job).await,
            Kind::Gcs(bucket) => bucket.list(wanted, job).await,
        }
    }

    /// Says what is known of a file or folder.
    pub async fn stat(&self, path: &str, job: &Job) -> Result<Entry, Error> {
        let path = self.path(path, "look at a file")?;
        match &self.kind {
            Kind::Local(folder) => folder.stat(path, job).await,
            Kind::S3(bucket) => bucket.stat(&path, job).await,
            Kind::Gcs(bucket) => bucket.stat(&path, job).await,
        }
    }

    /// Reads a file, or a part of it.
    pub async fn read(&self, read: &Read, job: &Job) -> Result<Content, Error> {
        let path = self.file(&read.path, "read a file")?;
        let span = content::Span::new(read, self.limits.read_bytes);
        match &self.kind {
            Kind::Local(folder) => folder.read(path, span, job).await,
            Kind::S3(bucket) => bucket.read(&path, span, job).await,
            Kind::Gcs(bucket) => bucket.read(&path, span, job).await,
        }
    }

    /// Writes a file. A reader sees the old one or the new one, never a part.
    pub async fn write(&self, write: &Write, job: &Job) -> Result<Entry, Error> {
        let path = self.file(&write.path, "write a file")?;
        let most = self.limits.write_bytes;
        if write.bytes.len() as u64 > most {
            return Err(self.fault(ErrorKind::Limit, "write a file", format!("it is larger than {most} bytes")));
        }
        match &self.kind {
            Kind::Local(folder) => folder.write(path, write.clone(), most, job).await,
            Kind::S3(bucket) => bucket.write(&path, write, most, job).await,
            Kind::Gcs(bucket) => bucket.write(&path, write, most, job).await,
        }
    }

    /// Makes a folder and those above it, and gives its path as entries have it. A bucket has none: there nothing is done.
    pub async fn make_folder(&self, path: &str, job: &Job) -> Result<String, Error> {
        let path = self.file(path, "make a folder")?;
        let told = path.as_str().to_owned();
        match &self.kind {
            Kind::Local(folder) => folder.make(path, job).await?,
            Kind::S3(_) | Kind::Gcs(_) => {}
        }
        Ok(told)
    }

    /// Deletes a file, or an empty folder, and gives its path as entries have it.
    pub async fn delete(&self, path: &str, job: &Job) -> Result<String, Error> {
        let path = self.file(path, "delete a file")?;
        let told = path.as_str().to_owned();
        match &self.kind {
            Kind::Local(folder) => folder.delete(path, job).await?,
            Kind::S3(bucket) => bucket.delete(&path, job).await?,
            Kind::Gcs(bucket) => bucket.delete(&path, job).await?,
        }
        Ok(told)
    }

    /// Moves a file, or a local folder.
    pub async fn rename(&self, wanted: &Move, job: &Job) -> Result<Entry, Error> {
        let from = self.file(&wanted.from, "move a file")?;
        let to = self.file(&wanted.to, "move a file")?;
        if from == to {
            return self.stat(&wanted.from, job).await;
        }
        match &self.kind {
            Kind::Local(folder) => folder.rename(from, to, wanted.overwrite, job).await,
            Kind::S3(bucket) => bucket.rename(&from, &to, wanted.overwrite, job).await,
            Kind::Gcs(bucket) => bucket.rename(&from, &to, wanted.overwrite, job).await,
        }
    }

    /// A URL for somebody without credentials. Local files have none.
    pub async fn presign(&self, wanted: &Presign, job: &Job) -> Result<String, Error> {
        let path = self.file(&wanted.path, "presign a URL")?;
        if wanted.expires > EXPIRES_MAX || wanted.expires < Duration::from_secs(1) {
            let most = EXPIRES_MAX.as_secs();
            let message = format!("a presigned URL lives from 1 to {most} seconds");
            return Err(self.fault(ErrorKind::Value, "presign a URL", message));
        }
        let _ = job;
        match &self.kind {
            Kind::Local(_) => {
                Err(self.fault(ErrorKind::Value, "presign a URL", "local files have no URL; read the file instead"))
            }
            Kind::S3(bucket) => bucket.presign(&path, wanted),
            Kind::Gcs(bucket) => bucket.presign(&path, wanted),
        }
    }

    fn wanted(&self, list: &List) -> Result<Wanted, Error> {
        let glob = |text: &String| {
            Glob::parse(text).map_err(|why| self.fault(ErrorKind::Value, "list files", why).with_code("pattern"))
        };
        Ok(Wanted {
            folder: self.path(&list.folder, "list files")?,
            recursive: list.recursive,
            glob: list.glob.as_ref().map(glob).transpose()?,
            exclude: list.exclude.iter().map(glob).collect::<Result<_, _>>()?,
            limit: list.limit.unwrap_or(self.limits.entries).clamp(1, self.limits.entries),
            cursor: list.cursor.clone(),
        })
    }

    /// The path of anything, the root among them.
    fn path(&self, text: &str, attempted: &'static str) -> Result<Path, Error> {
        let (hidden, root) = match &self.kind {
            Kind::Local(folder) => (folder.shows_hidden(), folder.absolute_root()),
            _ => (true, None),
        };
        Path::parse(text, hidden, root).map_err(|why| {
            let shown: String = text.chars().take(PATH_SHOWN).collect();
            self.fault(ErrorKind::Denied, attempted, format!("the path `{}` is refused: {why}", shown.escape_debug()))
                .with_code("path")
        })
    }

    /// The path of anything but the root.
    fn file(&self, text: &str, attempted: &'static str) -> Result<Path, Error> {
        let path = self.path(text, attempted)?;
        if path.is_root() {
            return Err(self.fault(ErrorKind::Value, attempted, "the path is empty: it has to name a file"));
        }
        Ok(path)
    }

    fn fault(&self, kind: ErrorKind, attempted: &'static str, message: impl Into<String>) -> Error {
        fault(&self.name, kind, attempted, message)
    }
}

/// Most characters of a path that an error shows.
const PATH_SHOWN: usize = 120;

/// A checked [`List`].
struct Wanted {
    folder: Path,
    recursive: bool,
    glob: Option<Glob>,
    exclude: Vec<Glob>,
    limit: usize,
    cursor: Option<String>,
}

impl Wanted {
    /// Whether an entry is listed.
    fn takes(&self, path: &str) -> bool {
        let below = self.below(path);
        !self.excludes(path) && self.glob.as_ref().is_none_or(|glob| glob.fits(below))
    }

    /// Whether an entry, or a folder above it, is left out.
    fn excludes(&self, path: &str) -> bool {
        let below = self.below(path);
        let ends = below.match_indices('/').map(|(at, _)| at).chain([below.len()]);
        !self.exclude.is_empty() && ends.into_iter().any(|end| self.exclude.iter().any(|glob| glob.fits(&below[..end])))
    }

    fn below<'a>(&self, path: &'a str) -> &'a str {
        let path = path.trim_end_matches('/');
        match self.folder.is_root() {
            true => path,
            false => path.strip_prefix(self.folder.as_str()).map_or(path, |rest| rest.trim_start_matches('/')),
        }
    }
}

fn fault(connection: &str, kind: ErrorKind, attempted: &'static str, message: impl Into<String>) -> Error {
    let (connection, message) = (connection.to_owned(), message.into());
    Error { kind, connection, attempted, message, code: None, position: None, hint: None }
}

impl Error {
    /// The same with a code.
    fn with_code(mut self, code: &str) -> Self {
        self.code = Some(code.to_owned());
        self
    }
}
