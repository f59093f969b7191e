//! What the operator says.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base::Secret;

use crate::limits;

/// What the operator says.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The shared key of signatures.
    pub secret: Secret,
    /// Programs work in this folder or below it.
    pub root: PathBuf,
    /// The program and its arguments; empty for `droid exec`. `{prompt}`, `{prompt-file}`, `{cwd}`, `{mode}` and `{session}` are
    /// replaced in arguments. Without `{prompt}` and `{prompt-file}` the program reads the prompt from its standard input.
    pub command: Vec<String>,
    /// The program reads and writes the JSON-RPC messages of `stream-jsonrpc`. Without a command it is `droid exec` in that mode.
    pub dialogue: bool,
    /// Variables of the program's environment. There are no others.
    pub environment: Vec<(String, String)>,
    /// Programs that run at once.
    pub concurrency: usize,
    /// Longest run.
    pub timeout: Duration,
    /// Most bytes of a program's output.
    pub output_bytes: usize,
}

impl Settings {
    /// `droid exec` in this folder, with the default limits.
    pub fn new(secret: Secret, root: impl Into<PathBuf>) -> Self {
        Self {
            secret,
            root: root.into(),
            command: Vec::new(),
            dialogue: false,
            environment: Vec::new(),
            concurrency: limits::RUNS,
            timeout: limits::RUN_TIME,
            output_bytes: limits::OUTPUT_BYTES,
        }
    }
}

/// Why the shim cannot begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem(pub String);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Problem {}

/// The file of a program: one with a slash as it is, any other one on the path.
pub(crate) fn program(name: &str, path: Option<&str>) -> Result<PathBuf, Problem> {
    let is_program = |file: &Path| {
        use std::os::unix::fs::PermissionsExt as _;
        file.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
    };
    if name.contains('/') {
        let file = std::path::absolute(name).map_err(|error| Problem(format!("`{name}` cannot be found: {error}")))?;
        return if is_program(&file) {
            Ok(file)
        } else {
            Err(Problem(format!("`{name}` is not a program that can be run")))
        };
    }
    let folders = path.map(std::env::split_paths).into_iter().flatten();
    folders.map(|folder| folder.join(name)).find(|file| file.is_absolute() && is_program(file)).ok_or_else(|| {
        Problem(format!("the program `{name}` is not on the PATH; install it, or name another one behind `--`"))
    })
}
