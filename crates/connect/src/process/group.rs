//! Starting a program, and ending it with everything that it started.

use std::ffi::OsStr;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use super::Program;
use crate::{Error, ErrorKind};

/// How long a group that was asked to end has until it is made to.
const GRACE: Duration = Duration::from_millis(500);

/// A program that runs. Dropping it ends its group.
#[derive(Debug)]
pub struct Started {
    pub(super) child: Child,
    group: Option<Pid>,
}

impl Program {
    /// Starts it, with pipes to its standard streams.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(&self, arguments: &[impl AsRef<OsStr>]) -> Result<Started, Error> {
        let mut command = Command::new(&self.path);
        command
            .args(arguments)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        let child = command.spawn().map_err(|error| {
            let folder = self.folder.as_ref().map(|folder| format!(" in `{}`", folder.display())).unwrap_or_default();
            self.error(ErrorKind::Unreachable, format!("`{}` cannot be started{folder}: {error}", self.path.display()))
        })?;
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        Ok(Started { child, group })
    }
}

impl Started {
    /// Its pipes, once.
    pub fn pipes(&mut self) -> (Option<ChildStdin>, Option<ChildStdout>, Option<ChildStderr>) {
        (self.child.stdin.take(), self.child.stdout.take(), self.child.stderr.take())
    }

    /// Waits until the program itself has ended, and leaves alone what it left behind. It may be called again.
    pub async fn gone(&mut self) {
        // `ended` gives the reason.
        let _ = self.child.wait().await;
    }

    /// Waits until the program itself has ended, then ends what it left behind.
    pub async fn ended(&mut self) -> std::io::Result<std::process::ExitStatus> {
        let status = self.child.wait().await;
        // The number stands for the group as long as any process of it is there, so nothing else can have it yet.
        self.signal(Signal::KILL);
        self.group = None;
        status
    }

    /// Asks the group to end, and makes it end when it does not within a moment.
    pub async fn stop(&mut self) {
        self.signal(Signal::TERM);
        let _ = tokio::time::timeout(GRACE, self.child.wait()).await;
        self.signal(Signal::KILL);
        self.group = None;
        let _ = self.child.wait().await;
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}
