//! Prepares a server for serving. Who serves it, and over what, is not known here.

use std::sync::Arc;

use base::Diagnostic;
use host::Hosted;
use spec::Spec;

use crate::pipeline::{self, Loaded, Use};
use crate::{Context, Error, SpecText, Subject};

/// Which server.
#[derive(Clone, Debug)]
pub struct Input {
    /// A spec, or a server of the catalogue.
    pub subject: Subject,
    /// Whether a URL of another engine than the spec's type is accepted.
    pub dev: bool,
    /// Whether the tools may be swapped while they are served, with [`reload`].
    pub reloadable: bool,
}

/// A server that can be served.
#[derive(Debug)]
pub struct Prepared {
    /// The spec.
    pub spec: Spec,
    /// What diagnostics point into.
    pub source: SpecText,
    /// What somebody should look at.
    pub diagnostics: Vec<Diagnostic>,
    /// What answers the requests.
    pub hosted: Arc<Hosted>,
}

impl Prepared {
    /// Names of the environment variables that the server reads over stdio.
    pub fn variables(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.spec.connections.iter().flat_map(|connection| connection.variables()).collect();
        names.extend(self.spec.tools.iter().flat_map(|tool| tool.parameters()).filter_map(|one| one.env.clone()));
        names.sort();
        names.dedup();
        names
    }
}

/// The transport that the server's spec names.
pub async fn transport(context: &Context, subject: &Subject) -> Result<spec::model::Transport, Error> {
    Ok(pipeline::load(context, subject, false).await?.spec.transport)
}

/// Prepares a server: from the stored plan for a server of the catalogue, from a new plan for a
/// spec. Databases are connected when a tool first needs them.
pub async fn prepare(context: &Context, input: &Input) -> Result<Prepared, Error> {
    let (loaded, toolset, diagnostics) = compiled(context, input).await?;
    let toolset = Arc::new(toolset);
    let hosted = Arc::new(if input.reloadable { Hosted::reloadable(toolset) } else { Hosted::new(toolset) });
    Ok(Prepared { spec: loaded.spec, source: loaded.source, diagnostics, hosted })
}

/// What a server was reloaded from.
#[derive(Debug)]
pub struct Reloaded {
    /// The spec.
    pub spec: Spec,
    /// What diagnostics point into.
    pub source: SpecText,
    /// What somebody should look at.
    pub diagnostics: Vec<Diagnostic>,
}

/// Compiles again and swaps the tools of a server that is being served. On an error it goes on
/// with the tools that it has.
pub async fn reload(context: &Context, input: &Input, hosted: &Hosted) -> Result<Reloaded, Error> {
    let (loaded, toolset, diagnostics) = compiled(context, input).await?;
    hosted.replace(Arc::new(toolset));
    Ok(Reloaded { spec: loaded.spec, source: loaded.source, diagnostics })
}

/// A text that differs whenever what the catalogue would serve differs: another current version,
/// another spec, another plan.
pub async fn stamp(context: &Context, subject: &Subject) -> Result<String, Error> {
    let loaded = pipeline::load(context, subject, false).await?;
    Ok(match loaded.stored {
        Some(stored) => {
            let version = &stored.version;
            let digest = version.release.digest.as_str();
            format!("{digest} {} {} {}", version.created_at, version.planned_at, version.plan_revision)
        }
        None => loaded.source.text,
    })
}

async fn compiled(context: &Context, input: &Input) -> Result<(Loaded, engine::Toolset, Vec<Diagnostic>), Error> {
    let loaded = pipeline::load(context, &input.subject, false).await?;
    let plan = loaded.stored.as_ref().map(|stored| stored.plan.clone());
    let using = plan.as_ref().map_or(Use::New(None), Use::Stored);
    let made = Box::pin(pipeline::make(context, &loaded, loaded.dev(input.dev), using)).await;
    let made = made.map_err(|found| {
        let mut all = loaded.diagnostics.clone();
        all.extend(found);
        loaded.refuse(all)
    })?;
    let mut diagnostics = loaded.diagnostics.clone();
    diagnostics.extend(made.diagnostics);
    Ok((loaded, made.toolset, diagnostics))
}
