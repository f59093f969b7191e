//! What a script costs: `cargo run --release -p script --example cost`.
//!
//! Prints the time from the call to the first line of the script's function and back, the memory of a thousand distinct
//! loaded scripts, and the time of fifty parallel calls to the host next to the slowest of them.

use std::time::{Duration, Instant};

use bytes::Bytes;
use script::{Call, Host, HostFuture, Limits, Origin, Sandbox, Script, Surface};
use tokio_util::sync::CancellationToken;

const SCRIPTS: usize = 1_000;
const RUNS: usize = 2_000;
const UPSTREAM: Duration = Duration::from_millis(100);

struct Waits;

impl Host for Waits {
    fn call(&self, _: usize, arguments: String) -> HostFuture<'_> {
        Box::pin(async move {
            tokio::time::sleep(UPSTREAM).await;
            Ok(Bytes::from(arguments))
        })
    }
}

/// A script of some 2 KiB, unlike any other.
fn text(number: usize) -> String {
    let mut text = format!(
        "// Script {number}\nexport default async function run(args, {{ api, log }}) {{\n  if (args.all) return (await Promise.all(args.all.map((n) => api.get(n)))).length;\n"
    );
    for line in 0..18 {
        text += &format!(
            "  if (args.n === {}) log(`{number} has ${{args.n}} of ${{args.items?.length ?? {line}}}`, \"debug\");\n",
            number + line
        );
    }
    text + &format!("  return {{ number: {number}, n: args.n }};\n}}\n")
}

/// Resident memory of the process in KiB, where the system says so.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().strip_suffix(" kB")?.parse().ok()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut surface = Surface::new();
    surface.add("api", ["get"]);
    let cancel = CancellationToken::new();
    let call = |arguments: &'static str| Call {
        arguments: arguments.as_bytes(),
        surface: &surface,
        limits: Limits::default(),
        deadline: tokio::time::Instant::now() + Duration::from_secs(60),
        cancel: &cancel,
    };

    let before = resident();
    let began = Instant::now();
    let scripts: Vec<Script> =
        (0..SCRIPTS).map(|number| Script::compile(&text(number), Origin::default())).collect::<Result<_, _>>()?;
    println!(
        "{SCRIPTS} distinct scripts of {} bytes: compiled and loaded once in {:.2} ms each",
        text(500).len(),
        began.elapsed().as_secs_f64() * 1e3 / SCRIPTS as f64
    );
    if let (Some(before), Some(after)) = (before, resident()) {
        println!("memory: {} KiB more than before (limit 153600)", after.saturating_sub(before));
    }

    let mut times = Vec::with_capacity(RUNS);
    for number in 0..RUNS {
        let began = Instant::now();
        Sandbox::shared().run(&scripts[number % SCRIPTS], &Waits, call("{\"n\": 1}")).await?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    let at = |percent: usize| times[RUNS * percent / 100].as_secs_f64() * 1e6;
    println!("one run, whole: p50 {:.0} µs, p95 {:.0} µs, p99 {:.0} µs (limit 500)", at(50), at(95), at(99));
    if let Some(after) = resident() {
        println!("memory after {RUNS} runs: {after} KiB in all");
    }

    let all: &'static str = Box::leak(format!("{{\"all\": [{}]}}", vec!["1"; 50].join(",")).into_boxed_str());
    let began = Instant::now();
    let result = Sandbox::shared().run(&scripts[0], &Waits, call(all)).await?;
    println!(
        "50 parallel calls of {UPSTREAM:?}: {:?}, {:.2} of the slowest (limit 1.3), result {}",
        began.elapsed(),
        began.elapsed().as_secs_f64() / UPSTREAM.as_secs_f64(),
        String::from_utf8_lossy(&result.json)
    );
    Ok(())
}
