//! A prompt in a file: for programs that read it from one, and for prompts that no argument holds.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A file with a prompt, which this user alone can read. It is gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Paper(PathBuf);

impl Paper {
    /// Writes a prompt down, in a folder.
    pub(crate) fn write(folder: &Path, prompt: &str) -> std::io::Result<Self> {
        use std::os::unix::fs::OpenOptionsExt as _;
        static COUNT: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("mcp-factory-prompt-{}-{number}.txt", std::process::id()));
            // A file that is there already, or a link, is never written to.
            match std::fs::File::options().write(true).create_new(true).mode(0o600).open(&path) {
                Ok(mut file) => {
                    let paper = Self(path);
                    file.write_all(prompt.as_bytes())?;
                    return Ok(paper);
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Paper {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::Paper;

    #[test]
    fn a_prompt_is_this_users_alone_and_goes_away() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let paper = Paper::write(folder.path(), "a prompt").unwrap();
        let path = paper.path().to_owned();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a prompt");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        drop(paper);
        assert!(!path.exists());
    }
}
