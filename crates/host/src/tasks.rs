//! Keeps the tasks of a server in a file, so that they outlive the process that runs them.
//!
//! `task/ID` is a task; `open/ID` says that it has not ended, `held/ID` that a process runs it. A process that ends without a word
//! lets its hold run out, and then another one takes the task up.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use connect::state::{Fault, Limits, Only, State, now};
use protocol::{Interrupted, RuntimeOptions, TASK_HOLD, TaskLimits, TaskRecord, TaskStatus, TaskStore};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::limits::{TASK_BYTES_MAX, TASK_TTL_MS, TASKS_FILE_BYTES_MAX};

/// The name of the file for everything that a control plane serves. No server is called so.
pub const SERVED: &str = "@serve";

/// Tasks that are taken up in one look.
const TAKEN_MAX: usize = 1_000;

/// Tasks that are looked at when there is no room for another one.
const LOOKED_AT_MAX: usize = 1_000;

/// Limits of a process whose tasks are kept in this folder, in the file of this name. Where that is not possible they end with the
/// process, which is told.
pub fn kept(folder: &Path, name: &str) -> RuntimeOptions {
    let options = RuntimeOptions { tasks: limits(), ..RuntimeOptions::default() };
    match FileTasks::open(folder, name) {
        Ok(tasks) => RuntimeOptions { task_store: Some(Arc::new(tasks)), ..options },
        Err(fault) => {
            tracing::warn!(%fault, "tasks cannot be kept and end with this process");
            options
        }
    }
}

/// How many tasks there may be, and how long they are kept.
pub fn limits() -> TaskLimits {
    TaskLimits { ttl_ms: TASK_TTL_MS, ..TaskLimits::default() }
}

/// Tasks in a file. Several processes may share it.
#[derive(Debug)]
pub struct FileTasks {
    state: State,
    /// What this process is known by in the file.
    process: String,
}

/// A task as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    id: Arc<str>,
    endpoint: Box<str>,
    principal: Option<Arc<str>>,
    status: String,
    status_message: Option<String>,
    created_at: String,
    updated_at: String,
    expires_s: u64,
    ttl_ms: u64,
    poll_ms: u64,
    input_requests: Vec<(String, Box<RawValue>)>,
    tool: Option<Box<str>>,
    arguments: Option<Box<str>>,
    #[serde(default)]
    caller: Option<Box<str>>,
    result: Option<Box<RawValue>>,
    error: Option<Box<RawValue>>,
}

impl FileTasks {
    /// Opens the file of a server in this folder; makes both when they are absent.
    ///
    /// # Errors
    /// The file cannot be made, or is no such file.
    pub fn open(folder: &Path, server: &str) -> Result<Self, Fault> {
        let limits = Limits { value_bytes: TASK_BYTES_MAX, file_bytes: TASKS_FILE_BYTES_MAX, ..Limits::default() };
        let state = State::open(&folder.join(format!("{server}.db")), limits)?;
        let mut random = [0_u8; 8];
        getrandom::fill(&mut random).map_err(|error| Fault::Broken(error.to_string()))?;
        Ok(Self { state, process: format!("\"{:016x}\"", u64::from_ne_bytes(random)) })
    }

    /// Forgets the tasks of a server that is gone.
    pub(crate) fn forget(&self, server: &str) -> Result<(), Fault> {
        let mut after = None;
        loop {
            let entries = self.state.list(TASK, after.as_deref(), LOOKED_AT_MAX, now())?.entries;
            let Some(last) = entries.last() else { return Ok(()) };
            after = Some(last.key.clone());
            for record in entries.iter().filter_map(read).filter(|record| *record.endpoint == *server) {
                for key in [open(&record.id), held(&record.id), task(&record.id)] {
                    self.state.delete(&key, None, now())?;
                }
            }
        }
    }

    fn store(&self, record: &TaskRecord) -> Result<(), Fault> {
        let text = serde_json::to_string(&Kept::of(record)).map_err(|error| Fault::Broken(error.to_string()))?;
        let expires = i64::try_from(record.expires_s).unwrap_or(i64::MAX).saturating_mul(1_000);
        let id = &record.id;
        if self.found(id).is_some_and(|kept| kept.status.is_final()) {
            return Ok(());
        }
        let holder = self.state.get(&held(id), now())?.filter(|entry| entry.value != self.process);
        if holder.is_some() && record.status != TaskStatus::Cancelled {
            // It was taken up by another process while this one stood still: that one tells how it ends.
            return Ok(());
        }
        if record.status.is_final() {
            self.state.set(&task(id), &text, Some(expires), None, now())?;
            self.state.delete(&open(id), None, now())?;
            self.state.delete(&held(id), None, now())?;
            return Ok(());
        }
        let is_new = self.state.get(&open(id), now())?.is_none();
        if is_new {
            // Held before it is open, so that nobody takes it up in between.
            self.state.set(&held(id), &self.process, Some(hold_until()), None, now())?;
        }
        self.state.set(&task(id), &text, Some(expires), None, now())?;
        if is_new {
            self.state.set(&open(id), &self.process, Some(expires), None, now())?;
        }
        Ok(())
    }

    fn found(&self, id: &str) -> Option<TaskRecord> {
        let entry = self.state.get(&task(id), now()).unwrap_or_else(|fault| {
            tracing::error!(task = id, %fault, "a task cannot be read");
            None
        })?;
        read(&entry)
    }

    /// Whether this process holds the task from now on.
    fn take(&self, id: &str) -> Result<bool, Fault> {
        let until = Some(hold_until());
        match self.state.get(&held(id), now())? {
            Some(entry) if entry.value == self.process => {
                self.state.set(&held(id), &self.process, until, Some(Only::Version(entry.version)), now())?;
                Ok(true)
            }
            Some(_) => Ok(false),
            None => match self.state.set(&held(id), &self.process, until, Some(Only::Absent), now()) {
                Ok(_) => Ok(true),
                Err(Fault::Conflict(_)) => Ok(false),
                Err(fault) => Err(fault),
            },
        }
    }

    fn abandoned(&self, endpoint: &str) -> Result<Vec<TaskRecord>, Fault> {
        let mut found = Vec::new();
        for entry in self.state.list(OPEN, None, TAKEN_MAX, now())?.entries {
            let id = entry.key.strip_prefix(OPEN).unwrap_or_default();
            if self.state.get(&held(id), now())?.is_some() {
                continue;
            }
            let Some(record) = self.found(id).filter(|record| *record.endpoint == *endpoint) else { continue };
            if self.take(id)? {
                found.push(record);
            }
        }
        Ok(found)
    }
}

const OPEN: &str = "open/";
const TASK: &str = "task/";

fn read(entry: &connect::state::Entry) -> Option<TaskRecord> {
    serde_json::from_str::<Kept>(&entry.value).ok()?.record()
}

fn task(id: &str) -> String {
    format!("{TASK}{id}")
}

fn open(id: &str) -> String {
    format!("{OPEN}{id}")
}

fn held(id: &str) -> String {
    format!("held/{id}")
}

fn hold_until() -> i64 {
    now().saturating_add(i64::try_from(TASK_HOLD.as_millis()).unwrap_or(i64::MAX))
}

impl TaskStore for FileTasks {
    fn save(&self, record: &TaskRecord) -> Result<(), String> {
        self.store(record).map_err(|fault| fault.to_string())
    }

    fn load(&self, id: &str) -> Option<TaskRecord> {
        self.found(id)
    }

    fn count(&self) -> usize {
        self.state.tally(TASK, now()).unwrap_or(usize::MAX)
    }

    /// Those whose time is over are not counted and go with the next change. Looked at are a thousand, which ids that
    /// tell nothing of their time make a fair sample.
    fn make_room(&self, _now_s: u64) -> usize {
        let page = self.state.list(TASK, None, LOOKED_AT_MAX, now());
        let kept: Vec<TaskRecord> = page.map(|page| page.entries).unwrap_or_default().iter().filter_map(read).collect();
        let gone = protocol::expendable(kept.iter());
        gone.iter().filter(|record| self.state.delete(&task(&record.id), None, now()).is_ok()).count()
    }

    fn hold(&self, id: &str) -> bool {
        let ended = self.found(id).is_none_or(|record| record.status.is_final());
        // A file that is busy for a moment is no reason to stop.
        !ended && self.take(id).unwrap_or(true)
    }

    fn take_abandoned(&self, endpoint: &str) -> Vec<TaskRecord> {
        self.abandoned(endpoint).unwrap_or_else(|fault| {
            tracing::warn!(%fault, "tasks that were cut off cannot be read");
            Vec::new()
        })
    }
}

impl Kept {
    fn of(record: &TaskRecord) -> Self {
        let raw = |bytes: &Bytes| serde_json::from_slice::<Box<RawValue>>(bytes).ok();
        let (tool, arguments, caller) = match &record.interrupted {
            Some(work) => (Some(work.tool.clone()), work.arguments.clone(), work.caller.clone()),
            None => (None, None, None),
        };
        let asked = record.input_requests.iter().filter_map(|(key, question)| Some((key.clone(), raw(question)?)));
        Self {
            id: record.id.clone(),
            endpoint: record.endpoint.clone(),
            principal: record.principal.clone(),
            status: record.status.as_str().to_owned(),
            status_message: record.status_message.clone(),
            created_at: record.created_at.clone(),
            updated_at: record.updated_at.clone(),
            expires_s: record.expires_s,
            ttl_ms: record.ttl_ms,
            poll_ms: record.poll_ms,
            input_requests: asked.collect(),
            tool,
            arguments,
            caller,
            result: record.result.as_ref().and_then(raw),
            error: record.error.as_ref().and_then(raw),
        }
    }

    fn record(self) -> Option<TaskRecord> {
        let bytes = |raw: Box<RawValue>| Bytes::from(raw.get().to_owned());
        Some(TaskRecord {
            status: TaskStatus::ALL.into_iter().find(|status| status.as_str() == self.status)?,
            id: self.id,
            endpoint: self.endpoint,
            principal: self.principal,
            status_message: self.status_message,
            created_at: self.created_at,
            updated_at: self.updated_at,
            expires_s: self.expires_s,
            ttl_ms: self.ttl_ms,
            poll_ms: self.poll_ms,
            input_requests: self.input_requests.into_iter().map(|(key, raw)| (key, bytes(raw))).collect(),
            interrupted: self.tool.map(|tool| Interrupted { tool, arguments: self.arguments, caller: self.caller }),
            result: self.result.map(bytes),
            error: self.error.map(bytes),
        })
    }
}
