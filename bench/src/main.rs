//! Load, measure, compare. Every scenario runs our binary and its peers one after the other in the
//! same run, on the same machine, with the same client, and prints ratios: absolute times of a
//! shared machine mean little. `cargo xtask bench --peers` installs the peers first.
//!
//! Method: the server is pinned to core 0, the client to core 1. CPU per call is the server process'
//! user and system time from `/proc`, over all calls of the measured window. All servers of a
//! comparison run at the same time and are measured in turn, round by round; a figure is the median
//! of its rounds, and a ratio the median of the ratios of each round.

mod compare;
mod load;
mod peers;
mod process;
mod quota;
mod report;
mod scenario;

use anyhow::Result;

/// What the command line says.
pub struct Settings {
    /// The product's release binary.
    pub product: std::path::PathBuf,
    /// The repository.
    pub repository: std::path::PathBuf,
    /// Where peers were installed; peers that are missing are printed as missing.
    pub peers: std::path::PathBuf,
    /// Superuser URL of a PostgreSQL, for the database scenarios.
    pub database: Option<String>,
    /// Seconds of each measured window.
    pub seconds: u64,
    /// Rounds of each measurement.
    pub rounds: usize,
    /// Scenarios to run; empty means all.
    pub only: Vec<String>,
}

fn settings() -> Settings {
    let mut settings = Settings {
        product: "mcp-factory".into(),
        repository: ".".into(),
        peers: ".work/peers".into(),
        database: std::env::var("MCP_FACTORY_TEST_POSTGRES").ok(),
        seconds: 3,
        rounds: 5,
        only: Vec::new(),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().unwrap_or_default();
        match argument.as_str() {
            "--product" => settings.product = value().into(),
            "--repository" => settings.repository = value().into(),
            "--peers" => settings.peers = value().into(),
            "--database" => settings.database = Some(value()),
            "--seconds" => settings.seconds = value().parse().unwrap_or(3),
            "--rounds" => settings.rounds = value().parse().unwrap_or(5),
            name => settings.only.push(name.to_owned()),
        }
    }
    settings
}

fn main() -> Result<()> {
    let settings = settings();
    process::pin_self(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut failed = false;
        for (name, about) in scenario::ALL {
            if !settings.only.is_empty() && !settings.only.iter().any(|wanted| wanted == name) {
                continue;
            }
            println!("\n== {name}: {about}");
            match scenario::run(name, &settings).await {
                Ok(table) => {
                    table.print();
                    failed |= table.missed();
                }
                Err(error) => {
                    println!("   not measured: {error:#}");
                    failed = true;
                }
            }
        }
        if failed {
            println!("\nsome bars were missed or not measured");
        }
        Ok(())
    })
}
