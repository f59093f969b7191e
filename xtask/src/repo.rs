//! Where things are.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Environment variable that names the work folder (default: `.work` in the repository).
pub const WORK_VARIABLE: &str = "MCP_FACTORY_WORK";

/// Root of the repository that this xtask runs for. It is asked at run time, since one target
/// folder may serve several clones.
pub fn root() -> Result<PathBuf> {
    if let Some(manifest) = std::env::var_os("CARGO_MANIFEST_DIR")
        && let Some(parent) = Path::new(&manifest).parent()
    {
        return Ok(parent.to_path_buf());
    }
    let here = std::env::current_dir().context("the current folder cannot be read")?;
    match here.ancestors().find(|folder| folder.join("xtask/Cargo.toml").is_file()) {
        Some(folder) => Ok(folder.to_path_buf()),
        None => bail!("{} is not inside the repository; run `cargo xtask` from there", here.display()),
    }
}

/// The work folder: tools, throw-away services and reports. Git ignores it.
pub fn work() -> Result<PathBuf> {
    let folder = match std::env::var_os(WORK_VARIABLE) {
        Some(folder) if !folder.is_empty() => std::path::absolute(PathBuf::from(folder))?,
        _ => root()?.join(".work"),
    };
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make the work folder {}", folder.display()))?;
    Ok(folder)
}

/// Cargo's target folder.
pub fn target() -> Result<PathBuf> {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) if !folder.is_empty() => Ok(std::path::absolute(PathBuf::from(folder))?),
        _ => Ok(root()?.join("target")),
    }
}

/// Every file that Git tracks or would track, relative to the root.
pub fn files() -> Result<Vec<PathBuf>> {
    let listing = crate::exec::Run::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .folder(&root()?)
        .output()?;
    let root = root()?;
    let mut files: Vec<PathBuf> = listing.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect();
    // A file that was deleted but not committed yet is still listed; a symbolic link is no file.
    files.retain(|file| root.join(file).symlink_metadata().is_ok_and(|data| data.is_file()));
    files.sort();
    files.dedup();
    Ok(files)
}
