//! Running programs, with errors that say what was run.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// A program about to run.
pub struct Run {
    command: Command,
    text: String,
    timeout: Option<Duration>,
}

/// What a captured program said.
pub struct Captured {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// A program by name or path.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let text = program.as_ref().to_string_lossy().into_owned();
        Self { command: Command::new(program), text, timeout: None }
    }

    /// The cargo that runs us.
    pub fn cargo() -> Self {
        let mut run = Self::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        run.text = "cargo".to_owned();
        run
    }

    /// Adds arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        for argument in arguments {
            self.text.push(' ');
            self.text.push_str(&argument.as_ref().to_string_lossy());
            self.command.arg(argument);
        }
        self
    }

    /// Adds one argument.
    pub fn arg(self, argument: impl AsRef<OsStr>) -> Self {
        self.args([argument])
    }

    /// Runs in this folder.
    pub fn folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Sets environment variables.
    pub fn envs(mut self, pairs: &[(String, String)]) -> Self {
        self.command.envs(pairs.iter().map(|(name, value)| (name, value)));
        self
    }

    /// Kills the program (it alone, not its children) when it runs longer than this. For captured runs.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// The command line, for people.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Runs with the terminal's output; an exit code other than 0 is an error.
    pub fn run(mut self) -> Result<()> {
        let status =
            self.command.stdin(Stdio::null()).status().with_context(|| format!("cannot start `{}`", self.text))?;
        if !status.success() {
            bail!("`{}` failed ({status})", self.text);
        }
        Ok(())
    }

    /// Runs and captures both outputs, whatever the exit code.
    pub fn capture(mut self) -> Result<Captured> {
        let mut child = self
            .command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start `{}`", self.text))?;
        let stdout = read_all(child.stdout.take());
        let stderr = read_all(child.stderr.take());
        let status = wait(&mut child, self.timeout).with_context(|| format!("`{}`", self.text))?;
        Ok(Captured { status, stdout: stdout.join().unwrap_or_default(), stderr: stderr.join().unwrap_or_default() })
    }

    /// Runs and gives standard output; an exit code other than 0 is an error with the standard error text.
    pub fn output(self) -> Result<String> {
        let text = self.text.clone();
        let captured = self.capture()?;
        if !captured.status.success() {
            bail!("`{text}` failed ({})\n{}{}", captured.status, captured.stdout, captured.stderr.trim_end());
        }
        Ok(captured.stdout)
    }

    /// Runs with its output shown while it is also captured (standard error and output together).
    pub fn tee(mut self) -> Result<(ExitStatus, String)> {
        let mut child = self
            .command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start `{}`", self.text))?;
        let errors = child.stderr.take();
        let other = std::thread::spawn(move || errors.map(show_and_keep).unwrap_or_default());
        let mut text = child.stdout.take().map(show_and_keep).unwrap_or_default();
        text.push_str(&other.join().unwrap_or_default());
        Ok((child.wait()?, text))
    }

    /// The command itself, for a program that keeps running.
    pub fn into_command(self) -> Command {
        self.command
    }
}

fn read_all(stream: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            // What was read before an error is still worth showing.
            let _ = stream.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn show_and_keep(stream: impl Read) -> String {
    let mut kept = String::new();
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        let text = String::from_utf8_lossy(&line);
        print!("{text}");
        let _ = std::io::stdout().flush();
        kept.push_str(&text);
        line.clear();
    }
    kept
}

fn wait(child: &mut Child, limit: Option<Duration>) -> Result<ExitStatus> {
    let Some(limit) = limit else { return Ok(child.wait()?) };
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if started.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            bail!("took longer than {} s and was stopped", limit.as_secs());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The program's path, when one of this name is on `PATH` or in a system folder.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(system).map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
}

/// Whether we run as root.
pub fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|data| data.uid() == 0)
}

/// Sends a signal, such as `TERM`, to a process. The shell's own `kill` is used, since a small Debian
/// has no other.
pub fn signal(process: u32, name: &str) -> Result<()> {
    Run::new("sh").args(["-c", "kill -s \"$1\" \"$2\"", "kill", name, &process.to_string()]).output().map(drop)
}
