//! Where tasks are kept.

use std::collections::HashMap;

use parking_lot::Mutex;

use super::TaskRecord;

/// Keeps tasks. A task is saved before its id is told to the client, so a store that survives the process lets clients
/// read the results of tasks that ended before it stopped.
pub trait TaskStore: Send + Sync {
    /// Adds or replaces a task.
    ///
    /// # Errors
    /// What went wrong, for people.
    fn save(&self, record: &TaskRecord) -> Result<(), String>;

    /// Finds a task.
    fn load(&self, id: &str) -> Option<TaskRecord>;

    /// How many are kept.
    fn count(&self) -> usize;

    /// Forgets tasks whose time is over at `now_s` (seconds since 1970); how many.
    fn expire(&self, now_s: u64) -> usize;

    /// Says that this process still runs a task, for [`super::TASK_HOLD`]. `false` when the task has ended meanwhile or belongs to
    /// another process: then it is not to go on here.
    fn hold(&self, _id: &str) -> bool {
        true
    }

    /// The tasks of an endpoint that have not ended and that no process holds any more; this one holds them from now on.
    fn take_abandoned(&self, _endpoint: &str) -> Vec<TaskRecord> {
        Vec::new()
    }
}

/// Keeps tasks in memory, until their time is over or the process ends.
#[derive(Debug, Default)]
pub struct MemoryTasks(Mutex<HashMap<String, TaskRecord>>);

impl TaskStore for MemoryTasks {
    fn save(&self, record: &TaskRecord) -> Result<(), String> {
        self.0.lock().insert(record.id.to_string(), record.clone());
        Ok(())
    }

    fn load(&self, id: &str) -> Option<TaskRecord> {
        self.0.lock().get(id).cloned()
    }

    fn count(&self) -> usize {
        self.0.lock().len()
    }

    fn expire(&self, now_s: u64) -> usize {
        let mut kept = self.0.lock();
        let before = kept.len();
        kept.retain(|_, record| record.expires_s >= now_s);
        before - kept.len()
    }
}
