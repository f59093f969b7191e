//! Versions side by side: each at a path of its own, beside the one that is switched to.

use std::sync::Arc;

use ::deploy::Running;

use super::{ensure, health};
use crate::Context;

/// A version of a server that is deployed and not stopped; it is launched when it does not answer yet.
pub async fn version(context: &Context, name: &str, version: &str) -> Option<Arc<Running>> {
    let targets = context.targets.clone()?;
    if targets.local.find(name).is_none() {
        ensure(context, name).await;
    }
    targets.local.find(name)?;
    if let Some(known) = targets.local.version(name, version) {
        return Some(known);
    }
    let _turn = targets.turn(name).await;
    if let Some(known) = targets.local.version(name, version) {
        return Some(known);
    }
    launch(context, name, version).await
}

/// Launches a version beside the one that is switched to, or what became of it.
async fn launch(context: &Context, name: &str, version: &str) -> Option<Arc<Running>> {
    let targets = context.targets.as_ref()?;
    let stamp = stamp(context, name, version).await?;
    let key = name.to_owned();
    let deployment = context.store(move |store| store.deployment(&key)).await.ok()??;
    let deployment = store::Deployment { stamp, ..deployment };
    match Box::pin(health::examine(context, name, Some(version))).await {
        Ok(fit) => Some(targets.local.launch_beside(fit.launch(&deployment))),
        Err(error) => {
            tracing::warn!(server = name, version, %error, "a version cannot answer beside the one that is switched to");
            None
        }
    }
}

/// Another text whenever the stored version is another thing; nothing when it is not there.
async fn stamp(context: &Context, name: &str, version: &str) -> Option<String> {
    let (name, version) = (name.to_owned(), version.to_owned());
    let found = context.store(move |store| store.version(&name, Some(&version))).await.ok()?;
    let plan = base::Digest::of(found.release.plan.as_bytes());
    Some(format!("{} {}", found.release.digest.short(), plan.short()))
}

/// Makes the versions that are not what is stored any more anew; stops those that are not stored, and those whose server does
/// not run.
pub(super) async fn look_again(context: &Context) {
    let Some(targets) = &context.targets else { return };
    let mut gone = Vec::new();
    for beside in targets.local.beside() {
        let (name, version) = (beside.name(), beside.version());
        let stored = stamp(context, name, version).await;
        if stored.as_deref() == Some(beside.stamp()) && targets.local.find(name).is_some() {
            continue;
        }
        let _turn = targets.turn(name).await;
        let goes_on = targets.local.find(name).is_some() && launch(context, name, version).await.is_some();
        if !goes_on {
            gone.push((name.to_owned(), version.to_owned()));
        }
    }
    targets
        .local
        .forget(|beside| gone.iter().any(|(name, version)| beside.name() == name && beside.version() == version));
}
