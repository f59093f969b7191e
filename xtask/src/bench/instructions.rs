//! Instructions of one request, counted by Valgrind: unlike times they repeat on a noisy machine, so they can be a test.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::exec::Run;
use crate::report::{self, Tally};
use crate::{repo, setup};

/// The counts that the repository keeps.
const FILE: &str = "bench/instructions.json";

/// How much a count may grow before the check fails: what one more allocation or copy costs is seen, what a different
/// processor's string functions cost is not.
const TOLERANCE: f64 = 0.05;
/// The same for another compiler than the counts were made with.
const TOLERANCE_OTHER_COMPILER: f64 = 0.2;

/// Each scenario of the example `call_path`, with the two numbers of requests whose difference is counted.
const SCENARIOS: [(&str, [u64; 2]); 5] =
    [("call", [50, 1050]), ("list", [50, 1050]), ("session", [50, 1050]), ("refused", [25, 425]), ("compile", [1, 4])];

/// What is kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Counts {
    /// The compiler that built the program.
    compiler: String,
    /// Instructions of one request by scenario.
    instructions: BTreeMap<String, u64>,
}

/// Counts, and writes the counts to the repository.
pub fn update() -> Result<()> {
    let now = count()?;
    let file = repo::root()?.join(FILE);
    print(&now, read(&file).ok().as_ref());
    let text = serde_json::to_string_pretty(&now)? + "\n";
    std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    println!("written to {FILE}");
    Ok(())
}

/// Counts, and compares with what the repository keeps.
pub fn check() -> Result<Tally> {
    if std::env::consts::ARCH != "x86_64" {
        let reason = format!("instructions: the kept counts are of x86_64, this is {}", std::env::consts::ARCH);
        return Ok(Tally { skips: vec![reason], ..Tally::default() });
    }
    let kept = read(&repo::root()?.join(FILE))?;
    let now = count()?;
    print(&now, Some(&kept));
    let tolerance = if now.compiler == kept.compiler { TOLERANCE } else { TOLERANCE_OTHER_COMPILER };
    let mut tally = Tally::default();
    for (name, count) in &now.instructions {
        tally.check(name, judge(*count, kept.instructions.get(name).copied(), tolerance));
    }
    Ok(tally)
}

fn judge(now: u64, kept: Option<u64>, tolerance: f64) -> Result<()> {
    let Some(kept) = kept else { bail!("{FILE} has no count; `cargo xtask bench --instructions --update` writes it") };
    if now as f64 > kept as f64 * (1.0 + tolerance) {
        bail!(
            "{now} instructions, and {kept} were kept ({:+.1} %, at most {:+.0} %): make it cheaper, or say in the commit \
             what the instructions are good for and run `cargo xtask bench --instructions --update`",
            (now as f64 / kept as f64 - 1.0) * 100.0,
            tolerance * 100.0
        );
    }
    Ok(())
}

fn read(file: &Path) -> Result<Counts> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("cannot read {}", file.display()))
}

fn print(now: &Counts, kept: Option<&Counts>) {
    if let Some(kept) = kept.filter(|kept| kept.compiler != now.compiler) {
        println!("the kept counts are of {}, these of {}", kept.compiler, now.compiler);
    }
    let row = |(name, count): (&String, &u64)| {
        let before = kept.and_then(|kept| kept.instructions.get(name)).copied();
        let ratio = before.map_or("-".to_owned(), |before| format!("{:.3}", *count as f64 / before as f64));
        let before = before.map_or("-".to_owned(), |before| before.to_string());
        vec![name.clone(), count.to_string(), before, ratio]
    };
    let rows: Vec<Vec<String>> = now.instructions.iter().map(row).collect();
    report::table(&["request", "instructions", "kept", "ratio"], &rows);
}

fn count() -> Result<Counts> {
    setup::valgrind()?;
    let program = build()?;
    let mut counts =
        Counts { compiler: Run::new("rustc").arg("--version").output()?.trim().to_owned(), ..Counts::default() };
    for (name, [few, many]) in SCENARIOS {
        let (less, more) = (run(&program, name, few)?, run(&program, name, many)?);
        counts.instructions.insert(name.to_owned(), more.saturating_sub(less) / (many - few));
    }
    Ok(counts)
}

/// The example that answers requests inside one process. All of it is built at the optimisation level that the
/// development profile has for dependencies, so that those of the tests serve here too and only our own crates are
/// built once more.
fn build() -> Result<PathBuf> {
    Run::cargo()
        .args(["build", "--quiet", "--package", "server", "--example", "call_path"])
        .env("CARGO_PROFILE_DEV_OPT_LEVEL", "1")
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .folder(&repo::root()?)
        .run()?;
    Ok(repo::target()?.join("debug/examples/call_path"))
}

/// Instructions of a whole run.
fn run(program: &Path, scenario: &str, times: u64) -> Result<u64> {
    let captured = Run::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([scenario.to_owned(), times.to_string()])
        .capture()?;
    if !captured.status.success() {
        bail!("`{scenario}` failed under Valgrind ({})\n{}", captured.status, captured.stderr.trim_end());
    }
    collected(&captured.stderr).with_context(|| format!("Valgrind gave no count\n{}", captured.stderr.trim_end()))
}

/// The count in what callgrind says at its end: `==1== Collected : 123`.
fn collected(text: &str) -> Option<u64> {
    let (_, rest) = text.lines().find_map(|line| line.split_once("Collected : "))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{collected, judge};

    #[test]
    fn a_count_may_shrink_but_hardly_grow() {
        assert!(judge(900, Some(1000), 0.05).is_ok());
        assert!(judge(1050, Some(1000), 0.05).is_ok());
        assert!(judge(1051, Some(1000), 0.05).is_err());
        assert!(judge(1, None, 0.05).is_err());
    }

    #[test]
    fn the_count_is_found_in_what_callgrind_says() {
        assert_eq!(collected("==7== Events    : Ir\n==7== Collected : 61231\n==7== \n"), Some(61231));
        assert_eq!(collected("==7== error"), None);
    }
}
