//! Running a request in one session.

use std::sync::Arc;

use mysql_async::prelude::Queryable;
use mysql_async::{
    BinaryProtocol, DriverError, Error as Native, Params, QueryResult, Row, Statement as Prepared, Value as Bound,
};
use serde_json::Value;

use super::error::Place;
use super::guard::{Class, Verdict};
use super::kind::{self, Shape};
use super::pool::{Known, Use};
use super::session::{JsonColumns, Role, Session};
use super::value;
use crate::json::{Columns, RowWriter, Shape as Wanted};
use crate::steps::in_steps;
use crate::{Answer, ColumnInfo, Described, Error, ErrorKind, Query, Statement};

/// Number of the character set `binary`.
const BINARY: u16 = 63;

/// A failure, and whether the session is as if nothing had happened.
struct Failure {
    error: Error,
    clean: bool,
    /// The connection broke.
    broken: bool,
}

impl Failure {
    fn clean(error: Error) -> Self {
        Self { error, clean: true, broken: false }
    }

    fn native(place: Place<'_>, error: &Native, text: &str) -> Self {
        let broken = matches!(error, Native::Io(_) | Native::Driver(DriverError::ConnectionClosed));
        Self { error: place.native(error, text), clean: !error.is_fatal(), broken }
    }
}

/// Runs a request; the rows are appended to `out`.
pub(super) async fn run(
    session: &mut Session,
    known: &Known,
    place: Place<'_>,
    query: &Query<'_>,
    out: &mut Vec<u8>,
) -> Use<Answer> {
    let start = out.len();
    let judged = judge(known, place, query);
    let (verdicts, transaction) = match judged {
        Ok(judged) => judged,
        Err(refused) => return Use::Clean(Err(refused)),
    };
    let mut traces = false;
    for verdict in &verdicts {
        match known.suspects.traces(session, verdict).await {
            Ok(found) => traces |= found,
            Err(error) => return Use::Broken(place.native(&error, "")),
        }
    }
    let done = Run { json: &known.json, place, query, verdicts: &verdicts, transaction }.all(session, out).await;
    match done {
        Ok((answer, true)) if traces => Use::Traces(Ok(answer)),
        Ok((answer, true)) => Use::Clean(Ok(answer)),
        Ok((answer, false)) => Use::Dirty(Ok(answer)),
        Err(failure) => {
            out.truncate(start);
            match failure.clean {
                true if traces => Use::Traces(Err(failure.error)),
                true => Use::Clean(Err(failure.error)),
                false if failure.broken => Use::Broken(failure.error),
                false => Use::Dirty(Err(failure.error)),
            }
        }
    }
}

struct Run<'a> {
    json: &'a JsonColumns,
    place: Place<'a>,
    query: &'a Query<'a>,
    /// One for each statement.
    verdicts: &'a [Arc<Verdict>],
    transaction: bool,
}

/// Verdicts on all statements, and whether they need a transaction; an error for what may not run.
fn judge(known: &Known, place: Place<'_>, query: &Query<'_>) -> Result<(Vec<Arc<Verdict>>, bool), Error> {
    let denied = |why: &str| place.error(ErrorKind::Denied, why, "");
    let runs = query.statements.len() * query.arguments.len();
    let verdicts: Vec<_> = query
        .statements
        .iter()
        .map(|statement| known.verdicts.get(&statement.text).map_err(denied))
        .collect::<Result<_, _>>()?;
    if !query.write && verdicts.iter().any(|verdict| verdict.class != Class::Read) {
        return Err(denied("the statement writes, and this tool may only read"));
    }
    if runs > 1 && verdicts.iter().any(|verdict| verdict.class == Class::Ddl) {
        return Err(denied("a statement that changes the schema commits what came before it, so it must be alone"));
    }
    // One statement is a transaction by itself; one whose rows may yet be refused is not done with them.
    let transaction = runs > 1 || verdicts.iter().any(|verdict| verdict.returning);
    Ok((verdicts, transaction))
}

impl Run<'_> {
    /// The answer, and whether the session can be used again.
    async fn all(&self, session: &mut Session, out: &mut Vec<u8>) -> Result<(Answer, bool), Failure> {
        let query = self.query;
        let runs = query.statements.len() * query.arguments.len();
        let transaction = self.transaction;
        let native = |error: Native| Failure::native(self.place, &error, "");
        self.limits(session).await?;
        if transaction {
            let begin = if query.write { "START TRANSACTION READ WRITE" } else { "START TRANSACTION READ ONLY" };
            session.conn.query_drop(begin).await.map_err(native)?;
        }
        let ran = self.statements(session, runs, out).await;
        match ran {
            Ok((answer, clean)) => {
                if transaction && clean {
                    session.conn.query_drop("COMMIT").await.map_err(native)?;
                }
                Ok((answer, clean))
            }
            Err(failure) if transaction && failure.clean => {
                let rolled = session.conn.query_drop("ROLLBACK").await;
                Err(Failure { clean: rolled.is_ok(), ..failure })
            }
            Err(failure) => Err(failure),
        }
    }

    async fn limits(&self, session: &mut Session) -> Result<(), Failure> {
        let row_limit = if self.query.single { 1 } else { self.query.row_limit };
        let limited = session.limits(in_steps(self.query.timeout), row_limit).await;
        limited.map_err(|error| Failure::native(self.place, &error, ""))
    }

    async fn statements(
        &self,
        session: &mut Session,
        runs: usize,
        out: &mut Vec<u8>,
    ) -> Result<(Answer, bool), Failure> {
        let mut answer = Answer::default();
        let mut clean = true;
        let mut number = 0;
        for arguments in self.query.arguments {
            for (statement, verdict) in self.query.statements.iter().zip(self.verdicts) {
                number += 1;
                let out = if number == runs { Some(&mut *out) } else { None };
                clean = self.one(session, statement, verdict, arguments, out, &mut answer).await?;
            }
        }
        Ok((answer, clean))
    }

    async fn one(
        &self,
        session: &mut Session,
        statement: &Statement,
        verdict: &Verdict,
        arguments: &[Value],
        out: Option<&mut Vec<u8>>,
        answer: &mut Answer,
    ) -> Result<bool, Failure> {
        let place = Place { attempted: "prepare", ..self.place };
        let text: &str = &statement.text;
        let prepared = session.conn.prep(text).await.map_err(|error| Failure::native(place, &error, text))?;
        let bound = self.bind(&prepared, statement, arguments).map_err(Failure::clean)?;
        let shapes = shapes(session, self.json, &prepared.columns())
            .await
            .map_err(|error| Failure::native(place, &error, text))?;
        // Asking for the JSON columns may have lifted the limit.
        self.limits(session).await?;
        let native = |error: Native| Failure::native(self.place, &error, text);
        let mut result = session.conn.exec_iter(&prepared, bound).await.map_err(native)?;
        // A procedure has columns only now.
        let columns = result.columns();
        answer.has_rows = columns.as_ref().is_some_and(|columns| !columns.is_empty());
        let shapes = match columns {
            Some(columns) if columns.len() != shapes.len() => {
                columns.iter().map(|column| kind::of_column(column, false)).collect()
            }
            _ => shapes,
        };
        // With rows the packet has no such number.
        let mut affected = if answer.has_rows { 0 } else { result.affected_rows() };
        let mut clean = true;
        let mut seen = 0;
        if let Some(out) = out {
            clean = self.rows(&mut result, statement, &shapes, out, answer, &mut seen).await?;
        }
        if answer.has_rows && clean && self.query.write {
            // Rows of `RETURNING` are rows changed, also those over the limit.
            while result.next().await.map_err(native)?.is_some() {
                seen += 1;
            }
            affected = affected.max(if verdict.returning { seen } else { 0 });
        }
        if clean {
            result.drop_result().await.map_err(native)?;
        }
        answer.affected += affected;
        Ok(clean)
    }

    /// Writes the rows. `false`: more are to come than anybody wants to read.
    async fn rows(
        &self,
        result: &mut QueryResult<'_, 'static, BinaryProtocol>,
        statement: &Statement,
        shapes: &[Shape],
        out: &mut Vec<u8>,
        answer: &mut Answer,
        seen: &mut u64,
    ) -> Result<bool, Failure> {
        let dirty = |error: Error| Failure { error, clean: false, broken: false };
        let native = |error: Native| Failure::native(self.place, &error, &statement.text);
        let columns = Columns::new(shapes.iter().map(|shape| shape.name.as_str()));
        let mut writer = RowWriter::new(out, &columns, &statement.targets, Wanted::of(self.query));
        let mut row = if answer.has_rows { result.next().await.map_err(native)? } else { None };
        let mut scratch = String::new();
        while let Some(found) = row.as_ref().filter(|_| !writer.is_full()) {
            *seen += 1;
            writer.begin();
            self.row(found, shapes, &mut writer, &mut scratch).map_err(dirty)?;
            writer.end();
            row = result.next().await.map_err(native)?;
        }
        answer.truncated = row.is_some() && !self.query.single;
        *seen += u64::from(row.is_some());
        (answer.rows, answer.last) = writer.finish();
        if row.is_none() || self.query.write {
            return Ok(true);
        }
        // The server was told to send one row over the limit and no more; where it does not obey
        // (`SHOW`), the session is given up rather than the rest read.
        Ok(result.next().await.map_err(native)?.is_none())
    }

    fn row(&self, row: &Row, shapes: &[Shape], writer: &mut RowWriter<'_>, scratch: &mut String) -> Result<(), Error> {
        for (at, shape) in shapes.iter().enumerate() {
            let value = row.as_ref(at).unwrap_or(&Bound::NULL);
            let Some(cell) = value::cell(value, shape, writer.target(at), scratch) else {
                let message = format!("column `{}` holds a text that is not UTF-8", shape.name);
                return Err(self.place.error(
                    ErrorKind::Value,
                    message,
                    "CAST it AS BINARY in the SQL to get its bytes",
                ));
            };
            writer.cell(cell).map_err(|error| error.into_error(self.place.connection))?;
        }
        Ok(())
    }

    fn bind(&self, prepared: &Prepared, statement: &Statement, arguments: &[Value]) -> Result<Params, Error> {
        let wanted = usize::from(prepared.num_params());
        if wanted != statement.order.len() {
            let message =
                format!("the text has {wanted} placeholders, and {} values are given for them", statement.order.len());
            return Err(self.place.error(ErrorKind::Statement, message, ""));
        }
        let mut bound = Vec::with_capacity(wanted);
        for (at, &index) in statement.order.iter().enumerate() {
            let Some(value) = arguments.get(index) else {
                return Err(self.place.error(ErrorKind::Statement, format!("placeholder {} has no value", at + 1), ""));
            };
            bound.push(value::bind(value));
        }
        Ok(if bound.is_empty() { Params::Empty } else { Params::Positional(bound) })
    }
}

/// What the columns hold, with MariaDB's JSON columns told from long texts.
async fn shapes(
    session: &mut Session,
    json: &JsonColumns,
    columns: &[mysql_async::Column],
) -> Result<Vec<Shape>, Native> {
    use mysql_async::consts::ColumnType;
    let may_be_json = |column: &mysql_async::Column| {
        column.column_type() == ColumnType::MYSQL_TYPE_BLOB
            && column.character_set() != BINARY
            && !column.org_name_ref().is_empty()
    };
    let known = if session.mariadb && columns.iter().any(may_be_json) { Some(json.get(session).await?) } else { None };
    let is_json = |column: &mysql_async::Column| {
        let name = || {
            (column.schema_str().into_owned(), column.org_table_str().into_owned(), column.org_name_str().into_owned())
        };
        known.as_ref().is_some_and(|known| may_be_json(column) && known.contains(&name()))
    };
    Ok(columns.iter().map(|column| kind::of_column(column, is_json(column))).collect())
}

/// What the server says of a statement without running it. Its placeholders have no types.
///
/// The server refuses even to prepare a statement that writes where it may not run, so those come on a
/// session that may write. Preparing runs nothing; the transaction around it takes back what would.
pub(super) async fn describe(
    session: &mut Session,
    json: &JsonColumns,
    place: Place<'_>,
    text: &str,
) -> Use<Described> {
    let described = async {
        if session.role == Role::Write {
            session.conn.query_drop("START TRANSACTION").await?;
        }
        let prepared = session.conn.prep(text).await;
        if session.role == Role::Write {
            session.conn.query_drop("ROLLBACK").await?;
        }
        let prepared = prepared?;
        let shapes = shapes(session, json, &prepared.columns()).await?;
        Ok::<_, Native>(Described {
            parameters: vec![None; usize::from(prepared.num_params())],
            columns: shapes.into_iter().map(column_info).collect(),
        })
    };
    match described.await {
        Ok(described) => Use::Clean(Ok(described)),
        Err(error) if error.is_fatal() => Use::Broken(place.native(&error, text)),
        Err(error) => Use::Clean(Err(place.native(&error, text))),
    }
}

fn column_info(shape: Shape) -> ColumnInfo {
    ColumnInfo {
        name: shape.name,
        kind: shape.kind.unwrap_or(crate::catalogue::Kind::Json),
        native_type: shape.native_type,
        nullable: shape.nullable,
    }
}
