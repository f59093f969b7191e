//! Statements prepared on one connection: what they take, what they give, how each column is read.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

use super::decode::{Reader, reader};
use super::error::Place;
use super::guard::{self, Traits};
use super::kind;
use super::session::Session;
use crate::{ColumnInfo, Described, Error, ErrorKind};

/// A statement as the server knows it.
pub(super) struct Prepared {
    pub(super) statement: tokio_postgres::Statement,
    /// Names of the columns as the author wrote them.
    pub(super) names: Vec<String>,
    pub(super) readers: Vec<Reader>,
    pub(super) traits: Traits,
}

/// The statement of a call: limited at the server where that can be said in SQL, and with columns of unusual types asked
/// for as their text.
pub(super) async fn prepare(client: &Client, text: &str, row_limit: usize) -> Result<Prepared, tokio_postgres::Error> {
    let traits = guard::look(text);
    let plain = client.prepare(text).await?;
    let names: Vec<String> = plain.columns().iter().map(|column| column.name().to_owned()).collect();
    let readers: Vec<Option<Reader>> = plain.columns().iter().map(|column| reader(column.type_())).collect();
    let unusual = readers.iter().any(Option::is_none);
    let can_wrap = !names.is_empty() && (traits.query || (unusual && traits.returning));
    let statement = if can_wrap {
        client.prepare(&wrapped(text, &plain, &readers, traits.query.then_some(row_limit))).await?
    } else {
        plain
    };
    let readers = readers.into_iter().map(|reader| reader.unwrap_or(Reader::Text)).collect();
    Ok(Prepared { statement, names, readers, traits })
}

/// `SELECT c1, c2::text … FROM (…) LIMIT n`. The columns get names of their own inside, so that two of one name do no harm.
fn wrapped(
    text: &str,
    plain: &tokio_postgres::Statement,
    readers: &[Option<Reader>],
    row_limit: Option<usize>,
) -> String {
    let text = text.trim_end().trim_end_matches(';');
    let columns: Vec<String> = (1..=readers.len()).map(|number| format!("c{number}")).collect();
    let wanted: Vec<String> = columns
        .iter()
        .zip(readers)
        .zip(plain.columns())
        .map(|((name, reader), column)| match (reader, column.type_().kind()) {
            (Some(_), _) => name.clone(),
            (None, postgres_types::Kind::Array(_)) => format!("to_jsonb({name}::text[])::text AS {name}"),
            (None, _) => format!("{name}::text AS {name}"),
        })
        .collect();
    let (wanted, columns) = (wanted.join(", "), columns.join(", "));
    // A comment at the end of the text must not swallow what follows: hence the line breaks.
    match row_limit {
        Some(limit) => {
            format!("SELECT {wanted} FROM (\n{text}\n) AS limited ({columns}) LIMIT {}", limit.saturating_add(1))
        }
        None => format!("WITH changed ({columns}) AS (\n{text}\n) SELECT {wanted} FROM changed"),
    }
}

/// Has the server look at a statement, without running it.
pub(super) async fn describe(
    session: &mut Session,
    text: &str,
    place: Place<'_>,
    timeout: Duration,
) -> Result<Described, Error> {
    let cancel = CancellationToken::new();
    let statement = session
        .bounded(Instant::now() + timeout, &cancel, |client| client.prepare(text))
        .await
        .map_err(|stop| place.stopped(stop))?
        .map_err(|error| place.statement(&error, text))?;
    let described = Described {
        parameters: statement.params().iter().map(|ty| Some(kind::of(ty))).collect(),
        columns: statement
            .columns()
            .iter()
            .map(|column| ColumnInfo {
                name: column.name().to_owned(),
                kind: kind::of(column.type_()),
                native_type: column.type_().name().to_owned(),
                // A column that is NOT NULL in its table is not so behind an outer join.
                nullable: true,
            })
            .collect(),
    };
    // Its `Close` goes out with the next request.
    drop(statement);
    unique(&described.columns, place)?;
    Ok(described)
}

/// Two columns of one name cannot both be keys of one JSON object.
fn unique(columns: &[ColumnInfo], place: Place<'_>) -> Result<(), Error> {
    for (at, column) in columns.iter().enumerate() {
        if columns[..at].iter().any(|other| other.name == column.name) {
            let message = format!("two columns are named `{}`", column.name);
            return Err(place.error(ErrorKind::Statement, message, "give one of them another name with AS"));
        }
    }
    Ok(())
}

/// Refuses what a read-only transaction would let through.
pub(super) fn refuse_writers(prepared: &Prepared, place: Place<'_>) -> Result<(), Error> {
    match prepared.traits.writer {
        Some(function) => Err(place.error(
            ErrorKind::Denied,
            format!("the statement calls `{function}`, which changes things, and the tool may only read"),
            "a tool that changes data says `write: true`",
        )),
        None => Ok(()),
    }
}

/// What a prepared statement is kept under: the limit is part of its text at the server.
pub(super) fn key(text: &Arc<str>, row_limit: usize) -> Arc<str> {
    Arc::from(format!("{row_limit}:{text}"))
}
