//! From a spec to something that can be called: what create, plan, status, test and run share.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use ::plan::{Origin, Plan};
use base::Diagnostic;
use connect::Database;
use engine::{Connections, Toolset};
use host::Opened;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use spec::Spec;

use crate::{Code, Context, Error, SpecText, Subject, first_party};

/// A subject, read.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) spec: Spec,
    /// The text that diagnostics point into.
    pub(crate) source: SpecText,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The catalogue's entry, for a server of the catalogue.
    pub(crate) stored: Option<Stored>,
}

/// What the catalogue knows of a server.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) plan: Plan,
    pub(crate) version: store::Version,
}

impl Loaded {
    /// Whether a URL of another engine than the spec's type is accepted.
    pub(crate) fn dev(&self, asked: bool) -> bool {
        asked || self.stored.as_ref().is_some_and(|stored| stored.version.release.dev)
    }

    /// The error for a spec that turned out not to be usable.
    pub(crate) fn refuse(&self, diagnostics: Vec<Diagnostic>) -> Error {
        Error::invalid_spec(&self.source, diagnostics, 0)
    }
}

/// Reads a subject: parses a spec, or takes a server from the catalogue.
pub(crate) async fn load(context: &Context, subject: &Subject, strict: bool) -> Result<Loaded, Error> {
    match subject {
        Subject::Spec { spec: source } => {
            let parsed = source.parse(strict)?;
            crate::machine::check(context, &parsed.spec)?;
            Ok(Loaded { spec: parsed.spec, source: source.clone(), diagnostics: parsed.diagnostics, stored: None })
        }
        Subject::Server { name, version } => {
            let own = first_party::find(name);
            let (name, wanted) = (own.map_or(name.as_str(), |own| own.name).to_owned(), version.clone());
            let found = context.store(move |store| store.version(&name, wanted.as_deref())).await;
            match (found, own) {
                (Err(error), Some(own)) if error.code == Code::NoServer && version.is_none() => {
                    let source = own.spec();
                    let parsed = source.parse(strict)?;
                    Ok(Loaded { spec: parsed.spec, source, diagnostics: parsed.diagnostics, stored: None })
                }
                (found, _) => from_catalogue(found?),
            }
        }
    }
}

fn from_catalogue(version: store::Version) -> Result<Loaded, Error> {
    let release = &version.release;
    let damaged = |what: &str, error: &serde_json::Error| {
        Error::new(Code::Catalogue, format!("the stored {what} of `{}` cannot be read: {error}", release.name)).hint(
            format!(
                "make it again from its spec with `mcp-factory create --force`; `mcp-factory remove {}` drops it",
                release.name
            ),
        )
    };
    let spec: Spec = serde_json::from_str(&release.canonical).map_err(|error| damaged("spec", &error))?;
    let plan: Plan = serde_json::from_str(&release.plan).map_err(|error| damaged("plan", &error))?;
    let source =
        SpecText { name: format!("{} {}", release.name, release.version), text: release.source.clone(), format: None };
    Ok(Loaded { spec, source, diagnostics: Vec::new(), stored: Some(Stored { plan, version }) })
}

/// Opens the databases of a spec. Nothing is connected yet.
pub(crate) async fn open(context: &Context, spec: &Spec, dev: bool) -> Opened {
    let environment = context.environment.clone();
    let (managed, told) = host::managed(spec, &|name: &str| environment.get(name)).await;
    let lookup = move |name: &str| managed.get(name).cloned().or_else(|| environment.get(name));
    let mut opened = host::open_with(spec, &lookup, dev, Some(&tokens(context)));
    opened.diagnostics.extend(told);
    opened.remember(spec, &context.home.path().join(crate::paths::STATE));
    opened
}

/// The folder in which the tokens of users are kept.
pub(crate) fn tokens(context: &Context) -> std::path::PathBuf {
    context.home.path().join(crate::paths::TOKENS)
}

/// Where the sign-in at the server of this address is kept.
pub fn login_file(context: &Context, address: &str) -> host::LoginFile {
    host::LoginFile::new(&tokens(context), address)
}

/// How long the steps took, milliseconds.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Timings {
    /// Reading and checking the spec.
    pub parse_ms: f64,
    /// Reading the databases, making the plan, having the statements checked.
    pub plan_ms: f64,
    /// Compiling the tools.
    pub compile_ms: f64,
    /// Storing.
    pub store_ms: f64,
    /// Everything.
    pub total_ms: f64,
}

/// Milliseconds since `start`, to the microsecond.
pub(crate) fn ms_since(start: Instant) -> f64 {
    (start.elapsed().as_secs_f64() * 1e6).round() / 1e3
}

/// A spec with its plan and its compiled tools.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) plan: Plan,
    pub(crate) toolset: Toolset,
    pub(crate) connections: Connections,
    /// What was found, errors excluded.
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) plan_ms: f64,
    pub(crate) compile_ms: f64,
}

/// Which plan is to be used.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Use<'a> {
    /// This one as it is.
    Stored(&'a Plan),
    /// A new one, which keeps what is pinned in an older one.
    New(Option<&'a Plan>),
}

/// Opens, plans and compiles. The errors that it gives are those of the spec, the plan and the
/// statements; a database that cannot be reached is a warning.
pub(crate) async fn make(
    context: &Context,
    loaded: &Loaded,
    dev: bool,
    plan: Use<'_>,
) -> Result<Made, Vec<Diagnostic>> {
    let mut made = Box::pin(make_unplaced(context, &loaded.spec, dev, plan)).await;
    match &mut made {
        Ok(made) => loaded.source.add_places(&mut made.diagnostics),
        Err(found) => loaded.source.add_places(found),
    }
    made
}

async fn make_unplaced(context: &Context, spec: &Spec, dev: bool, plan: Use<'_>) -> Result<Made, Vec<Diagnostic>> {
    let opened = open(context, spec, dev).await;
    let mut diagnostics = opened.diagnostics.clone();
    if diagnostics.iter().any(Diagnostic::is_error) {
        return Err(diagnostics);
    }
    let start = Instant::now();
    let connections = opened.connections.clone();
    let plan = match plan {
        Use::Stored(plan) if !wants_planning(spec, plan, &connections.databases) => plan.clone(),
        Use::Stored(plan) | Use::New(Some(plan)) => planned(spec, &connections, Some(plan), &mut diagnostics).await?,
        Use::New(None) => planned(spec, &connections, None, &mut diagnostics).await?,
    };
    let plan_ms = ms_since(start);
    let start = Instant::now();
    let toolset = match host::toolset(spec, &plan, opened) {
        Ok(toolset) => toolset,
        Err(found) => {
            diagnostics.extend(found);
            return Err(diagnostics);
        }
    };
    Ok(Made { plan, toolset, connections, diagnostics, plan_ms, compile_ms: ms_since(start) })
}

async fn planned(
    spec: &Spec,
    connections: &Connections,
    pinned: Option<&Plan>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Plan, Vec<Diagnostic>> {
    let (plan, found) = Box::pin(host::make_plan(spec, connections, pinned)).await;
    let failed = found.iter().any(Diagnostic::is_error);
    diagnostics.extend(found);
    if failed { Err(std::mem::take(diagnostics)) } else { Ok(plan) }
}

/// A stored plan was made while a database was not there, and it is there now: what could not be
/// inferred then may be inferred now.
fn wants_planning(spec: &Spec, plan: &Plan, databases: &HashMap<String, Arc<Database>>) -> bool {
    let unreached = |name: &str| {
        let planned = plan.connections.iter().find(|connection| connection.name == name);
        planned.is_none_or(|connection| connection.server.is_none())
    };
    let idle = plan.tools.iter().filter(|tool| tool.origin == Origin::None);
    idle.filter_map(|idle| spec.tools.iter().find(|tool| tool.name == idle.tool)?.connection.as_deref())
        .any(|connection| databases.contains_key(connection) && unreached(connection))
}
