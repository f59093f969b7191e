//! Fuzzing of the parsers with libFuzzer.

use anyhow::{Context, Result, bail};

use crate::exec::Run;
use crate::repo;

pub const HELP: &str = "\
Usage: cargo xtask fuzz [TARGET …] [--seconds N] [--minimize]

Builds the fuzz targets of `fuzz/targets` with coverage instrumentation and runs each for a while (60 seconds unless told
otherwise), starting from the kept inputs in `fuzz/corpus/TARGET`. New inputs that reach new code are added there; an input
that breaks something is written to `fuzz/artifacts/TARGET`, and fails the command. The specs of the labelled corpus are
starting points too. With `--minimize` the kept inputs are cut down to those that reach something that no other does.

Examples:
  cargo xtask fuzz
  cargo xtask fuzz spec_yaml --seconds 600
";

/// What makes the compiler count which branches an input reaches. Sanitizers would need an unstable
/// compiler, and there is no unsafe code for them to look at.
const INSTRUMENTATION: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing";

/// Longest that one input may take, seconds.
const INPUT_SECONDS_MAX: &str = "10";
/// Most memory, MiB.
const MEMORY_MIB_MAX: &str = "1024";

/// The command.
pub fn run(arguments: &[String]) -> Result<()> {
    let mut seconds = "60".to_owned();
    let mut minimize = false;
    let mut wanted = Vec::new();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--minimize" => minimize = true,
            "--seconds" => seconds = words.next().context("--seconds needs a number")?.clone(),
            name => wanted.push(name.to_owned()),
        }
    }
    let targets = targets()?;
    if let Some(name) = wanted.iter().find(|name| !targets.contains(name)) {
        bail!("there is no target `{name}`; the targets are {}", targets.join(", "));
    }
    let host = host()?;
    build(&host)?;
    for target in targets.iter().filter(|name| wanted.is_empty() || wanted.contains(name)) {
        if minimize {
            cut_down(&host, target)?;
        } else {
            fuzz(&host, target, &seconds)?;
        }
    }
    Ok(())
}

/// The machine that we build for, as the compiler calls it.
fn host() -> Result<String> {
    let version = Run::new("rustc").arg("-vV").output()?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("`rustc -vV` names no host")?.to_owned())
}

/// Names of the targets.
fn targets() -> Result<Vec<String>> {
    let folder = repo::root()?.join("fuzz/targets");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        names.extend(entry?.path().file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}

fn build(host: &str) -> Result<()> {
    // With a target named, the flags are for the fuzz targets and not for build scripts, which lack the runtime.
    Run::cargo()
        .args(["build", "--release", "--bins", "--target", host])
        .folder(&repo::root()?.join("fuzz"))
        .env("CARGO_TARGET_DIR", repo::target()?.join("fuzz"))
        .env("RUSTFLAGS", INSTRUMENTATION)
        .run()
}

fn fuzz(host: &str, target: &str, seconds: &str) -> Result<()> {
    let folder = repo::root()?.join("fuzz");
    let corpus = folder.join("corpus").join(target);
    let artifacts = folder.join("artifacts").join(target);
    for folder in [&corpus, &artifacts] {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    println!("\n=== {target}, {seconds} s");
    Run::new(repo::target()?.join("fuzz").join(host).join("release").join(target))
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={INPUT_SECONDS_MAX}"))
        .arg(format!("-rss_limit_mb={MEMORY_MIB_MAX}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .arg("-print_final_stats=1")
        .arg(&corpus)
        .args(seeds()?)
        .run()
}

/// Inputs to start from that are not kept by the fuzzer: the labelled corpus.
fn seeds() -> Result<Vec<std::path::PathBuf>> {
    let folder = repo::root()?.join("crates/spec/tests/corpus");
    Ok(vec![folder.join("valid"), folder.join("invalid")])
}

/// Keeps only the inputs that reach something that no other one does.
fn cut_down(host: &str, target: &str) -> Result<()> {
    let corpus = repo::root()?.join("fuzz/corpus").join(target);
    let fewer = corpus.with_extension("fewer");
    std::fs::create_dir_all(&fewer).with_context(|| format!("cannot make {}", fewer.display()))?;
    println!("\n=== {target}, fewer inputs");
    Run::new(repo::target()?.join("fuzz").join(host).join("release").join(target))
        .args(["-merge=1", "-max_len=4096"])
        .arg(&fewer)
        .arg(&corpus)
        .run()?;
    std::fs::remove_dir_all(&corpus).with_context(|| format!("cannot remove {}", corpus.display()))?;
    std::fs::rename(&fewer, &corpus).with_context(|| format!("cannot rename {}", fewer.display()))
}
