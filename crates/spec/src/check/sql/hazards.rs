//! SQL that runs and does not do what its author thinks.

use crate::sql::{Dialect, Lexeme, LexemeKind, scan};

/// A place of a text and what is wrong with it.
pub(super) struct Hazard {
    /// Byte offset in the text.
    pub(super) offset: usize,
    /// Bytes of the place.
    pub(super) len: usize,
    /// What happens.
    pub(super) message: &'static str,
    /// What to do.
    pub(super) help: &'static str,
}

/// Every hazard of a text; none when it cannot be read, which is reported elsewhere.
pub(super) fn find(sql: &str, dialect: Dialect) -> Vec<Hazard> {
    let mut lexemes = scan(sql, dialect).unwrap_or_default();
    lexemes.retain(|lexeme| lexeme.kind != LexemeKind::Comment);
    (0..lexemes.len())
        .filter_map(|at| bound_order(sql, &lexemes, at).or_else(|| variable(sql, &lexemes, at, dialect)))
        .collect()
}

/// `ORDER BY :column`: a bound value is a constant, and no column.
fn bound_order(sql: &str, lexemes: &[Lexeme], at: usize) -> Option<Hazard> {
    let is = |at: usize, word: &str| lexemes.get(at).is_some_and(|lexeme| lexeme.is_word(sql, word));
    let parameter = lexemes.get(at).filter(|lexeme| lexeme.kind == LexemeKind::Parameter)?;
    let before = at.checked_sub(2)?;
    if !(is(before + 1, "BY") && (is(before, "ORDER") || is(before, "GROUP"))) {
        return None;
    }
    let ends = lexemes.get(at + 1).is_none_or(|next| {
        matches!(next.kind, LexemeKind::Comma | LexemeKind::Close | LexemeKind::Semicolon)
            || ["ASC", "DESC", "LIMIT", "OFFSET", "HAVING", "ORDER", "NULLS"].iter().any(|word| is(at + 1, word))
    });
    ends.then(|| Hazard {
        offset: parameter.start,
        len: parameter.end - parameter.start,
        message: "a bound value is a constant and not a column: it orders or groups nothing",
        help: "choose with CASE: `ORDER BY CASE :by WHEN 'name' THEN name END, CASE :by WHEN 'price' THEN price END`",
    })
}

/// `@name` in MySQL is a variable of the session, which nothing sets: NULL.
fn variable(sql: &str, lexemes: &[Lexeme], at: usize, dialect: Dialect) -> Option<Hazard> {
    let sign = lexemes.get(at).filter(|lexeme| dialect == Dialect::Mysql && lexeme.text(sql) == "@")?;
    let name = lexemes.get(at + 1).filter(|next| next.kind == LexemeKind::Word && next.start == sign.end)?;
    let is_system = at > 0 && lexemes[at - 1].text(sql) == "@" && lexemes[at - 1].end == sign.start;
    let is_set = lexemes.get(at + 2).is_some_and(|next| next.text(sql) == ":=");
    (!is_system && !is_set).then(|| Hazard {
        offset: sign.start,
        len: name.end - sign.start,
        message: "`@name` is a variable of the session, which is NULL unless the statement sets it",
        help: "for a parameter of the tool write `:name`",
    })
}
