//! Splits a SQL text into lexemes, as far as is needed to tell code from strings, quoted
//! identifiers and comments in each dialect.

use super::{Dialect, SqlError};

/// A piece of a SQL text. White space lies between pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lexeme {
    /// What it is.
    pub kind: LexemeKind,
    /// Byte offset of its first byte.
    pub start: usize,
    /// Byte offset after its last byte.
    pub end: usize,
}

impl Lexeme {
    /// Its text.
    pub fn text<'a>(&self, sql: &'a str) -> &'a str {
        &sql[self.start..self.end]
    }

    /// Whether it is this word, in any case.
    pub fn is_word(&self, sql: &str, word: &str) -> bool {
        self.kind == LexemeKind::Word && self.text(sql).eq_ignore_ascii_case(word)
    }
}

/// What a lexeme is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LexemeKind {
    /// A keyword or a bare identifier.
    Word,
    /// A number.
    Number,
    /// A string literal of any form.
    String,
    /// A quoted identifier.
    Quoted,
    /// A comment.
    Comment,
    /// `:name`.
    Parameter,
    /// `(`, `[`.
    Open,
    /// `)`, `]`.
    Close,
    /// `;`.
    Semicolon,
    /// `,`.
    Comma,
    /// Any other sign; `::` and `:=` are one lexeme each.
    Sign,
}

/// Splits a text into lexemes. Fails on an unterminated string, identifier or comment, on an
/// engine's own placeholders (`$1`, `?`, `@name` of SQLite, `:1`), and on comments that MySQL executes.
pub fn scan(sql: &str, dialect: Dialect) -> Result<Vec<Lexeme>, SqlError> {
    let mut scanner = Scanner { sql, bytes: sql.as_bytes(), dialect, at: 0, brackets: 0, out: Vec::new() };
    scanner.run()?;
    Ok(scanner.out)
}

struct Scanner<'a> {
    sql: &'a str,
    bytes: &'a [u8],
    dialect: Dialect,
    at: usize,
    /// Depth of `[` … `]`, where PostgreSQL may write slices.
    brackets: usize,
    out: Vec<Lexeme>,
}

/// Whether a character may start an identifier. The engines take any character beyond ASCII.
fn starts_word(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

/// Whether a character may continue the name of a parameter.
fn continues_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

impl Scanner<'_> {
    fn run(&mut self) -> Result<(), SqlError> {
        while let Some(c) = self.char_at(self.at) {
            match c {
                c if c.is_whitespace() => self.at += c.len_utf8(),
                '\0' => return Err(self.error("the text has a NUL character", 1)),
                '\'' => self.string(self.backslashes())?,
                '"' if self.dialect == Dialect::Mysql => self.quoted('"', LexemeKind::String, true)?,
                '"' => self.quoted('"', LexemeKind::Quoted, false)?,
                '`' if self.dialect != Dialect::Postgresql => self.quoted('`', LexemeKind::Quoted, false)?,
                '[' if self.dialect == Dialect::Sqlite => self.quoted(']', LexemeKind::Quoted, false)?,
                '-' if self.starts_dash_comment() => self.line_comment(),
                '#' if self.dialect == Dialect::Mysql => self.line_comment(),
                '/' if self.byte(1) == Some(b'*') => self.block_comment()?,
                '$' => self.dollar()?,
                ':' => self.colon()?,
                '?' if self.dialect != Dialect::Postgresql => return Err(self.placeholder(1)),
                '@' if self.dialect == Dialect::Sqlite => return Err(self.placeholder(1)),
                '0'..='9' => self.number(),
                c if starts_word(c) => self.word(),
                c => self.sign(c),
            }
        }
        Ok(())
    }

    fn char_at(&self, at: usize) -> Option<char> {
        self.sql.get(at..)?.chars().next()
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn error(&self, message: &str, len: usize) -> SqlError {
        SqlError::new(message, self.at, len)
    }

    fn placeholder(&self, len: usize) -> SqlError {
        let sign = &self.sql[self.at..self.at + len];
        self.error(
            &format!("`{sign}` is a placeholder of the engine; write a named parameter instead, such as `:name`"),
            len,
        )
    }

    fn push(&mut self, kind: LexemeKind, end: usize) {
        self.out.push(Lexeme { kind, start: self.at, end });
        self.at = end;
    }

    /// Whether a backslash escapes in the string that starts here. In PostgreSQL only behind `E`;
    /// in MySQL always (its default SQL mode).
    fn backslashes(&self) -> bool {
        match self.dialect {
            Dialect::Mysql => true,
            Dialect::Sqlite => false,
            Dialect::Postgresql => self.out.last().is_some_and(|last| {
                last.kind == LexemeKind::Word && last.end == self.at && last.text(self.sql).eq_ignore_ascii_case("e")
            }),
        }
    }

    fn string(&mut self, backslashes: bool) -> Result<(), SqlError> {
        self.quoted('\'', LexemeKind::String, backslashes)
    }

    /// A quoted text up to `close`; a doubled `close` is one of its characters (not in SQLite's `[…]`).
    fn quoted(&mut self, close: char, kind: LexemeKind, backslashes: bool) -> Result<(), SqlError> {
        let close = close as u8;
        let mut at = self.at + 1;
        while let Some(&byte) = self.bytes.get(at) {
            if backslashes && byte == b'\\' {
                at += 2;
            } else if byte != close {
                at += 1;
            } else if close != b']' && self.bytes.get(at + 1) == Some(&close) {
                at += 2;
            } else {
                self.push(kind, at + 1);
                return Ok(());
            }
        }
        let what = if kind == LexemeKind::String { "string" } else { "quoted identifier" };
        Err(self.error(&format!("the {what} that starts here never ends"), 1))
    }

    /// MySQL wants white space or a control character behind `--`.
    fn starts_dash_comment(&self) -> bool {
        self.byte(1) == Some(b'-')
            && (self.dialect != Dialect::Mysql
                || self.byte(2).is_none_or(|b| b.is_ascii_whitespace() || b.is_ascii_control()))
    }

    fn line_comment(&mut self) {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|&b| b == b'\n').map_or(self.bytes.len(), |found| self.at + found);
        self.push(LexemeKind::Comment, end);
    }

    fn block_comment(&mut self) -> Result<(), SqlError> {
        let mysql = self.dialect == Dialect::Mysql;
        if mysql && (self.byte(2) == Some(b'!') || (self.byte(2) == Some(b'M') && self.byte(3) == Some(b'!'))) {
            return Err(self.error("the server executes `/*! … */`, so it cannot be checked; write the code itself", 3));
        }
        let nested = self.dialect == Dialect::Postgresql;
        let (mut at, mut depth) = (self.at + 2, 1_usize);
        while depth > 0 {
            match (self.bytes.get(at), self.bytes.get(at + 1)) {
                (Some(b'*'), Some(b'/')) => {
                    depth -= 1;
                    at += 2;
                }
                (Some(b'/'), Some(b'*')) if nested => {
                    depth += 1;
                    at += 2;
                }
                (Some(_), _) => at += 1,
                (None, _) => return Err(self.error("the comment that starts here never ends", 2)),
            }
        }
        self.push(LexemeKind::Comment, at);
        Ok(())
    }

    /// `$1` and `$name` are placeholders, `$$ … $$` and `$tag$ … $tag$` strings of PostgreSQL.
    fn dollar(&mut self) -> Result<(), SqlError> {
        let rest = &self.sql[self.at + 1..];
        let name = rest.len() - rest.trim_start_matches(continues_name).len();
        let digit = rest.starts_with(|c: char| c.is_ascii_digit());
        if self.dialect == Dialect::Postgresql && !digit && rest[name..].starts_with('$') {
            let tag = &self.sql[self.at..self.at + name + 2];
            let body = self.at + tag.len();
            let Some(found) = self.sql[body..].find(tag) else {
                return Err(self.error(&format!("the string that starts with `{tag}` never ends"), tag.len()));
            };
            self.push(LexemeKind::String, body + found + tag.len());
            return Ok(());
        }
        if name > 0 && (digit || self.dialect != Dialect::Mysql) {
            return Err(self.placeholder(1 + name));
        }
        if self.dialect == Dialect::Mysql {
            self.word();
        } else {
            self.sign('$');
        }
        Ok(())
    }

    fn colon(&mut self) -> Result<(), SqlError> {
        let next = self.char_at(self.at + 1);
        match next {
            Some(':' | '=') => self.push(LexemeKind::Sign, self.at + 2),
            _ if self.brackets > 0 && self.ends_expression() => self.push(LexemeKind::Sign, self.at + 1),
            Some(c) if c.is_ascii_digit() && self.brackets == 0 => return Err(self.placeholder(2)),
            Some(c) if starts_word(c) && continues_name(c) => {
                let rest = &self.sql[self.at + 1..];
                let name = rest.len() - rest.trim_start_matches(continues_name).len();
                self.push(LexemeKind::Parameter, self.at + 1 + name);
            }
            _ => self.push(LexemeKind::Sign, self.at + 1),
        }
        Ok(())
    }

    /// Whether what stands before can be the lower bound of a slice `[lower:upper]`.
    fn ends_expression(&self) -> bool {
        let Some(last) = self.out.iter().rev().find(|lexeme| lexeme.kind != LexemeKind::Comment) else {
            return false;
        };
        match last.kind {
            LexemeKind::Word => {
                let word = last.text(self.sql).to_ascii_uppercase();
                !OPERATOR_WORDS.contains(&word.as_str())
            }
            LexemeKind::Number
            | LexemeKind::String
            | LexemeKind::Quoted
            | LexemeKind::Parameter
            | LexemeKind::Close => true,
            _ => false,
        }
    }

    fn number(&mut self) {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_')));
        self.push(LexemeKind::Number, self.at + length.unwrap_or(rest.len()));
    }

    fn word(&mut self) {
        let rest = &self.sql[self.at..];
        let length = rest.find(|c: char| !(continues_name(c) || c == '$' || !c.is_ascii()) || c.is_whitespace());
        let length = length.unwrap_or(rest.len()).max(1);
        self.push(LexemeKind::Word, self.at + length);
    }

    fn sign(&mut self, c: char) {
        let kind = match c {
            '(' | '[' => LexemeKind::Open,
            ')' | ']' => LexemeKind::Close,
            ';' => LexemeKind::Semicolon,
            ',' => LexemeKind::Comma,
            _ => LexemeKind::Sign,
        };
        match c {
            '[' => self.brackets += 1,
            ']' => self.brackets = self.brackets.saturating_sub(1),
            _ => {}
        }
        self.push(kind, self.at + c.len_utf8());
    }
}

/// Words behind which an expression starts, so that a `:name` there is a parameter.
const OPERATOR_WORDS: [&str; 21] = [
    "AND", "OR", "NOT", "THEN", "ELSE", "WHEN", "CASE", "IN", "IS", "LIKE", "ILIKE", "SIMILAR", "TO", "BETWEEN",
    "SELECT", "WHERE", "ANY", "ALL", "DISTINCT", "FROM", "BY",
];
