//! Jobs: work that goes on after its request was answered.

use super::{PAGE_SIZE_MAX, Store, now};
use crate::db::{Attempted as _, Fault, Row, Session, params};
use crate::error::Error;
use crate::model::{Job, JobEvent, JobState, Lease, NewJob};

/// Ended jobs are kept until there are this many newer ones.
const ENDED_KEPT: usize = 10_000;
/// Most events that are kept of a job; what is told later is not kept, but its end is.
const EVENTS_MAX: i64 = 1_000;

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
    pub fn put_job(&self, job: &NewJob, lease: &Lease) -> Result<Job, Error> {
        const WHAT: &str = "store a job";
        let (job, lease) = (job.clone(), lease.clone());
        self.db.change(WHAT, move |session| {
            let at = now();
            let sql = "INSERT INTO jobs (id, operation, owner, caller, input, state, created_at, holder, lease)
                       VALUES (?1, ?2, ?3, ?4, ?5, 'queued', ?6, ?7, ?8)";
            let holder = (&lease.holder, lease.until);
            let values = params![&job.id, &job.operation, &job.owner, &job.caller, &job.input, &at, holder.0, holder.1];
            session.execute(sql, values).attempted(WHAT)?;
            tell(session, &job.id, &at, &of_state(JobState::Queued)).attempted(WHAT)?;
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

    /// Takes the jobs that nobody runs: those of a control plane whose lease has ended, and of all others when it is known
    /// that there are no others. Oldest first.
    pub fn take_jobs(&self, lease: &Lease, alone: bool) -> Result<Vec<Job>, Error> {
        const WHAT: &str = "take up jobs";
        let lease = lease.clone();
        let open = format!(
            "{JOB} WHERE ended_at IS NULL AND (holder IS NULL OR (holder <> ?1 AND (?2 = 1 OR lease < ?3)))
             ORDER BY id LIMIT {PAGE_SIZE_MAX}"
        );
        let values = move |lease: &Lease| (lease.holder.clone(), i64::from(alone), lease.now);
        let (holder, others, at) = values(&lease);
        let found =
            self.db.read(WHAT, |session| session.rows(&open, params![&holder, others, at], row).attempted(WHAT))?;
        if found.is_empty() {
            return Ok(found);
        }
        self.db.change(WHAT, move |session| {
            let (holder, others, at) = values(&lease);
            let found = session.rows(&open, params![&holder, others, at], row).attempted(WHAT)?;
            for job in &found {
                let sql = "UPDATE jobs SET holder = ?2, lease = ?3 WHERE id = ?1";
                session.execute(sql, params![&job.id, &lease.holder, lease.until]).attempted(WHAT)?;
            }
            Ok(found)
        })
    }

    /// Says that a control plane lives. Gives the jobs that it still runs: others were ended, or taken by somebody else.
    pub fn keep_jobs(&self, lease: &Lease) -> Result<Vec<String>, Error> {
        const WHAT: &str = "keep jobs";
        const MINE: &str = "SELECT id FROM jobs WHERE holder = ?1 AND ended_at IS NULL ORDER BY id";
        let found = self.db.read(WHAT, |session| {
            session.rows(MINE, params![&lease.holder], |row| row.get::<String>(0)).attempted(WHAT)
        })?;
        if found.is_empty() {
            return Ok(found);
        }
        let lease = lease.clone();
        self.db.change(WHAT, move |session| {
            let sql = "UPDATE jobs SET lease = ?2 WHERE holder = ?1 AND ended_at IS NULL";
            session.execute(sql, params![&lease.holder, lease.until]).attempted(WHAT)?;
            session.rows(MINE, params![&lease.holder], |row| row.get::<String>(0)).attempted(WHAT)
        })
    }

    /// Says that a job runs. Whether its control plane still has it.
    pub fn start_job(&self, id: &str, holder: &str) -> Result<bool, Error> {
        const WHAT: &str = "store the state of a job";
        let (id, holder) = (id.to_owned(), holder.to_owned());
        self.db.change(WHAT, move |session| {
            let sql = "UPDATE jobs SET state = 'running', started_at = coalesce(started_at, ?3)
                       WHERE id = ?1 AND holder = ?2 AND ended_at IS NULL";
            let at = now();
            let mine = session.execute(sql, params![&id, &holder, &at]).attempted(WHAT)? > 0;
            if mine {
                tell(session, &id, &at, &of_state(JobState::Running)).attempted(WHAT)?;
            }
            Ok(mine)
        })
    }

    /// Says how a job ended. A job that has ended stays as it is, and so does one that another control plane took from
    /// `holder`; without a holder anybody may end it.
    pub fn end_job(&self, id: &str, holder: Option<&str>, state: JobState, result: Option<&str>) -> Result<(), Error> {
        const WHAT: &str = "store the state of a job";
        let (id, holder, result) = (id.to_owned(), holder.map(str::to_owned), result.map(str::to_owned));
        self.db.change(WHAT, move |session| {
            let sql = "UPDATE jobs SET state = ?2, result = ?3, ended_at = ?4
                       WHERE id = ?1 AND ended_at IS NULL AND (CAST(?5 AS TEXT) IS NULL OR holder = CAST(?5 AS TEXT))";
            let at = now();
            let values = params![&id, state.as_str(), &result, &at, &holder];
            if session.execute(sql, values).attempted(WHAT)? > 0 {
                tell(session, &id, &at, &of_state(state)).attempted(WHAT)?;
            }
            Ok(())
        })
    }

    /// Tells something of a job that `holder` runs.
    pub fn tell_job(&self, id: &str, holder: &str, event: &str) -> Result<(), Error> {
        const WHAT: &str = "store what is told of a job";
        let (id, holder, event) = (id.to_owned(), holder.to_owned(), event.to_owned());
        self.db.change(WHAT, move |session| {
            let sql = "SELECT (SELECT count(*) FROM job_events WHERE job = ?1) FROM jobs
                       WHERE id = ?1 AND holder = ?2 AND ended_at IS NULL";
            let told = session.row(sql, params![&id, &holder], |row| row.get::<i64>(0)).attempted(WHAT)?;
            if told.is_some_and(|told| told < EVENTS_MAX) {
                tell(session, &id, &now(), &event).attempted(WHAT)?;
            }
            Ok(())
        })
    }

    /// What was told of a job after the event of a number.
    pub fn job_events(&self, id: &str, after: i64, limit: usize) -> Result<Vec<JobEvent>, Error> {
        const WHAT: &str = "read what was told of a job";
        let sql = "SELECT number, time, event FROM job_events WHERE job = ?1 AND number > ?2 ORDER BY number LIMIT ?3";
        let read = |row: &Row<'_>| Ok(JobEvent { number: row.get(0)?, time: row.get(1)?, event: row.get(2)? });
        let limit = limit.min(PAGE_SIZE_MAX);
        self.db.read(WHAT, |session| session.rows(sql, params![id, after, limit], read).attempted(WHAT))
    }
}

/// Keeps an event with the next number.
fn tell(session: &Session<'_>, job: &str, at: &str, event: &str) -> Result<(), Fault> {
    let sql = "INSERT INTO job_events (job, number, time, event)
               VALUES (?1, (SELECT coalesce(max(number), 0) + 1 FROM job_events WHERE job = ?1), ?2, ?3)";
    session.execute(sql, params![job, at, event]).map(drop)
}

/// The event of a state. The words of states need no escapes.
fn of_state(state: JobState) -> String {
    format!("{{\"state\":\"{}\"}}", state.as_str())
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
