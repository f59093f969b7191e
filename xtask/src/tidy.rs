//! House rules that no compiler knows.

mod links;
mod text;

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::repo;
use crate::report::Tally;

pub const HELP: &str = "\
Usage: cargo xtask tidy

Checks every file that Git tracks, or would track:
  - Rust: no `mod.rs`; no ignored test; more than 500 lines need a reason: a line `// Long because …` near the top
  - text: nothing left to do is marked in it; no path of a particular machine; no address of a package registry
  - Markdown: links to files resolve
  - the lock file of the npm packages names no host; no file is larger than 1 MiB
  - README, ARCHITECTURE, CONTRIBUTING, CHANGELOG and LICENSE exist
";

/// Papers that a repository owes its readers.
const PAPERS: [&str; 5] = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"];
/// Largest file that belongs into the repository, bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The command.
pub fn run(arguments: &[String]) -> Result<()> {
    if !arguments.is_empty() {
        bail!("unknown arguments {arguments:?}; see `cargo xtask tidy --help`");
    }
    let tally = check()?;
    println!("{} files are tidy", tally.passed);
    tally.into_result("tidy")
}

/// Checks every file.
pub fn check() -> Result<Tally> {
    let root = repo::root()?;
    let mut tally = Tally::default();
    for file in repo::files()? {
        let faults = faults(&root, &file)?;
        tally.passed += usize::from(faults.is_empty());
        tally.failures.extend(faults.into_iter().map(|fault| format!("{}{fault}", file.display())));
    }
    for paper in PAPERS {
        if !root.join(paper).is_file() {
            tally.failures.push(format!("{paper} is missing"));
        }
    }
    Ok(tally)
}

/// What is wrong with a file; each begins with `:line: ` or `: `.
fn faults(root: &Path, file: &Path) -> Result<Vec<String>> {
    let path = root.join(file);
    let mut faults = Vec::new();
    let size = path.metadata()?.len();
    if size > FILE_BYTES_MAX {
        faults.push(format!(": {size} bytes, and {FILE_BYTES_MAX} is the most that belongs into the repository"));
    }
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let Ok(text) = std::str::from_utf8(&bytes) else { return Ok(faults) };
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let extension = file.extension().map(|extension| extension.to_string_lossy().into_owned()).unwrap_or_default();
    if name == "mod.rs" {
        faults.push(": a module's file stands beside its folder (`name.rs`), not in it".to_owned());
    }
    if extension == "rs" {
        faults.extend(text::rust(text));
    }
    if extension == "md" {
        faults.extend(links::broken(root, file, text));
    }
    if name == "package-lock.json" && text.contains("\"resolved\"") {
        faults.push(": names registry hosts; make it with npm's `omit-lockfile-registry-resolved`".to_owned());
    }
    // Cargo's lock file names the registry by its protocol, and test data may hold anything.
    if name != "Cargo.lock" && !is_test_data(file) {
        faults.extend(text::any(text));
    }
    Ok(faults)
}

/// Whether the file is input of tests rather than something people wrote for people.
fn is_test_data(file: &Path) -> bool {
    file.components()
        .any(|part| matches!(part.as_os_str().to_str(), Some("corpus" | "data" | "fixtures" | "snapshots")))
}
