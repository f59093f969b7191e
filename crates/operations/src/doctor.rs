//! Checks the surroundings: the home folder, the catalogue, the registered servers and what they
//! need. Each failed check names its remedy.

mod checks;
mod settings;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Instant;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::pipeline::ms_since;
use crate::{Context, Error};

/// The port that `run` uses unless told otherwise.
pub const PORT: u16 = 8808;
/// Less free space than this is a warning, bytes.
pub const FREE_BYTES_MIN: u64 = 256 * 1024 * 1024;

/// What to check.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// Only this server: each of its settings, and whether its upstreams accept them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Do not connect to databases.
    #[serde(default)]
    pub offline: bool,
    /// The port to look at.
    #[serde(default = "default_port")]
    pub port: u16,
}

fn default_port() -> u16 {
    PORT
}

impl Default for Input {
    fn default() -> Self {
        Self { server: None, offline: false, port: PORT }
    }
}

/// What a check showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Passed,
    /// It works, and somebody should look.
    Warning,
    /// It does not work.
    Failed,
}

/// One check.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// What it showed.
    pub state: State,
    /// What was found.
    pub detail: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// How long it took, milliseconds.
    pub elapsed_ms: f64,
}

/// Every check by its name.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// Whether no check failed.
    pub healthy: bool,
    /// Version of this program.
    pub version: String,
    /// The home folder.
    pub home: String,
    /// The checks by name: `home`, `catalogue`, `clock`, `disk`, `port`, `clients`, and for every server
    /// `server NAME` and `server NAME connection CONNECTION`. Of one server: `server NAME setting VARIABLE` and
    /// `server NAME call TOOL`.
    pub checks: BTreeMap<String, Check>,
}

/// Runs every check. A check that fails is part of the answer.
pub async fn doctor(context: &Context, input: &Input) -> Result<Output, Error> {
    let mut checks = BTreeMap::new();
    let mut put = |name: String, start: Instant, finding: Finding| {
        let (state, detail, fix) = finding;
        checks.insert(name, Check { state, detail, fix, elapsed_ms: ms_since(start) });
    };
    if let Some(name) = &input.server {
        for (check, start, finding) in Box::pin(settings::of_server(context, name, input.offline)).await? {
            put(check, start, finding);
        }
        return Ok(output(context, checks));
    }
    let start = Instant::now();
    put("home".to_owned(), start, checks::home(context.home.path()));
    let start = Instant::now();
    put("disk".to_owned(), start, checks::disk(context.home.path()));
    let start = Instant::now();
    put("port".to_owned(), start, checks::port((Ipv4Addr::LOCALHOST, input.port).into()));
    let start = Instant::now();
    put("clients".to_owned(), start, checks::clients(context));
    let start = Instant::now();
    let (catalogue, readable) = checks::catalogue(context).await;
    put("catalogue".to_owned(), start, catalogue);
    let start = Instant::now();
    put("clock".to_owned(), start, checks::clock(context, readable).await);
    if readable {
        for name in crate::list::names(context).await? {
            for (check, start, finding) in checks::server(context, &name, input.offline).await {
                put(check, start, finding);
            }
        }
    }
    Ok(output(context, checks))
}

fn output(context: &Context, checks: BTreeMap<String, Check>) -> Output {
    Output {
        healthy: checks.values().all(|check| check.state != State::Failed),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        home: context.home.path().display().to_string(),
        checks,
    }
}

/// State, what was found, what to do.
type Finding = (State, String, Option<String>);
