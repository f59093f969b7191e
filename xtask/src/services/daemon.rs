//! A server process that outlives the command that starts it.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::account::Account;
use crate::exec::{self, Run};

/// Longest wait for a server to answer or to end.
const PATIENCE: Duration = Duration::from_secs(60);
/// Time between two looks at it.
const LOOK: Duration = Duration::from_millis(50);
/// Lines of the log shown when a server does not start.
const LOG_LINES: usize = 25;

/// One server.
pub struct Daemon {
    pub name: &'static str,
    pub account: Account,
    /// Its folder: data, socket, log, certificates, and the files `pid` and `port`.
    pub folder: PathBuf,
    pub port: u16,
    pub program: PathBuf,
    /// Arguments of the program.
    pub arguments: Vec<String>,
    /// Signal that ends it without waiting for its clients.
    pub stop_signal: &'static str,
}

impl Daemon {
    /// The port that this folder's server uses: the one of last time, or a free one.
    pub fn choose_port(folder: &std::path::Path) -> Result<u16> {
        if let Ok(text) = std::fs::read_to_string(folder.join("port"))
            && let Ok(port) = text.trim().parse()
        {
            return Ok(port);
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on 127.0.0.1")?;
        Ok(listener.local_addr()?.port())
    }

    /// The process, when it runs. A stale process file, whose number may belong to another program
    /// by now, counts as not running.
    pub fn process(&self) -> Option<u32> {
        let process = std::fs::read_to_string(self.folder.join("pid")).ok()?.trim().parse().ok()?;
        let program = self.program.file_name()?.to_string_lossy().into_owned();
        let running = std::fs::read_to_string(format!("/proc/{process}/comm")).ok()?;
        let arguments = std::fs::read_to_string(format!("/proc/{process}/cmdline")).ok()?;
        // The kernel cuts names at 15 bytes, and interpreters put a version or a thread's name after theirs.
        let running = running.trim();
        let ours = (program.starts_with(running) || running.starts_with(&program))
            && arguments.contains(&*self.folder.to_string_lossy());
        ours.then_some(process)
    }

    /// Starts the server unless it runs, and waits until it answers. `prepare` makes the data folder.
    pub fn start(&self, prepare: fn(&Self) -> Result<()>, ready: fn(&Self) -> bool) -> Result<()> {
        if self.process().is_some() {
            return self.wait_until("answer", None, || ready(self));
        }
        if self.folder.join("port").exists() {
            // It did not end by `down`. Data that was never synced may be broken: begin anew.
            self.remove_folder()?;
        }
        self.account.own(&self.folder)?;
        prepare(self).with_context(|| format!("cannot prepare {}", self.name))?;
        let mut child = self.spawn()?;
        std::fs::write(self.folder.join("pid"), child.id().to_string())?;
        std::fs::write(self.folder.join("port"), self.port.to_string())?;
        self.wait_until("answer", Some(&mut child), || ready(self))
    }

    /// Removes the folder. Helpers of a server that was killed may still write there for a moment.
    fn remove_folder(&self) -> Result<()> {
        let started = Instant::now();
        while let Err(error) = std::fs::remove_dir_all(&self.folder) {
            if error.kind() != std::io::ErrorKind::DirectoryNotEmpty || started.elapsed() > PATIENCE {
                return Err(error).with_context(|| format!("cannot remove {}", self.folder.display()));
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    fn spawn(&self) -> Result<Child> {
        let log = std::fs::File::create(self.folder.join("log"))?;
        let mut command = Run::new(&self.program).args(&self.arguments).folder(&self.folder).into_command();
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        // Its own process group: Ctrl-C at our terminal is not meant for it.
        command.process_group(0);
        self.account.apply(&mut command);
        command.spawn().with_context(|| format!("cannot start {}", self.program.display()))
    }

    /// Stops the server and waits for its end.
    pub fn stop(&self) -> Result<()> {
        let Some(process) = self.process() else { return Ok(()) };
        exec::signal(process, self.stop_signal)?;
        self.wait_until("end", None, || self.process().is_none())
    }

    fn wait_until(&self, what: &str, mut child: Option<&mut Child>, done: impl Fn() -> bool) -> Result<()> {
        let started = Instant::now();
        while !done() {
            if let Some(child) = child.as_mut()
                && let Some(status) = child.try_wait()?
            {
                bail!("{} ended at once ({status}):\n{}", self.name, self.log_end());
            }
            if started.elapsed() > PATIENCE {
                bail!("{} does not {what} after {} s:\n{}", self.name, PATIENCE.as_secs(), self.log_end());
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    fn log_end(&self) -> String {
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }
}
