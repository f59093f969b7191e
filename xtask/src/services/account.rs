//! The accounts that servers run under: PostgreSQL refuses to run as root.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::exec::{self, Run};

/// A user, or ourselves when we are not root.
#[derive(Clone, Copy, Debug)]
pub struct Account(Option<(u32, u32)>);

impl Account {
    /// The one that runs us, for servers that do not mind.
    pub fn ours() -> Self {
        Self(None)
    }

    /// The user of this name, which the Debian package made.
    pub fn named(name: &str) -> Result<Self> {
        if !exec::is_root() {
            return Ok(Self(None));
        }
        let users = std::fs::read_to_string("/etc/passwd").context("cannot read the list of users")?;
        let user = users.lines().find_map(|line| {
            let mut fields = line.split(':');
            (fields.next()? == name).then_some(())?;
            let user = fields.nth(1)?.parse().ok()?;
            Some((user, fields.next()?.parse().ok()?))
        });
        let user = user.with_context(|| format!("there is no user `{name}`; run `cargo xtask setup`"))?;
        Ok(Self(Some(user)))
    }

    /// Makes the program run under this account.
    pub fn apply(self, command: &mut Command) {
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
    }

    /// Runs a program to its end under this account; gives its standard output.
    pub fn output(self, run: Run) -> Result<String> {
        let text = run.text().to_owned();
        let mut command = run.into_command();
        self.apply(&mut command);
        let output = command.output().with_context(|| format!("cannot start `{text}`"))?;
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if !output.status.success() {
            anyhow::bail!("`{text}` failed ({})\n{}{}", output.status, said(&output.stdout), said(&output.stderr));
        }
        Ok(said(&output.stdout))
    }

    /// Makes the folder, for this account alone.
    pub fn own(self, path: &Path) -> Result<()> {
        std::fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))?;
        self.give(path)
    }

    /// Gives the file or folder to this account.
    pub fn give(self, path: &Path) -> Result<()> {
        let Some((user, group)) = self.0 else { return Ok(()) };
        std::os::unix::fs::chown(path, Some(user), Some(group))
            .with_context(|| format!("cannot give {} to its server", path.display()))
    }
}
