//! Tests that could not run: each appends a line `name: reason` to the file that this variable names.

use std::path::PathBuf;

use anyhow::Result;

use crate::repo;
use crate::report::Tally;

/// The variable.
pub const VARIABLE: &str = "MCP_FACTORY_SKIPS";
/// A reason that begins so is the machine's, such as a missing processor feature: nothing that we
/// could have installed. Any other skip is a failure.
const MACHINE: &str = "machine: ";

/// An empty file for the tests to append to.
pub fn begin() -> Result<PathBuf> {
    let file = repo::work()?.join("skips.txt");
    std::fs::write(&file, "")?;
    Ok(file)
}

/// Adds what the tests wrote.
pub fn collect(file: &std::path::Path, tally: &mut Tally) -> Result<()> {
    for line in std::fs::read_to_string(file)?.lines().filter(|line| !line.is_empty()) {
        judge(line.to_owned(), tally);
        // A test that skips itself looks to its runner like one that passed.
        tally.passed = tally.passed.saturating_sub(1);
    }
    Ok(())
}

/// Adds a skip, `name: reason`; one that is not the machine's is a failure as well.
pub fn judge(line: String, tally: &mut Tally) {
    let excused = line.split_once(": ").is_some_and(|(_, reason)| reason.starts_with(MACHINE));
    if !excused {
        tally.failures.push(format!("skipped though it can run here: {line}"));
    }
    tally.skips.push(line);
}
