//! What happens around calls: creating, starting, being idle.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::{sql, wire};
use crate::Settings;
use crate::peers;
use crate::process::rss_mb;
use crate::report::Table;

const INVENTORY: &str = "examples/inventory-mcp.yaml";

/// `mcp-create` of the inventory spec with its database present.
pub async fn create(settings: &Settings) -> Result<Table> {
    let database = sql::database(settings).await?;
    let spec = settings.repository.join(INVENTORY);
    let mut best = f64::INFINITY;
    for round in 0..5 {
        let home = std::env::temp_dir().join(format!("mcp-factory-bench-create-{}-{round}", std::process::id()));
        let start = Instant::now();
        let output = Command::new(&settings.product)
            .args(["create", "--spec"])
            .arg(&spec)
            .env("MCP_FACTORY_HOME", &home)
            .env("DATABASE_URL", &database.url)
            .output()?;
        let elapsed = start.elapsed().as_secs_f64() * 1e3;
        let _ = std::fs::remove_dir_all(&home);
        if !output.status.success() {
            sql::drop_database(settings).await;
            bail!("create failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        best = best.min(elapsed);
    }
    sql::drop_database(settings).await;
    let mut table = Table::new(&["ms"]);
    table.row("mcp-factory create, whole process", &[best]);
    table.at_most("create, ms", Some(best), 50.0);
    Ok(table)
}

/// From `exec` to the answer of the first `tools/list` over stdio.
pub async fn start(settings: &Settings) -> Result<Table> {
    let spec = std::env::temp_dir().join("mcp-factory-bench-start.json");
    std::fs::write(&spec, wire::hundred())?;
    let mut table = Table::new(&["ms"]);
    let mut best = f64::INFINITY;
    for _ in 0..20 {
        best = best.min(first_list(settings, &spec)?);
    }
    table.row("mcp-factory run over stdio, 100 tools", &[best]);
    table.at_most("start to first tools/list, ms", Some(best), 10.0);
    Ok(table)
}

fn first_list(settings: &Settings, spec: &std::path::Path) -> Result<f64> {
    let start = Instant::now();
    let mut child = Command::new(&settings.product)
        .arg("run")
        .arg(spec)
        .args(["--transport", "stdio"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut input = child.stdin.take().context("stdin")?;
    let mut output = BufReader::new(child.stdout.take().context("stdout")?);
    input.write_all(
        concat!(
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"#,
            r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#,
            "\n"
        )
        .as_bytes(),
    )?;
    let mut line = String::new();
    output.read_line(&mut line)?;
    let elapsed = start.elapsed().as_secs_f64() * 1e3;
    drop(input);
    child.wait()?;
    if !line.contains("tool_042") {
        bail!("no list of tools: {line}");
    }
    Ok(elapsed)
}

/// Idle memory of one served spec, and of a thousand in one process.
pub async fn memory(settings: &Settings) -> Result<Table> {
    let mut table = Table::new(&["RSS MB"]);
    let server = peers::ours(settings, &wire::hundred(), &[]).await?;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let idle = server.rss_mb();
    drop(server);
    table.row("mcp-factory, 100 tools, idle", &[idle]);
    let thousand = settings.product.with_file_name("examples").join("thousand");
    let mut child = Command::new(&thousand)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("start {}", thousand.display()))?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("stdout")?).read_line(&mut line)?;
    let hosted = rss_mb(child.id());
    drop(child.stdin.take());
    child.wait()?;
    table.row("1,000 specs hosted in one process", &[hosted]);
    table.at_most("idle, MB", Some(idle), 20.0);
    table.at_most("1,000 specs, MB", Some(hosted), 200.0);
    Ok(table)
}

/// The size of the one binary.
pub fn size(settings: &Settings) -> Result<Table> {
    let mut table = Table::new(&["MB"]);
    let file = &settings.product;
    let bytes = std::fs::metadata(file).with_context(|| format!("look at {}", file.display()))?.len();
    let size = bytes as f64 / 1e6;
    table.row("mcp-factory, stripped", &[size]);
    table.at_most("binary, MB", Some(size), 40.0);
    Ok(table)
}
