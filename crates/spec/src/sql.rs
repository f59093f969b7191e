//! SQL texts of tools: where their `:name` parameters stand, and what a statement does.
//!
//! Two readers look at a text, for two questions. Our own scanner ([`Template`]) knows strings,
//! quoted identifiers and comments of each engine and finds parameters; it never fails on SQL that
//! is merely unknown to it. The parser behind [`check`] understands statements; what it cannot
//! parse is reported with its place.

mod analyse;
mod check;
mod dialects;
mod foreign;
mod forgive;
mod functions;
mod scan;
mod template;

use serde::{Deserialize, Serialize};

pub use check::{Class, Effects, Statement, check};
pub use foreign::in_mariadb;
pub use functions::{Risk, risk};
pub use scan::{Lexeme, LexemeKind, scan};
pub use template::{Template, Use};

use crate::model::ConnectionKind;

/// Longest SQL text, bytes.
pub const SQL_BYTES_MAX: usize = 128 * 1024;
/// Most words, numbers, strings and signs in one SQL text: bounds the parser's work and stack.
pub const SQL_LEXEMES_MAX: usize = 10_000;
/// Deepest nesting of parentheses and brackets in one SQL text.
pub const SQL_DEPTH_MAX: usize = 64;

/// Which engine's SQL a text is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// PostgreSQL.
    Postgresql,
    /// MySQL and MariaDB, in their default SQL mode.
    Mysql,
    /// SQLite.
    Sqlite,
}

impl Dialect {
    /// The SQL of a kind of connection, if it takes SQL.
    pub fn of(kind: ConnectionKind) -> Option<Self> {
        match kind {
            ConnectionKind::Postgresql => Some(Self::Postgresql),
            ConnectionKind::Mysql | ConnectionKind::Mariadb => Some(Self::Mysql),
            ConnectionKind::Sqlite => Some(Self::Sqlite),
            _ => None,
        }
    }
}

/// Why a SQL text is refused, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlError {
    /// What is wrong and what to do, one sentence without a full stop.
    pub message: String,
    /// Byte offset in the text.
    pub offset: usize,
    /// Bytes of the place; 0 for the end of the text.
    pub len: usize,
}

impl SqlError {
    pub(crate) fn new(message: impl Into<String>, offset: usize, len: usize) -> Self {
        Self { message: message.into(), offset, len }
    }
}

impl std::fmt::Display for SqlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (at byte {})", self.message, self.offset)
    }
}

impl std::error::Error for SqlError {}

#[cfg(test)]
mod tests;
