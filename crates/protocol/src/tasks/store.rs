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
