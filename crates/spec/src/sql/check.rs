//! What one statement does: its class, what it touches, and what follows for a caller.

use serde::{Deserialize, Serialize};
use sqlparser::dialect::{Dialect as Grammar, GenericDialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;

use super::{
    Dialect, Lexeme, LexemeKind, Risk, SQL_BYTES_MAX, SQL_DEPTH_MAX, SQL_LEXEMES_MAX, SqlError, analyse, dialects,
    foreign, forgive, risk, scan,
};

/// What a statement is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// It gives rows and changes nothing, as far as its text tells (see [`Statement::risks`]).
    Read,
    /// It changes rows, locks them, or writes a file.
    Write,
    /// It changes tables and other objects.
    Ddl,
    /// Settings, transactions, calls of procedures, rights, copies: nothing for a tool.
    Other,
}

/// What the text of one statement says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What it is for.
    pub class: Class,
    /// Its leading word, such as `SELECT`; behind `WITH` the word of the main statement.
    pub verb: String,
    /// Whether it gives rows.
    pub returns_rows: bool,
    /// Tables and views it names, as written, without the names of its own `WITH` queries.
    pub tables: Vec<String>,
    /// The tables among them that it writes to.
    pub written: Vec<String>,
    /// Columns it names, without their tables.
    pub columns: Vec<String>,
    /// The names of the columns that a `SELECT` gives, lower case; `None` when one of them is not in its text, as with `*`.
    pub outputs: Option<Vec<String>>,
    /// Functions it calls, lower case, without their schemas.
    pub functions: Vec<String>,
    /// Whether the main statement has a `WHERE`.
    pub has_where: bool,
    /// An `UPDATE` or `DELETE` in it has no `WHERE`, or it truncates: it reaches every row.
    pub reaches_all: bool,
    /// Whether the rows have an order.
    pub ordered: bool,
    /// Whether a `LIMIT`, `OFFSET`, `FETCH`, `FOR UPDATE` or the like ends it, so that nothing can be appended.
    pub limited: bool,
    /// What follows for the annotations of a tool.
    pub effects: Effects,
}

/// What running a statement does to the data (MCP tool annotations are made of it).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Effects {
    /// It changes nothing.
    pub read_only: bool,
    /// It may overwrite or remove what was there.
    pub destructive: bool,
    /// Running it twice leaves the same data as running it once.
    pub idempotent: bool,
}

impl Statement {
    /// The functions it calls that are known to be risky, with the reason.
    pub fn risks(&self) -> Vec<(&str, Risk)> {
        self.functions.iter().filter_map(|name| Some((name.as_str(), risk(name)?))).collect()
    }
}

/// Reads one statement. More than one, none, or one that neither the dialect's grammar nor the
/// generic one knows is refused. `:name` parameters are understood.
pub fn check(sql: &str, dialect: Dialect) -> Result<Statement, Vec<SqlError>> {
    if sql.len() > SQL_BYTES_MAX {
        let message = format!("the SQL text is longer than {SQL_BYTES_MAX} bytes");
        return Err(vec![SqlError::new(message, 0, 0)]);
    }
    let lexemes: Vec<Lexeme> = scan(sql, dialect)
        .map_err(|error| vec![error])?
        .into_iter()
        .filter(|lexeme| lexeme.kind != LexemeKind::Comment)
        .collect();
    let errors = bounds(sql, &lexemes);
    if !errors.is_empty() {
        return Err(errors);
    }
    if let Some(statement) = session_statement(sql, &lexemes) {
        return Ok(statement);
    }
    if let Some(error) = hanging_comma(sql, &lexemes).or_else(|| foreign::find(sql, &lexemes, dialect)) {
        return Err(vec![error]);
    }
    let readable = forgive::readable(sql, &lexemes, dialect);
    let sql = readable.as_str();
    if lexemes.len() <= INLINE_LEXEMES_MAX {
        return read(sql, dialect).map_err(|error| vec![error]);
    }
    // The parser and the syntax tree's own drop recurse as deep as the longest chain of operators.
    std::thread::scope(|scope| {
        let reader = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, || read(sql, dialect));
        let failed = || SqlError::new("the SQL text is too complex to be read", 0, 0);
        match reader.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => Err(failed()),
        }
    })
    .map_err(|error| vec![error])
}

/// Up to this many lexemes a text is read on the caller's stack.
const INLINE_LEXEMES_MAX: usize = 200;
/// Stack for longer texts; only what is touched becomes memory.
const STACK_BYTES: usize = 256 * 1024 * 1024;
/// Recursion limit handed to the parser.
const PARSER_DEPTH_MAX: usize = 3 * SQL_DEPTH_MAX;

fn bounds(sql: &str, lexemes: &[Lexeme]) -> Vec<SqlError> {
    if let Some(over) = lexemes.get(SQL_LEXEMES_MAX) {
        return vec![SqlError::new(
            format!("the SQL text has more than {SQL_LEXEMES_MAX} words and signs"),
            over.start,
            1,
        )];
    }
    let mut depth = 0_usize;
    for lexeme in lexemes {
        match lexeme.kind {
            LexemeKind::Open => depth += 1,
            LexemeKind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > SQL_DEPTH_MAX {
            let message = format!("parentheses are nested deeper than {SQL_DEPTH_MAX}");
            return vec![SqlError::new(message, lexeme.start, 1)];
        }
    }
    let Some(first) = lexemes.iter().find(|lexeme| lexeme.kind != LexemeKind::Semicolon) else {
        return vec![SqlError::new("there is no statement", 0, 0)];
    };
    if first.is_word(sql, "CREATE") {
        return Vec::new();
    }
    let end = lexemes.iter().position(|l| l.kind == LexemeKind::Semicolon && l.start > first.start);
    let second = end.and_then(|end| lexemes[end..].iter().find(|lexeme| lexeme.kind != LexemeKind::Semicolon));
    second.map_or_else(Vec::new, |second| {
        let message = "a second statement starts here; write one statement per text (`statements` takes a list)";
        vec![SqlError::new(message, second.start, second.end - second.start)]
    })
}

/// The generic grammar forgives `SELECT a, FROM t`; no engine does.
fn hanging_comma(sql: &str, lexemes: &[Lexeme]) -> Option<SqlError> {
    let clause = |lexeme: &Lexeme| {
        ["FROM", "WHERE", "GROUP", "ORDER", "HAVING", "UNION"].iter().any(|word| lexeme.is_word(sql, word))
            || matches!(lexeme.kind, LexemeKind::Close | LexemeKind::Semicolon | LexemeKind::Comma)
    };
    let comma = lexemes
        .iter()
        .enumerate()
        .find(|(at, lexeme)| lexeme.kind == LexemeKind::Comma && lexemes.get(at + 1).is_none_or(clause));
    comma.map(|(_, comma)| SqlError::new("SQL syntax: nothing follows this comma", comma.start, 1))
}

/// Statements that are told by their first word and need no grammar, many of which the parser
/// does not know.
const SESSION_WORDS: [&str; 41] = [
    "SET",
    "RESET",
    "CALL",
    "DO",
    "COPY",
    "PRAGMA",
    "ATTACH",
    "DETACH",
    "BEGIN",
    "START",
    "COMMIT",
    "END",
    "ROLLBACK",
    "ABORT",
    "SAVEPOINT",
    "RELEASE",
    "LOCK",
    "UNLOCK",
    "GRANT",
    "REVOKE",
    "LISTEN",
    "UNLISTEN",
    "NOTIFY",
    "PREPARE",
    "EXECUTE",
    "DEALLOCATE",
    "DECLARE",
    "FETCH",
    "CLOSE",
    "DISCARD",
    "LOAD",
    "USE",
    "KILL",
    "HANDLER",
    "CHECKPOINT",
    "FLUSH",
    "IMPORT",
    "INSTALL",
    "PURGE",
    "SHUTDOWN",
    "UNINSTALL",
];
/// The same for statements that change objects or their storage.
const OBJECT_WORDS: [&str; 12] = [
    "CREATE", "ALTER", "DROP", "RENAME", "COMMENT", "VACUUM", "REINDEX", "CLUSTER", "REFRESH", "ANALYZE", "OPTIMIZE",
    "REPAIR",
];

fn session_statement(sql: &str, lexemes: &[Lexeme]) -> Option<Statement> {
    let first = lexemes.iter().find(|lexeme| lexeme.kind != LexemeKind::Semicolon)?;
    let verb = first.text(sql).to_ascii_uppercase();
    let class = if SESSION_WORDS.contains(&verb.as_str()) {
        Class::Other
    } else if OBJECT_WORDS.contains(&verb.as_str()) {
        Class::Ddl
    } else if verb == "TABLE" {
        // The parser knows `TABLE name` inside of other statements only.
        let named = lexemes.iter().filter(|l| matches!(l.kind, LexemeKind::Word | LexemeKind::Quoted)).nth(1)?;
        let table = named.text(sql).trim_matches('"').to_owned();
        return Some(Statement {
            tables: vec![table],
            limited: lexemes.len() > 3,
            ..Statement::bare(Class::Read, &verb, true)
        });
    } else {
        return None;
    };
    let returns_rows = matches!(verb.as_str(), "CALL" | "PRAGMA" | "FETCH" | "EXECUTE");
    Some(Statement::bare(class, &verb, returns_rows))
}

impl Statement {
    pub(super) fn bare(class: Class, verb: &str, returns_rows: bool) -> Self {
        let read_only = class == Class::Read;
        Self {
            class,
            verb: verb.to_owned(),
            returns_rows,
            tables: Vec::new(),
            written: Vec::new(),
            columns: Vec::new(),
            outputs: None,
            functions: Vec::new(),
            has_where: false,
            reaches_all: false,
            ordered: false,
            limited: false,
            effects: Effects { read_only, destructive: !read_only, idempotent: read_only },
        }
    }
}

/// Parses with the dialect's grammar, then with the generic one, and keeps the first one's error.
fn read(sql: &str, dialect: Dialect) -> Result<Statement, SqlError> {
    let own: &dyn Grammar = match dialect {
        Dialect::Postgresql => &PostgreSqlDialect {},
        Dialect::Mysql => &MySqlDialect {},
        Dialect::Sqlite => &SQLiteDialect {},
    };
    let parsed = parse(sql, own).or_else(|error| parse(sql, &GenericDialect {}).map_err(|_| error));
    match parsed {
        Ok(statements) => match statements.as_slice() {
            [statement] => match dialects::find(statement, dialect) {
                Some(fault) => {
                    let (line, column) = (usize::try_from(fault.place.line), usize::try_from(fault.place.column));
                    Err(at_line(sql, format!("SQL syntax: {}", fault.message), line.unwrap_or(0), column.unwrap_or(0)))
                }
                None => Ok(analyse::statement(statement)),
            },
            [] => Err(SqlError::new("there is no statement", 0, 0)),
            _ => Err(SqlError::new("there is more than one statement; write one per text", 0, 0)),
        },
        Err(message) => Err(place(sql, &message)),
    }
}

fn parse(sql: &str, grammar: &dyn Grammar) -> Result<Vec<sqlparser::ast::Statement>, String> {
    let parser = Parser::new(grammar).with_recursion_limit(PARSER_DEPTH_MAX).try_with_sql(sql);
    parser.and_then(|mut parser| parser.parse_statements()).map_err(|error| match error {
        sqlparser::parser::ParserError::TokenizerError(message)
        | sqlparser::parser::ParserError::ParserError(message) => message,
        sqlparser::parser::ParserError::RecursionLimitExceeded => "the expression is nested too deeply".to_owned(),
    })
}

/// Turns the parser's ` at Line: 1, Column: 8` into a byte offset.
fn place(sql: &str, message: &str) -> SqlError {
    let (what, line, column) = split_place(message);
    let what = what.strip_prefix("Expected: ").map_or_else(|| what.to_owned(), |rest| format!("expected {rest}"));
    let message = format!("SQL syntax: {}", what.trim_end());
    let Some((line, column)) = line.zip(column) else {
        return SqlError::new(message, if what.contains("EOF") { sql.trim_end().len() } else { 0 }, 0);
    };
    at_line(sql, message, line, column)
}

/// An error at a line and a column of the text, both counted from 1.
fn at_line(sql: &str, message: String, line: usize, column: usize) -> SqlError {
    let start: usize = sql.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = &sql[start.min(sql.len())..];
    let ahead = rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at);
    let offset = (start + ahead).min(sql.len());
    let word = sql[offset..].find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(sql.len() - offset);
    let len = word.max(sql[offset..].chars().next().map_or(0, char::len_utf8));
    SqlError::new(message, offset, len)
}

fn split_place(message: &str) -> (&str, Option<usize>, Option<usize>) {
    let Some((what, place)) = message.rsplit_once(" at Line: ") else {
        return (message, None, None);
    };
    let (line, column) = place.split_once(", Column: ").unwrap_or((place, ""));
    (what, line.trim().parse().ok(), column.trim().parse().ok())
}
