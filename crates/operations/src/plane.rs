//! What a control plane does to its home folder when it begins and ends.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::jobs::Jobs;
use crate::reserved::LOCK_FILE;
use crate::{Code, Context, Error};

/// Longest text that is read of the lock file.
const URL_BYTES_MAX: u64 = 1_024;

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
    let path = context.home.path().join(LOCK_FILE);
    let failed = |error: std::io::Error| {
        Error::new(Code::Catalogue, format!("cannot hold {}: {error}", path.display()))
            .hint("`mcp-factory doctor` checks the home folder")
    };
    let file = File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
    match taken(&file).await {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => {
            let at = url(&path).map(|url| format!(" at {url}")).unwrap_or_default();
            return Err(Error::new(Code::Address, format!("a control plane of this home folder runs already{at}"))
                .hint("use that one, or another home folder with `--home DIR`"));
        }
        Err(std::fs::TryLockError::Error(error)) => return Err(failed(error)),
    }
    crate::kept::drop_open_claims(context).await?;
    let policies = Arc::new(crate::policies::Policies::default());
    let first = Arc::clone(&policies);
    context.store(move |store| first.follow(store)).await?;
    context.policies = Some(policies);
    context.jobs = Some(Arc::new(Jobs::default()));
    Ok(Held { file, path })
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
    /// Tells other processes of this machine where the control plane is.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn tell(&mut self, url: &str) -> Result<(), Error> {
        let written =
            self.file.set_len(0).and_then(|()| self.file.rewind()).and_then(|()| writeln!(self.file, "{url}"));
        written.map_err(|error| Error::new(Code::CannotWrite, format!("cannot write {}: {error}", self.path.display())))
    }
}

/// Where the control plane of a home folder is; `None` when none runs.
pub fn running(context: &Context) -> Option<String> {
    let path = context.home.path().join(LOCK_FILE);
    let file = File::open(&path).ok()?;
    match file.try_lock_shared() {
        Err(std::fs::TryLockError::WouldBlock) => url(&path),
        _ => None,
    }
}

fn url(path: &std::path::Path) -> Option<String> {
    let mut text = String::new();
    File::open(path).ok()?.take(URL_BYTES_MAX).read_to_string(&mut text).ok()?;
    let url = text.trim();
    (!url.is_empty()).then(|| url.to_owned())
}
