//! Where tasks are kept.

use std::collections::HashMap;

use parking_lot::Mutex;

use super::TaskRecord;

/// Keeps tasks. A task is saved before its id is told to the client, so a store that survives the process lets clients
/// read the results of tasks that ended before it stopped.
pub trait TaskStore: Send + Sync {
    /// Adds or replaces a task. One that has ended stays as it is, whatever another process still says of it.
    ///
    /// # Errors
    /// What went wrong, for people.
    fn save(&self, record: &TaskRecord) -> Result<(), String>;

    /// Finds a task.
    fn load(&self, id: &str) -> Option<TaskRecord>;

    /// How many are kept.
    fn count(&self) -> usize;

    /// Forgets tasks whose time is over at `now_s` (seconds since 1970), or else some that have ended, of the caller who has
    /// most of them, so that no caller keeps others from having tasks; how many.
    fn make_room(&self, now_s: u64) -> usize;

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
        let mut kept = self.0.lock();
        if !kept.get(&*record.id).is_some_and(|known| known.status.is_final()) {
            kept.insert(record.id.to_string(), record.clone());
        }
        Ok(())
    }

    fn load(&self, id: &str) -> Option<TaskRecord> {
        self.0.lock().get(id).cloned()
    }

    fn count(&self) -> usize {
        self.0.lock().len()
    }

    fn make_room(&self, now_s: u64) -> usize {
        let mut kept = self.0.lock();
        let before = kept.len();
        kept.retain(|_, record| record.expires_s >= now_s);
        if kept.len() == before {
            let gone: Vec<_> = expendable(kept.values()).iter().map(|record| record.id.clone()).collect();
            gone.iter().for_each(|id| drop(kept.remove(&**id)));
        }
        before - kept.len()
    }
}

/// Which of these tasks may be forgotten before their time: a tenth of those that have ended, the oldest ones, of the caller who
/// has most of them.
pub fn expendable<'a>(tasks: impl Iterator<Item = &'a TaskRecord>) -> Vec<&'a TaskRecord> {
    let mut by_caller: HashMap<Option<&str>, Vec<&TaskRecord>> = HashMap::new();
    for record in tasks.filter(|record| record.status.is_final()) {
        by_caller.entry(record.principal.as_deref()).or_default().push(record);
    }
    let mut most = by_caller.into_values().max_by_key(Vec::len).unwrap_or_default();
    most.sort_by(|one, other| one.updated_at.cmp(&other.updated_at));
    most.truncate(most.len().div_ceil(10));
    most
}

#[cfg(test)]
mod tests {
    use super::{MemoryTasks, TaskStore as _, expendable};
    use crate::tasks::{TaskRecord, TaskStatus};

    fn task(number: usize, principal: &str, status: TaskStatus) -> TaskRecord {
        TaskRecord {
            id: format!("{principal}-{number}").into(),
            endpoint: "x".into(),
            principal: Some(principal.into()),
            status,
            status_message: None,
            created_at: String::new(),
            updated_at: format!("2026-01-01T00:00:{number:02}Z"),
            expires_s: 10,
            ttl_ms: 0,
            poll_ms: 0,
            input_requests: Vec::new(),
            interrupted: None,
            result: None,
            error: None,
        }
    }

    #[test]
    fn the_oldest_ended_tasks_of_who_has_most_make_room() {
        let store = MemoryTasks::default();
        for number in 0..20 {
            store.save(&task(number, "greedy", TaskStatus::Completed)).unwrap();
        }
        store.save(&task(0, "modest", TaskStatus::Completed)).unwrap();
        store.save(&task(30, "greedy", TaskStatus::Working)).unwrap();
        assert_eq!(store.make_room(5), 2);
        assert!(store.load("greedy-0").is_none() && store.load("greedy-1").is_none());
        assert!(store.load("greedy-2").is_some() && store.load("modest-0").is_some());
        assert_eq!(store.make_room(11), 20, "then all whose time is over");
        assert!(expendable([task(1, "a", TaskStatus::Working)].iter()).is_empty());
    }

    #[test]
    fn what_has_ended_stays_ended() {
        let store = MemoryTasks::default();
        store.save(&task(1, "a", TaskStatus::Cancelled)).unwrap();
        store.save(&task(1, "a", TaskStatus::Completed)).unwrap();
        assert_eq!(store.load("a-1").map(|task| task.status), Some(TaskStatus::Cancelled));
    }
}
