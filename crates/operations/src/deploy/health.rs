//! Whether a version is fit to be switched to.

use std::sync::Arc;

use ::deploy::{Compiled, Launch};
use base::Diagnostic;

use crate::pipeline::{self, Use};
use crate::{Context, Error, Subject, status};

/// A version that can be launched.
pub(super) struct Fit {
    pub(super) compiled: Compiled,
    pub(super) version: String,
    /// What is wrong with it all the same: a connection that does not answer.
    pub(super) ailing: Option<String>,
}

impl Fit {
    /// As it is launched under a name.
    pub(super) fn launch(self, deployment: &store::Deployment) -> Launch {
        let store::Deployment { name, owner, stamp, .. } = deployment.clone();
        Launch { name, owner, version: self.version, stamp, compiled: self.compiled }
    }
}

/// Compiles a version of a server and asks its connections whether they answer.
pub(super) async fn examine(context: &Context, name: &str, version: Option<&str>) -> Result<Fit, Error> {
    let subject = Subject::Server { name: name.to_owned(), version: version.map(str::to_owned) };
    let loaded = pipeline::load(context, &subject, false).await?;
    let plan = loaded.stored.as_ref().map(|stored| stored.plan.clone());
    let using = plan.as_ref().map_or(Use::New(None), Use::Stored);
    let made = Box::pin(pipeline::make(context, &loaded, loaded.dev(false), using)).await;
    let made = made.map_err(|found| loaded.refuse(found))?;
    let faults: Vec<Diagnostic> = made.toolset.check().into_iter().filter(Diagnostic::is_error).collect();
    if !faults.is_empty() {
        return Err(loaded.refuse(faults));
    }
    let connections = status::connections(&loaded, Some(&made), true).await;
    let ailing: Vec<String> = connections
        .iter()
        .filter(|connection| !connection.ok)
        .map(|connection| {
            let why = connection.error.as_deref().unwrap_or("no reason was given");
            format!("connection `{}` does not answer: {why}", connection.name)
        })
        .collect();
    let environment = context.environment.clone();
    let keys = host::auth(&loaded.spec, &move |name: &str| environment.get(name))
        .map_err(|found| loaded.refuse(vec![found]))?;
    Ok(Fit {
        version: loaded.spec.version.clone(),
        ailing: (!ailing.is_empty()).then(|| ailing.join("; ")),
        compiled: Compiled { toolset: Arc::new(made.toolset), keys: keys.map(Arc::new) },
    })
}
