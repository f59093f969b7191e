//! The steps that are cargo's.

use anyhow::Result;

use super::{World, skips};
use crate::exec::{self, Run};
use crate::repo;
use crate::report::Tally;

fn cargo(arguments: &[&str]) -> Result<Run> {
    Ok(Run::cargo().args(arguments).folder(&repo::root()?))
}

/// Formatting, of the benchmarks' workspace too.
pub fn format() -> Result<Tally> {
    cargo(&["fmt", "--all", "--check"])?.run()?;
    for workspace in ["bench", "fuzz"] {
        Run::cargo().args(["fmt", "--all", "--check"]).folder(&repo::root()?.join(workspace)).run()?;
    }
    Ok(Tally::one())
}

/// Lints.
pub fn clippy() -> Result<Tally> {
    cargo(&["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"])?.run()?;
    Ok(Tally::one())
}

/// API documentation.
pub fn docs() -> Result<Tally> {
    cargo(&["doc", "--quiet", "--workspace", "--no-deps"])?.env("RUSTDOCFLAGS", "-D warnings").run()?;
    Ok(Tally::one())
}

/// Unit and integration tests.
pub fn tests(world: &World) -> Result<Tally> {
    let skipped = skips::begin()?;
    let nextest = exec::find("cargo-nextest").is_some() || cargo(&["nextest", "--version"])?.output().is_ok();
    let run = if nextest {
        // Tests that pass say nothing: whoever reads the log looks for those that do not.
        let shown = ["--status-level=leak", "--final-status-level=fail", "--failure-output=immediate-final"];
        cargo(&["nextest", "run", "--workspace", "--no-fail-fast", "--color=never"])?.args(shown)
    } else {
        cargo(&["test", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests", "--examples"])?
    };
    let (status, text) = run.envs(&world.services).env(skips::VARIABLE, &skipped).tee()?;
    let mut tally = if nextest { nextest_tally(&text) } else { libtest_tally(&text) };
    if !status.success() && tally.failures.is_empty() {
        tally.failures.push(format!("the tests did not build or run ({status})"));
    }
    skips::collect(&skipped, &mut tally)?;
    Ok(tally)
}

/// Examples in the documentation.
pub fn doctests() -> Result<Tally> {
    let (status, text) = cargo(&["test", "--quiet", "--workspace", "--doc", "--no-fail-fast"])?.tee()?;
    let mut tally = libtest_tally(&text);
    if !status.success() && tally.failures.is_empty() {
        tally.failures.push(format!("the examples did not build ({status})"));
    }
    Ok(tally)
}

/// Counts from nextest's output: a summary line, and a line per failure.
fn nextest_tally(text: &str) -> Tally {
    let mut tally = Tally::default();
    let Some(end) = text.lines().position(|line| line.trim_start().starts_with("Summary [")) else { return tally };
    let summary = text.lines().nth(end).unwrap_or_default();
    tally.passed = number_before(summary, " passed");
    // Each failure is listed once more below the summary.
    for line in text.lines().skip(end + 1).map(str::trim_start) {
        let failed =
            ["FAIL [", "TIMEOUT [", "SIGABRT [", "SIGSEGV [", "LEAK-FAIL ["].iter().any(|mark| line.starts_with(mark));
        if failed && let Some((_, name)) = line.split_once("] ") {
            tally.failures.push(name.trim().to_owned());
        }
    }
    tally
}

/// Counts from the output of Rust's own test runner.
fn libtest_tally(text: &str) -> Tally {
    let mut tally = Tally::default();
    for line in text.lines() {
        if line.starts_with("test result:") {
            tally.passed += number_before(line, " passed");
        } else if let Some(name) = line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED")) {
            tally.failures.push(name.to_owned());
        }
    }
    tally
}

/// The number that stands before these words.
fn number_before(line: &str, words: &str) -> usize {
    let Some((before, _)) = line.split_once(words) else { return 0 };
    before.rsplit(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{libtest_tally, nextest_tally};

    #[test]
    fn counts_of_nextest() {
        let text = "\
        PASS [   0.010s] (1/3) base::it a
        FAIL [   0.011s] (2/3) base::it b
────────────
     Summary [   0.020s] 3 tests run: 2 passed (1 slow), 1 failed, 0 skipped
        FAIL [   0.011s] (2/3) base::it b
error: test run failed
";
        let tally = nextest_tally(text);
        assert_eq!((tally.passed, tally.failures), (2, vec!["(2/3) base::it b".to_owned()]));
    }

    #[test]
    fn counts_of_libtest() {
        let text = "test a ... ok\ntest b ... FAILED\ntest result: FAILED. 1 passed; 1 failed; 0 ignored\n\
            test result: ok. 4 passed; 0 failed\n";
        let tally = libtest_tally(text);
        assert_eq!((tally.passed, tally.failures), (5, vec!["b".to_owned()]));
    }
}
