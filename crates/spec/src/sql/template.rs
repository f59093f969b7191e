//! A SQL text with `:name` parameters, and the engine's own text with placeholders.

use std::fmt::Write as _;

use super::{Dialect, Lexeme, LexemeKind, SQL_BYTES_MAX, SqlError, scan};

/// A SQL text whose `:name` parameters were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    uses: Vec<Use>,
}

/// One place where a parameter stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// Name, without the colon.
    pub name: String,
    /// Byte offset of the colon.
    pub start: usize,
    /// Byte offset after the name.
    pub end: usize,
}

impl Template {
    /// Finds the parameters of a text. Names in strings, quoted identifiers and comments are not
    /// parameters, nor are casts (`::text`), slices (`a[1:n]`) and assignments (`:=`). The engine's
    /// own placeholders are refused; PostgreSQL's operators with `?` are not placeholders.
    pub fn parse(text: &str, dialect: Dialect) -> Result<Self, SqlError> {
        if text.len() > SQL_BYTES_MAX {
            let message = format!("the SQL text is longer than {SQL_BYTES_MAX} bytes");
            return Err(SqlError::new(message, 0, 0));
        }
        let uses = scan(text, dialect)?.iter().filter_map(|lexeme| Use::of(lexeme, text)).collect();
        Ok(Self { text: text.to_owned(), uses })
    }

    /// The text as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Every place of a parameter, in text order.
    pub fn uses(&self) -> &[Use] {
        &self.uses
    }

    /// Names of the parameters, each once, in the order of their first use.
    pub fn parameters(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for used in &self.uses {
            if !names.contains(&used.name.as_str()) {
                names.push(&used.name);
            }
        }
        names
    }

    /// The engine's text, and the name behind each placeholder in the engine's order. PostgreSQL
    /// (`$1`) and SQLite (`?1`) number their placeholders, one per name; MySQL has one `?` per use.
    pub fn native(&self, dialect: Dialect) -> (String, Vec<String>) {
        let mut out = String::with_capacity(self.text.len() + self.uses.len() * 2);
        let mut names: Vec<String> = Vec::new();
        let mut copied = 0;
        for used in &self.uses {
            out.push_str(&self.text[copied..used.start]);
            copied = used.end;
            // `SELECT:a` is two words; `SELECT$1` would be one.
            if out.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '$')) {
                out.push(' ');
            }
            if dialect == Dialect::Mysql {
                out.push('?');
                names.push(used.name.clone());
                continue;
            }
            let number = names.iter().position(|name| *name == used.name).unwrap_or_else(|| {
                names.push(used.name.clone());
                names.len() - 1
            }) + 1;
            let sign = if dialect == Dialect::Postgresql { '$' } else { '?' };
            let _ = write!(out, "{sign}{number}");
        }
        out.push_str(&self.text[copied..]);
        (out, names)
    }

    /// The text with each use of a parameter replaced by what `with` gives for its name; `None`
    /// keeps it. For rewriting parameters into expressions around them, such as a cast.
    #[must_use]
    pub fn rewrite(&self, mut with: impl FnMut(&Use) -> Option<String>) -> String {
        let mut out = String::with_capacity(self.text.len());
        let mut copied = 0;
        for used in &self.uses {
            out.push_str(&self.text[copied..used.start]);
            match with(used) {
                Some(text) => out.push_str(&text),
                None => out.push_str(&self.text[used.start..used.end]),
            }
            copied = used.end;
        }
        out.push_str(&self.text[copied..]);
        out
    }
}

impl Use {
    fn of(lexeme: &Lexeme, sql: &str) -> Option<Self> {
        (lexeme.kind == LexemeKind::Parameter).then(|| Self {
            name: lexeme.text(sql)[1..].to_owned(),
            start: lexeme.start,
            end: lexeme.end,
        })
    }
}
