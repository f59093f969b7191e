//! Makes a server from a spec, or a new version of it.

mod runs;

use std::time::Instant;

use ::plan::{ActionPlan, Origin, Plan};
use base::{Diagnostic, Digest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use spec::Spec;
use store::{Outcome, Release, Store};

pub use crate::pipeline::Timings;
use crate::pipeline::{self, Loaded, Made, Use, ms_since};
use crate::{Caller, Code, Context, Error, SpecText, Subject};

/// What to make.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// The spec.
    pub spec: SpecText,
    /// Whether warnings count as errors.
    #[serde(default)]
    pub strict: bool,
    /// Whether a URL of another engine than the spec's type is accepted.
    #[serde(default)]
    pub dev: bool,
    /// Replace a stored version that has another content.
    #[serde(default)]
    pub force: bool,
    /// Make it the current version where it is stored already, too: an older spec that is sent again is what is meant now.
    #[serde(default)]
    pub current: bool,
    /// Do everything but store it.
    #[serde(default)]
    pub dry_run: bool,
    /// The template that the spec was made from, to be remembered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
}

impl Input {
    /// A spec as it is, made as is usual.
    pub fn of(spec: SpecText) -> Self {
        Self { spec, strict: false, dev: false, force: false, current: false, dry_run: false, template: None }
    }
}

/// What was made.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// Whether the server is new, changed, or was there already.
    #[schemars(with = "String")]
    pub result: Outcome,
    /// Whether this was only tried.
    pub dry_run: bool,
    /// Name of the server.
    pub name: String,
    /// Version of the spec.
    pub version: String,
    /// Digest of the canonical form.
    #[schemars(with = "String")]
    pub digest: Digest,
    /// The tools.
    pub tools: Vec<ToolReport>,
    /// What somebody should look at.
    #[schemars(with = "Vec<serde_json::Value>")]
    pub warnings: Vec<Diagnostic>,
    /// How long the steps took.
    pub timings: Timings,
}

/// A tool and where its action comes from.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToolReport {
    /// Name.
    pub name: String,
    /// `declared` in the spec, `inferred` from the database, `pinned` by a person, or `none`.
    #[schemars(with = "String")]
    pub origin: Origin,
    /// Whether it may change data.
    pub write: bool,
    /// What it runs in a few words, such as `GET /repos/{owner}`; absent for SQL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<String>,
    /// The SQL that it runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sql: Vec<String>,
    /// The script that it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    /// Why its action is what it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
    /// Why it does nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_implemented: Option<String>,
}

/// Steps that are told of.
const STEPS: f64 = 4.0;

/// Makes a server: parses, reads its databases, plans, has the databases check the statements,
/// compiles, and stores. What fails, fails before anything is stored.
pub async fn create(context: &Context, input: Input) -> Result<Output, Error> {
    let start = Instant::now();
    let (template, loaded) = readable(context, &input).await?;
    let parse_ms = ms_since(start);
    context.tell(1.0, STEPS, "the spec is read");
    let known = known_plan(context, &loaded.spec).await?;
    let made = Box::pin(pipeline::make(context, &loaded, input.dev, Use::New(known.as_ref()))).await;
    let made = made.map_err(|found| refuse(&loaded, found))?;
    context.tell(2.0, STEPS, "its tools are planned and compiled");
    let mut warnings = loaded.diagnostics.clone();
    warnings.extend(made.diagnostics.iter().cloned());
    let faults = made.toolset.check();
    if faults.iter().any(Diagnostic::is_error) || (input.strict && !(warnings.is_empty() && faults.is_empty())) {
        warnings.extend(faults);
        return Err(loaded.refuse(warnings));
    }
    warnings.extend(faults);

    context.tell(3.0, STEPS, "its tools are checked");
    let stored_at = Instant::now();
    let release = Release { template, ..release(&loaded, &made, input.dev)? };
    let (name, version, digest) = (release.name.clone(), release.version.clone(), release.digest.clone());
    let (force, current, dry_run) = (input.force, input.current, input.dry_run || context.tries);
    let result = if dry_run {
        preview(context, release, force).await?
    } else {
        begin_with_nothing(context, &name).await?;
        let by = crate::access::by(context).await?;
        context.store(move |store| put(store, &by, &release, force, current)).await?
    };
    Ok(Output {
        result,
        dry_run,
        name,
        version,
        digest,
        tools: reports(&made.plan),
        warnings,
        timings: Timings {
            parse_ms,
            plan_ms: made.plan_ms,
            compile_ms: made.compile_ms,
            store_ms: ms_since(stored_at),
            total_ms: ms_since(start),
        },
    })
}

fn put(store: &Store, by: &store::By, release: &Release, force: bool, current: bool) -> Result<Outcome, store::Error> {
    let outcome = store.put_by(by, release, force)?;
    let moved = current && store.make_current(&release.name, &release.version)?;
    Ok(if moved { Outcome::Updated } else { outcome })
}

/// Reads the spec, with the name of its template; nothing outside is asked.
///
/// # Errors
/// It has errors; its name is not to be had; there is no such template.
pub(crate) async fn readable(context: &Context, input: &Input) -> Result<(Option<String>, Loaded), Error> {
    let template = input.template.as_ref().map(|name| crate::templates::get(name)).transpose()?.map(|found| found.name);
    let subject = Subject::Spec { spec: input.spec.clone() };
    let loaded = pipeline::load(context, &subject, input.strict).await?;
    crate::reserved::check(context, &loaded.spec.name)?;
    Ok((template, loaded))
}

/// At a control plane a name may have been somebody else's: what is still there of an earlier server of it (one that was removed in
/// the moment in which a process died, or whose last call ended later) is not for whoever takes it now. At home all is one person's.
async fn begin_with_nothing(context: &Context, name: &str) -> Result<(), Error> {
    if context.caller == Caller::Local {
        return Ok(());
    }
    let key = name.to_owned();
    match context.store(move |store| store.find_version(&key, None)).await? {
        Some(_) => Ok(()),
        None => crate::remove::forget_kept(context, name).await,
    }
}

/// Errors found after parsing, with the warnings of parsing before them.
fn refuse(loaded: &Loaded, found: Vec<Diagnostic>) -> Error {
    let mut all = loaded.diagnostics.clone();
    all.extend(found);
    loaded.refuse(all)
}

/// The plan that is stored for this name: what is pinned in it is kept.
async fn known_plan(context: &Context, spec: &Spec) -> Result<Option<Plan>, Error> {
    if !context.has_store() {
        return Ok(None);
    }
    let (name, wanted) = (spec.name.clone(), spec.version.clone());
    let found = context
        .store(move |store| match store.find_version(&name, Some(&wanted))? {
            Some(exact) => Ok(Some(exact)),
            None => store.find_version(&name, None),
        })
        .await?;
    Ok(found.and_then(|found| serde_json::from_str(&found.release.plan).ok()))
}

fn release(loaded: &Loaded, made: &Made, dev: bool) -> Result<Release, Error> {
    let spec = &loaded.spec;
    let transport = serde_json::to_value(spec.transport).ok().and_then(|word| word.as_str().map(str::to_owned));
    Ok(Release {
        name: spec.name.clone(),
        version: spec.version.clone(),
        digest: spec.digest(),
        title: spec.title.clone(),
        description: spec.description.clone(),
        transport: transport.ok_or_else(|| Error::new(Code::Internal, "a transport has no word"))?,
        tools: spec.tools.len(),
        source: loaded.source.text.clone(),
        format: loaded.source.written_as(),
        canonical: spec.canonical_json(),
        plan: crate::plan::to_json(&made.plan)?,
        dev,
        template: None,
    })
}

/// What storing would do.
async fn preview(context: &Context, release: Release, force: bool) -> Result<Outcome, Error> {
    if !context.has_store() {
        return Ok(Outcome::Created);
    }
    context
        .store(move |store| match store.version(&release.name, Some(&release.version)) {
            Err(store::Error::NoServer { .. }) => Ok(Outcome::Created),
            Err(store::Error::NoVersion { .. }) => Ok(Outcome::Updated),
            Err(error) => Err(error),
            Ok(known) if known.release.digest != release.digest && !force => Err(store::Error::Conflict {
                name: release.name,
                version: release.version,
                stored: known.release.digest,
                offered: release.digest,
            }),
            Ok(known) if known.release.plan == release.plan && known.release.dev == release.dev => {
                Ok(Outcome::Unchanged)
            }
            Ok(_) => Ok(Outcome::Updated),
        })
        .await
}

/// The tools of a plan with where they come from.
pub fn reports(plan: &Plan) -> Vec<ToolReport> {
    plan.tools
        .iter()
        .map(|tool| {
            let sql = match &tool.action {
                ActionPlan::Sql(sql) => sql.statements.iter().map(|statement| statement.sql.clone()).collect(),
                _ => Vec::new(),
            };
            let not_implemented = match &tool.action {
                ActionPlan::NotImplemented { reason } => Some(reason.clone()),
                _ => None,
            };
            ToolReport {
                name: tool.tool.clone(),
                origin: tool.origin,
                write: tool.action.may_write(),
                runs: runs::words(&tool.action),
                sql,
                script: match &tool.action {
                    ActionPlan::Script(script) => Some(script.code.clone()),
                    _ => None,
                },
                why: tool.why.clone(),
                not_implemented,
            }
        })
        .collect()
}
