//! Following spec files: what changes in one is made, and deployed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::source::Format;
use crate::{Code, Context, Error, SpecText, all, create, deploy, perform};

/// How often is looked.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// Most files of a folder that are followed.
pub const FILES_MAX: usize = 10_000;
/// Most bytes of a file: one more than the largest spec, so that a larger one is reported and not cut.
const FILE_BYTES_MAX: u64 = spec::limits::DOCUMENT_BYTES_MAX as u64 + 1;

/// A file as it was seen.
type Mark = (SystemTime, u64);

/// What became of a file that was changed.
#[derive(Debug)]
pub struct Followed {
    /// The file.
    pub file: PathBuf,
    /// The server that it makes now, or why it makes none; then what was there goes on.
    pub outcome: Result<create::Output, Error>,
}

/// Follows the specs of a folder for as long as it runs: each is made and deployed at the beginning, and again whenever it
/// changes. A file that goes away leaves its server as it is.
///
/// # Errors
/// The folder cannot be read at the beginning.
pub async fn folder(context: &Context, folder: &Path, tell: impl Fn(&Followed)) -> Result<(), Error> {
    let mut seen: HashMap<PathBuf, Mark> = HashMap::new();
    look(folder)?;
    loop {
        // A folder that is away for a moment is looked for again.
        for (file, mark) in look(folder).unwrap_or_default() {
            if seen.get(&file) != Some(&mark) {
                seen.insert(file.clone(), mark);
                let outcome = Box::pin(take(context, &file)).await;
                tell(&Followed { file, outcome });
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Whether a folder can be followed.
///
/// # Errors
/// It cannot be read.
pub fn check(folder: &Path) -> Result<(), Error> {
    look(folder).map(drop)
}

/// The marks of the specs in a folder, by name.
fn look(folder: &Path) -> Result<Vec<(PathBuf, Mark)>, Error> {
    let failed = |error: std::io::Error| {
        Error::new(Code::FileUnreadable, format!("cannot read the folder {}: {error}", folder.display()))
            .hint("name a folder of spec files that you may read")
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)?.take(FILES_MAX) {
        let Ok(path) = entry.map(|entry| entry.path()) else { continue };
        if format(&path).is_some()
            && let Some(mark) = mark(&path)
        {
            found.push((path, mark));
        }
    }
    found.sort();
    Ok(found)
}

/// The mark of a file; nothing when it is not there.
pub fn mark(file: &Path) -> Option<(SystemTime, u64)> {
    let data = std::fs::metadata(file).ok().filter(std::fs::Metadata::is_file)?;
    Some((data.modified().ok()?, data.len()))
}

fn format(file: &Path) -> Option<Format> {
    match file.extension()?.to_str()? {
        "yaml" | "yml" => Some(Format::Yaml),
        "json" => Some(Format::Json),
        _ => None,
    }
}

/// Makes the server of a file, and deploys it unless it is deployed: then it follows what was made by itself.
async fn take(context: &Context, file: &Path) -> Result<create::Output, Error> {
    let input = create::Input { current: true, force: true, ..create::Input::of(read(file)?) };
    let made = perform::<all::Create>(context, input).await?;
    if deploy::of(context, &made.name).await?.is_none() {
        let target = deploy::LOCAL.to_owned();
        let input = deploy::Input { name: made.name.clone(), target, version: None, rollback: false };
        perform::<all::Deploy>(context, input).await?;
    }
    Ok(made)
}

fn read(file: &Path) -> Result<SpecText, Error> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let read = std::fs::File::open(file).and_then(|opened| opened.take(FILE_BYTES_MAX).read_to_end(&mut bytes));
    read.map_err(|error| {
        Error::new(Code::FileUnreadable, format!("cannot read {}: {error}", file.display()))
            .hint("check that it is a file and that you may read it")
    })?;
    SpecText::from_bytes(file.display().to_string(), bytes, format(file))
}
