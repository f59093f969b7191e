//! Statements prepared on one connection: what they take, what they give, how each column is read.

use std::sync::Arc;
use std::time::{Duration, Instant};

use postgres_types::{Kind, Type};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Column};
use tokio_util::sync::CancellationToken;

use super::bind::Bound;
use super::decode::{Reader, base, reader};
use super::error::Place;
use super::guard::{self, After, Bar, Traits};
use super::session::Session;
use super::{kind, words};
use crate::json::Columns;
use crate::{ColumnInfo, Described, Error, ErrorKind};

/// A statement as the server knows it.
pub(super) struct Prepared {
    pub(super) statement: tokio_postgres::Statement,
    /// The columns by the names that the author wrote.
    pub(super) columns: Columns,
    /// How each column is read; `None` for one whose type has no reader in a statement that cannot be wrapped.
    pub(super) readers: Vec<Option<Reader>>,
    pub(super) traits: Traits,
    /// Whether the server has another text than the author wrote: positions in it are not the author's.
    pub(super) wrapped: bool,
    /// It reads tables with the server's own functions and operators, and nothing else: there is nothing for a rollback
    /// to take back.
    pub(super) plain: bool,
}

impl Prepared {
    /// An error of the server about it. A place in a wrapped text is not one in the author's.
    pub(super) fn error(&self, error: &tokio_postgres::Error, text: &str, place: Place<'_>) -> Error {
        if self.wrapped { place.engine(error) } else { place.statement(error, text) }
    }
}

/// The statement of a call: limited at the server where that can be said in SQL, and with columns of unusual types asked
/// for as their text.
pub(super) async fn prepare(
    client: &Client,
    text: &str,
    traits: Traits,
    write: bool,
    row_limit: usize,
) -> Result<Prepared, tokio_postgres::Error> {
    let is_plain = !write && traits.after == After::Keep && is_plain(client, text).await?;
    let mut prepared = limited_at_server(client, text, traits, row_limit).await?;
    prepared.plain = is_plain;
    Ok(prepared)
}

/// Whether every name of a statement that only reads is that of a table, or of something that comes with the server. A
/// view, a policy of a table, an operator or a cast may call functions that leave settings, notifications or large
/// objects behind.
async fn is_plain(client: &Client, text: &str) -> Result<bool, tokio_postgres::Error> {
    const ASK: &str = "SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_class WHERE relname = ANY ($1) AND (relkind IN ('v', 'm', 'f') OR relrowsecurity)) \
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_proc WHERE proname = ANY ($1) AND pronamespace <> 'pg_catalog'::regnamespace) \
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_type WHERE typname = ANY ($1) AND typtype IN ('b', 'd') AND typelem = 0 AND typnamespace <> 'pg_catalog'::regnamespace) \
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_operator WHERE oprnamespace <> 'pg_catalog'::regnamespace) \
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_cast JOIN pg_catalog.pg_proc ON pg_proc.oid = castfunc WHERE pronamespace <> 'pg_catalog'::regnamespace)";
    let words = words::cut(text).all;
    if words.iter().any(|word| word.escaped) {
        return Ok(false);
    }
    let names: Vec<String> = words.into_iter().map(|word| word.text).collect();
    let answer = client.query_typed(ASK, &[(&names, Type::TEXT_ARRAY)]).await?;
    Ok(answer.first().is_some_and(|row| row.get(0)))
}

async fn limited_at_server(
    client: &Client,
    text: &str,
    traits: Traits,
    row_limit: usize,
) -> Result<Prepared, tokio_postgres::Error> {
    let plain = client.prepare(text).await?;
    let columns = Columns::new(plain.columns().iter().map(Column::name));
    let readers: Vec<Option<Reader>> = plain.columns().iter().map(|column| reader(column.type_())).collect();
    let unusual = readers.iter().any(Option::is_none);
    let wrapped = match () {
        () if columns.is_empty() => None,
        () if traits.query => Some(limited(text, &traits, plain.columns(), &readers, row_limit)),
        () if unusual && traits.nests => Some(nested(text, &traits, plain.columns(), &readers)),
        () => None,
    };
    if let Some(wrapped) = wrapped {
        match client.prepare(&wrapped).await {
            Ok(statement) => {
                let types = plain.columns().iter().map(Column::type_);
                let readers = readers.into_iter().zip(types).map(|(known, ty)| known.or(Some(as_text(ty)))).collect();
                return Ok(Prepared { statement, columns, readers, traits, wrapped: true, plain: false });
            }
            // The author's statement is right: it is only not one that can stand in another.
            Err(error) if error.as_db_error().is_some() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Prepared { statement: plain, columns, readers, traits, wrapped: false, plain: false })
}

/// How a column of an unusual type is read when it was asked for by [`wanted`].
fn as_text(ty: &Type) -> Reader {
    match base(ty).kind() {
        Kind::Array(_) => Reader::Json,
        _ => Reader::Text,
    }
}

/// The columns of a wrapped statement, those of unusual types as text; arrays of them as JSON arrays of texts.
fn wanted(columns: &[Column], readers: &[Option<Reader>]) -> String {
    let one = |(at, (column, reader)): (usize, (&Column, &Option<Reader>))| {
        let (name, ty) = (format!("c{}", at + 1), base(column.type_()));
        match (reader, ty.kind()) {
            (Some(_), _) => name,
            // Cast to text, an address always gets its `/32`; as JSON it is written as the server writes it.
            (None, Kind::Array(element)) if *base(element) == Type::INET => format!("to_jsonb({name})::text AS {name}"),
            (None, Kind::Array(_)) => format!("to_jsonb({name}::text[])::text AS {name}"),
            (None, _) if *ty == Type::INET => format!("(to_jsonb({name}) #>> '{{}}') AS {name}"),
            (None, _) => format!("{name}::text AS {name}"),
        }
    };
    columns.iter().zip(readers).enumerate().map(one).collect::<Vec<_>>().join(", ")
}

/// Names of columns of our own, so that two of one name do no harm.
fn numbered(columns: &[Column]) -> String {
    (1..=columns.len()).map(|number| format!("c{number}")).collect::<Vec<_>>().join(", ")
}

/// `SELECT c1, c2::text … FROM (…) LIMIT n`.
fn limited(text: &str, traits: &Traits, columns: &[Column], readers: &[Option<Reader>], row_limit: usize) -> String {
    // A comment inside of the text must not swallow what follows: hence the line breaks.
    let text = &text[..traits.end];
    let (wanted, names, limit) = (wanted(columns, readers), numbered(columns), row_limit.saturating_add(1));
    format!("SELECT {wanted} FROM (\n{text}\n) AS limited ({names}) LIMIT {limit}")
}

/// `WITH … AS (…), mcp_factory_rows (c1, …) AS (…) SELECT c1, c2::text … FROM mcp_factory_rows`: for statements that lock
/// or change rows, which may stand in a `WITH` at the top and nowhere else.
fn nested(text: &str, traits: &Traits, columns: &[Column], readers: &[Option<Reader>]) -> String {
    let (before, main) = match traits.main {
        Some(at) => (format!("{},", &text[..at]), &text[at..traits.end]),
        None => ("WITH".to_owned(), &text[..traits.end]),
    };
    let (wanted, names) = (wanted(columns, readers), numbered(columns));
    format!("{before} mcp_factory_rows ({names}) AS (\n{main}\n) SELECT {wanted} FROM mcp_factory_rows")
}

/// Has the server look at a statement, without running it.
pub(super) async fn describe(
    session: &mut Session,
    text: &str,
    place: Place<'_>,
    timeout: Duration,
) -> Result<Described, Error> {
    if let Some(bar) = guard::look(text).never {
        return Err(refused(&bar, place));
    }
    let cancel = CancellationToken::new();
    let statement = session
        .bounded(Instant::now() + timeout, &cancel, |client| client.prepare(text))
        .await
        .map_err(|stop| place.stopped(stop))?
        .map_err(|error| place.statement(&error, text))?;
    session
        .bounded(Instant::now() + timeout, &cancel, |client| planned(client, text, &statement))
        .await
        .map_err(|stop| place.stopped(stop))?
        .map_err(|error| place.engine(&error))?;
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

/// Has the server plan it too, for no values: some faults are found no earlier, an `ON CONFLICT` that no constraint fits
/// among them. What the server cannot explain is not found wanting.
async fn planned(
    client: &Client,
    text: &str,
    statement: &tokio_postgres::Statement,
) -> Result<(), tokio_postgres::Error> {
    let Ok(explain) = client.prepare(&format!("EXPLAIN {text}")).await else { return Ok(()) };
    let nulls = statement.params().iter().map(|_| Bound::NULL);
    match client.execute_raw(&explain, nulls).await {
        Err(error) if error.code().is_some_and(is_fault) => Err(error),
        _ => Ok(()),
    }
}

/// Whether the code is that of a fault of the statement itself. Who may do what is another matter: the role of a call may
/// not be that of the connection.
fn is_fault(code: &SqlState) -> bool {
    *code != SqlState::INSUFFICIENT_PRIVILEGE && (code.code().starts_with("42") || code.code().starts_with("0A"))
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

/// What the words of a statement tell, or why it may not run.
pub(super) fn admit(text: &str, write: bool, place: Place<'_>) -> Result<Traits, Error> {
    let traits = guard::look(text);
    let bar = if write { &traits.never } else { &traits.reading };
    match bar.as_ref().or(traits.never.as_ref()) {
        Some(bar) => Err(refused(bar, place)),
        None => Ok(traits),
    }
}

fn refused(bar: &Bar, place: Place<'_>) -> Error {
    let write = "a tool that changes data says `write: true`";
    let (kind, message, hint) = match bar {
        Bar::Empty => (ErrorKind::Statement, "the text holds no statement".to_owned(), ""),
        Bar::Transaction(verb) => (
            ErrorKind::Denied,
            format!("`{verb}` begins or ends a transaction, which only the tool itself does"),
            "the statements of a tool are one transaction; leave it out",
        ),
        Bar::Stream => (
            ErrorKind::Denied,
            "`COPY` from or to the client has nowhere to read from or write to".to_owned(),
            "write an INSERT or a SELECT",
        ),
        Bar::Verb(verb) => {
            (ErrorKind::Denied, format!("`{verb}` does more than reading, and the tool may only read"), write)
        }
        Bar::Function(name) => (
            ErrorKind::Denied,
            format!("the statement calls `{name}`, which changes things or runs other SQL, and the tool may only read"),
            write,
        ),
        Bar::Escaped => (
            ErrorKind::Denied,
            "the statement calls a function by a name with escapes (`U&\"…\"`)".to_owned(),
            "write the name plainly",
        ),
    };
    place.error(kind, message, hint)
}

/// What a prepared statement is kept under: its row limit, which is part of its text at the server, and the author's text.
pub(super) type Key = (usize, Arc<str>);
