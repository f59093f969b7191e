//! Runs servers on targets: what is wanted is kept in the catalogue, and the control plane makes it so.

mod health;
mod logs;
mod reconcile;
mod residents;
mod versions;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Wanted;
use tokio::sync::{Mutex, MutexGuard, Notify};

use crate::pipeline::ms_since;
use crate::{Code, Context, Error};

pub use ::deploy::{Access, Counted, Entry, Local, Logs, Place, READ_MAX, Running, Sum, Target};
pub(crate) use logs::{FOLDER as LOGS, moment, written};
pub use logs::{LogsInput, LogsOutput, logs, logs_of};
pub use reconcile::{ensure, follow, reconcile};
pub(crate) use residents::FOLDER as RESIDENTS;
pub use versions::version;

/// The target that needs nothing but this process.
pub const LOCAL: &str = "local";
/// Longest wait for a control plane in another process to act.
const ACT_TIMEOUT: Duration = Duration::from_secs(20);
/// Deployments whose names share a place take turns.
const TURNS: usize = 64;
/// How often is looked whether it acted.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The targets of a control plane.
pub struct Targets {
    /// This process.
    pub local: Arc<Local>,
    /// Where the control plane is.
    pub url: String,
    /// Wakes up whoever makes it so: something was changed in this process.
    pub changed: Notify,
    turns: Vec<Mutex<()>>,
    /// The stamps of what did not run in this process, by server.
    failed: parking_lot::Mutex<HashMap<String, String>>,
    /// When the servers were made that were launched here, by name; read when it is first asked.
    residents: parking_lot::Mutex<Option<BTreeMap<String, String>>>,
}

impl Targets {
    /// The targets of a control plane that is at this URL.
    pub fn new(local: Arc<Local>, url: String) -> Self {
        Self {
            local,
            url,
            changed: Notify::new(),
            turns: (0..TURNS).map(|_| Mutex::default()).collect(),
            failed: parking_lot::Mutex::default(),
            residents: parking_lot::Mutex::default(),
        }
    }

    /// Waits until nobody else makes this deployment what is wanted. Beside the turns of changes, since this is a part
    /// of some of them.
    async fn turn(&self, name: &str) -> MutexGuard<'_, ()> {
        let sum = name.bytes().fold(0usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
        self.turns[sum % TURNS].lock().await
    }
}

/// What to deploy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// Name of the server.
    pub name: String,
    /// Where it is to run: `local`.
    #[serde(default = "local")]
    pub target: String,
    /// Which version; when absent, whichever is current, also later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Go back to the version that ran before.
    #[serde(default)]
    pub rollback: bool,
}

fn local() -> String {
    LOCAL.to_owned()
}

/// Which deployed server.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NameInput {
    /// Name of the server.
    pub name: String,
}

/// A deployed server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    /// Name of the server.
    pub name: String,
    /// Where it runs.
    pub target: String,
    /// `starting`, `running`, `stopped`, `failed`.
    pub state: String,
    /// What is wanted: `running` or `stopped`.
    pub wanted: String,
    /// Whether it is as wanted and well.
    pub healthy: bool,
    /// Why it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The version that answers, or answered last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The version that it is held at; absent when it follows the current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_at: Option<String>,
    /// The version that ran before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// Where MCP clients reach it; absent when no control plane runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// When it was first deployed, RFC 3339.
    pub created_at: String,
    /// When something else was wanted, RFC 3339.
    pub changed_at: String,
    /// Whether this was only tried: it says what would be.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// How long this took, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elapsed_ms: Option<f64>,
}

/// Deploys a server: when this returns it answers, or the reason why it does not is known.
///
/// # Errors
/// There is no such server, version or target; there is nothing to go back to; no control plane acts.
pub async fn deploy(context: &Context, input: Input) -> Result<Deployment, Error> {
    let start = Instant::now();
    check(&input)?;
    let Input { name, target, version, rollback } = input;
    let version = if rollback { Some(previous(context, &name).await?) } else { version };
    let key = name.clone();
    let wanted = context.store(move |store| store.deploy(&key, &target, version.as_deref())).await?;
    if context.tries {
        return tried(context, wanted, start).await;
    }
    acted(context, wanted, start).await
}

/// Looks whether there is what is to be deployed.
///
/// # Errors
/// Those of [`deploy`] before anything is stored.
pub(crate) async fn deployable(context: &Context, input: &Input) -> Result<(), Error> {
    check(input)?;
    if input.rollback {
        return previous(context, &input.name).await.map(drop);
    }
    let (name, version) = (input.name.clone(), input.version.clone());
    context.store(move |store| store.version(&name, version.as_deref())).await.map(drop)
}

fn check(input: &Input) -> Result<(), Error> {
    if input.target != LOCAL {
        return Err(Error::new(Code::NoTarget, format!("there is no target `{}`", input.target))
            .hint("the target of this build is `local`: the process of the control plane"));
    }
    if let (Some(version), true) = (&input.version, input.rollback) {
        return Err(Error::new(
            Code::BadRequest,
            format!("version {version} is named, and the version before is asked for too"),
        )
        .hint("leave `version` or `rollback` out"));
    }
    Ok(())
}

/// The version to go back to.
async fn previous(context: &Context, name: &str) -> Result<String, Error> {
    let known = deployed(context, name).await?;
    known.previous.ok_or_else(|| {
        Error::new(Code::NothingBefore, format!("`{name}` has run no other version to go back to"))
            .hint(format!("name a version: `mcp-factory status {name}` shows them"))
    })
}

async fn deployed(context: &Context, name: &str) -> Result<store::Deployment, Error> {
    let key = name.to_owned();
    let found = context.store(move |store| store.deployment(&key)).await?;
    found.ok_or_else(|| not_deployed(name))
}

fn not_deployed(name: &str) -> Error {
    Error::new(Code::NotDeployed, format!("`{name}` is not deployed"))
        .hint(format!("deploy it: `mcp-factory deploy {name}`, or `POST /mcp/deploy/{name}`"))
}

/// Why a server that does not run here, or a version of it, does not answer, as the caller may know it who comes to it as a whole
/// or by a group.
pub async fn away(context: &Context, name: &str, group: Option<&str>, version: Option<&str>) -> Error {
    let is_own = crate::access::check(context, &crate::access::About::Owned(name.to_owned())).await.is_ok();
    if !is_own && !crate::access::may_come(context, name, group).await {
        return crate::access::hidden(name);
    }
    let key = name.to_owned();
    if !context.has_store() || context.store(move |store| store.server(&key)).await.is_err() {
        return crate::access::hidden(name);
    }
    if let Some(version) = version
        && let Some(error) = version_away(context, name, version, is_own).await
    {
        return error;
    }
    match deployed(context, name).await {
        // Why it does not run is its owner's business, and so is having it run again.
        Ok(known) if !is_own => {
            let stopped = known.wanted == Wanted::Stopped;
            let how = if stopped { "deployed, and stopped" } else { "deployed, and does not run at the moment" };
            Error::new(Code::NotDeployed, format!("`{name}` is {how}"))
                .hint("come again later, or ask whoever gave it to you")
        }
        Err(_) if !is_own => Error::new(Code::NotDeployed, format!("`{name}` is not deployed"))
            .hint("come again later, or ask whoever gave it to you"),
        Err(error) => error,
        Ok(known) if known.wanted == Wanted::Stopped => {
            Error::new(Code::NotDeployed, format!("`{name}` is deployed, and stopped"))
                .hint(format!("start it: `mcp-factory start {name}`, or `POST /mcp/servers/{name}/start`"))
        }
        Ok(known) => {
            let why = known.reason.unwrap_or_else(|| "it is just being started".to_owned());
            Error::new(Code::NotDeployed, format!("`{name}` is deployed, and does not run: {why}"))
                .hint(format!("`mcp-factory status {name}` says more"))
        }
    }
}

/// Whether a server is not one that was stopped: at a control plane nobody calls its tools.
///
/// # Errors
/// It was stopped.
pub(crate) async fn not_stopped(context: &Context, name: &str) -> Result<(), Error> {
    if context.targets.is_none() {
        return Ok(());
    }
    let key = name.to_owned();
    match context.store(move |store| store.deployment(&key)).await? {
        Some(known) if known.wanted == Wanted::Stopped => Err(away(context, name, None, None).await),
        _ => Ok(()),
    }
}

/// Why a version does not answer beside the one that is switched to; nothing where that does not run either.
async fn version_away(context: &Context, name: &str, version: &str, is_own: bool) -> Option<Error> {
    let (key, wanted) = (name.to_owned(), version.to_owned());
    match context.store(move |store| store.version(&key, Some(&wanted)).map(drop)).await {
        // Which versions there are is its owner's business.
        Err(error) if error.code == Code::NoVersion && !is_own => Some(
            Error::new(Code::NoVersion, error.message).hint("leave `/versions/…` out, or ask whoever gave it to you"),
        ),
        Err(error) if error.code == Code::NoVersion => Some(error),
        Ok(()) if context.targets.as_ref()?.local.find(name).is_some() => {
            let what = format!("version `{version}` of `{name}` does not run beside the one that it is switched to");
            Some(Error::new(Code::NotDeployed, what).hint("the log of the control plane says why"))
        }
        _ => None,
    }
}

/// Starts a deployed server that was stopped.
///
/// # Errors
/// It was never deployed; no control plane acts.
pub async fn start(context: &Context, input: NameInput) -> Result<Deployment, Error> {
    want(context, input.name, Wanted::Running).await
}

/// Stops a deployed server. It stays deployed, and stays stopped when the control plane is started again.
///
/// # Errors
/// It was never deployed; no control plane acts.
pub async fn stop(context: &Context, input: NameInput) -> Result<Deployment, Error> {
    want(context, input.name, Wanted::Stopped).await
}

async fn want(context: &Context, name: String, wanted: Wanted) -> Result<Deployment, Error> {
    let start = Instant::now();
    let key = name.clone();
    let stored = context.store(move |store| store.want(&key, wanted)).await?;
    let stored = stored.ok_or_else(|| not_deployed(&name))?;
    match context.tries {
        true => tried(context, stored, start).await,
        false => acted(context, stored, start).await,
    }
}

/// What would come of it: whether the version that would be switched to is well.
async fn tried(context: &Context, wanted: store::Deployment, start: Instant) -> Result<Deployment, Error> {
    let mut would = wanted.clone();
    (would.state, would.seen, would.reason) = (wanted.wanted.as_str().to_owned(), wanted.generation, None);
    if wanted.wanted == Wanted::Running {
        let (running, before) = reconcile::before(context, &wanted);
        match reconcile::fit(context, &wanted, before.as_deref()).await {
            Ok(fit) => (would.serves, would.reason) = (Some(fit.version), fit.ailing),
            Err(refused) => {
                let goes_on = match (running, before) {
                    (Some(version), _) => Some(version),
                    (None, Some(version)) => {
                        let fit = Box::pin(health::examine(context, &wanted.name, Some(&version))).await;
                        fit.is_ok().then_some(version)
                    }
                    (None, None) => None,
                };
                (would.state, would.reason) = reconcile::refusal(refused, goes_on.as_deref());
                would.serves = goes_on.or(would.serves);
            }
        }
    }
    let mut told = shown(context, &would);
    told.dry_run = true;
    told.elapsed_ms = Some(ms_since(start));
    Ok(told)
}

/// Makes it so, here or in the process of the control plane, and tells what came of it.
async fn acted(context: &Context, wanted: store::Deployment, start: Instant) -> Result<Deployment, Error> {
    let (name, generation) = (wanted.name.clone(), wanted.generation);
    if context.targets.is_some() {
        reconcile::one(context, &name).await?;
    } else if crate::plane::running(context).is_some() {
        let late = start + ACT_TIMEOUT;
        while deployed(context, &name).await?.seen < generation && Instant::now() < late {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
    let found = deployed(context, &name).await?;
    let mut told = shown(context, &found);
    told.elapsed_ms = Some(ms_since(start));
    Ok(told)
}

/// A deployment as callers see it.
pub(crate) fn shown(context: &Context, found: &store::Deployment) -> Deployment {
    let base = context.targets.as_ref().map(|targets| targets.url.clone()).or_else(|| crate::plane::running(context));
    let acts = base.is_some();
    let state = match (acts, found.wanted) {
        // Nothing runs while no control plane does.
        (false, _) => "stopped".to_owned(),
        (true, _) if found.seen < found.generation => "starting".to_owned(),
        (true, _) => found.state.clone(),
    };
    let reason = match acts {
        true => found.reason.clone(),
        false if found.wanted == Wanted::Running => {
            Some("no control plane runs; start one with `mcp-factory serve`".to_owned())
        }
        false => None,
    };
    Deployment {
        name: found.name.clone(),
        target: found.target.clone(),
        healthy: state == found.wanted.as_str() && reason.is_none(),
        state,
        wanted: found.wanted.as_str().to_owned(),
        reason,
        version: found.serves.clone(),
        held_at: found.version.clone(),
        previous: found.previous.clone(),
        url: base.map(|base| format!("{base}/servers/{}/mcp", found.name)),
        created_at: found.created_at.clone(),
        changed_at: found.changed_at.clone(),
        dry_run: false,
        elapsed_ms: None,
    }
}

/// The deployment of a server; `None` when it was never deployed.
pub(crate) async fn of(context: &Context, name: &str) -> Result<Option<Deployment>, Error> {
    let key = name.to_owned();
    let found = context.store(move |store| store.deployment(&key)).await?;
    Ok(found.map(|found| shown(context, &found)))
}
