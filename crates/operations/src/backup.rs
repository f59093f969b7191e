//! The whole store in one file, and back. The file is the same for both kinds of store, and holds what it holds: keys and tokens of
//! the authorization server as keyed hashes with their keys, jobs, the audit log.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{AuditKind, AuditNote, Dumped, Store};

use crate::context::blocking;
use crate::{Code, Context, Error};

/// A backup that was written or restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// The file.
    pub file: String,
    /// Its size, bytes.
    pub bytes: u64,
    /// When it was written, RFC 3339.
    pub made_at: String,
    /// Format of the tables.
    pub format: u32,
    /// How many tables it holds.
    pub tables: usize,
    /// How many rows it holds.
    pub rows: u64,
    /// Digest of its content.
    pub digest: String,
    /// Whether this was only tried: it says what would be.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

impl Output {
    fn new(file: &Path, bytes: u64, dumped: Dumped) -> Self {
        let Dumped { format, made_at, tables, rows, digest } = dumped;
        Self { file: file.display().to_string(), bytes, made_at, format, tables, rows, digest, dry_run: false }
    }
}

/// Writes the store as it is at this moment to a file that only its owner may read.
///
/// # Errors
/// There is no store; the file is there already, or cannot be written.
pub async fn backup(context: &Context, file: PathBuf, force: bool) -> Result<Output, Error> {
    if !context.has_store() {
        return Err(Error::new(Code::NothingBefore, "there is nothing to back up: the home folder holds no catalogue")
            .hint("name another home folder with `--home DIR`"));
    }
    may_write(&file, force)?;
    // What waits in the memory of this process.
    crate::audit::written(context).await;
    let store = context.shared_store().await?;
    let tries = context.tries;
    blocking(move || {
        if tries {
            return measure(&store, &file);
        }
        let aside = aside(&file);
        let written = write(&store, &aside, &file);
        if written.is_err() {
            let _ = std::fs::remove_file(&aside);
        }
        written
    })
    .await
}

/// Looks whether a file may be written, and its folder is there.
///
/// # Errors
/// The file is there and `force` is not said, or there is no folder for it.
pub fn may_write(file: &Path, force: bool) -> Result<(), Error> {
    if file.exists() && !force {
        return Err(Error::new(Code::NotEmpty, format!("{} is there already", file.display()))
            .hint("name another file, or overwrite it with `--force`"));
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let why = match () {
        () if file.is_dir() => "it is a folder",
        // It would be replaced, not written to.
        () if file.exists() && !file.is_file() => "it is no plain file",
        () if !folder.is_dir() => "there is no such folder",
        () => return Ok(()),
    };
    Err(Error::new(Code::CannotWrite, format!("cannot write {}: {why}", file.display()))
        .hint("name a file in a folder that there is"))
}

/// What would be written. Nothing is.
fn measure(store: &Store, file: &Path) -> Result<Output, Error> {
    let mut out = GzEncoder::new(Counted::default(), Compression::default());
    let dumped = store.dump(&mut out)?;
    let Counted(bytes) = out.finish().map_err(|error| Error::new(Code::Internal, error.to_string()))?;
    Ok(Output { dry_run: true, ..Output::new(file, bytes, dumped) })
}

/// Counts what is written, and keeps nothing.
#[derive(Default)]
struct Counted(u64);

impl std::io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn aside(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    file.with_file_name(name)
}

fn write(store: &Store, aside: &Path, file: &Path) -> Result<Output, Error> {
    let failed = |error| cannot_write(file, &error);
    let mut out = GzEncoder::new(BufWriter::new(private(aside).map_err(failed)?), Compression::default());
    let dumped = store.dump(&mut out)?;
    let mut inner = out.finish().map_err(failed)?;
    inner.flush().map_err(failed)?;
    let opened = inner.into_inner().map_err(|error| failed(error.into_error()))?;
    let bytes = settle(opened, aside, file).map_err(failed)?;
    Ok(Output::new(file, bytes, dumped))
}

/// A file that only its owner may read, empty.
fn private(file: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}

/// Puts what was written aside in its place, and tells its size in bytes.
fn settle(written: File, aside: &Path, file: &Path) -> std::io::Result<u64> {
    written.sync_all()?;
    let bytes = written.metadata()?.len();
    drop(written);
    std::fs::rename(aside, file)?;
    Ok(bytes)
}

fn cannot_write(file: &Path, error: &std::io::Error) -> Error {
    Error::new(Code::CannotWrite, format!("cannot write {}: {error}", file.display()))
        .hint("check the folder's permissions and the free space of the disk")
}

/// Writes a file in one step: when that fails, what was there before is there still.
///
/// # Errors
/// The file is there already and `force` is not said, or cannot be written.
pub fn keep(file: &Path, bytes: &[u8], force: bool) -> Result<(), Error> {
    may_write(file, force)?;
    // A link stays one, and so do permissions.
    let real = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let aside = aside(&real);
    let written = File::create(&aside).and_then(|mut out| {
        out.write_all(bytes)?;
        if let Ok(before) = std::fs::metadata(&real) {
            out.set_permissions(before.permissions())?;
        }
        settle(out, &aside, &real)
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&aside);
    }
    written.map(drop).map_err(|error| cannot_write(file, &error))
}

/// Puts a backup in the place of what is stored.
///
/// # Errors
/// The file is no whole backup; a control plane runs here, or elsewhere on the same database; something is stored already and
/// `force` is not said.
pub async fn restore(context: &Context, file: PathBuf, force: bool) -> Result<Output, Error> {
    // A file that cannot be restored leaves no folder behind, and no control plane begins in the folder until the end.
    let (bytes, checked) = blocking({
        let file = file.clone();
        move || check(&file)
    })
    .await?;
    if context.tries {
        let is_free = !context.has_store() || context.store(|store| store.is_empty()).await?;
        return match force || is_free {
            true => Ok(Output { dry_run: true, ..Output::new(&file, bytes, checked) }),
            false => Err(not_empty()),
        };
    }
    let _alone = crate::plane::alone(context).await?;
    let read = file.clone();
    let request = context.request.to_string();
    let loaded = context
        .store(move |store| {
            if !force && !store.is_empty()? {
                return Ok(None);
            }
            let open = move || Ok(BufReader::new(GzDecoder::new(BufReader::new(File::open(&read)?))));
            store.load(open, move |dumped| vec![note(dumped, request.clone())]).map(Some)
        })
        .await?;
    if loaded.is_none() {
        return Err(not_empty());
    }
    Ok(Output::new(&file, bytes, checked))
}

fn not_empty() -> Error {
    Error::new(Code::NotEmpty, "something is stored already, and restoring would replace all of it")
        .hint("choose another home folder with `--home DIR`")
        .hint("or replace it with `--force`; back it up first")
}

fn check(file: &Path) -> Result<(u64, Dumped), Error> {
    let name = file.display();
    let opened = File::open(file).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Error::new(Code::FileNotFound, format!("there is no file {name}")).hint("check the path")
        }
        _ => Error::new(Code::FileUnreadable, format!("cannot read {name}: {error}")),
    })?;
    let bytes = opened.metadata().map(|data| data.len()).unwrap_or_default();
    let checked = store::check_dump(BufReader::new(GzDecoder::new(BufReader::new(opened))));
    let checked = checked.map_err(|why| {
        Error::new(Code::BadArchive, format!("{name} cannot be restored: {why}"))
            .hint("use a file that `mcp-factory backup` wrote, unchanged; nothing was touched")
    })?;
    Ok((bytes, checked))
}

/// What was restored is said in the log that was restored.
fn note(dumped: &Dumped, request: String) -> AuditNote {
    AuditNote {
        kind: AuditKind::Change,
        time: None,
        operation: "platform.restore".into(),
        caller: "local".into(),
        owner: "local".into(),
        subject: "".into(),
        request,
        outcome: "ok".into(),
        details: json!({"madeAt": dumped.made_at, "digest": dumped.digest}).to_string(),
    }
}
