//! What a control plane counted in memory is added to what is kept: from time to time, before it is asked for, and at the end.

use std::sync::Arc;
use std::time::Duration;

use ::deploy::{Done, Histogram, Sink, Sum, Usage};
use store::{Store, UsagePeriod, UsageRow};

use crate::audit::Recorder;
use crate::context::blocking;
use crate::test::CallOutput;
use crate::{Context, Error};

/// How often. What was counted since then is lost when the process is killed.
pub const FLUSH_EVERY: Duration = Duration::from_secs(10);
/// Rows of one transaction.
const ROWS_AT_ONCE: usize = 500;

/// Adds up what is counted until this is dropped.
pub async fn keep(context: &Context) {
    loop {
        tokio::time::sleep(FLUSH_EVERY).await;
        if let Err(error) = flush(context).await {
            tracing::error!(%error, "calls could not be added up; they are tried again");
        }
    }
}

/// Writes everything that waits in memory, before the process ends.
pub async fn finish(context: &Context) {
    crate::audit::written(context).await;
    if let Err(error) = flush(context).await {
        tracing::error!(%error, "the calls of the last moments could not be added up");
    }
}

/// Adds what was counted to what is kept. What cannot be kept is counted again the next time.
///
/// Whoever asked may go away meanwhile: what was taken is kept, or given back, all the same.
pub(super) async fn flush(context: &Context) -> Result<(), Error> {
    let Some(targets) = context.targets.clone() else { return Ok(()) };
    let store = context.shared_store().await?;
    blocking(move || Ok(add(&store, targets.local.log().usage())?)).await
}

fn add(store: &Store, usage: &Usage) -> Result<(), store::Error> {
    let _held = usage.hold();
    let mut sums = usage.take();
    let now = chrono::Utc::now().timestamp();
    while !sums.is_empty() {
        let part = sums.split_off(sums.len().saturating_sub(ROWS_AT_ONCE));
        let rows =
            part.iter().flat_map(|sum| [UsagePeriod::Hour, UsagePeriod::Day].map(|period| row(sum, period, now)));
        if let Err(error) = store.add_usage(rows.collect(), now, merged) {
            usage.give_back(part);
            usage.give_back(sums);
            return Err(error);
        }
        usage.kept(&part);
    }
    Ok(())
}

/// Forgets what was counted of a server that is gone, in memory and where it is kept.
pub(crate) async fn forget(context: &Context, server: &str) -> Result<(), Error> {
    let (store, targets, server) = (context.shared_store().await?, context.targets.clone(), server.to_owned());
    blocking(move || {
        let usage = targets.as_ref().map(|targets| targets.local.log().usage());
        // What somebody took before is kept by then, and goes with the rest.
        let _held = usage.map(Usage::hold);
        if let Some(usage) = usage {
            usage.forget(&server);
        }
        Ok(store.forget_usage(&server)?)
    })
    .await
}

fn merged(known: &[u8], more: &[u8]) -> Vec<u8> {
    let mut sum = Histogram::of_bytes(known).unwrap_or_default();
    sum.merge(&Histogram::of_bytes(more).unwrap_or_default());
    sum.to_bytes()
}

fn row(sum: &Sum, period: UsagePeriod, now: i64) -> UsageRow {
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    UsageRow {
        period,
        start: now - now.rem_euclid(period.seconds()),
        server: sum.server.clone(),
        version: sum.version.clone(),
        tool: sum.tool.to_string(),
        caller: sum.caller.clone(),
        calls: count(sum.calls),
        errors: count(sum.errors),
        bytes_in: count(sum.bytes_in),
        bytes_out: count(sum.bytes_out),
        micros: count(sum.micros),
        slowest: count(sum.slowest),
        latency: sum.latency.to_bytes(),
    }
}

/// Counts a call that an operation made, as if the server had been called over the wire.
pub(crate) async fn count(context: &Context, answer: &CallOutput, version: Option<String>, sent: usize) {
    let Some(targets) = &context.targets else { return };
    let name = answer.server.clone();
    let version = match version {
        Some(version) => version,
        // A server that comes with the program is in no catalogue.
        None => context.store(move |store| store.server(&name)).await.map(|known| known.version).unwrap_or_default(),
    };
    targets.local.log().put(Done {
        server: &answer.server.as_str().into(),
        version: &version.into(),
        tool: &answer.tool,
        caller: Some(&context.caller.id().into()),
        is_error: answer.is_error,
        micros: (answer.elapsed_ms * 1e3) as u64,
        bytes_in: sent as u64,
        bytes: answer.text.len() as u64,
        message: None,
    });
}

/// Puts the calls of servers into the audit log.
pub fn sink(recorder: Arc<Recorder>) -> Sink {
    Arc::new(move |calls, lost| {
        recorder.put_calls(calls);
        if lost > 0 {
            recorder.lose(lost);
        }
    })
}

#[cfg(test)]
mod tests;
