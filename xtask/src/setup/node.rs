//! The npm packages of the whole-product tests.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::exec::Run;
use crate::repo;

/// A file of an installed npm package: `file("@modelcontextprotocol/conformance/dist/index.js")`.
pub fn file(path: &str) -> Result<PathBuf> {
    let file = modules()?.join(path);
    if !file.is_file() {
        bail!("{} is missing; run `cargo xtask setup --only node`", file.display());
    }
    Ok(file)
}

fn modules() -> Result<PathBuf> {
    Ok(repo::work()?.join("node/node_modules"))
}

/// Installs what `tests/clients/node/package-lock.json` pins, unless that is done.
///
/// The packages live in the work folder; a link beside the scripts lets them be imported.
pub fn install() -> Result<()> {
    let source = repo::root()?.join("tests/clients/node");
    let folder = repo::work()?.join("node");
    install_into(&source, &folder)?;
    link(&modules()?, &source.join("node_modules"))
}

/// Installs what a server of the tests needs: the packages that `tests/services/NAME` pins.
pub fn install_service(name: &str) -> Result<()> {
    let source = repo::root()?.join("tests/services").join(name);
    let folder = repo::work()?.join("services-node").join(name);
    install_into(&source, &folder)?;
    link(&folder.join("node_modules"), &source.join("node_modules"))
}

/// Installs the original servers that golden specs are compared with: the packages that `tests/originals` pins.
pub fn install_originals() -> Result<()> {
    let source = repo::root()?.join("tests/originals");
    let folder = repo::work()?.join("originals");
    install_into(&source, &folder)?;
    link(&folder.join("node_modules"), &source.join("node_modules"))
}

/// Installs what the lock file of a folder pins into another folder, unless that is done.
///
/// Install scripts do not run: none of the packages needs one.
pub fn install_into(source: &Path, folder: &Path) -> Result<()> {
    let lock = source.join("package-lock.json");
    let wanted = std::fs::read_to_string(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
    let stamp = folder.join("installed.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("setup: npm packages of {}", source.display());
    std::fs::create_dir_all(folder)?;
    for name in ["package.json", "package-lock.json"] {
        std::fs::copy(source.join(name), folder.join(name)).with_context(|| format!("cannot copy {name}"))?;
    }
    Run::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
        .folder(folder)
        .output()
        .context("installing the npm packages failed")?;
    std::fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}

fn link(target: &Path, link: &Path) -> Result<()> {
    if std::fs::read_link(link).is_ok_and(|current| current == target) {
        return Ok(());
    }
    match std::fs::symlink_metadata(link) {
        Ok(data) if data.is_symlink() => std::fs::remove_file(link)?,
        Ok(_) => bail!("{} is in the way; remove it", link.display()),
        Err(_) => {}
    }
    std::os::unix::fs::symlink(target, link).with_context(|| format!("cannot make the link {}", link.display()))
}
