//! Tokens that users' authorisations gave, each in a file of its own that nobody else reads.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use connect::http::{TokenStore, UserToken};
use sha2::{Digest as _, Sha256};

/// Largest file of tokens, bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// The tokens of the users of one connection: `FOLDER/SERVER/CONNECTION/HASH.json`.
#[derive(Clone, Debug)]
pub(crate) struct UserTokens {
    folder: Option<PathBuf>,
    server: String,
    connection: String,
}

impl UserTokens {
    pub(crate) fn new(folder: Option<PathBuf>, server: &str, connection: &str) -> Self {
        let folder = folder.map(|folder| folder.join(server).join(connection));
        Self { folder, server: server.to_owned(), connection: connection.to_owned() }
    }

    /// The file of a user. A name may hold anything, so the file is called by its hash.
    fn file(&self, user: &str) -> Result<PathBuf, String> {
        let folder = self.folder.as_ref().ok_or("the tokens of users are not kept here")?;
        let hash = Sha256::digest(user.as_bytes());
        let name: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(folder.join(format!("{name}.json")))
    }
}

impl TokenStore for UserTokens {
    fn load(&self, user: &str) -> Result<Option<UserToken>, String> {
        let path = self.file(user)?;
        let failed = |why: String| format!("the tokens in {} cannot be read: {why}", path.display());
        let Some(text) = read_alone(&path).map_err(failed)? else { return Ok(None) };
        UserToken::from_json(&text).map(Some).ok_or_else(|| failed("they are damaged; authorise again".to_owned()))
    }

    fn save(&self, user: &str, token: &UserToken) -> Result<(), String> {
        let path = self.file(user)?;
        write_alone(&path, token.to_json().as_bytes())
            .map_err(|error| format!("the tokens cannot be kept in {}: {error}", path.display()))
    }

    fn advice(&self, user: &str) -> String {
        format!(
            "on the machine of the server, run: mcp-factory connect {} {} --as {user}",
            self.server, self.connection
        )
    }
}

/// Reads a file that [`write_alone`] wrote, if it is there.
pub(crate) fn read_alone(path: &Path) -> Result<Option<String>, String> {
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
        Ok(facts) if facts.len() > FILE_BYTES_MAX => return Err("the file is too large".to_owned()),
        Ok(_) => {}
    }
    fs::read_to_string(path).map(Some).map_err(|error| error.to_string())
}

/// Writes a file that only this account reads: whole, or not at all.
pub(crate) fn write_alone(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let new = path.with_extension(format!("{}.new", std::process::id()));
    let _ = fs::remove_file(&new);
    let mut file = open_alone(&new, fs::OpenOptions::new().write(true).create_new(true))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)
}

/// Holds a file of its own for this process, until what comes back is dropped; nothing while another one holds it.
pub(crate) fn lock_alone(path: &Path) -> std::io::Result<Option<fs::File>> {
    let file = open_alone(path, fs::OpenOptions::new().write(true).create(true).truncate(false))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Opens a file that only this account reads, in a folder that only this account enters.
fn open_alone(path: &Path, options: &mut fs::OpenOptions) -> std::io::Result<fs::File> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
        builder.mode(0o700);
        options.mode(0o600);
    }
    builder.create(path.parent().unwrap_or(Path::new(".")))?;
    options.open(path)
}
