//! What a control plane does to its home folder when it begins and ends.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::audit::Recorder;
use crate::jobs::Jobs;
use crate::reserved::LOCK_FILE;
use crate::{Code, Context, Error};

/// Longest text that is read of the lock file.
const URLS_BYTES_MAX: u64 = 4_096;

/// How often the lock is tried.
const TRIES: u32 = 10;
/// The pause between two tries.
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// A home folder that a control plane holds. It is given back when this is dropped, also by `kill -9`.
#[derive(Debug)]
pub struct Held {
    file: File,
    path: PathBuf,
}

/// Takes a home folder for a control plane: one process at a time. What an earlier process left behind is put in order.
/// The context gets what the operations of a control plane need.
///
/// # Errors
/// Another control plane holds the folder; the folder or the catalogue cannot be used.
pub async fn hold(context: &mut Context) -> Result<Held, Error> {
    // The folder and the catalogue are there from now on.
    context.store(|_| Ok(())).await?;
    let (path, file) = lock(context).await?.map_err(|at| {
        let at = at.map(|url| format!(" at {url}")).unwrap_or_default();
        Error::new(Code::Address, format!("a control plane of this home folder runs already{at}"))
            .hint("use that one, or another home folder with `--home DIR`")
    })?;
    // Those of other home folders on the same database are seen there.
    context.store(store::Store::attend).await?;
    let policies = Arc::new(crate::policies::Policies::default());
    let first = Arc::clone(&policies);
    context.store(move |store| first.follow(store)).await?;
    context.policies = Some(policies);
    context.recorder = Some(Recorder::start(context).await?);
    context.jobs = Some(Arc::new(Jobs::default()));
    Ok(Held { file, path })
}

/// A home folder in which no control plane runs, and none begins until this is dropped.
#[derive(Debug)]
pub(crate) struct Alone {
    _file: File,
}

/// Keeps control planes out of a home folder.
///
/// # Errors
/// One runs there, or begins to; the folder cannot be used.
pub(crate) async fn alone(context: &Context) -> Result<Alone, Error> {
    let (_, file) = lock(context).await?.map_err(|at| {
        let at = at.map(|url| format!(" at {url}")).unwrap_or_default();
        Error::new(Code::HomeHeld, format!("a control plane of this home folder runs{at}"))
            .hint("end it first; it would go on with what it knows")
    })?;
    Ok(Alone { _file: file })
}

/// Takes the lock of the home folder; where somebody else has it, the URL that they told, if they did.
async fn lock(context: &Context) -> Result<Result<(PathBuf, File), Option<String>>, Error> {
    let path = context.home.path().join(LOCK_FILE);
    let failed = |error: std::io::Error| {
        Error::new(Code::Catalogue, format!("cannot hold {}: {error}", path.display()))
            .hint("`mcp-factory doctor` checks the home folder")
    };
    // With a store elsewhere nothing else has made the folder.
    std::fs::create_dir_all(context.home.path()).map_err(failed)?;
    let file = File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
    match taken(&file).await {
        // What an earlier control plane told is not true any more.
        Ok(()) => file.set_len(0).map_err(failed)?,
        Err(std::fs::TryLockError::WouldBlock) => return Ok(Err(url(&path))),
        Err(std::fs::TryLockError::Error(error)) => return Err(failed(error)),
    }
    Ok(Ok((path, file)))
}

/// Takes the lock. Commands that look whether a control plane runs hold it for a moment.
async fn taken(file: &File) -> Result<(), std::fs::TryLockError> {
    for _ in 0..TRIES {
        match file.try_lock() {
            Err(std::fs::TryLockError::WouldBlock) => tokio::time::sleep(BETWEEN_TRIES).await,
            other => return other,
        }
    }
    file.try_lock()
}

impl Held {
    /// Tells other processes of this machine where the control plane is, and under which origin people reach it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn tell(&mut self, url: &str, public: &str) -> Result<(), Error> {
        let emptied = self.file.set_len(0).and_then(|()| self.file.rewind());
        let written = emptied.and_then(|()| writeln!(self.file, "{url}\n{public}"));
        written.map_err(|error| Error::new(Code::CannotWrite, format!("cannot write {}: {error}", self.path.display())))
    }
}

/// Where the control plane of a home folder is, for this machine; `None` when none runs.
pub fn running(context: &Context) -> Option<String> {
    told(context).map(|(url, _)| url)
}

/// The origin under which people reach it.
pub fn public(context: &Context) -> Option<String> {
    told(context).map(|(_, public)| public)
}

fn told(context: &Context) -> Option<(String, String)> {
    let path = context.home.path().join(LOCK_FILE);
    let file = File::open(&path).ok()?;
    match file.try_lock_shared() {
        Err(std::fs::TryLockError::WouldBlock) => urls(&path),
        _ => None,
    }
}

fn url(path: &std::path::Path) -> Option<String> {
    urls(path).map(|(url, _)| url)
}

/// What the file says; a control plane that is older than this program says one thing.
fn urls(path: &std::path::Path) -> Option<(String, String)> {
    let mut text = String::new();
    File::open(path).ok()?.take(URLS_BYTES_MAX).read_to_string(&mut text).ok()?;
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let url = lines.next()?.to_owned();
    let public = lines.next().map_or_else(|| url.clone(), str::to_owned);
    Some((url, public))
}
