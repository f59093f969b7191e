//! Running a request on one connection.

use rusqlite::{CachedStatement, Rows, Statement as Prepared};
use serde_json::Value;

use super::connection::Link;
use super::error::Place;
use super::guard::Role;
use super::{kind, value};
use crate::catalogue::Kind;
use crate::json::{Columns, RowWriter, Shape};
use crate::{Answer, ColumnInfo, Described, Error, ErrorKind, Query, Statement, Target};

/// A request that a blocking thread can own.
#[derive(Debug)]
pub(super) struct Job {
    statements: Vec<Statement>,
    arguments: Vec<Vec<Value>>,
    write: bool,
    row_limit: usize,
    byte_limit: usize,
    keep: Vec<String>,
    single: bool,
}

impl Job {
    pub(super) fn new(query: &Query<'_>) -> Self {
        Self {
            statements: query.statements.to_vec(),
            arguments: query.arguments.to_vec(),
            write: query.write,
            row_limit: query.row_limit,
            byte_limit: query.byte_limit,
            keep: query.keep.to_vec(),
            single: query.single,
        }
    }

    /// Runs it all in one transaction; the rows are JSON in the buffer.
    pub(super) fn run(&self, link: &mut Link, place: Place<'_>) -> Result<(Answer, Vec<u8>), Error> {
        let runs = self.statements.len() * self.arguments.len();
        // One statement that reads sees one state of the database by itself.
        let transaction = self.write || runs > 1;
        if transaction {
            // A writer takes the lock at once: to read first and find it taken later cannot be waited for.
            let begin = if self.write { "BEGIN IMMEDIATE" } else { "BEGIN" };
            link.command(begin).map_err(|error| place.engine(&error, link.watch.stop()))?;
        }
        let mut out = Vec::new();
        let mut answer = Answer::default();
        for (at, arguments) in self.arguments.iter().enumerate() {
            for (number, statement) in self.statements.iter().enumerate() {
                let last = at * self.statements.len() + number + 1 == runs;
                self.one(link, place, statement, arguments, last.then_some(&mut out), &mut answer)?;
            }
        }
        if let Some(stop) = link.watch.stop() {
            // The pool rolls back what is not committed.
            return Err(place.stopped(stop));
        }
        if transaction {
            link.command("COMMIT").map_err(|error| place.engine(&error, link.watch.stop()))?;
        }
        Ok((answer, out))
    }

    fn one(
        &self,
        link: &Link,
        place: Place<'_>,
        statement: &Statement,
        arguments: &[Value],
        out: Option<&mut Vec<u8>>,
        answer: &mut Answer,
    ) -> Result<(), Error> {
        let mut prepared = prepare(link, place, &statement.text)?;
        bind(&mut prepared, place, statement, arguments)?;
        answer.has_rows = prepared.column_count() > 0;
        let before = link.connection.total_changes();
        let engine = |error: rusqlite::Error| place.engine(&error, link.watch.stop());
        let mut rows = prepared.raw_query();
        match out {
            Some(out) => self.rows(&mut rows, place, &engine, &statement.targets, out, answer)?,
            // The first step makes all changes; rows that nobody wants are not read.
            None => rows.next().map(drop).map_err(engine)?,
        }
        drop(rows);
        if link.connection.total_changes() > before {
            answer.affected += link.connection.changes();
        }
        Ok(())
    }

    fn rows(
        &self,
        rows: &mut Rows<'_>,
        place: Place<'_>,
        engine: &dyn Fn(rusqlite::Error) -> Error,
        targets: &[Target],
        out: &mut Vec<u8>,
        answer: &mut Answer,
    ) -> Result<(), Error> {
        let shape =
            Shape { keep: &self.keep, single: self.single, row_limit: self.row_limit, byte_limit: self.byte_limit };
        let mut row = rows.next().map_err(engine)?;
        // The columns are asked after the first step, which compiles anew when the schema changed.
        let columns = row.map(|row| columns(row.as_ref())).unwrap_or_default();
        let kinds: Vec<Option<Kind>> =
            columns.iter().map(|(_, declared)| kind::of_declared(declared.as_deref())).collect();
        let names = Columns::new(columns.iter().map(|(name, _)| name.as_str()));
        let mut writer = RowWriter::new(out, &names, targets, shape);
        let mut scratch = String::new();
        while let Some(found) = row.filter(|_| !writer.is_full()) {
            writer.begin();
            for (at, kind) in kinds.iter().enumerate() {
                let value = found.get_ref(at).map_err(engine)?;
                let Some(cell) = value::cell(value, *kind, writer.target(at), &mut scratch) else {
                    return Err(not_utf8(place, &columns[at].0));
                };
                writer.cell(cell).map_err(|error| error.into_error(place.connection))?;
            }
            writer.end();
            row = rows.next().map_err(engine)?;
        }
        answer.truncated = row.is_some() && !self.single;
        (answer.rows, answer.last) = writer.finish();
        Ok(())
    }
}

/// Compiles a statement, or finds it compiled. A connection that reads takes only what cannot write.
fn prepare<'c>(link: &'c Link, place: Place<'_>, text: &str) -> Result<CachedStatement<'c>, Error> {
    let place = Place { attempted: "prepare", ..place };
    let prepared = link.connection.prepare_cached(text).map_err(|error| place.engine(&error, link.watch.stop()))?;
    if link.role == Role::Read && !prepared.readonly() {
        prepared.discard();
        return Err(place.error(ErrorKind::Denied, "the statement writes, and this tool may only read", ""));
    }
    if prepared.column_count() == 0 && prepared.readonly() {
        return Err(place.error(ErrorKind::Statement, "the text holds no statement that does anything", ""));
    }
    Ok(prepared)
}

fn bind(
    prepared: &mut Prepared<'_>,
    place: Place<'_>,
    statement: &Statement,
    arguments: &[Value],
) -> Result<(), Error> {
    let wanted = prepared.parameter_count();
    if wanted != statement.order.len() {
        let message =
            format!("the text has {wanted} placeholders, and {} values are given for them", statement.order.len());
        return Err(place.error(ErrorKind::Statement, message, "number the placeholders ?1, ?2, … without gaps"));
    }
    for (at, &index) in statement.order.iter().enumerate() {
        let Some(value) = arguments.get(index) else {
            return Err(place.error(ErrorKind::Statement, format!("placeholder {} has no value", at + 1), ""));
        };
        let value = value::bind(value).map_err(|why| {
            place.error(ErrorKind::Value, format!("the value of placeholder {} does not fit: {why}", at + 1), "")
        })?;
        prepared.raw_bind_parameter(at + 1, value).map_err(|error| place.engine(&error, None))?;
    }
    Ok(())
}

/// Name and declared type of each column.
fn columns(prepared: &Prepared<'_>) -> Vec<(String, Option<String>)> {
    prepared.columns().map(|column| (column.name().to_owned(), column.decl_type().map(str::to_owned))).collect()
}

fn not_utf8(place: Place<'_>, column: &str) -> Error {
    place.error(
        ErrorKind::Value,
        format!("column `{column}` holds a text that is not UTF-8"),
        "use CAST(… AS BLOB) in the SQL to get its bytes",
    )
}

/// What SQLite says of a statement without running it. SQLite's placeholders have no types.
pub(super) fn describe(link: &Link, place: Place<'_>, text: &str) -> Result<Described, Error> {
    let prepared = prepare(link, place, text)?;
    let columns = columns(&prepared).into_iter().map(|(name, declared)| ColumnInfo {
        name,
        kind: kind::of_declared(declared.as_deref()).unwrap_or(Kind::Json),
        native_type: declared.unwrap_or_default(),
        nullable: true,
    });
    Ok(Described { parameters: vec![None; prepared.parameter_count()], columns: columns.collect() })
}
