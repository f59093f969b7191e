//! Everything that CI checks, as one command with one answer.

mod cargo;
pub mod skips;

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::report::{self, Tally};
use crate::{
    arrows, bench, clients, conformance, contract, demo, faults, fixture, generate, judges, originals, services, setup,
    tidy,
};

pub const HELP: &str = "\
Usage: cargo xtask test [--fast] [STEP …]

Installs what the tests need, starts throw-away databases, and checks everything that CI checks. All steps run even
when one fails; a table of them ends the output, then a line `N passed, N failed, N skipped`.

Steps:
  fmt          formatting
  clippy       lints, on all targets; warnings are errors
  tests        unit and integration tests of every crate (nextest, or `cargo test` where it is missing)
  doctests     examples in the documentation (slow)
  demo         the main job, as `cargo xtask demo` shows it (slow)
  conformance  the official conformance suite, mcpcheck and the Inspector (slow)
  clients      the official client SDKs, old and new (slow)
  judges       outside judges of authorization, at the server and at the client (slow)
  contract     the REST API against its own description, with Schemathesis (slow)
  faults       harm to a running control plane, at the numbers of `cargo xtask soak --gate` (slow)
  originals    golden specs against the original servers that they rebuild (slow)
  docs         the API documentation builds without warnings (slow)
  instructions what single requests cost, as `cargo xtask bench --instructions` counts it (slow)
  gen          the generated contracts are up to date
  arrows       which crate may know which
  tidy         house rules

--fast leaves out the slow ones. A test that could not run counts as skipped and is listed with its reason; it
fails the run unless the reason is that this machine cannot do it at all.

Examples:
  cargo xtask test
  cargo xtask test --fast
  cargo xtask test tests clients
";

/// One step.
struct Step {
    name: &'static str,
    slow: bool,
    run: fn(&World) -> Result<Tally>,
}

/// What the steps share.
pub struct World {
    /// Variables that tell the tests where the databases are.
    pub services: Vec<(String, String)>,
}

const STEPS: &[Step] = &[
    Step { name: "fmt", slow: false, run: |_| cargo::format() },
    Step { name: "clippy", slow: false, run: |_| cargo::clippy() },
    Step { name: "tests", slow: false, run: cargo::tests },
    Step { name: "doctests", slow: true, run: |_| cargo::doctests() },
    Step { name: "demo", slow: true, run: |_| built(|| demo::run(&[]).map(|()| Tally::one())) },
    Step { name: "conformance", slow: true, run: |_| built(|| conformance::check(None, None)) },
    Step { name: "clients", slow: true, run: |_| built(|| clients::check(None)) },
    Step { name: "judges", slow: true, run: |_| built(judges::check) },
    Step { name: "contract", slow: true, run: |_| built(|| contract::check(contract::EXAMPLES)) },
    Step { name: "faults", slow: true, run: |_| built(|| faults::check(&[], false)) },
    Step { name: "originals", slow: true, run: |world| built(|| originals::check(None, &world.services)) },
    Step { name: "docs", slow: true, run: |_| cargo::docs() },
    Step { name: "instructions", slow: true, run: |_| bench::instructions::check() },
    Step { name: "gen", slow: false, run: |_| built(|| generate::check().map(|()| Tally::one())) },
    Step { name: "arrows", slow: false, run: |_| arrows::check() },
    Step { name: "tidy", slow: false, run: |_| tidy::check() },
];

/// The command.
pub fn run(arguments: &[String]) -> Result<()> {
    let fast = arguments.iter().any(|word| word == "--fast");
    let names: Vec<&String> = arguments.iter().filter(|word| *word != "--fast").collect();
    if let Some(name) = names.iter().find(|name| STEPS.iter().all(|step| step.name != name.as_str())) {
        bail!("there is no step `{name}`; see `cargo xtask test --help`");
    }
    let wanted = |step: &&Step| {
        if names.is_empty() { !(fast && step.slow) } else { names.iter().any(|name| *name == step.name) }
    };
    setup::all()?;
    let services = Services::begin()?;
    let world = World { services: services.variables.clone() };
    let mut rows = Vec::new();
    let mut total = Tally::default();
    for step in STEPS.iter().filter(wanted) {
        println!("\n=== {}", step.name);
        let started = Instant::now();
        let tally = (step.run)(&world).unwrap_or_else(|error| Tally::failure(format!("{error:#}")));
        for failure in &tally.failures {
            println!("FAILED {}: {failure}", step.name);
        }
        rows.push(row(step.name, &tally, started.elapsed()));
        total.add(tally);
    }
    drop(services);
    finish(&rows, total)
}

fn row(name: &str, tally: &Tally, time: Duration) -> Vec<String> {
    let verdict = if tally.failures.is_empty() { "ok" } else { "FAILED" };
    let counts = [tally.passed, tally.failures.len(), tally.skips.len()].map(|count| count.to_string());
    [vec![name.to_owned(), verdict.to_owned()], counts.to_vec(), vec![format!("{:.1} s", time.as_secs_f64())]].concat()
}

fn finish(rows: &[Vec<String>], total: Tally) -> Result<()> {
    println!();
    report::table(&["step", "verdict", "passed", "failed", "skipped", "time"], rows);
    for skip in &total.skips {
        println!("SKIPPED {skip}");
    }
    for failure in &total.failures {
        println!("FAILED {}", failure.lines().next().unwrap_or_default());
    }
    println!("\n{} passed, {} failed, {} skipped", total.passed, total.failures.len(), total.skips.len());
    if total.failures.is_empty() { Ok(()) } else { bail!("{} checks failed", total.failures.len()) }
}

/// Runs a check on the built product.
fn built(check: impl FnOnce() -> Result<Tally>) -> Result<Tally> {
    fixture::build()?;
    check()
}

/// The databases: stopped at the end if we started them.
struct Services {
    variables: Vec<(String, String)>,
    ours: bool,
}

impl Services {
    fn begin() -> Result<Self> {
        let ours = !services::are_up();
        Ok(Self { variables: services::up()?, ours })
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        if self.ours
            && let Err(error) = services::down()
        {
            eprintln!("warning: the databases could not be stopped: {error:#}");
        }
    }
}
