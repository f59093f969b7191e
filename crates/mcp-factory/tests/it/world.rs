//! A world of one test: a temporary folder with a home, and the binary run in it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A temporary folder, a home in it, and the variables that the binary sees.
pub(crate) struct World {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

/// What a run showed.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A spec with a fixed reply: needs no database.
pub(crate) const HELLO: &str = "name: hello\nversion: 1.0.0\ndescription: Greets.\ntools:\n  - name: greet\n    description: Says hello\n    parameters: {}\n    reply: { text: Hello. }\n";

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { folder, variables: Vec::new() }
    }

    /// The same with a shop: an SQLite database with products, and its URL in `SHOP_DB`.
    pub(crate) fn with_shop() -> Self {
        let mut world = Self::new();
        let file = world.path("shop.db");
        let database = rusqlite::Connection::open(&file).expect("a database");
        database.execute_batch(include_str!("../../../operations/src/demo/products.sql")).expect("demo data");
        world.set("SHOP_DB", &format!("sqlite:{}", file.display()));
        world
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).expect("a file");
        path
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// The binary with nothing of the surroundings but the path.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(Path::new(env!("CARGO_BIN_EXE_mcp-factory")), arguments)
    }

    pub(crate) fn command_of(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        command.env("MCP_FACTORY_HOME", self.home()).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, "")
    }

    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Ran {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        // A command that does not read its input closes the pipe: no failure of the test.
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        Ran::of(child.wait_with_output().expect("the binary ends"))
    }

    /// Runs what must work.
    pub(crate) fn ok(&self, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}\n{}{}", ran.out, ran.err);
        ran
    }

    /// Runs what must work, and gives its JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let all: Vec<&str> = arguments.iter().copied().chain(["--output", "json"]).collect();
        self.ok(&all).json()
    }

    /// Compares what a run shows with the stored snapshot, with everything that changes from run to
    /// run replaced.
    pub(crate) fn snapshot(&self, name: &str, ran: &Ran) {
        let folder = self.folder.path().display().to_string();
        let real = std::fs::canonicalize(self.folder.path()).expect("a path").display().to_string();
        let text = format!(
            "exit code: {}\n----- stdout -----\n{}----- stderr -----\n{}",
            ran.code,
            ran.out.replace(&real, "[DIR]").replace(&folder, "[DIR]"),
            ran.err.replace(&real, "[DIR]").replace(&folder, "[DIR]")
        );
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.add_filter(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "[TIME]");
        settings.add_filter(r"\d{4}-\d\d-\d\d", "[DATE]");
        // A column is as wide as its longest cell.
        settings.add_filter(r"TIME +NOTE", "TIME  NOTE");
        settings.add_filter(r"\d+(\.\d+)? +ms  +", "[MS]  ");
        settings.add_filter(r"\d+(\.\d+)? +ms", "[MS]");
        settings.add_filter(r#"Ms": \d+(\.\d+)?(e-\d+)?"#, r#"Ms": "[MS]""#);
        settings.add_filter(r"\d+ MiB are free", "[N] MiB are free");
        // It grows with every change of the catalogue's tables.
        settings.add_filter(r"format \d+", "format [N]");
        settings.add_filter(r"SQLite \d+\.\d+(\.\d+)?", "SQLite [VERSION]");
        settings.bind(|| insta::assert_snapshot!(name, text));
    }
}

impl Ran {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).expect("UTF-8 on standard output"),
            err: String::from_utf8(output.stderr).expect("UTF-8 on standard error"),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {}", self.out))
    }
}

/// The address of a service that the test needs, or `None` after saying that the test is skipped.
pub(crate) fn service(variable: &str, test: &str) -> Option<String> {
    if let Ok(url) = std::env::var(variable) {
        return Some(url);
    }
    let line = format!("{test}: {variable} is not set\n");
    match std::env::var_os("MCP_FACTORY_SKIPS") {
        Some(path) => {
            let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path).expect("the list of skips");
            file.write_all(line.as_bytes()).expect("the list of skips can be written");
        }
        None => eprint!("SKIPPED {line}"),
    }
    None
}
