//! What is told of a job while it runs.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Input, Jobs};
use crate::{Context, Error, Progress};

/// Longest wait for something new.
pub const WAIT_MAX: Duration = Duration::from_secs(25);
/// Events of one answer.
const EVENTS_MAX: usize = 200;
/// How often is looked whether another control plane told something.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// Shortest time between two kept words of progress; what is told between them is left out.
const TOLD_EVERY: Duration = Duration::from_millis(200);
/// Words of progress that wait to be kept.
const WAITING_MAX: usize = 8;
/// Longest word about progress, characters.
const MESSAGE_CHARS_MAX: usize = 300;

/// Which events of which job.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EventsInput {
    /// The job.
    pub id: String,
    /// Only those after the event of this number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub after: Option<i64>,
    /// Where there are none yet, wait for one for so many milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 25000))]
    pub wait_ms: Option<u64>,
}

/// Events of a job, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventsOutput {
    /// The job.
    pub job: String,
    /// `queued`, `running`, `done`, `failed`, `cancelled`.
    pub state: String,
    /// Whether there will be no more events after these.
    pub ended: bool,
    /// The events.
    pub events: Vec<Event>,
}

/// Something that was told of a job: another state, or how far it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Counts the events of the job, from 1.
    #[serde(default)]
    pub id: i64,
    /// When it was told, RFC 3339.
    #[serde(default)]
    pub time: String,
    /// The state that the job is in now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// How much is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<f64>,
    /// Of how much in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<f64>,
    /// A word about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What was told of a job.
///
/// # Errors
/// There is none of this id that the caller may see.
pub async fn events(context: &Context, input: EventsInput) -> Result<EventsOutput, Error> {
    let wait = Duration::from_millis(input.wait_ms.unwrap_or_default()).min(WAIT_MAX);
    let late = Instant::now() + wait;
    loop {
        let news = context.jobs.as_ref().map(|jobs| jobs.news.notified());
        // The state is read first: nothing is told after an end.
        let job = super::get(context, Input { id: input.id.clone() }).await?;
        let (key, after) = (input.id.clone(), input.after.unwrap_or_default());
        let found = context.store(move |store| store.job_events(&key, after, EVENTS_MAX)).await?;
        let ended = job.ended_at.is_some() && found.len() < EVENTS_MAX;
        if !found.is_empty() || ended || Instant::now() >= late {
            let events = found.into_iter().filter_map(read).collect();
            return Ok(EventsOutput { job: job.id, state: job.state, ended, events });
        }
        let pause = tokio::time::sleep_until(late.min(Instant::now() + LOOK_EVERY));
        match news {
            Some(news) => tokio::select! { () = news => {} () = pause => {} },
            None => pause.await,
        }
    }
}

fn read(kept: store::JobEvent) -> Option<Event> {
    let mut event: Event = serde_json::from_str(&kept.event).ok()?;
    (event.id, event.time) = (kept.number, kept.time);
    Some(event)
}

/// Keeps what a job tells of its progress.
pub(super) fn progress(context: &Context, jobs: &Arc<Jobs>, id: &str) -> Progress {
    let (tell, mut told) = mpsc::channel::<serde_json::Value>(WAITING_MAX);
    let (context, jobs, id) = (context.clone(), Arc::clone(jobs), id.to_owned());
    tokio::spawn(async move {
        while let Some(mut event) = told.recv().await {
            while let Ok(newer) = told.try_recv() {
                event = newer;
            }
            let (key, plane) = (id.clone(), jobs.plane.clone());
            let kept = context.store(move |store| store.tell_job(&key, &plane, &event.to_string())).await;
            if let Err(error) = kept {
                tracing::debug!(job = id, %error, "what a job told could not be kept");
            }
            jobs.news.notify_waiters();
            tokio::time::sleep(TOLD_EVERY).await;
        }
    });
    Progress::new(move |done, total, message| {
        let message: String = message.chars().take(MESSAGE_CHARS_MAX).collect();
        let _ = tell.try_send(json!({ "done": done, "total": total, "message": message }));
    })
}
