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
    /// The type it is directly cast to: `CAST(:a AS text)`, `:a::text`.
    pub cast: Option<String>,
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
        let mut lexemes = scan(text, dialect)?;
        lexemes.retain(|lexeme| lexeme.kind != LexemeKind::Comment);
        let uses = (0..lexemes.len()).filter_map(|at| Use::of(&lexemes, at, text)).collect();
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
    /// PostgreSQL gives each placeholder one type, so a parameter that is cast directly has its own
    /// placeholder per type and leaves the type of its other uses alone.
    pub fn native(&self, dialect: Dialect) -> (String, Vec<String>) {
        let mut out = String::with_capacity(self.text.len() + self.uses.len() * 2);
        let mut names: Vec<String> = Vec::new();
        let mut casts: Vec<Option<&str>> = Vec::new();
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
            let cast = used.cast.as_deref().filter(|_| dialect == Dialect::Postgresql);
            let known = names.iter().zip(&casts).position(|(name, other)| *name == used.name && *other == cast);
            let number = 1 + known.unwrap_or_else(|| {
                names.push(used.name.clone());
                casts.push(cast);
                names.len() - 1
            });
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
    fn of(lexemes: &[Lexeme], at: usize, sql: &str) -> Option<Self> {
        let lexeme = lexemes[at];
        (lexeme.kind == LexemeKind::Parameter).then(|| Self {
            name: lexeme.text(sql)[1..].to_owned(),
            start: lexeme.start,
            end: lexeme.end,
            cast: cast(lexemes, at, sql),
        })
    }
}

/// The type that the parameter at this lexeme is directly cast to, in lower case.
fn cast(lexemes: &[Lexeme], at: usize, sql: &str) -> Option<String> {
    let next = lexemes.get(at + 1)?;
    if next.text(sql) == "::" {
        return Some(lexemes.get(at + 2)?.text(sql).to_lowercase());
    }
    let open = lexemes.get(at.checked_sub(1)?)?;
    let word = lexemes.get(at.checked_sub(2)?)?;
    if !(next.is_word(sql, "AS") && open.text(sql) == "(" && word.is_word(sql, "CAST")) {
        return None;
    }
    let first = lexemes.get(at + 2)?;
    let mut depth = 0_usize;
    let close = lexemes[at + 2..].iter().find(|lexeme| {
        match lexeme.kind {
            LexemeKind::Open => depth += 1,
            LexemeKind::Close if depth == 0 => return true,
            LexemeKind::Close => depth -= 1,
            _ => {}
        }
        false
    })?;
    Some(sql[first.start..close.start].trim_end().to_lowercase())
}
