//! Work that goes on after its request was answered. A job that was acknowledged is done, also when the process is
//! killed in between: it is kept in the catalogue and taken up again by the next process.

mod events;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use identity::Clock;
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{JobState, Lease, NewJob};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::operation::{Effect, Erased, Scope};
use crate::{Caller, Code, Context, Error};

pub use events::{Event, EventsInput, EventsOutput, WAIT_MAX, events};

/// How long a control plane is believed to live after it last said so. Then another one takes its jobs.
pub const LEASE: Duration = Duration::from_secs(10);
/// How often it says so.
const KEEP_EVERY: Duration = Duration::from_secs(3);

/// Jobs that run at a time; more wait.
pub const RUNNING_MAX: usize = 4;
/// Where a caller came from, as it is kept with a job.
const ADDRESS: &str = "address";
/// What to do where a job was stopped.
const AGAIN: &str = "ask for it again if it is still wanted; look first how much of it was done";
/// Jobs of one page of the list.
pub const PAGE_MAX: usize = 100;

/// The jobs that run in this process.
#[derive(Debug)]
pub struct Jobs {
    /// Names this control plane; another one after each start.
    plane: String,
    /// Wakes up whoever waits for events.
    news: Notify,
    running: Mutex<HashMap<String, CancellationToken>>,
    places: Arc<Semaphore>,
}

impl Default for Jobs {
    fn default() -> Self {
        Self {
            plane: uuid::Uuid::now_v7().simple().to_string(),
            news: Notify::new(),
            running: Mutex::default(),
            places: Arc::new(Semaphore::new(RUNNING_MAX)),
        }
    }
}

impl Jobs {
    fn lease(&self) -> Lease {
        let since = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
        let ms = |time| i64::try_from(since(time)).unwrap_or(i64::MAX);
        let now = SystemTime::now();
        Lease { holder: self.plane.clone(), now: ms(now), until: ms(now + LEASE) }
    }
}

/// Which job.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// The job.
    pub id: String,
}

/// Which part of the list.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListInput {
    /// Most jobs in one answer; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub limit: Option<usize>,
    /// The `nextCursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Jobs, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListOutput {
    /// The jobs.
    pub jobs: Vec<Job>,
    /// Where the next page begins; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Names it.
    pub id: String,
    /// Name of the operation.
    pub operation: String,
    /// `queued`, `running`, `done`, `failed`, `cancelled`.
    pub state: String,
    /// When it was asked for, RFC 3339.
    pub created_at: String,
    /// When it began, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// When it ended, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// What the operation answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// Why it failed: code, message, hints, diagnostics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Value>,
}

/// Begins a job. When this returns it is kept, and it will be done.
///
/// # Errors
/// The input cannot be used, it cannot be kept, or nothing here runs jobs.
pub async fn begin(context: &Context, operation: &'static dyn Erased, input: Value) -> Result<Job, Error> {
    let declared = operation.declared();
    if !context.caller.may(declared.scope) {
        return Err(Error::new(
            Code::Forbidden,
            format!(
                "`{}` needs the scope `{}`, which {} lacks",
                declared.name,
                declared.scope.as_str(),
                context.caller
            ),
        ));
    }
    if context.precondition.is_some() {
        // What is true now need not be true when the job has its turn.
        let what = format!("`{}` was not begun as a job: a job looks at no precondition", declared.name);
        return Err(Error::new(Code::Precondition, what).hint("send it without `async`, or without the precondition"));
    }
    operation.check(context, input.clone()).await?;
    crate::access::one_more_job(context).await?;
    let job = NewJob {
        id: uuid::Uuid::now_v7().simple().to_string(),
        operation: declared.name.to_owned(),
        owner: context.caller.owner().to_owned(),
        caller: asking(context).to_string(),
        input: input.to_string(),
    };
    let lease = jobs(context)?.lease();
    let kept = context.store(move |store| store.put_job(&job, &lease)).await?;
    let told = shown(&kept);
    run(context, operation, kept);
    Ok(told)
}

/// Who asks, and from where, as it is kept with a job.
fn asking(context: &Context) -> Value {
    let mut caller = context.caller.to_json();
    if let (Some(fields), Some(address)) = (caller.as_object_mut(), context.address) {
        fields.insert(ADDRESS.to_owned(), address.to_string().into());
    }
    caller
}

fn jobs(context: &Context) -> Result<&Arc<Jobs>, Error> {
    context.jobs.as_ref().ok_or_else(|| {
        Error::new(Code::NoControlPlane, "no control plane is there that could run a job")
            .hint("start one with `mcp-factory serve`, or name one with `--url`")
    })
}

/// Takes up what an earlier process left behind, and what another control plane did when it is gone.
///
/// # Errors
/// The catalogue cannot be read.
pub async fn resume(context: &Context) -> Result<usize, Error> {
    // Whoever holds a home folder with a file is the only one there.
    take_up(context, !context.is_shared()).await
}

async fn take_up(context: &Context, alone: bool) -> Result<usize, Error> {
    if !context.has_store() {
        return Ok(0);
    }
    let lease = jobs(context)?.lease();
    let left = context.store(move |store| store.take_jobs(&lease, alone)).await?;
    let count = left.len();
    for job in left {
        let began = job.started_at.is_some();
        match crate::all::find(&job.operation) {
            Some(operation) if began && !is_repeatable(operation) => {
                let what = format!("the control plane that ran `{}` ended before it was done", job.operation);
                let error = Error::new(Code::CutOff, format!("{what}; how much of it was done is not known"))
                    .hint("look what is there, and ask for it again");
                end(context, &job.id, JobState::Failed, &error.to_json()).await;
            }
            Some(operation) => run(context, operation, job),
            None => {
                let error = Error::new(Code::Internal, format!("there is no operation `{}` any more", job.operation));
                end(context, &job.id, JobState::Failed, &error.to_json()).await;
            }
        }
    }
    Ok(count)
}

/// What says that this control plane lives. Where there is none, nobody else takes what is begun.
pub(crate) fn lease(context: &Context) -> Lease {
    context.jobs.as_ref().map_or_else(|| Jobs::default().lease(), |jobs| jobs.lease())
}

/// Whether doing it twice equals doing it once.
pub(crate) fn is_repeatable(operation: &dyn Erased) -> bool {
    !matches!(operation.declared().effect, Effect::Changes { idempotent: false, .. })
}

/// Says that this control plane lives, for as long as it does: it keeps its jobs, stops those that were ended or taken by
/// another one, and takes those of one that is gone.
pub async fn keep(context: &Context) {
    let Ok(jobs) = jobs(context) else { return };
    loop {
        tokio::time::sleep(KEEP_EVERY).await;
        let known: Vec<String> = jobs.running.lock().keys().cloned().collect();
        let lease = jobs.lease();
        let kept = context
            .store(move |store| {
                store.keep_claims(&lease)?;
                store.keep_jobs(&lease)
            })
            .await;
        match kept {
            Ok(kept) => {
                let running = jobs.running.lock();
                for gone in known.iter().filter(|id| !kept.contains(id)) {
                    if let Some(cancel) = running.get(gone) {
                        cancel.cancel();
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "the jobs of this control plane could not be kept"),
        }
        if context.is_shared()
            && let Err(error) = take_up(context, false).await
        {
            tracing::warn!(%error, "jobs of other control planes could not be looked at");
        }
    }
}

/// Runs a job in the background.
fn run(context: &Context, operation: &'static dyn Erased, job: store::Job) {
    let Some(jobs) = context.jobs.clone() else { return };
    let caller = serde_json::from_str(&job.caller).unwrap_or_else(|_| Value::Object(serde_json::Map::new()));
    let address = caller[ADDRESS].as_str().and_then(|address| address.parse().ok());
    let mut inside = context.asked(Caller::of_json(&caller), format!("job-{}", job.id)).from(address);
    inside.progress = Some(events::progress(context, &jobs, &job.id));
    jobs.running.lock().insert(job.id.clone(), inside.cancel.clone());
    tokio::spawn(async move {
        let (outside, id) = (inside.clone(), job.id.clone());
        // A task of its own: one that panics must not leave its job running for ever.
        let ended = tokio::spawn(run_to_end(Arc::clone(&jobs), inside, operation, job)).await;
        // One that is dropped with its process is taken up by the next one.
        if let Err(fault) = ended
            && fault.is_panic()
        {
            tracing::error!(job = id, %fault, "a job panicked");
            let what = format!("`{}` came to a halt by a fault of this program", operation.declared().name);
            let error = Error::new(Code::Internal, what).hint("look how much of it was done; please report this");
            end(&outside, &id, JobState::Failed, &error.to_json()).await;
        }
        jobs.running.lock().remove(&id);
    });
}

async fn run_to_end(jobs: Arc<Jobs>, inside: Context, operation: &'static dyn Erased, job: store::Job) {
    let (cancel, id) = (inside.cancel.clone(), job.id);
    let work = async {
        let _place = jobs.places.acquire().await;
        let (key, plane) = (id.clone(), jobs.plane.clone());
        let mine = inside.store(move |store| store.start_job(&key, &plane)).await?;
        jobs.news.notify_waiters();
        if !mine {
            let what = "the job was ended, or taken by another control plane";
            return Err(Error::new(Code::Interrupted, what).hint(AGAIN));
        }
        still_let_in(&inside).await?;
        let input = serde_json::from_str(&job.input)
            .map_err(|error| Error::new(Code::Internal, format!("the kept input cannot be read: {error}")))?;
        operation.run(&inside, input).await
    };
    let ended = tokio::select! {
        ended = work => Some(ended),
        () = cancel.cancelled() => None,
    };
    match ended {
        Some(Ok(done)) => end(&inside, &id, JobState::Done, &done.output).await,
        Some(Err(error)) => end(&inside, &id, JobState::Failed, &error.to_json()).await,
        None => {
            let error = Error::new(Code::Interrupted, "the job was cancelled").hint(AGAIN);
            end(&inside, &id, JobState::Cancelled, &error.to_json()).await;
        }
    }
}

/// Refuses a job whose caller would not be let in any more: it may have waited, or been taken up by another process.
async fn still_let_in(context: &Context) -> Result<(), Error> {
    let Caller::Remote(principal) = &context.caller else { return Ok(()) };
    let (store, principal) = (context.shared_store().await?, Arc::clone(principal));
    let live = crate::context::blocking(move || Ok(identity::is_live(&store, &principal, &Clock::system())?));
    if live.await? {
        return Ok(());
    }
    let what = format!("what {} showed when it asked for this job has lost its force since", context.caller);
    Err(Error::new(Code::Forbidden, what).hint("ask for it again with a key that was not revoked"))
}

/// Keeps how a job of this control plane ended. What cannot be kept is run again by the next process.
async fn end(context: &Context, id: &str, state: JobState, result: &Value) {
    let holder = context.jobs.as_ref().map(|jobs| jobs.plane.clone());
    end_by(context, id, holder, state, result).await;
}

async fn end_by(context: &Context, id: &str, holder: Option<String>, state: JobState, result: &Value) {
    let (key, text) = (id.to_owned(), result.to_string());
    let ended = context.store(move |store| store.end_job(&key, holder.as_deref(), state, Some(&text))).await;
    if let Err(error) = ended {
        tracing::error!(job = id, %error, "the end of a job could not be kept");
    }
    if let Some(jobs) = &context.jobs {
        jobs.news.notify_waiters();
    }
}

/// Whose jobs a caller sees: their own, or everybody's.
fn owner(context: &Context) -> Option<String> {
    (!context.caller.may(Scope::Admin)).then(|| context.caller.owner().to_owned())
}

/// A job.
///
/// # Errors
/// There is none of this id that the caller may see.
pub async fn get(context: &Context, input: Input) -> Result<Job, Error> {
    Ok(shown(&find(context, &input.id).await?))
}

async fn find(context: &Context, id: &str) -> Result<store::Job, Error> {
    let key = id.to_owned();
    let found = match context.has_store() {
        true => context.store(move |store| store.job(&key)).await?,
        false => None,
    };
    let owner = owner(context);
    found.filter(|job| owner.as_ref().is_none_or(|owner| *owner == job.owner)).ok_or_else(|| {
        Error::new(Code::NoJob, format!("there is no job `{id}`"))
            .hint("`mcp-factory jobs list` and `GET /mcp/jobs` list your jobs")
    })
}

/// Jobs, newest first.
///
/// # Errors
/// The catalogue cannot be read.
pub async fn list(context: &Context, input: ListInput) -> Result<ListOutput, Error> {
    if !context.has_store() {
        return Ok(ListOutput { jobs: Vec::new(), next_cursor: None });
    }
    let limit = input.limit.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
    let before = input.cursor.map(|cursor| opened(&cursor)).transpose()?;
    let owner = owner(context);
    let mut found = context.store(move |store| store.jobs(owner.as_deref(), before.as_deref(), limit + 1)).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next_cursor = found.last().filter(|_| more).map(|last| format!("1.{}", last.id));
    Ok(ListOutput { jobs: found.iter().map(shown).collect(), next_cursor })
}

fn opened(cursor: &str) -> Result<String, Error> {
    cursor.strip_prefix("1.").map(str::to_owned).ok_or_else(|| {
        Error::new(Code::BadCursor, format!("`{cursor}` is not a cursor of this list"))
            .hint("pass the `nextCursor` of the page before, or leave `cursor` out to begin at the start")
    })
}

/// Stops a job. One that has ended stays as it is.
///
/// # Errors
/// There is none of this id that the caller may see.
pub async fn cancel(context: &Context, input: Input) -> Result<Job, Error> {
    let job = find(context, &input.id).await?;
    if context.tries {
        return get(context, input).await;
    }
    if let Some(jobs) = &context.jobs
        && let Some(running) = jobs.running.lock().get(&job.id)
    {
        running.cancel();
    }
    // It may be one of another control plane, which then stops it.
    let error = Error::new(Code::Interrupted, "the job was cancelled").hint(AGAIN);
    end_by(context, &job.id, None, JobState::Cancelled, &error.to_json()).await;
    get(context, input).await
}

fn shown(job: &store::Job) -> Job {
    let read = |text: &String| serde_json::from_str::<Value>(text).ok();
    let result = job.result.as_ref().and_then(read);
    let (result, error) = match job.state {
        JobState::Done => (result, None),
        _ => (None, result.and_then(|mut value| value.get_mut("error").map(Value::take))),
    };
    Job {
        id: job.id.clone(),
        operation: job.operation.clone(),
        state: job.state.as_str().to_owned(),
        created_at: job.created_at.clone(),
        started_at: job.started_at.clone(),
        ended_at: job.ended_at.clone(),
        result,
        error,
    }
}

#[cfg(test)]
mod tests;
