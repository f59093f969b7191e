//! What a caller asks for, checked.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::limits::SESSION_CHARS_MAX;

/// The body of a request.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    prompt: String,
    #[serde(default)]
    mode: Mode,
    cwd: Option<String>,
    mission: Option<String>,
    session_id: Option<String>,
}

/// How much the agent may do without asking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mode {
    /// Everything short of what the agent never does alone.
    AutoHigh,
    /// Changes that can be undone.
    AutoMedium,
    /// Small changes.
    AutoLow,
    /// It reads.
    #[default]
    Normal,
}

impl Mode {
    /// The word of the request.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::AutoHigh => "auto-high",
            Self::AutoMedium => "auto-medium",
            Self::AutoLow => "auto-low",
            Self::Normal => "normal",
        }
    }

    /// The value of `--auto`.
    pub(crate) fn auto(self) -> Option<&'static str> {
        self.word().strip_prefix("auto-")
    }
}

/// A request that can be run.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) prompt: String,
    pub(crate) mode: Mode,
    pub(crate) folder: PathBuf,
    pub(crate) session: Option<String>,
}

impl Job {
    /// Reads a body; the error is for the caller.
    pub(crate) fn read(body: &[u8], root: &Path) -> Result<Self, String> {
        let asked: Asked = serde_json::from_slice(body).map_err(|error| {
            format!("the body is not {{\"prompt\": …, \"mode\": \"auto-high|auto-medium|auto-low|normal\"}}: {error}")
        })?;
        if asked.prompt.trim().is_empty() {
            return Err("the prompt is empty".to_owned());
        }
        if asked.prompt.contains('\0') {
            return Err("the prompt holds a NUL character, which no program can be given".to_owned());
        }
        let session = asked.session_id.or(asked.mission).filter(|name| !name.is_empty());
        if let Some(name) = session.as_deref().filter(|name| !is_session(name)) {
            return Err(format!("`{}` is no name of a session", name.chars().take(40).collect::<String>()));
        }
        let folder = folder(asked.cwd.as_deref().unwrap_or_default(), root)?;
        Ok(Self { prompt: asked.prompt, mode: asked.mode, folder, session })
    }
}

/// Letters, digits and `._:-`; no hyphen first, so that it is never an option.
fn is_session(name: &str) -> bool {
    name.len() <= SESSION_CHARS_MAX
        && !name.starts_with('-')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte))
}

/// A folder in the root, links followed.
fn folder(cwd: &str, root: &Path) -> Result<PathBuf, String> {
    let outside = || "the folder is not one of those that may be worked in".to_owned();
    // Whether a path outside exists is not told.
    let folder = root.join(cwd).canonicalize().map_err(|_| outside())?;
    if folder.starts_with(root) && folder.is_dir() { Ok(folder) } else { Err(outside()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_inside_of_the_root() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().canonicalize().unwrap().join("root");
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        std::fs::create_dir_all(root.with_file_name("root-2")).unwrap();
        std::os::unix::fs::symlink("/", root.join("out")).unwrap();
        assert_eq!(folder("", &root).unwrap(), root);
        assert_eq!(folder("a/../a/b", &root).unwrap(), root.join("a/b"));
        assert_eq!(folder(root.join("a").to_str().unwrap(), &root).unwrap(), root.join("a"));
        for bad in ["..", "/", "out", "out/etc", "a/../../root-2", "nowhere", "a\0b"] {
            assert!(folder(bad, &root).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_body_is_checked() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().canonicalize().unwrap();
        let job = Job::read(br#"{"prompt":"x","mode":"auto-high","mission":"m","session_id":"s-1"}"#, &root).unwrap();
        assert_eq!((job.mode.auto(), job.session.as_deref()), (Some("high"), Some("s-1")));
        for bad in [
            &br#"{"prompt":" "}"#[..],
            br#"{"prompt":"a\u0000b"}"#,
            b"{",
            br#"{"prompt":"x","mode":"root"}"#,
            br#"{"prompt":"x","session_id":"--x"}"#,
        ] {
            assert!(Job::read(bad, &root).is_err());
        }
    }
}
