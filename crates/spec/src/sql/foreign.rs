//! What the parser takes and the engine does not: another engine's syntax, and keywords where
//! something is missing. The parser is generous on purpose, so that no good SQL is refused; these
//! are the faults that people really make when they bring SQL from one engine to another.

use super::{Dialect, Lexeme, LexemeKind, SqlError};

/// The first fault of a text without comments, if there is one.
pub(super) fn find(sql: &str, lexemes: &[Lexeme], dialect: Dialect) -> Option<SqlError> {
    let text = Text { sql, lexemes };
    let rule = |at: usize| text.missing(at).or_else(|| text.foreign(at, dialect));
    (0..lexemes.len()).find_map(|at| rule(at).map(|message| text.error(at, &message)))
}

/// A keyword, and the words that cannot follow it: between the two something is missing.
const GAPS: [(&str, &[&str]); 8] = [
    ("SELECT", &["SELECT", "WHERE", "GROUP", "ORDER", "HAVING"]),
    ("FROM", &["FROM", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "JOIN", "ON", "SET", "UNION"]),
    ("JOIN", &["JOIN", "WHERE", "ON", "USING", "GROUP", "ORDER", "HAVING"]),
    ("ON", &["WHERE", "JOIN", "AND", "OR", "GROUP", "ORDER", "HAVING"]),
    ("WHERE", &["WHERE", "AND", "OR", "GROUP", "ORDER", "HAVING", "LIMIT", "FROM"]),
    ("AND", &["AND", "OR", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT"]),
    ("OR", &["AND", "OR", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT"]),
    ("NOT", &["AND", "OR", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT"]),
];

/// What MySQL has and MariaDB has not, in a text that was read as MySQL's.
pub fn in_mariadb(sql: &str) -> Option<SqlError> {
    let lexemes: Vec<Lexeme> = super::scan(sql, Dialect::Mysql).ok()?;
    let text = Text { sql, lexemes: &lexemes };
    (0..lexemes.len()).find_map(|at| {
        let message = if text.is(at, "LATERAL") && text.kind(at + 1) == Some(LexemeKind::Open) {
            "MariaDB has no LATERAL; write a sub-query in the select list"
        } else if text.joined(at, "-", ">") {
            "MariaDB has no `->` and `->>`; write `JSON_EXTRACT(…)` or `JSON_VALUE(…)`"
        } else {
            return None;
        };
        Some(text.error(at, message))
    })
}

struct Text<'a> {
    sql: &'a str,
    lexemes: &'a [Lexeme],
}

impl Text<'_> {
    fn is(&self, at: usize, word: &str) -> bool {
        self.lexemes.get(at).is_some_and(|lexeme| lexeme.is_word(self.sql, word))
    }

    /// Whether these words stand here, one behind the other.
    fn are(&self, at: usize, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(ahead, word)| self.is(at + ahead, word))
    }

    fn kind(&self, at: usize) -> Option<LexemeKind> {
        self.lexemes.get(at).map(|lexeme| lexeme.kind)
    }

    fn sign(&self, at: usize, sign: &str) -> bool {
        self.lexemes.get(at).is_some_and(|lexeme| lexeme.text(self.sql) == sign)
    }

    /// Whether two signs stand here without a space.
    fn joined(&self, at: usize, first: &str, second: &str) -> bool {
        let ends = self.lexemes.get(at).map(|lexeme| lexeme.end);
        self.sign(at, first) && self.sign(at + 1, second) && ends == self.lexemes.get(at + 1).map(|next| next.start)
    }

    /// Whether a statement can start here: at the start, or in parentheses, or behind `WITH`'s queries.
    fn starts(&self, at: usize) -> bool {
        at == 0
            || matches!(self.kind(at - 1), Some(LexemeKind::Open | LexemeKind::Close | LexemeKind::Semicolon))
            || self.is(at - 1, "EXPLAIN")
            || self.is(at - 1, "ANALYZE")
    }

    fn error(&self, at: usize, message: &str) -> SqlError {
        let place = self.lexemes[at];
        SqlError::new(format!("SQL syntax: {message}"), place.start, place.end - place.start)
    }

    /// A keyword behind which something is missing.
    fn missing(&self, at: usize) -> Option<String> {
        let (word, followers) = GAPS.iter().find(|(word, _)| self.is(at, word))?;
        // `t.from`, and a column that has the name of a keyword in `AS on`, are not keywords.
        if at > 0 && (self.sign(at - 1, ".") || self.is(at - 1, "AS")) {
            return None;
        }
        let next = followers.iter().find(|follower| self.is(at + 1, follower));
        if let Some(next) = next {
            return Some(format!("something is missing between {word} and {next}"));
        }
        let ends = matches!(self.kind(at + 1), None | Some(LexemeKind::Close | LexemeKind::Semicolon));
        (ends && *word != "SELECT").then(|| format!("nothing follows {word}"))
    }

    fn foreign(&self, at: usize, dialect: Dialect) -> Option<String> {
        let everywhere = self.anywhere(at);
        everywhere.or_else(|| match dialect {
            Dialect::Postgresql => self.in_postgresql(at),
            Dialect::Mysql => self.in_mysql(at),
            Dialect::Sqlite => self.in_sqlite(at),
        })
    }

    /// What none of the engines has.
    fn anywhere(&self, at: usize) -> Option<String> {
        let top = self.is(at, "TOP")
            && (self.is(at.wrapping_sub(1), "SELECT") || self.is(at.wrapping_sub(1), "DISTINCT"))
            && self.kind(at + 1) == Some(LexemeKind::Number);
        let message = if top {
            "TOP is of another engine; write LIMIT at the end"
        } else if self.are(at, &["LIKE", "NOT"]) {
            "LIKE has nothing to compare with; write `NOT LIKE`"
        } else if self.is_query_without_as(at) {
            "a query of WITH needs AS: `WITH name AS (SELECT …)`"
        } else if self.lexemes[at].kind == LexemeKind::Word && self.has_typographic_quote(at) {
            "typographic quotes are letters to a database; write `'`"
        } else {
            return None;
        };
        Some(message.to_owned())
    }

    /// `WITH name (SELECT …)`.
    fn is_query_without_as(&self, at: usize) -> bool {
        let recursive = usize::from(self.is(at + 1, "RECURSIVE"));
        let open = at + recursive + 2;
        let is_named = matches!(self.kind(open.wrapping_sub(1)), Some(LexemeKind::Word | LexemeKind::Quoted));
        let selects = ["SELECT", "VALUES", "WITH"].iter().any(|word| self.is(open + 1, word));
        self.is(at, "WITH") && is_named && self.kind(open) == Some(LexemeKind::Open) && selects
    }

    fn has_typographic_quote(&self, at: usize) -> bool {
        self.lexemes[at].text(self.sql).contains(['\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}'])
    }

    /// `INSERT` and `DELETE` in the forms of MySQL, which the other two do not have.
    fn of_mysql(&self, at: usize) -> Option<&'static str> {
        if self.are(at, &["INSERT", "IGNORE"]) {
            return Some("INSERT IGNORE is of MySQL; write `ON CONFLICT DO NOTHING` at the end");
        }
        if self.are(at, &["ON", "DUPLICATE", "KEY"]) {
            return Some("ON DUPLICATE KEY is of MySQL; write `ON CONFLICT (…) DO UPDATE SET …`");
        }
        (self.is(at, "DELETE") && self.starts(at) && !self.is(at + 1, "FROM")).then_some("DELETE needs FROM")
    }

    fn in_postgresql(&self, at: usize) -> Option<String> {
        let message = if let Some(message) = self.of_mysql(at) {
            message
        } else if self.sign(at, "`") {
            "backticks are of MySQL; PostgreSQL quotes names with `\"`"
        } else if self.are(at, &["INSERT", "OR"]) || self.are(at, &["REPLACE", "INTO"]) {
            "PostgreSQL has no such INSERT; write `ON CONFLICT (…) DO UPDATE SET …` at the end"
        } else if self.is(at, "LIMIT") && self.kind(at + 2) == Some(LexemeKind::Comma) {
            "`LIMIT a, b` is of MySQL; write `LIMIT b OFFSET a`"
        } else if self.joined(at, "=", "=") && !self.joined(at + 1, "=", ">") {
            "PostgreSQL compares with one `=`"
        } else if at == 0 && self.is(at, "SHOW") && self.shows_objects() {
            "PostgreSQL's SHOW is for settings; read `information_schema` instead"
        } else if at == 0 && (self.is(at, "DESCRIBE") || self.is(at, "DESC")) {
            "DESCRIBE is of MySQL; read `information_schema.columns` instead"
        } else {
            return None;
        };
        Some(message.to_owned())
    }

    fn shows_objects(&self) -> bool {
        ["TABLES", "DATABASES", "COLUMNS", "SCHEMAS", "INDEX", "CREATE", "FULL"].iter().any(|word| self.is(1, word))
    }

    fn in_mysql(&self, at: usize) -> Option<String> {
        let message = if self.is(at, "ILIKE") {
            "ILIKE is of PostgreSQL; LIKE does not tell case apart here"
        } else if self.sign(at, "::") {
            "`::` is of PostgreSQL; write `CAST(… AS …)`"
        } else if self.are(at, &["DISTINCT", "ON"]) {
            "DISTINCT ON is of PostgreSQL; use GROUP BY or ROW_NUMBER()"
        } else if self.are(at, &["ON", "CONFLICT"]) {
            "ON CONFLICT is of PostgreSQL and SQLite; write `ON DUPLICATE KEY UPDATE …`"
        } else if self.are(at, &["FULL", "JOIN"]) || self.are(at, &["FULL", "OUTER"]) {
            "MySQL has no FULL JOIN; unite a LEFT and a RIGHT JOIN"
        } else if self.are(at, &["NULLS", "FIRST"]) || self.are(at, &["NULLS", "LAST"]) {
            "MySQL has no NULLS FIRST and NULLS LAST; order by `x IS NULL, x`"
        } else if self.sign(at, "[") {
            "MySQL has no brackets; names are quoted with backticks, arrays are JSON"
        } else if self.is(at, "FROM") && self.is_update_from(at) {
            "MySQL has no UPDATE … FROM; write `UPDATE a JOIN b ON … SET …`"
        } else {
            return None;
        };
        Some(message.to_owned())
    }

    /// Whether the `FROM` here belongs to the `SET` of an `UPDATE`.
    fn is_update_from(&self, at: usize) -> bool {
        let mut depth = 0_usize;
        for before in (0..at).rev() {
            match self.kind(before) {
                Some(LexemeKind::Close) => depth += 1,
                Some(LexemeKind::Open) if depth == 0 => return false,
                Some(LexemeKind::Open) => depth -= 1,
                _ if depth > 0 => {}
                _ if self.is(before, "SELECT") || self.is(before, "DELETE") => return false,
                _ if self.is(before, "SET") => return self.is(0, "UPDATE") || self.is(0, "WITH"),
                _ => {}
            }
        }
        false
    }

    fn in_sqlite(&self, at: usize) -> Option<String> {
        let message = if let Some(message) = self.of_mysql(at) {
            message
        } else if self.is(at, "ILIKE") {
            "ILIKE is of PostgreSQL; LIKE does not tell the case of ASCII letters apart here"
        } else if self.sign(at, "::") {
            "`::` is of PostgreSQL; write `CAST(… AS …)`"
        } else if self.are(at, &["DISTINCT", "ON"]) {
            "DISTINCT ON is of PostgreSQL; use GROUP BY or ROW_NUMBER()"
        } else if at == 0 && ["SHOW", "DESCRIBE", "DESC"].iter().any(|word| self.is(at, word)) {
            "SQLite has no SHOW and DESCRIBE; read `sqlite_schema` or `pragma_table_info('t')`"
        } else if self.are(at, &["FOR", "UPDATE"]) || self.are(at, &["FOR", "SHARE"]) {
            "SQLite locks no rows; a writing tool is alone anyway"
        } else if self.is(at, "INTERVAL") && self.kind(at + 1) == Some(LexemeKind::String) {
            "SQLite has no INTERVAL; write `datetime('now', '+1 day')`"
        } else if self.is(at, "LATERAL") {
            "SQLite has no LATERAL; write a sub-query in the select list"
        } else {
            return None;
        };
        Some(message.to_owned())
    }
}
