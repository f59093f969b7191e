//! Compiles many servers and says how long it took and what they hold in memory:
//! `cargo run --release -p engine --example many -- SERVERS TOOLS`.

use std::fmt::Write as _;
use std::time::Instant;

use base::Source;
use engine::Toolset;
use plan::Reality;

/// Parameters of each tool.
const PARAMETERS: usize = 10;

fn text(tools: usize) -> String {
    let mut out = "name: many\ntools:\n".to_owned();
    for tool in 0..tools {
        let _ = writeln!(
            out,
            "  - name: tool_{tool}\n    description: Does thing {tool}.\n    reply: {{text: done}}\n    parameters:"
        );
        for parameter in 0..PARAMETERS {
            let _ = writeln!(out, "      p{parameter}: {{type: integer, minimum: 0, description: Number {parameter}}}");
        }
    }
    out
}

/// Resident memory of this process in bytes; 0 where the system does not tell.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<usize>().ok());
    kilobytes.unwrap_or(0) * 1024
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let number = |at: usize, default: usize| std::env::args().nth(at).map_or(Ok(default), |text| text.parse());
    let (servers, tools) = (number(1, 1_000)?, number(2, 10)?);
    let text = text(tools);
    let parsed = spec::parse(Source { name: "many", text: &text }, &spec::ParseOptions::default());
    let spec = parsed.spec.ok_or("the spec is wrong")?;
    let (plan, _) = plan::make(&spec, &Reality::default(), None);
    let before = resident();
    let began = Instant::now();
    let mut made = Vec::with_capacity(servers);
    for _ in 0..servers {
        made.push(
            Toolset::compile(&spec, &plan, engine::Connections::default())
                .map_err(|problems| format!("{problems:?}"))?,
        );
    }
    let took = began.elapsed();
    let each = resident().saturating_sub(before) / servers.max(1);
    println!("{servers} servers of {tools} tools: {took:?}, {each} bytes each");
    let began = Instant::now();
    let problems: usize = made.iter().take(1).map(|toolset| toolset.check().len()).sum();
    println!("every schema of one compiled: {:?}, {problems} problems", began.elapsed());
    Ok(())
}
