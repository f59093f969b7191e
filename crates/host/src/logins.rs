//! Sign-ins at other servers, each in a file of its own that nobody else reads.

use std::path::{Path, PathBuf};

use client::oauth::{Held, Keep};
use sha2::{Digest as _, Sha256};

use crate::users::{lock_alone, read_alone, write_alone};

/// The sign-in at one server: `FOLDER/logins/HASH.json`.
#[derive(Clone, Debug)]
pub struct LoginFile(PathBuf);

impl LoginFile {
    /// The file for the server at an address.
    pub fn new(folder: &Path, address: &str) -> Self {
        let hash = Sha256::digest(address.as_bytes());
        let name: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(folder.join("logins").join(format!("{name}.json")))
    }

    /// Forgets the sign-in; says whether there was one.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn forget(&self) -> Result<bool, String> {
        match std::fs::remove_file(&self.0) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(format!("the sign-in in {} cannot be removed: {error}", self.0.display())),
        }
    }
}

impl Keep for LoginFile {
    fn load(&self) -> Result<Option<String>, String> {
        read_alone(&self.0).map_err(|why| format!("the sign-in in {} cannot be read: {why}", self.0.display()))
    }

    fn save(&self, text: &str) -> Result<(), String> {
        write_alone(&self.0, text.as_bytes())
            .map_err(|why| format!("the sign-in cannot be kept in {}: {why}", self.0.display()))
    }

    fn hold(&self) -> Result<Option<Held>, String> {
        let held = lock_alone(&self.0.with_extension("lock"));
        let held = held.map_err(|why| format!("the sign-in in {} cannot be held: {why}", self.0.display()))?;
        Ok(held.map(|file| Box::new(file) as Held))
    }
}

#[cfg(test)]
mod tests {
    use client::oauth::Keep as _;

    use super::LoginFile;

    #[test]
    fn a_sign_in_is_readable_by_this_account_alone_and_can_be_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let file = LoginFile::new(folder.path(), "https://mcp.example.com/mcp");
        assert_eq!(file.load(), Ok(None));
        file.save("{}").unwrap();
        assert_eq!(file.load(), Ok(Some("{}".to_owned())));
        assert_eq!(LoginFile::new(folder.path(), "https://mcp.example.com/other").load(), Ok(None));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&file.0).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let held = file.hold().unwrap();
        assert!(held.is_some() && file.hold().unwrap().is_none());
        drop(held);
        assert!(file.hold().unwrap().is_some());
        assert_eq!((file.forget(), file.forget()), (Ok(true), Ok(false)));
    }
}
