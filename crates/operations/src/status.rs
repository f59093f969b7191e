//! Checks the health of a server and shows its details.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base::Diagnostic;
use connect::Database;
use connect::files::{Job, Store};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::create::{ToolReport, reports};
use crate::deploy::Deployment;
use crate::pipeline::{self, Loaded, Made, Stored, Use, ms_since};
use crate::{Context, Error, Subject};

/// Longest wait for one connection's answer.
pub const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// Which server.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// Name of the server.
    pub name: String,
    /// Which version; the current one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// A server's health and details.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// Whether everything works: it compiles, every connection answers, every tool does something.
    pub healthy: bool,
    /// What is wrong, one sentence each.
    pub problems: Vec<String>,
    /// Name.
    pub name: String,
    /// Name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The version shown.
    pub version: String,
    /// Whether it is the current one.
    pub current: bool,
    /// Digest of its canonical form.
    pub digest: String,
    /// The transport that the spec asks for.
    pub transport: String,
    /// What callers must show over HTTP: `none`, `api_key`, `bearer`, `oauth2`.
    pub auth: String,
    /// Whether it was made in development mode.
    pub dev: bool,
    /// Revision of its plan.
    pub plan_revision: u32,
    /// When the version was made, RFC 3339.
    pub created_at: String,
    /// When its plan was stored, RFC 3339.
    pub planned_at: String,
    /// Every version, newest first.
    pub versions: Vec<String>,
    /// Its connections.
    pub connections: Vec<ConnectionReport>,
    /// Its tools.
    pub tools: Vec<ToolReport>,
    /// How many resources it offers.
    pub resources: usize,
    /// How many prompts it offers.
    pub prompts: usize,
    /// How many triggers its spec has.
    pub triggers: usize,
    /// Where it runs; absent when it was never deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<Deployment>,
    /// The catalogue's file.
    pub stored_in: String,
    /// What was found on compiling.
    #[schemars(with = "Vec<serde_json::Value>")]
    pub diagnostics: Vec<Diagnostic>,
}

/// The health of a connection.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionReport {
    /// Name.
    pub name: String,
    /// The type in the spec.
    #[serde(rename = "type")]
    pub kind: String,
    /// Variable that holds its URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env_var: Option<String>,
    /// Whether it answered.
    pub ok: bool,
    /// Engine and version as the server told them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// How long the answer took, milliseconds, connecting included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// Why it did not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A tag of the server as it is stored now; `None` when there is none of this name.
pub(crate) async fn current_tag(context: &Context, name: &str) -> Result<Option<String>, Error> {
    if !context.has_store() {
        return Ok(None);
    }
    let name = name.to_owned();
    context
        .store(move |store| match store.version(&name, None) {
            Ok(found) => Ok(Some(tag(&found.release.version, found.release.digest.as_str(), found.plan_revision))),
            Err(store::Error::NoServer { .. }) => Ok(None),
            Err(error) => Err(error),
        })
        .await
}

/// A tag of a version of a server: another one whenever the version, its content or its plan is another one.
pub(crate) fn tag(version: &str, digest: &str, plan_revision: u32) -> String {
    let of = format!("{version} {digest} {plan_revision}");
    base::Digest::of(of.as_bytes()).short().to_owned()
}

/// Checks a server. What is wrong is part of the answer.
pub async fn status(context: &Context, input: Input) -> Result<Output, Error> {
    look(context, input, true).await
}

/// The same without connecting to databases: a connection is well when its URL is known.
pub async fn offline(context: &Context, input: Input) -> Result<Output, Error> {
    look(context, input, false).await
}

async fn look(context: &Context, input: Input, online: bool) -> Result<Output, Error> {
    let subject = Subject::Server { name: input.name.clone(), version: input.version };
    let loaded = pipeline::load(context, &subject, false).await?;
    let Some(stored) = loaded.stored.clone() else { unreachable!("the subject is a server") };
    let name = input.name;
    let deployment = crate::deploy::of(context, &name).await?;
    let versions = context.store(move |store| store.versions(&name)).await?;
    let made = Box::pin(pipeline::make(context, &loaded, loaded.dev(false), Use::Stored(&stored.plan))).await;
    let (connections, diagnostics, tools) = match &made {
        Ok(made) => {
            let mut found = made.diagnostics.clone();
            found.extend(made.toolset.check());
            (connections(&loaded, Some(made), online).await, found, reports(&made.plan))
        }
        Err(found) => (connections(&loaded, None, online).await, found.clone(), reports(&stored.plan)),
    };
    let problems = problems(&connections, &diagnostics, &tools);
    let stored_in = context.store(|store| Ok(store.place())).await?;
    let versions = versions.into_iter().map(|one| one.version).collect();
    Ok(output(
        &loaded,
        &stored,
        versions,
        stored_in,
        Findings { connections, diagnostics, tools, problems, deployment },
    ))
}

struct Findings {
    connections: Vec<ConnectionReport>,
    diagnostics: Vec<Diagnostic>,
    tools: Vec<ToolReport>,
    problems: Vec<String>,
    deployment: Option<Deployment>,
}

fn output(loaded: &Loaded, stored: &Stored, versions: Vec<String>, stored_in: String, found: Findings) -> Output {
    let release = &stored.version.release;
    Output {
        healthy: found.problems.is_empty(),
        problems: found.problems,
        name: release.name.clone(),
        title: release.title.clone(),
        description: release.description.clone(),
        version: release.version.clone(),
        current: stored.version.current,
        digest: release.digest.as_str().to_owned(),
        transport: release.transport.clone(),
        auth: auth_word(&loaded.spec.auth).to_owned(),
        dev: release.dev,
        plan_revision: stored.version.plan_revision,
        created_at: stored.version.created_at.clone(),
        planned_at: stored.version.planned_at.clone(),
        versions,
        connections: found.connections,
        tools: found.tools,
        resources: loaded.spec.resources.len(),
        prompts: loaded.spec.prompts.len(),
        triggers: loaded.spec.triggers.len(),
        deployment: found.deployment,
        stored_in,
        diagnostics: found.diagnostics,
    }
}

/// The word of an `auth` section.
pub(crate) fn auth_word(auth: &spec::model::Auth) -> &'static str {
    use spec::model::Auth;
    match auth {
        Auth::None => "none",
        Auth::ApiKey { .. } => "api_key",
        Auth::Bearer { .. } => "bearer",
        Auth::Oauth2 { .. } => "oauth2",
    }
}

fn problems(connections: &[ConnectionReport], diagnostics: &[Diagnostic], tools: &[ToolReport]) -> Vec<String> {
    let refused = diagnostics.iter().filter(|one| one.is_error()).map(|one| one.message.clone());
    let unreached = connections.iter().filter(|one| !one.ok).map(|one| {
        format!("connection `{}` does not answer: {}", one.name, one.error.as_deref().unwrap_or("no reason was given"))
    });
    let idle = tools.iter().filter_map(|tool| {
        tool.not_implemented.as_ref().map(|reason| format!("tool `{}` does nothing: {reason}", tool.name))
    });
    refused.chain(unreached).chain(idle).collect()
}

/// Asks every connection of a spec for its version, all at once.
pub(crate) async fn connections(loaded: &Loaded, made: Option<&Made>, online: bool) -> Vec<ConnectionReport> {
    let mut asked = Vec::new();
    for connection in &loaded.spec.connections {
        let name = connection.name();
        let database = made.and_then(|made| {
            let of_texts = || made.connections.vectors.get(name).map(|store| store.database().clone());
            made.connections.databases.get(name).cloned().or_else(of_texts)
        });
        let api = made.and_then(|made| made.connections.apis.get(name).cloned());
        let store = made.and_then(|made| made.connections.stores.get(name).cloned());
        // No request is known that these take without effect, so that they could be opened is all that is looked at.
        let is_open = made.is_some_and(|made| {
            let all = &made.connections;
            all.messengers.contains_key(name)
                || all.mcp.contains_key(name)
                || all.redis.contains_key(name)
                || all.mongo.contains_key(name)
                || all.graphql.contains_key(name)
                || all.grpc.contains_key(name)
        });
        let why = match made.and_then(|made| made.connections.unavailable.get(name)) {
            Some(why) => why.clone(),
            None => "it was not tried, because the server does not compile".to_owned(),
        };
        let report = ConnectionReport {
            name: name.to_owned(),
            kind: connection.kind().as_str().to_owned(),
            env_var: connection.env_var().map(str::to_owned),
            ok: false,
            server: None,
            latency_ms: None,
            error: Some(why),
        };
        asked.push(tokio::spawn(async move {
            match (database, api) {
                (Some(database), _) if online => answered(report, &database).await,
                // No request is known that an API takes without effect, so its settings are all that is looked at.
                (None, Some(api)) => ConnectionReport { ok: true, error: None, server: Some(api.origin()), ..report },
                (None, None) if store.is_some() && online => looked_at(report, store).await,
                (None, None) if store.is_some() || is_open => ConnectionReport { ok: true, error: None, ..report },
                (Some(_), _) => ConnectionReport { ok: true, error: None, ..report },
                (None, None) => report,
            }
        }));
    }
    let mut reports = Vec::new();
    for task in asked {
        reports.extend(task.await.ok());
    }
    reports
}

/// Lists one entry of a store, which shows whether it is there and may be read.
async fn looked_at(mut report: ConnectionReport, store: Option<Arc<Store>>) -> ConnectionReport {
    let Some(store) = store else { return report };
    let start = Instant::now();
    let job = Job { deadline: tokio::time::Instant::now() + PING_TIMEOUT, cancel: CancellationToken::new() };
    match store.ping(&job).await {
        Ok(()) => {
            report.ok = true;
            report.error = None;
            report.latency_ms = Some(ms_since(start));
        }
        Err(error) => report.error = Some(error.to_string()),
    }
    report
}

async fn answered(mut report: ConnectionReport, database: &Arc<Database>) -> ConnectionReport {
    let start = Instant::now();
    match ping(database).await {
        Ok(server) => {
            report.ok = true;
            report.error = None;
            report.server = Some(server);
            report.latency_ms = Some(ms_since(start));
        }
        Err(why) => report.error = Some(why),
    }
    report
}

/// Asks a database for its version, for a limited time.
pub(crate) async fn ping(database: &Database) -> Result<String, String> {
    match tokio::time::timeout(PING_TIMEOUT, database.ping()).await {
        Ok(Ok(server)) => Ok(server),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PING_TIMEOUT.as_secs())),
    }
}
