//! A folder of this machine.

mod fault;
mod jail;
mod list;
mod write;

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;

use super::content::Span;
use super::{Content, Entry, EntryKind, Job, Limits, Listing, Path, Wanted, Write, fault as plain_fault};
use crate::{Error, ErrorKind};
use fault::{Fault, Outcome};
use jail::Jail;

/// A folder of this machine.
#[derive(Clone, Debug, Default)]
pub struct Local {
    /// The folder; everything happens below it.
    pub root: PathBuf,
    /// Whether files and folders whose names begin with a dot are there.
    pub hidden: bool,
    /// Whether a path may also be absolute, when it lies below the root.
    pub absolute: bool,
}

/// An opened root.
pub(super) struct Folder {
    name: String,
    settings: Local,
    root_text: Option<String>,
    jail: Arc<Jail>,
    /// Held while a condition is checked and the file replaced. Other programs do not know of it.
    changing: Arc<Mutex<()>>,
}

/// Set when nobody waits any more.
pub(super) struct Stop(AtomicBool);

impl Stop {
    pub(super) fn check(&self) -> Outcome<()> {
        if self.0.load(Ordering::Relaxed) { Err(Fault::of(ErrorKind::Cancelled, "it was given up")) } else { Ok(()) }
    }
}

/// Tells the thread when the caller is dropped.
struct Guard(Arc<Stop>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

impl Folder {
    pub(super) fn open(name: &str, mut settings: Local) -> Result<Self, Error> {
        let shown = settings.root.display().to_string();
        let failed = |message: String| plain_fault(name, ErrorKind::Config, "open", message);
        settings.root = settings
            .root
            .canonicalize()
            .map_err(|error| failed(format!("the folder `{shown}` is not there: {error}")))?;
        let jail = Jail::open(&settings.root).map_err(|error| failed(format!("`{shown}`: {error}")))?;
        let root_text = settings.absolute.then(|| settings.root.to_string_lossy().into_owned());
        Ok(Self { name: name.to_owned(), settings, root_text, jail: Arc::new(jail), changing: Arc::default() })
    }

    pub(super) fn root(&self) -> &std::path::Path {
        &self.settings.root
    }

    pub(super) fn shows_hidden(&self) -> bool {
        self.settings.hidden
    }

    pub(super) fn absolute_root(&self) -> Option<&str> {
        self.root_text.as_deref()
    }

    /// Runs file system work on a thread that may wait for the disk.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        attempted: &'static str,
        job: &Job,
        work: impl FnOnce(&Jail, &Stop) -> Outcome<T> + Send + 'static,
    ) -> Result<T, Error> {
        let stop = Arc::new(Stop(AtomicBool::new(false)));
        let _guard = Guard(Arc::clone(&stop));
        let jail = Arc::clone(&self.jail);
        let task = tokio::task::spawn_blocking(move || work(&jail, &stop));
        let outcome = tokio::select! {
            biased;
            () = job.cancel.cancelled() => Err(Fault::of(ErrorKind::Cancelled, "the caller went away")),
            outcome = tokio::time::timeout_at(job.deadline, task) => match outcome {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(_)) => Err(Fault::of(ErrorKind::Other, "the work was given up")),
                Err(_) => Err(Fault::of(ErrorKind::Timeout, "it was not done before the deadline")),
            },
        };
        outcome.map_err(|fault| fault.into_error(&self.name, attempted))
    }

    pub(super) async fn list(&self, wanted: Wanted, limits: Limits, job: &Job) -> Result<Listing, Error> {
        let hidden = self.settings.hidden;
        self.run("list files", job, move |jail, stop| list::list(jail, stop, &wanted, hidden, &limits)).await
    }

    pub(super) async fn stat(&self, path: Path, job: &Job) -> Result<Entry, Error> {
        self.run("look at a file", job, move |jail, _| jail.entry(&path)).await
    }

    pub(super) async fn read(&self, path: Path, span: Span, job: &Job) -> Result<Content, Error> {
        let connection = self.name.clone();
        let (entry, bytes) = self
            .run("read a file", job, move |jail, stop| {
                let (mut file, entry) = jail.open_file(&path)?;
                span.check(&connection, path.as_str(), entry.size.unwrap_or(0)).map_err(Fault::Whole)?;
                if span.offset > 0 {
                    file.seek(SeekFrom::Start(span.offset)).map_err(|error| Fault::io(path.as_str(), &error))?;
                }
                let mut bytes = Vec::new();
                let mut rest = file.take(span.most + u64::from(span.whole));
                let mut chunk = vec![0; CHUNK];
                loop {
                    stop.check()?;
                    match rest.read(&mut chunk).map_err(|error| Fault::io(path.as_str(), &error))? {
                        0 => break,
                        count => bytes.extend_from_slice(&chunk[..count]),
                    }
                }
                // It grew while it was read.
                span.check(&connection, path.as_str(), span.offset + bytes.len() as u64).map_err(Fault::Whole)?;
                Ok((entry, bytes))
            })
            .await?;
        let total = entry.size;
        Ok(Content { entry, bytes: Bytes::from(bytes), offset: span.offset, total, connection: self.name.clone() })
    }

    pub(super) async fn write(&self, path: Path, write: Write, most: u64, job: &Job) -> Result<Entry, Error> {
        let changing = Arc::clone(&self.changing);
        self.run("write a file", job, move |jail, stop| {
            stop.check()?;
            let _alone = changing.lock();
            write::write(jail, &path, &write, most)
        })
        .await
    }

    pub(super) async fn make(&self, path: Path, job: &Job) -> Result<(), Error> {
        self.run("make a folder", job, move |jail, _| {
            let parts: Vec<&str> = path.parts().collect();
            jail.make(&parts, path.as_str()).map(drop)
        })
        .await
    }

    pub(super) async fn delete(&self, path: Path, job: &Job) -> Result<(), Error> {
        self.run("delete a file", job, move |jail, _| write::delete(jail, &path)).await
    }

    pub(super) async fn rename(&self, from: Path, to: Path, overwrite: bool, job: &Job) -> Result<Entry, Error> {
        self.run("move a file", job, move |jail, _| write::rename(jail, &from, &to, overwrite)).await
    }
}

/// Bytes read at once.
const CHUNK: usize = 64 * 1024;

/// What an entry of a folder is.
fn kind(mode: rustix::fs::FileType) -> EntryKind {
    match mode {
        rustix::fs::FileType::RegularFile => EntryKind::File,
        rustix::fs::FileType::Directory => EntryKind::Folder,
        rustix::fs::FileType::Symlink => EntryKind::Link,
        _ => EntryKind::Other,
    }
}
