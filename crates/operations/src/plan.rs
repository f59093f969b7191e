//! Shows what a server really runs and why, makes the plan again, and takes an edited plan.

use ::plan::{ActionPlan, Origin, Plan};
use base::Diagnostic;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::create::reports;
use crate::pipeline::{self, Loaded, Stored, Use};
use crate::{Code, Context, Error, Subject};

/// Whose plan, and what to do with it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// A spec, or a server of the catalogue.
    pub subject: Subject,
    /// Make the plan of a server again from what its databases offer now, and store it. What is
    /// pinned stays.
    #[serde(default)]
    pub refresh: bool,
    /// Names of tools whose actions are pinned: a new plan keeps them as they are.
    #[serde(default)]
    pub pin: Vec<String>,
    /// Names of tools whose actions are planned anew.
    #[serde(default)]
    pub unpin: Vec<String>,
    /// An edited plan that replaces the stored one, JSON. Tools whose action differs from what was
    /// stored become pinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<String>,
    /// Whether a URL of another engine than the spec's type is accepted.
    #[serde(default)]
    pub dev: bool,
}

/// The plan.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// The plan document.
    #[schemars(with = "serde_json::Value")]
    pub plan: Plan,
    /// Revision in the catalogue; absent for a spec that is not in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<u32>,
    /// Whether this request changed what is stored.
    pub changed: bool,
    /// What was found on the way.
    #[schemars(with = "Vec<serde_json::Value>")]
    pub diagnostics: Vec<Diagnostic>,
}

impl Input {
    fn changes(&self) -> bool {
        self.refresh || self.import.is_some() || !self.pin.is_empty() || !self.unpin.is_empty()
    }
}

/// Shows or changes a plan.
pub async fn plan(context: &Context, input: &Input) -> Result<Output, Error> {
    let loaded = pipeline::load(context, &input.subject, false).await?;
    match &loaded.stored {
        None if input.import.is_some() || !input.pin.is_empty() || !input.unpin.is_empty() => Err(Error::new(
            Code::Usage,
            format!("{} is a file, and only the plan of a server can be changed", input.subject.label()),
        )
        .hint("make the server first with `mcp-factory create --spec FILE`, then name it")),
        None => from_spec(context, &loaded, input.dev).await,
        Some(stored) if input.changes() => change(context, &loaded, stored, input).await,
        Some(stored) => Ok(Output {
            plan: stored.plan.clone(),
            revision: Some(stored.version.plan_revision),
            changed: false,
            diagnostics: Vec::new(),
        }),
    }
}

async fn from_spec(context: &Context, loaded: &Loaded, dev: bool) -> Result<Output, Error> {
    let made = pipeline::make(context, loaded, dev, Use::New(None)).await;
    let made = made.map_err(|found| loaded.refuse(found))?;
    let mut diagnostics = loaded.diagnostics.clone();
    diagnostics.extend(made.diagnostics);
    Ok(Output { plan: made.plan, revision: None, changed: false, diagnostics })
}

async fn change(context: &Context, loaded: &Loaded, stored: &Stored, input: &Input) -> Result<Output, Error> {
    let dev = loaded.dev(input.dev);
    let mut plan = match &input.import {
        Some(text) => imported(text, &stored.plan)?,
        None => stored.plan.clone(),
    };
    mark(&mut plan, &input.pin, Origin::Pinned)?;
    mark(&mut plan, &input.unpin, Origin::None)?;
    let again = input.refresh || input.import.is_some() || !input.unpin.is_empty();
    let using = if again { Use::New(Some(&plan)) } else { Use::Stored(&plan) };
    let made = pipeline::make(context, loaded, dev, using).await.map_err(|found| loaded.refuse(found))?;
    let text = to_json(&made.plan)?;
    let (name, version) = (stored.version.release.name.clone(), stored.version.release.version.clone());
    let kept = context.store(move |store| store.put_plan(&name, &version, &text, dev)).await?;
    Ok(Output { plan: made.plan, revision: Some(kept.revision), changed: kept.changed, diagnostics: made.diagnostics })
}

/// Reads an edited plan. A tool that differs from the stored plan was edited by a person: pinned.
fn imported(text: &str, stored: &Plan) -> Result<Plan, Error> {
    let refuse = |what: String| {
        Error::new(Code::BadPlan, what)
            .hint(format!("begin with the stored one: `mcp-factory plan {} --output json`", stored.server))
    };
    // What `plan --output json` prints has the plan under `plan`.
    let value: serde_json::Value =
        serde_json::from_str(text).map_err(|error| refuse(format!("the plan is not JSON: {error}")))?;
    let value = match value {
        serde_json::Value::Object(mut map) if map.contains_key("plan") => map.remove("plan").unwrap_or_default(),
        other => other,
    };
    let mut plan: Plan =
        serde_json::from_value(value).map_err(|error| refuse(format!("the document is no plan: {error}")))?;
    if plan.server != stored.server {
        return Err(refuse(format!("this is the plan of `{}`, not of `{}`", plan.server, stored.server)));
    }
    for tool in &mut plan.tools {
        let Some(before) = stored.tools.iter().find(|before| before.tool == tool.tool) else {
            return Err(refuse(format!("the plan names a tool `{}`, which the spec does not have", tool.tool)));
        };
        if before.action != tool.action {
            tool.origin = Origin::Pinned;
        }
    }
    // A tool that was left out keeps its stored plan.
    for before in &stored.tools {
        if !plan.tools.iter().any(|tool| tool.tool == before.tool) {
            plan.tools.push(before.clone());
        }
    }
    Ok(plan)
}

fn mark(plan: &mut Plan, names: &[String], origin: Origin) -> Result<(), Error> {
    for name in names {
        let known: Vec<String> = plan.tools.iter().map(|tool| tool.tool.clone()).collect();
        let Some(tool) = plan.tools.iter_mut().find(|tool| tool.tool == *name) else {
            return Err(crate::source::no_tool(&plan.server, name, &known));
        };
        if origin == Origin::Pinned && matches!(tool.action, ActionPlan::NotImplemented { .. }) {
            return Err(Error::new(Code::BadPlan, format!("tool `{name}` has no action that could be pinned"))
                .hint("write its SQL into the plan (`mcp-factory plan NAME --output json`, then `--import FILE`)")
                .hint("or give it a `sql` action in the spec"));
        }
        tool.origin = origin;
        if origin != Origin::Pinned {
            // An action that differs from the generated one counts as pinned: an unpinned one has to be forgotten.
            tool.made = None;
        }
    }
    Ok(())
}

/// The stored form of a plan.
pub(crate) fn to_json(plan: &Plan) -> Result<String, Error> {
    serde_json::to_string(plan)
        .map_err(|error| Error::new(Code::Internal, format!("the plan cannot be written as JSON: {error}")))
}
