//! Debian packages.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::exec::{self, Run};
use crate::repo;

/// What a throw-away PostgreSQL needs.
pub const POSTGRES: &[&str] = &["postgresql", "openssl"];
/// What a throw-away MariaDB needs.
pub const MARIADB: &[&str] = &["mariadb-server", "openssl"];
/// What a throw-away Redis needs.
pub const REDIS: &[&str] = &["redis-server", "redis-tools", "openssl"];
/// What does harm to a running control plane: kills at system calls, clocks that jump.
pub const FAULTS: &[&str] = &["strace", "libfaketime"];
/// What counts instructions.
pub const VALGRIND: &[&str] = &["valgrind"];

/// A browser.
pub const CHROMIUM: &[&str] = &["chromium"];

/// A script here that answers 101 keeps packages from starting their services (Debian policy 9.3.3.1).
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Installs the packages that are missing.
pub fn install(packages: &[&str]) -> Result<()> {
    let missing: Vec<&str> = packages.iter().copied().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if exec::find("apt-get").is_none() {
        bail!(
            "{} must be installed, and this machine has no apt-get; install them by hand and try again",
            missing.join(", ")
        );
    }
    println!("setup: installing {}", missing.join(", "));
    let _quiet = NoServices::begin()?;
    // A machine that never fetched the package lists, or long ago, needs them first. Trying without
    // saves that on every other machine.
    if apt(&missing).is_err() {
        root("apt-get").args(["update", "--quiet=2"]).run()?;
        apt(&missing)?;
    }
    Ok(())
}

fn apt(packages: &[&str]) -> Result<()> {
    let captured = root("env")
        .args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "--yes", "--quiet=2", "--no-install-recommends"])
        .args(packages)
        .capture()?;
    if !captured.status.success() {
        bail!(
            "installing {} failed ({})\n{}{}",
            packages.join(", "),
            captured.status,
            captured.stdout,
            captured.stderr
        );
    }
    Ok(())
}

fn is_installed(package: &str) -> bool {
    Run::new("dpkg-query")
        .args(["--show", "--showformat=${db:Status-Status}", package])
        .output()
        .is_ok_and(|status| status.trim() == "installed")
}

/// The program as root, by sudo when we are not.
fn root(program: &str) -> Run {
    if exec::is_root() { Run::new(program) } else { Run::new("sudo").args(["--non-interactive", program]) }
}

/// While it lives, packages do not start services. What the machine had before is left alone.
struct NoServices {
    made: bool,
}

impl NoServices {
    fn begin() -> Result<Self> {
        if Path::new(POLICY).exists() {
            return Ok(Self { made: false });
        }
        let draft = repo::work()?.join("policy-rc.d");
        std::fs::write(&draft, "#!/bin/sh\nexit 101\n").with_context(|| format!("cannot write {}", draft.display()))?;
        root("install").args(["-m", "755"]).arg(&draft).arg(POLICY).output()?;
        Ok(Self { made: true })
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.made
            && let Err(error) = root("rm").arg(POLICY).output()
        {
            eprintln!("warning: {POLICY} could not be removed: {error:#}");
        }
    }
}
