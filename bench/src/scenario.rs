//! The scenarios.

mod droids;
mod hosted;
mod life;
mod plane;
mod sql;
mod upstream;
mod wire;

use anyhow::{Result, bail};

use crate::Settings;
use crate::report::Table;

/// Names and what they measure.
pub const ALL: [(&str, &str); 15] = [
    ("call", "tools/call of a trivial tool among 100, full path: authentication, routing, compiled validation"),
    ("list", "tools/list of 100 tools"),
    ("sql", "a sql tool on PostgreSQL, one row by key"),
    ("http", "an http tool, one request to an API on this machine"),
    ("fan", "a script with 50 requests under way at once"),
    ("script", "start of a script, and a thousand distinct ones loaded"),
    ("hosted", "a call through the control plane, beside one of a server that runs alone"),
    ("streams", "5,000 idle streams of HTTP+SSE at the control plane"),
    ("writes", "changes that are acknowledged and kept"),
    ("droids", "a swarm of 50 droids is started, 500 droids are watched"),
    ("create", "a spec with an inferred tool is created against a live database"),
    ("start", "process start to the first tools/list over stdio, no database"),
    ("memory", "idle memory, and 1,000 specs in one process"),
    ("plane", "the control plane: start to ready, deploy, 1,000 deployed, 10,000 stored, search; help and completion"),
    ("size", "the release binary"),
];

/// Runs one scenario.
pub async fn run(name: &str, settings: &Settings) -> Result<Table> {
    match name {
        "call" => Ok(wire::call(settings).await),
        "list" => Ok(wire::list(settings).await),
        "sql" => sql::run(settings).await,
        "http" => upstream::http(settings).await,
        "fan" => upstream::fan(settings).await,
        "script" => upstream::script(settings).await,
        "hosted" => hosted::call(settings).await,
        "streams" => hosted::streams(settings).await,
        "writes" => hosted::writes(settings).await,
        "droids" => droids::run(settings).await,
        "create" => life::create(settings).await,
        "start" => life::start(settings).await,
        "memory" => life::memory(settings).await,
        "plane" => plane::run(settings),
        "size" => life::size(settings),
        _ => bail!("no scenario of this name"),
    }
}
