//! The extension `io.modelcontextprotocol/tasks`: calls that outlive the request that started them.

mod record;
mod store;

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{Notify, broadcast};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

pub(crate) use record::write_questions;
pub use record::{Interrupted, TaskRecord, TaskStatus};
pub use store::{MemoryTasks, TaskStore, expendable};

use crate::clock;
use crate::error::Error;
use crate::principal::Principal;
use crate::session::Sessions;

/// Status changes that a slow listener may lag behind.
const BACKLOG: usize = 256;
/// A process that runs a task says so this often; another one takes it up when it was silent for [`TASK_HOLD`].
const TASK_BEAT: Duration = Duration::from_secs(4);
/// How long a task belongs to the process that runs it without a sign of life.
pub const TASK_HOLD: Duration = Duration::from_secs(12);

/// Bounds of tasks.
#[derive(Clone, Debug)]
pub struct TaskLimits {
    /// Tasks that run at a time.
    pub running: usize,
    /// Tasks of one caller that run at a time.
    pub running_per_principal: usize,
    /// Tasks that are kept, finished ones included.
    pub kept: usize,
    /// How long a task is kept, in milliseconds.
    pub ttl_ms: u64,
    /// How often clients should ask for the status, in milliseconds.
    pub poll_ms: u64,
}

impl Default for TaskLimits {
    fn default() -> Self {
        Self { running: 1_000, running_per_principal: 100, kept: 10_000, ttl_ms: 60 * 60 * 1_000, poll_ms: 500 }
    }
}

/// Whose task it is.
pub(crate) struct Owner<'a> {
    pub(crate) endpoint: &'a str,
    pub(crate) principal: Option<&'a Principal>,
}

/// All tasks of a process.
pub(crate) struct Tasks {
    store: Arc<dyn TaskStore>,
    limits: TaskLimits,
    live: Mutex<HashMap<Arc<str>, Arc<Live>>>,
    updates: broadcast::Sender<Arc<TaskRecord>>,
}

/// The handle of a running task.
pub(crate) struct Live {
    record: Mutex<TaskRecord>,
    pub(crate) cancel: CancellationToken,
    answers: Mutex<Vec<(String, Bytes)>>,
    answered: Notify,
}

impl Live {
    fn new(record: TaskRecord, cancel: CancellationToken) -> Arc<Self> {
        Arc::new(Self { record: Mutex::new(record), cancel, answers: Mutex::default(), answered: Notify::new() })
    }

    /// The id of the task.
    pub(crate) fn id(&self) -> Arc<str> {
        self.record.lock().id.clone()
    }
}

impl Tasks {
    pub(crate) fn new(store: Arc<dyn TaskStore>, limits: TaskLimits) -> Self {
        Self { store, limits, live: Mutex::default(), updates: broadcast::channel(BACKLOG).0 }
    }

    pub(crate) fn listen(&self) -> broadcast::Receiver<Arc<TaskRecord>> {
        self.updates.subscribe()
    }

    /// Stores a new task, then runs it in the background; `work` gives the whole result object or the error object.
    pub(crate) fn start<F, W>(
        self: &Arc<Self>,
        owner: &Owner<'_>,
        anew: Option<Interrupted>,
        cancel: CancellationToken,
        work: W,
    ) -> Result<TaskRecord, Error>
    where
        F: Future<Output = Result<Bytes, Bytes>> + Send + 'static,
        W: FnOnce(Arc<Live>) -> F,
    {
        let record = TaskRecord { interrupted: anew, ..self.new_record(owner)? };
        let live = Live::new(record.clone(), cancel);
        self.admit(owner, &record, &live)?;
        self.run(live, work);
        Ok(record)
    }

    /// Runs a task that another process began.
    pub(crate) fn go_on<F, W>(self: &Arc<Self>, record: TaskRecord, cancel: CancellationToken, work: W)
    where
        F: Future<Output = Result<Bytes, Bytes>> + Send + 'static,
        W: FnOnce(Arc<Live>) -> F,
    {
        let live = Live::new(record.clone(), cancel);
        self.live.lock().insert(record.id, live.clone());
        self.run(live, work);
    }

    fn run<F, W>(self: &Arc<Self>, live: Arc<Live>, work: W)
    where
        F: Future<Output = Result<Bytes, Bytes>> + Send + 'static,
        W: FnOnce(Arc<Live>) -> F,
    {
        let (tasks, work) = (self.clone(), work(live.clone()));
        tokio::spawn(async move {
            let outcome = {
                let work = std::pin::pin!(work);
                let mut work = std::pin::pin!(live.cancel.run_until_cancelled(work));
                let mut beat = tokio::time::interval(TASK_BEAT);
                beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
                loop {
                    tokio::select! {
                        biased;
                        outcome = &mut work => break outcome,
                        _ = beat.tick() => {
                            // Cancelled through another process, or taken up by one.
                            if !tasks.store.hold(&live.id()) {
                                live.cancel.cancel();
                            }
                        }
                    }
                }
            };
            tasks.change(&live, |record| match outcome {
                None => record.status = TaskStatus::Cancelled,
                Some(Ok(result)) => (record.status, record.result) = (TaskStatus::Completed, Some(result)),
                Some(Err(error)) => (record.status, record.error) = (TaskStatus::Failed, Some(error)),
            });
            tasks.live.lock().remove(&live.id());
        });
    }

    /// The tasks of an endpoint that have not ended and that nobody runs any more. They belong to this process now.
    pub(crate) fn abandoned(&self, endpoint: &str) -> Vec<TaskRecord> {
        self.store.take_abandoned(endpoint)
    }

    /// Ends a task that nobody runs.
    pub(crate) fn give_up(&self, record: TaskRecord, error: Bytes) {
        let live = Live::new(record, CancellationToken::new());
        self.change(&live, |record| (record.status, record.error) = (TaskStatus::Failed, Some(error)));
    }

    fn new_record(&self, owner: &Owner<'_>) -> Result<TaskRecord, Error> {
        let id = Sessions::new_id().ok_or_else(|| Error::internal("No randomness for a task id"))?;
        let now = clock::now_rfc3339();
        Ok(TaskRecord {
            id: id.into(),
            endpoint: owner.endpoint.into(),
            principal: owner.principal.map(Principal::shared_id),
            status: TaskStatus::Working,
            status_message: None,
            created_at: now.clone(),
            updated_at: now,
            expires_s: clock::unix_seconds() + self.limits.ttl_ms / 1_000,
            ttl_ms: self.limits.ttl_ms,
            poll_ms: self.limits.poll_ms,
            input_requests: Vec::new(),
            interrupted: None,
            result: None,
            error: None,
        })
    }

    fn admit(&self, owner: &Owner<'_>, record: &TaskRecord, live: &Arc<Live>) -> Result<(), Error> {
        let mut running = self.live.lock();
        let principal = owner.principal.map(Principal::id);
        let own = running.values().filter(|task| task.record.lock().principal.as_deref() == principal).count();
        if running.len() >= self.limits.running
            || (principal.is_some() && own >= self.limits.running_per_principal)
            || self.store.count() >= self.limits.kept && self.store.make_room(clock::unix_seconds()) == 0
        {
            return Err(Error::internal("Too many tasks are running or kept; try again later"));
        }
        self.store.save(record).map_err(|fault| Error::internal(format!("The task could not be stored: {fault}")))?;
        running.insert(record.id.clone(), live.clone());
        Ok(())
    }

    /// Changes a running task, stores it and tells listeners. Finished tasks do not change any more.
    fn change(&self, live: &Live, apply: impl FnOnce(&mut TaskRecord)) {
        let mut record = live.record.lock();
        if record.status.is_final() {
            return;
        }
        apply(&mut record);
        record.updated_at = clock::now_rfc3339();
        if record.status != TaskStatus::InputRequired {
            record.input_requests.clear();
        }
        self.save(&record);
        let _ = self.updates.send(Arc::new(record.clone()));
    }

    /// Says what a running task is doing. It is not stored: only the process that runs it knows.
    pub(crate) fn report(&self, live: &Live, message: String) {
        let snapshot = {
            let mut record = live.record.lock();
            if record.status.is_final() {
                return;
            }
            record.status_message = Some(message);
            record.updated_at = clock::now_rfc3339();
            record.clone()
        };
        let _ = self.updates.send(Arc::new(snapshot));
    }

    /// The task, if it is this caller's.
    pub(crate) fn get(&self, owner: &Owner<'_>, id: &str) -> Result<TaskRecord, Error> {
        let live = self.live.lock().get(id).map(|live| live.record.lock().clone());
        let record = live.or_else(|| self.store.load(id)).filter(|record| {
            *record.endpoint == *owner.endpoint
                && record.principal.as_deref() == owner.principal.map(Principal::id)
                && record.expires_s >= clock::unix_seconds()
        });
        record.ok_or_else(|| Error::invalid_params("Unknown or expired task"))
    }

    /// Asks the client through the task and waits until every question is answered.
    pub(crate) async fn ask(&self, live: &Live, questions: Vec<(String, Bytes)>) -> Vec<(String, Bytes)> {
        live.answers.lock().clear();
        self.change(live, |record| {
            record.status = TaskStatus::InputRequired;
            record.input_requests = questions;
        });
        loop {
            let answered = live.answered.notified();
            if live.record.lock().input_requests.is_empty() {
                break;
            }
            answered.await;
        }
        self.change(live, |record| record.status = TaskStatus::Working);
        std::mem::take(&mut *live.answers.lock())
    }

    /// Takes answers; those to questions that nobody asked are ignored.
    pub(crate) fn answer(&self, owner: &Owner<'_>, id: &str, answers: Vec<(String, Bytes)>) -> Result<(), Error> {
        self.get(owner, id)?;
        let Some(live) = self.live.lock().get(id).cloned() else { return Ok(()) };
        let mut record = live.record.lock();
        if record.status.is_final() {
            return Ok(());
        }
        for (key, answer) in answers {
            let before = record.input_requests.len();
            record.input_requests.retain(|(name, _)| *name != key);
            if record.input_requests.len() < before {
                live.answers.lock().push((key, answer));
            }
        }
        record.updated_at = clock::now_rfc3339();
        if record.status == TaskStatus::InputRequired && record.input_requests.is_empty() {
            record.status = TaskStatus::Working;
        }
        self.save(&record);
        drop(record);
        live.answered.notify_waiters();
        Ok(())
    }

    /// Stores a task as it is now. Its record is locked meanwhile, so that no older state comes after a newer one.
    fn save(&self, record: &TaskRecord) {
        if let Err(fault) = self.store.save(record) {
            tracing::error!(task = %record.id, %fault, "a change of a task could not be stored");
        }
    }

    /// Cancels a task; one that has ended stays as it is.
    pub(crate) fn cancel(&self, owner: &Owner<'_>, id: &str) -> Result<(), Error> {
        let record = self.get(owner, id)?;
        let known = self.live.lock().get(id).cloned();
        // Another process runs it, and sees it at its next sign of life.
        let live = known.unwrap_or_else(|| Live::new(record, CancellationToken::new()));
        self.change(&live, |record| record.status = TaskStatus::Cancelled);
        live.cancel.cancel();
        Ok(())
    }
}
