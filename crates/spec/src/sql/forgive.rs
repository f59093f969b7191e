//! Good SQL that the parser does not know, rewritten to what it knows: only for looking at it,
//! never for running it. Every replacement has the length of what it replaces, so that places in
//! the text stay what they are.

use super::{Dialect, Lexeme};

/// The text as the parser can read it. The lexemes are those of the text without comments.
pub(super) fn readable(sql: &str, lexemes: &[Lexeme], dialect: Dialect) -> String {
    let mut out = sql.to_owned();
    for at in 0..lexemes.len() {
        if let Some((words, with)) = replacement(sql, &lexemes[at..], dialect) {
            let (start, end) = (lexemes[at].start, lexemes[at + words - 1].end);
            if with.len() <= end - start {
                out.replace_range(start..end, &format!("{with:<width$}", width = end - start));
            }
        }
    }
    out
}

/// How many lexemes are replaced, and with what.
fn replacement(sql: &str, rest: &[Lexeme], dialect: Dialect) -> Option<(usize, &'static str)> {
    let is = |at: usize, word: &str| rest.get(at).is_some_and(|lexeme| lexeme.is_word(sql, word));
    match dialect {
        Dialect::Postgresql if is(0, "BETWEEN") && (is(1, "SYMMETRIC") || is(1, "ASYMMETRIC")) => Some((2, "BETWEEN")),
        Dialect::Mysql if is(0, "LOCK") && is(1, "IN") && is(2, "SHARE") && is(3, "MODE") => Some((4, "FOR SHARE")),
        Dialect::Sqlite if is(0, "NOT") && is(1, "INDEXED") => Some((2, "")),
        Dialect::Sqlite if is(0, "INDEXED") && is(1, "BY") && rest.len() > 2 => Some((3, "")),
        Dialect::Sqlite if is(0, "IS") => {
            // SQLite's `IS` compares any two values.
            let negated = is(1, "NOT");
            let operand = usize::from(negated) + 1;
            let standard = ["NULL", "TRUE", "FALSE", "DISTINCT", "UNKNOWN"].iter().any(|word| is(operand, word));
            (!standard && rest.len() > operand).then_some(if negated { (2, "<>") } else { (1, "=") })
        }
        _ => None,
    }
}
