//! Running a request: acquire, prepare once, bind, read rows straight into the caller's buffer.

use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use futures_util::{StreamExt as _, future};
use serde_json::Value;
use tokio_postgres::{Client, RowStream};

use super::acting;
use super::bind::{Bound, bind};
use super::decode::{Malformed, Raw};
use super::error::{Place, Stop, is_broken, wants_preparing};
use super::guard::After;
use super::pool::Pool;
use super::prepare::{self, Key, Prepared};
use super::session::{Role, Session};
use crate::json::{Cell, RowWriter, Shape};
use crate::{Answer, Error, ErrorKind, Query, Statement, Target};

/// A failed request, and whether its session was an idle one that had broken.
pub(super) struct Failed {
    pub(super) error: Error,
    pub(super) stale: bool,
}

/// Runs a request on a session of the pool.
pub(super) async fn run(
    pool: &Arc<Pool>,
    query: &Query<'_>,
    deadline: Instant,
    out: &mut Vec<u8>,
) -> Result<Answer, Failed> {
    let place = Place { connection: pool.name(), attempted: "query" };
    let role = if query.write { Role::Write } else { Role::Read };
    let acquired = tokio::select! {
        biased;
        acquired = pool.acquire(role, query.timeout, place) => acquired,
        () = query.cancel.cancelled() => Err(place.stopped(Stop::Cancelled)),
    };
    let mut session = acquired.map_err(|error| Failed { error, stale: false })?;
    let start = out.len();
    let mut result = on_session(&mut session, query, deadline, place, out).await;
    if result.as_ref().is_err_and(wants_preparing) && session.rollback().await {
        // Nothing has run: the statements were out of date before they began.
        out.truncate(start);
        session.forget_all(query.statements.iter().map(|statement| key(statement, query)));
        result = on_session(&mut session, query, deadline, place, out).await;
    }
    match result {
        Ok(answer) => {
            session.give_back();
            Ok(answer)
        }
        Err(error) => {
            out.truncate(start);
            let stale = session.reused && is_broken(&error);
            // What the server refused leaves the session whole, once an open transaction is rolled back.
            if !stale && session.rollback().await {
                session.give_back();
            }
            Err(Failed { error, stale })
        }
    }
}

async fn on_session(
    session: &mut Session,
    query: &Query<'_>,
    deadline: Instant,
    place: Place<'_>,
    out: &mut Vec<u8>,
) -> Result<Answer, Error> {
    let mut prepared = Vec::with_capacity(query.statements.len());
    for statement in query.statements {
        prepared.push(statement_of(session, statement, query, deadline, place).await?);
    }
    let after = prepared.iter().map(|one| one.traits.after).max().unwrap_or_default();
    session.left(after);
    let runs = query.statements.len() * query.arguments.len();
    if query.acting.is_some() {
        return in_transaction(session, &prepared, query, deadline, place, out).await;
    }
    match (runs, query.write) {
        // The session's transactions are read-only, the implicit one of a single statement too.
        (1, false) if prepared[0].plain && session.after() == After::Keep => {
            alone(session, &prepared[0], query, deadline, place, out).await
        }
        (1, false) => reading(session, &prepared[0], query, deadline, place, out).await,
        (1, true) => alone(session, &prepared[0], query, deadline, place, out).await,
        _ => in_transaction(session, &prepared, query, deadline, place, out).await,
    }
}

fn key(statement: &Statement, query: &Query<'_>) -> Key {
    (if query.single { 1 } else { query.row_limit }, Arc::clone(&statement.text))
}

/// The statement as this session has prepared it, now or before.
async fn statement_of(
    session: &mut Session,
    statement: &Statement,
    query: &Query<'_>,
    deadline: Instant,
    place: Place<'_>,
) -> Result<Arc<Prepared>, Error> {
    let key = key(statement, query);
    if let Some(prepared) = session.statement(&key) {
        return Ok(prepared);
    }
    // Sessions that read hold only statements that were admitted to them.
    let traits = prepare::admit(&statement.text, query.write, place)?;
    let place = Place { attempted: "prepare", ..place };
    let row_limit = key.0;
    let prepared = session
        .bounded(deadline, query.cancel, |client| {
            prepare::prepare(client, &statement.text, traits, query.write, row_limit)
        })
        .await
        .map_err(|stop| place.stopped(stop))?
        .map_err(|error| place.statement(&error, &statement.text))?;
    let prepared = Arc::new(prepared);
    session.keep(key, Arc::clone(&prepared));
    Ok(prepared)
}

/// One statement that reads, in a transaction that is rolled back. All of it is written before any answer is waited for:
/// one round trip.
async fn reading(
    session: &mut Session,
    prepared: &Prepared,
    query: &Query<'_>,
    deadline: Instant,
    place: Place<'_>,
    out: &mut Vec<u8>,
) -> Result<Answer, Error> {
    let statement = &query.statements[0];
    let values = bound(statement, prepared, query.arguments.first(), place)?;
    let setting = session.change_timeout(query.timeout);
    let end = end_of_reading(session);
    session.began();
    let (answer, ended) = session
        .bounded(deadline, query.cancel, |client| async move {
            let rows = async {
                let rows = client.query_raw(&prepared.statement, values).await;
                let rows = rows.map_err(|error| prepared.error(&error, &statement.text, place))?;
                let mut answer = Answer::default();
                read(rows, prepared, &statement.targets, query, place, out, &mut answer).await?;
                Ok(answer)
            };
            // They are sent in the order in which they are polled first.
            let (set, begun, answer, ended) = future::join4(
                execute(client, setting),
                client.batch_execute(BEGIN_READING),
                rows,
                client.batch_execute(end),
            )
            .await;
            (set.and(begun).map_err(|error| place.engine(&error)).and(answer), ended)
        })
        .await
        .map_err(|stop| place.stopped(stop))?;
    if ended.is_ok() {
        session.ended();
        session.unlocked();
    }
    answer
}

const BEGIN_READING: &str = "BEGIN READ ONLY";

/// The end of a transaction that reads. The rollback takes back settings too; locks of the session it does not.
fn end_of_reading(session: &Session) -> &'static str {
    if session.after() == After::Keep { "ROLLBACK" } else { "ROLLBACK; SELECT pg_advisory_unlock_all()" }
}

async fn execute(client: &Client, text: Option<String>) -> Result<(), tokio_postgres::Error> {
    match text {
        Some(text) => client.batch_execute(&text).await,
        None => Ok(()),
    }
}

/// One statement in its own implicit transaction: one round trip.
async fn alone(
    session: &mut Session,
    prepared: &Prepared,
    query: &Query<'_>,
    deadline: Instant,
    place: Place<'_>,
    out: &mut Vec<u8>,
) -> Result<Answer, Error> {
    let statement = &query.statements[0];
    let values = bound(statement, prepared, query.arguments.first(), place)?;
    let setting = session.change_timeout(query.timeout);
    session
        .bounded(deadline, query.cancel, |client| async move {
            let asked = client.query_raw(&prepared.statement, values);
            let rows = match setting {
                None => asked.await,
                // Both are written before either is waited for.
                Some(setting) => {
                    let (set, rows) = future::join(client.batch_execute(&setting), asked).await;
                    set.map_err(|error| place.engine(&error))?;
                    rows
                }
            };
            let rows = rows.map_err(|error| prepared.error(&error, &statement.text, place))?;
            let mut answer = Answer::default();
            read(rows, prepared, &statement.targets, query, place, out, &mut answer).await?;
            Ok(answer)
        })
        .await
        .map_err(|stop| place.stopped(stop))?
}

/// Several runs, all or nothing.
async fn in_transaction(
    session: &mut Session,
    prepared: &[Arc<Prepared>],
    query: &Query<'_>,
    deadline: Instant,
    place: Place<'_>,
    out: &mut Vec<u8>,
) -> Result<Answer, Error> {
    let setting = session.change_timeout(query.timeout);
    let (begin, end) =
        if query.write { ("BEGIN READ WRITE", "COMMIT") } else { (BEGIN_READING, end_of_reading(session)) };
    session.began();
    let done = session
        .bounded(deadline, query.cancel, |client| async move {
            // All are written before any is waited for; the steps wait for the role, so none runs without it.
            let become_caller = acting::become_caller(client, query.acting, place);
            let (set, begun, acts) =
                future::join3(execute(client, setting), client.batch_execute(begin), become_caller).await;
            set.and(begun).map_err(|error| place.engine(&error))?;
            acts?;
            let answer = steps(client, prepared, query, place, out).await?;
            client.batch_execute(end).await.map_err(|error| place.engine(&error))?;
            Ok(answer)
        })
        .await
        .map_err(|stop| place.stopped(stop))?;
    if done.is_ok() {
        session.ended();
        if !query.write {
            session.unlocked();
        }
    }
    done
}

async fn steps(
    client: &Client,
    prepared: &[Arc<Prepared>],
    query: &Query<'_>,
    place: Place<'_>,
    out: &mut Vec<u8>,
) -> Result<Answer, Error> {
    let mut answer = Answer::default();
    let last = (query.arguments.len() * prepared.len()).saturating_sub(1);
    for (run, arguments) in query.arguments.iter().enumerate() {
        for (step, (statement, prepared)) in query.statements.iter().zip(prepared).enumerate() {
            let asked = client.query_raw(&prepared.statement, bound(statement, prepared, Some(arguments), place)?);
            let rows = asked.await.map_err(|error| prepared.error(&error, &statement.text, place))?;
            if run * query.statements.len() + step == last {
                read(rows, prepared, &statement.targets, query, place, out, &mut answer).await?;
            } else {
                answer.affected += discard(rows, prepared, place, &statement.text).await?;
            }
        }
    }
    Ok(answer)
}

/// The values of a statement's placeholders, in their order.
fn bound(
    statement: &Statement,
    prepared: &Prepared,
    arguments: Option<&Vec<Value>>,
    place: Place<'_>,
) -> Result<Vec<Bound>, Error> {
    let types = prepared.statement.params();
    if types.len() != statement.order.len() {
        let message = format!("the statement has {} placeholders, and {} values", types.len(), statement.order.len());
        return Err(place.error(ErrorKind::Statement, message, "number the placeholders from `$1` without gaps"));
    }
    let one = |(index, ty): (&usize, _)| {
        let value = arguments.and_then(|values| values.get(*index)).ok_or("there is no value for it");
        value.and_then(|value| bind(value, ty)).map_err(|why| {
            let message = format!("placeholder {} ({ty}): {why}", index + 1);
            place.error(ErrorKind::Value, message, "send a value of the parameter's type")
        })
    };
    statement.order.iter().zip(types).map(one).collect()
}

async fn discard(rows: RowStream, prepared: &Prepared, place: Place<'_>, text: &str) -> Result<u64, Error> {
    let mut rows = pin!(rows);
    while let Some(row) = rows.next().await {
        row.map_err(|error| prepared.error(&error, text, place))?;
    }
    Ok(affected(&rows, prepared))
}

/// Rows changed, as the server counts them; what a query gave back is not a change.
fn affected(rows: &RowStream, prepared: &Prepared) -> u64 {
    if prepared.traits.changes { rows.rows_affected().unwrap_or_default() } else { 0 }
}

async fn read(
    rows: RowStream,
    prepared: &Prepared,
    targets: &[Target],
    query: &Query<'_>,
    place: Place<'_>,
    out: &mut Vec<u8>,
    answer: &mut Answer,
) -> Result<(), Error> {
    let mut rows = pin!(rows);
    let mut writer = RowWriter::new(out, &prepared.columns, targets, Shape::of(query));
    let mut scratch = String::new();
    while let Some(row) = rows.next().await {
        let row = row.map_err(|error| place.engine(&error))?;
        if writer.is_full() {
            // At most one more came, by the limit in the text; of other statements the rest is read and dropped.
            answer.truncated = !query.single;
            continue;
        }
        writer.begin();
        for (at, reader) in prepared.readers.iter().enumerate() {
            let Raw(bytes) = row.try_get(at).map_err(|error| place.engine(&error))?;
            let written = match (bytes, reader) {
                (None, _) => writer.cell(Cell::Null),
                (Some(_), None) => return Err(unreadable(prepared.columns.name(at), place)),
                (Some(bytes), Some(reader)) => match reader.cell(bytes, &mut scratch) {
                    Ok(cell) => writer.cell(cell),
                    Err(Malformed) => return Err(malformed(prepared.columns.name(at), place)),
                },
            };
            written.map_err(|error| error.into_error(place.connection))?;
        }
        writer.end();
    }
    (answer.rows, answer.last) = writer.finish();
    answer.affected += affected(&rows, prepared);
    answer.has_rows = !prepared.columns.is_empty();
    Ok(())
}

fn unreadable(column: &str, place: Place<'_>) -> Error {
    place.error(
        ErrorKind::Statement,
        format!("column `{column}` has a type that this kind of statement gives only in binary"),
        "cast it to text in the SQL",
    )
}

fn malformed(column: &str, place: Place<'_>) -> Error {
    place.error(
        ErrorKind::Other,
        format!("column `{column}` came in a form that its type does not have"),
        "cast it to text in the SQL, and tell us",
    )
}
