//! Jobs: work that goes on after its request was answered.

use super::{PAGE_SIZE_MAX, Store, now};
use crate::db::{Attempted as _, Fault, Row, params};
use crate::error::Error;
use crate::model::{Job, JobState, NewJob};

/// Ended jobs are kept until there are this many newer ones.
const ENDED_KEPT: usize = 10_000;

const JOB: &str =
    "SELECT id, operation, owner, caller, input, state, result, created_at, started_at, ended_at FROM jobs";

impl Store {
    /// How many jobs of an owner wait or run.
    pub fn open_jobs_of(&self, owner: &str) -> Result<usize, Error> {
        const WHAT: &str = "count jobs";
        let sql = "SELECT count(*) FROM jobs WHERE owner = ?1 AND state IN ('queued', 'running')";
        let found = self.db.read(WHAT, |session| session.row(sql, params![owner], |row| row.count(0)).attempted(WHAT));
        Ok(found?.unwrap_or_default())
    }

    /// Keeps a job that is to be run. Old jobs that have ended make room.
    pub fn put_job(&self, job: &NewJob) -> Result<Job, Error> {
        const WHAT: &str = "store a job";
        let job = job.clone();
        self.db.change(WHAT, move |session| {
            let at = now();
            let sql = "INSERT INTO jobs (id, operation, owner, caller, input, state, created_at)
                       VALUES (?1, ?2, ?3, ?4, ?5, 'queued', ?6)";
            let values = params![&job.id, &job.operation, &job.owner, &job.caller, &job.input, &at];
            session.execute(sql, values).attempted(WHAT)?;
            let old = "DELETE FROM jobs WHERE ended_at IS NOT NULL AND id < coalesce(
                         (SELECT id FROM jobs WHERE ended_at IS NOT NULL ORDER BY id DESC LIMIT 1 OFFSET ?1), '')";
            session.execute(old, params![ENDED_KEPT]).attempted(WHAT)?;
            let kept = session.row(&format!("{JOB} WHERE id = ?1"), params![&job.id], row).attempted(WHAT)?;
            kept.ok_or_else(|| Error::Failed { attempted: WHAT, reason: "it is not there".to_owned() })
        })
    }

    /// The job of this id.
    pub fn job(&self, id: &str) -> Result<Option<Job>, Error> {
        const WHAT: &str = "read a job";
        let sql = format!("{JOB} WHERE id = ?1");
        self.db.read(WHAT, |session| session.row(&sql, params![id], row).attempted(WHAT))
    }

    /// Jobs of an owner, newest first, that are older than the job `before`.
    pub fn jobs(&self, owner: Option<&str>, before: Option<&str>, limit: usize) -> Result<Vec<Job>, Error> {
        const WHAT: &str = "list jobs";
        let sql = format!(
            "{JOB} WHERE (CAST(?1 AS TEXT) IS NULL OR owner = CAST(?1 AS TEXT))
               AND (CAST(?2 AS TEXT) IS NULL OR id < CAST(?2 AS TEXT)) ORDER BY id DESC LIMIT ?3"
        );
        let limit = limit.min(PAGE_SIZE_MAX + 1);
        self.db.read(WHAT, |session| session.rows(&sql, params![owner, before, limit], row).attempted(WHAT))
    }

    /// Jobs that have not ended, oldest first: what a process that was killed left behind.
    pub fn open_jobs(&self) -> Result<Vec<Job>, Error> {
        const WHAT: &str = "list jobs";
        let sql = format!("{JOB} WHERE ended_at IS NULL ORDER BY id LIMIT {PAGE_SIZE_MAX}");
        self.db.read(WHAT, |session| session.rows(&sql, &[], row).attempted(WHAT))
    }

    /// Says that a job runs.
    pub fn start_job(&self, id: &str) -> Result<(), Error> {
        const WHAT: &str = "store the state of a job";
        let id = id.to_owned();
        self.db.change(WHAT, move |session| {
            let sql = "UPDATE jobs SET state = 'running', started_at = ?2 WHERE id = ?1 AND ended_at IS NULL";
            session.execute(sql, params![&id, &now()]).attempted(WHAT).map(drop)
        })
    }

    /// Says how a job ended. A job that has ended stays as it is.
    pub fn end_job(&self, id: &str, state: JobState, result: Option<&str>) -> Result<(), Error> {
        const WHAT: &str = "store the state of a job";
        let (id, result) = (id.to_owned(), result.map(str::to_owned));
        self.db.change(WHAT, move |session| {
            let sql = "UPDATE jobs SET state = ?2, result = ?3, ended_at = ?4 WHERE id = ?1 AND ended_at IS NULL";
            let at = now();
            let values = params![&id, state.as_str(), &result, &at];
            session.execute(sql, values).attempted(WHAT).map(drop)
        })
    }
}

fn row(row: &Row<'_>) -> Result<Job, Fault> {
    Ok(Job {
        id: row.get(0)?,
        operation: row.get(1)?,
        owner: row.get(2)?,
        caller: row.get(3)?,
        input: row.get(4)?,
        state: JobState::of_word(&row.get::<String>(5)?),
        result: row.get(6)?,
        created_at: row.get(7)?,
        started_at: row.get(8)?,
        ended_at: row.get(9)?,
    })
}
