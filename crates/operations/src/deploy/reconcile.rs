//! Makes what runs what is wanted.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use ::deploy::Target as _;
use store::{Seen, Wanted};

use super::health::{self, Fit};
use super::residents;
use crate::follow::Mark;
use crate::{Context, Error};

/// How often is looked whether another process changed the catalogue.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How often is looked whether the file was written at all, which costs next to nothing: whoever deploys from the home folder
/// waits for it.
const GLANCE_EVERY: Duration = Duration::from_millis(25);

/// Follows the catalogue for as long as the control plane runs: starts what is wanted, stops what is not, and loads
/// again what was changed, in this process or another one.
pub async fn follow(context: &Context) {
    let Some(targets) = context.targets.clone() else { return };
    let mut seen = None;
    // What another process writes to a file is there first; a server that several share has none.
    let written = context.home.path().join(format!("{}-wal", store::FILE_NAME));
    let mut mark = crate::follow::mark(&written);
    loop {
        let now = context.store(store::Store::changes).await.ok();
        if now != seen {
            seen = now;
            if let Err(error) = reconcile(context).await {
                tracing::error!(%error, "the deployments could not be looked at");
            }
        }
        tokio::select! {
            () = targets.changed.notified() => seen = None,
            () = rest(&written, &mut mark) => {}
        }
    }
}

/// Rests until a file is written, or for as long as is usual.
async fn rest(file: &Path, mark: &mut Option<Mark>) {
    let late = Instant::now() + LOOK_EVERY;
    while Instant::now() < late {
        tokio::time::sleep(GLANCE_EVERY).await;
        let now = crate::follow::mark(file);
        if now != std::mem::replace(mark, now) {
            return;
        }
    }
}

/// Makes every deployment what is wanted.
///
/// # Errors
/// The catalogue cannot be read.
pub async fn reconcile(context: &Context) -> Result<(), Error> {
    let Some(targets) = context.targets.clone() else { return Ok(()) };
    let wanted = context.store(store::Store::deployments).await?;
    let names: BTreeSet<String> = wanted.iter().map(|one| one.name.clone()).collect();
    for gone in targets.local.all().iter().filter(|running| !names.contains(running.name())) {
        targets.local.stop(gone.name()).await;
    }
    residents::look(context).await;
    for deployment in wanted {
        if is_due(context, &deployment)
            && let Err(error) = one(context, &deployment.name).await
        {
            tracing::warn!(server = deployment.name, %error, "a deployment could not be made what is wanted");
        }
    }
    super::versions::look_again(context).await;
    Ok(())
}

/// Whether something is to be done.
fn is_due(context: &Context, deployment: &store::Deployment) -> bool {
    let runs = context.targets.as_ref().and_then(|targets| targets.local.runs(&deployment.name));
    match deployment.wanted {
        Wanted::Stopped => runs.is_some() || deployment.seen < deployment.generation,
        Wanted::Running => {
            let same = runs.is_some_and(|(stamp, _)| stamp == deployment.stamp);
            deployment.seen < deployment.generation || !(same || was_tried(context, deployment))
        }
    }
}

/// Whether what is wanted did not run in this process. It is tried again when something about it changed, and by the
/// next process.
fn was_tried(context: &Context, deployment: &store::Deployment) -> bool {
    let Some(targets) = &context.targets else { return false };
    targets.failed.lock().get(&deployment.name).is_some_and(|stamp| *stamp == deployment.stamp)
}

/// Starts a server that is wanted and does not run yet: a request came before its turn.
pub async fn ensure(context: &Context, name: &str) {
    let key = name.to_owned();
    let found = context.store(move |store| store.deployment(&key)).await;
    if let Ok(Some(deployment)) = found
        && deployment.wanted == Wanted::Running
        && is_due(context, &deployment)
    {
        let _ = one(context, name).await;
        // One that is removed before it was ever looked for leaves the catalogue as if nothing had been: it has to be looked for.
        if let Some(targets) = &context.targets {
            targets.changed.notify_one();
        }
    }
}

/// Makes one deployment what is wanted.
pub(super) async fn one(context: &Context, name: &str) -> Result<(), Error> {
    let Some(targets) = context.targets.clone() else { return Ok(()) };
    let _turn = targets.turn(name).await;
    let key = name.to_owned();
    let Some(deployment) = context.store(move |store| store.deployment(&key)).await? else {
        targets.local.stop(name).await;
        return Ok(());
    };
    if !is_due(context, &deployment) {
        return Ok(());
    }
    let mut seen = Seen { generation: deployment.generation, state: "stopped".to_owned(), serves: None, reason: None };
    if deployment.wanted == Wanted::Stopped {
        targets.local.stop(name).await;
    } else {
        launch(context, &deployment, &mut seen).await;
    }
    let key = name.to_owned();
    context.store(move |store| store.saw(&key, &seen)).await
}

/// Launches what is wanted. Where that is not well, what answered before goes on, or is taken up again.
async fn launch(context: &Context, deployment: &store::Deployment, seen: &mut Seen) {
    let Some(targets) = &context.targets else { return };
    let name = &deployment.name;
    residents::settle(context, name).await;
    let (running, before) = before(context, deployment);
    let refused = match fit(context, deployment, before.as_deref()).await {
        Err(refused) => refused,
        Ok(fit) => {
            targets.failed.lock().remove(name);
            (seen.state, seen.serves, seen.reason) =
                ("running".to_owned(), Some(fit.version.clone()), fit.ailing.clone());
            if let Err(why) = targets.local.launch(fit.launch(deployment)).await {
                (seen.state, seen.serves, seen.reason) = ("failed".to_owned(), None, Some(why));
            }
            return;
        }
    };
    tracing::warn!(server = name, reason = refused, "a version could not be deployed");
    targets.failed.lock().insert(name.clone(), deployment.stamp.clone());
    let goes_on = match (&running, &before) {
        (Some(version), _) => Some(version.clone()),
        (None, Some(version)) => take_up(context, deployment, version).await.then(|| version.clone()),
        (None, None) => None,
    };
    (seen.state, seen.reason) = refusal(refused, goes_on.as_deref());
}

/// The version that runs in this process, and the one that answered last.
pub(super) fn before(context: &Context, deployment: &store::Deployment) -> (Option<String>, Option<String>) {
    let runs = context.targets.as_ref().and_then(|targets| targets.local.runs(&deployment.name));
    let running = runs.map(|(_, version)| version);
    let before = running.clone().or_else(|| deployment.serves.clone());
    (running, before)
}

/// What is wanted, if it is to be switched to; otherwise why not.
pub(super) async fn fit(context: &Context, wanted: &store::Deployment, before: Option<&str>) -> Result<Fit, String> {
    match Box::pin(health::examine(context, &wanted.name, wanted.version.as_deref())).await {
        Err(error) => Err(error.to_string()),
        Ok(Fit { version, ailing: Some(why), .. }) if before.is_some_and(|before| *before != version) => {
            Err(format!("version {version} is not well: {why}"))
        }
        Ok(fit) => Ok(fit),
    }
}

/// The state of a server whose wanted version is not switched to, and why.
pub(super) fn refusal(refused: String, goes_on: Option<&str>) -> (String, Option<String>) {
    match goes_on {
        Some(version) => ("running".to_owned(), Some(format!("{refused}; version {version} goes on"))),
        None => ("failed".to_owned(), Some(refused)),
    }
}

/// Launches the version that answered before this process was started.
async fn take_up(context: &Context, deployment: &store::Deployment, version: &str) -> bool {
    let Some(targets) = &context.targets else { return false };
    match Box::pin(health::examine(context, &deployment.name, Some(version))).await {
        Ok(fit) => targets.local.launch(fit.launch(deployment)).await.is_ok(),
        Err(_) => false,
    }
}
