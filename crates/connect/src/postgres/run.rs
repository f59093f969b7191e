//! Running a request: acquire, prepare once, bind, read rows straight into the caller's buffer.

use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use futures_util::{StreamExt as _, future};
use serde_json::Value;
use tokio_postgres::{Client, RowStream};

use super::bind::Bound;
use super::decode::{Malformed, Raw};
use super::error::Place;
use super::pool::Pool;
use super::prepare::{self, Prepared};
use super::session::{Role, Session};
use crate::json::{Cell, RowWriter, Shape};
use crate::{Answer, Error, ErrorKind, Query, Statement, Target};

/// A failed request, and whether the session had broken before it was used.
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
        () = query.cancel.cancelled() => Err(place.stopped(super::error::Stop::Cancelled)),
    };
    let mut session = acquired.map_err(|error| Failed { error, stale: false })?;
    let start = out.len();
    match on_session(&mut session, query, deadline, place, out).await {
        Ok(answer) => {
            session.give_back();
            Ok(answer)
        }
        Err(error) => {
            out.truncate(start);
            let stale = session.reused && error.kind == ErrorKind::Transient && session.client.is_closed();
            // What the server refused leaves the session whole, once an open transaction is rolled back.
            if !stale && rolled_back(&mut session).await {
                session.give_back();
            }
            Err(Failed { error, stale })
        }
    }
}

async fn rolled_back(session: &mut Session) -> bool {
    if !session.is_whole() {
        return false;
    }
    session.rollback().await
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
    if !query.write {
        for one in &prepared {
            prepare::refuse_writers(one, place)?;
        }
    }
    if prepared.iter().any(|one| one.traits.leaves_traces) {
        session.spoil();
    }
    let runs = query.statements.len() * query.arguments.len();
    let result = if runs == 1 && !session.needs_transaction() {
        alone(session, &prepared[0], query, deadline, place, out).await
    } else {
        in_transaction(session, &prepared, query, deadline, place, out).await
    };
    if result.as_ref().is_err_and(|error| matches!(error.code.as_deref(), Some("0A000" | "26000"))) {
        // "cached plan must not change result type": the table changed under the statement.
        for statement in query.statements {
            session.forget(&prepare::key(&statement.text, limit(query)));
        }
    }
    result
}

fn limit(query: &Query<'_>) -> usize {
    if query.single { 1 } else { query.row_limit }
}

async fn statement_of(
    session: &mut Session,
    statement: &Statement,
    query: &Query<'_>,
    deadline: Instant,
    place: Place<'_>,
) -> Result<Arc<Prepared>, Error> {
    let key = prepare::key(&statement.text, limit(query));
    if let Some(prepared) = session.statement(&key) {
        return Ok(prepared);
    }
    let place = Place { attempted: "prepare", ..place };
    let row_limit = limit(query);
    let prepared = session
        .bounded(deadline, query.cancel, |client| prepare::prepare(client, &statement.text, row_limit))
        .await
        .map_err(|stop| place.stopped(stop))?
        .map_err(|error| place.statement(&error, &statement.text))?;
    let prepared = Arc::new(prepared);
    session.keep(key, Arc::clone(&prepared));
    Ok(prepared)
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
    let setting = session.change_timeout(query.timeout);
    let statement = &query.statements[0];
    let arguments = query.arguments.first().map(Vec::as_slice).unwrap_or_default();
    session
        .bounded(deadline, query.cancel, |client| async move {
            // Both are written before either is waited for.
            let set = async {
                match &setting {
                    Some(text) => client.batch_execute(text).await,
                    None => Ok(()),
                }
            };
            let asked = client.query_raw(&prepared.statement, bound(statement, arguments, place)?);
            let (set, rows) = future::join(set, asked).await;
            set.map_err(|error| place.engine(&error))?;
            let rows = rows.map_err(|error| place.statement(&error, &statement.text))?;
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
    let begin = if query.write { "BEGIN READ WRITE" } else { "BEGIN READ ONLY" };
    let begin = format!("{}{begin}", setting.map(|text| text + "; ").unwrap_or_default());
    session.began();
    let done = session
        .bounded(deadline, query.cancel, |client| async move {
            client.batch_execute(&begin).await.map_err(|error| place.engine(&error))?;
            let answer = steps(client, prepared, query, place, out).await?;
            client.batch_execute("COMMIT").await.map_err(|error| place.engine(&error))?;
            Ok(answer)
        })
        .await
        .map_err(|stop| place.stopped(stop))?;
    if done.is_ok() {
        session.ended();
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
            let asked = client.query_raw(&prepared.statement, bound(statement, arguments, place)?);
            let rows = asked.await.map_err(|error| place.statement(&error, &statement.text))?;
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
fn bound<'q>(statement: &'q Statement, arguments: &'q [Value], place: Place<'_>) -> Result<Vec<Bound<'q>>, Error> {
    let value = |index: &usize| {
        arguments.get(*index).map(Bound).ok_or_else(|| {
            place.error(ErrorKind::Other, format!("there is no value for placeholder {}", index + 1), "")
        })
    };
    statement.order.iter().map(value).collect()
}

async fn discard(rows: RowStream, prepared: &Prepared, place: Place<'_>, text: &str) -> Result<u64, Error> {
    let mut rows = pin!(rows);
    while let Some(row) = rows.next().await {
        row.map_err(|error| place.statement(&error, text))?;
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
    let mut writer = RowWriter::new(out, prepared.names.iter().map(String::as_str), targets, Shape::of(query));
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
            let written = match bytes {
                None => writer.cell(Cell::Null),
                Some(bytes) => match reader.cell(bytes, &mut scratch) {
                    Ok(cell) => writer.cell(cell),
                    Err(Malformed) => return Err(malformed(&prepared.names[at], place)),
                },
            };
            written.map_err(|error| error.into_error(place.connection))?;
        }
        writer.end();
    }
    (answer.rows, answer.last) = writer.finish();
    answer.affected += affected(&rows, prepared);
    answer.has_rows = !prepared.names.is_empty();
    Ok(())
}

fn malformed(column: &str, place: Place<'_>) -> Error {
    place.error(
        ErrorKind::Other,
        format!("column `{column}` came in a form that its type does not have"),
        "cast it to text in the SQL, and tell us",
    )
}
