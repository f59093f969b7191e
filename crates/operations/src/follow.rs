//! Following spec files: what changes in one is made, and deployed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use base::Digest;

use crate::source::Format;
use crate::{Code, Context, Error, SpecText, all, create, deploy, perform};

/// How often is looked.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// Most files of a folder that are followed.
pub const FILES_MAX: usize = 10_000;
/// Most bytes of a file: one more than the largest spec, so that a larger one is reported and not cut.
const FILE_BYTES_MAX: u64 = spec::limits::DOCUMENT_BYTES_MAX as u64 + 1;

/// A file as it was seen.
pub type Mark = (SystemTime, u64);

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
    let mut claims = Claims::default();
    look(folder)?;
    loop {
        // A folder that is away for a moment is looked for again.
        for (file, mark) in look(folder).unwrap_or_default() {
            if seen.get(&file) != Some(&mark) {
                seen.insert(file.clone(), mark);
                let outcome = Box::pin(take(context, &file, &mut claims)).await;
                tell(&Followed { file, outcome });
            }
        }
        // What was refused for the sake of a file that says something else now is taken.
        for file in claims.given_up() {
            seen.remove(&file);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Which file makes which version of which server. Two files that say different things of one would take turns.
#[derive(Default)]
struct Claims {
    held: HashMap<PathBuf, Claim>,
    /// Files that were refused, with those that were there before them.
    refused: HashMap<PathBuf, (PathBuf, Claim)>,
}

/// What a file makes.
#[derive(Clone, PartialEq, Eq)]
struct Claim {
    name: String,
    version: String,
    digest: Digest,
}

impl Claims {
    /// Notes what a file makes.
    ///
    /// # Errors
    /// Another file that is there makes the same version with another content.
    fn hold(&mut self, file: &Path, claim: Claim) -> Result<(), Error> {
        self.refused.remove(file);
        let is_other = |known: &Claim| (&known.name, &known.version) == (&claim.name, &claim.version);
        let mut others = self.held.iter().filter(|(other, known)| *other != file && is_other(known) && other.is_file());
        let Some((other, known)) = others.find(|(_, known)| known.digest != claim.digest) else {
            self.held.insert(file.to_owned(), claim);
            return Ok(());
        };
        let Claim { name, version, .. } = &claim;
        let (other, shown) = ((other.clone(), known.clone()), other.display().to_string());
        let what = format!("{shown} makes version {version} of `{name}` already, with another content");
        self.held.remove(file);
        self.refused.insert(file.to_owned(), other);
        Err(Error::new(Code::VersionConflict, what)
            .hint(format!("raise `version` in {}, or give its server another name", file.display()))
            .hint(format!("or remove one of the two files; until then {shown} counts")))
    }

    /// The files that were refused for the sake of one that is away or says something else now. They are told once.
    fn given_up(&mut self) -> Vec<PathBuf> {
        let held = &self.held;
        let is_free = |(other, claim): &(PathBuf, Claim)| held.get(other) != Some(claim) || !other.is_file();
        self.refused.extract_if(|_, other| is_free(other)).map(|(file, _)| file).collect()
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
pub fn mark(file: &Path) -> Option<Mark> {
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
async fn take(context: &Context, file: &Path, claims: &mut Claims) -> Result<create::Output, Error> {
    let spec = read(file)?;
    // What cannot be read is told of when it is made.
    if let Ok(parsed) = spec.parse(false) {
        let spec = parsed.spec;
        claims.hold(file, Claim { digest: spec.digest(), name: spec.name, version: spec.version })?;
    }
    let input = create::Input { current: true, force: true, ..create::Input::of(spec) };
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
