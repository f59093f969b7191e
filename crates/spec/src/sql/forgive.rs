//! Good SQL that the parser does not know, rewritten to what it knows: only for looking at it,
//! never for running it. Every replacement has the length of what it replaces, so that places in
//! the text stay what they are.

use super::{Dialect, Lexeme, LexemeKind};

/// The text as the parser can read it. The lexemes are those of the text without comments.
pub(super) fn readable(sql: &str, lexemes: &[Lexeme], dialect: Dialect) -> String {
    let mut out = sql.to_owned();
    let mut at = 0;
    while at < lexemes.len() {
        let (words, with) = replacement(sql, lexemes, at, dialect).unwrap_or((0, ""));
        if words > 0 {
            let (start, end) = (lexemes[at].start, lexemes[at + words - 1].end);
            if with.len() <= end - start {
                out.replace_range(start..end, &format!("{with:<width$}", width = end - start));
            }
        }
        at += words.max(1);
    }
    out
}

/// How many lexemes are replaced, and with what.
fn replacement(sql: &str, all: &[Lexeme], at: usize, dialect: Dialect) -> Option<(usize, &'static str)> {
    let rest = Rest { sql, before: &all[..at], lexemes: &all[at..] };
    match dialect {
        Dialect::Postgresql => in_postgresql(&rest),
        Dialect::Mysql => in_mysql(&rest),
        Dialect::Sqlite => in_sqlite(&rest),
    }
}

/// The lexemes from one place on, and those before it.
struct Rest<'a> {
    sql: &'a str,
    before: &'a [Lexeme],
    lexemes: &'a [Lexeme],
}

impl Rest<'_> {
    fn is(&self, at: usize, word: &str) -> bool {
        self.lexemes.get(at).is_some_and(|lexeme| lexeme.is_word(self.sql, word))
    }

    fn are(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(at, word)| self.is(at, word))
    }

    fn is_name(&self, at: usize) -> bool {
        self.lexemes.get(at).is_some_and(|lexeme| matches!(lexeme.kind, LexemeKind::Word | LexemeKind::Quoted))
    }

    fn is_kind(&self, at: usize, kind: LexemeKind) -> bool {
        self.lexemes.get(at).is_some_and(|lexeme| lexeme.kind == kind)
    }

    /// Where this word comes, not too far ahead.
    fn find(&self, word: &str) -> Option<usize> {
        const AHEAD_MAX: usize = 40;
        self.lexemes.iter().take(AHEAD_MAX).position(|lexeme| lexeme.is_word(self.sql, word))
    }

    /// `EXCLUDE …` of a window frame.
    fn frame_exclusion(&self) -> Option<(usize, &'static str)> {
        let long = self.are(&["EXCLUDE", "CURRENT", "ROW"]) || self.are(&["EXCLUDE", "NO", "OTHERS"]);
        let short = self.are(&["EXCLUDE", "TIES"]) || self.are(&["EXCLUDE", "GROUP"]);
        let words = if long { 3 } else { 2 };
        ((long || short) && self.is_kind(words, LexemeKind::Close)).then_some((words, ""))
    }
}

fn in_postgresql(rest: &Rest<'_>) -> Option<(usize, &'static str)> {
    if rest.are(&["BETWEEN", "SYMMETRIC"]) || rest.are(&["BETWEEN", "ASYMMETRIC"]) {
        return Some((2, "BETWEEN"));
    }
    if rest.are(&["FOR", "NO", "KEY", "UPDATE"]) {
        return Some((4, "FOR UPDATE"));
    }
    if rest.are(&["FOR", "KEY", "SHARE"]) {
        return Some((3, "FOR SHARE"));
    }
    if rest.are(&["OVERRIDING", "SYSTEM", "VALUE"]) || rest.are(&["OVERRIDING", "USER", "VALUE"]) {
        return Some((3, ""));
    }
    // `WITH RECURSIVE t AS (…) SEARCH DEPTH FIRST BY id SET o`, and `CYCLE id SET c USING p`.
    let follows_query = rest.before.last().is_some_and(|lexeme| lexeme.kind == LexemeKind::Close);
    if follows_query && (rest.are(&["SEARCH", "DEPTH", "FIRST"]) || rest.are(&["SEARCH", "BREADTH", "FIRST"])) {
        return rest.find("SET").filter(|at| rest.is_name(at + 1)).map(|at| (at + 2, ""));
    }
    if rest.is(0, "CYCLE") && rest.find("SET").is_some() {
        return rest.find("USING").filter(|at| rest.is_name(at + 1)).map(|at| (at + 2, ""));
    }
    assigned_element(rest).or_else(|| in_xml(rest)).or_else(|| rest.frame_exclusion())
}

/// `XMLELEMENT(NAME x, …)`, and the names in `XMLATTRIBUTES(a AS b)` and `XMLFOREST(a AS b)`.
fn in_xml(rest: &Rest<'_>) -> Option<(usize, &'static str)> {
    let [.., call, open] = rest.before else { return None };
    if rest.is(0, "NAME") && open.kind == LexemeKind::Open && call.is_word(rest.sql, "XMLELEMENT") {
        return Some((2, "1"));
    }
    if !(rest.is(0, "AS") && rest.is_name(1)) {
        return None;
    }
    let mut depth = 0_usize;
    let open = rest.before.iter().rposition(|lexeme| match lexeme.kind {
        LexemeKind::Open if depth == 0 => true,
        LexemeKind::Open => {
            depth -= 1;
            false
        }
        LexemeKind::Close => {
            depth += 1;
            false
        }
        _ => false,
    });
    let call = rest.before.get(open?.checked_sub(1)?)?;
    let takes_names = call.is_word(rest.sql, "XMLATTRIBUTES") || call.is_word(rest.sql, "XMLFOREST");
    takes_names.then_some((2, ""))
}

/// The `[1]` of `SET tags[1] = …`.
fn assigned_element(rest: &Rest<'_>) -> Option<(usize, &'static str)> {
    let [.., sign, column] = rest.before else { return None };
    let assigns = sign.is_word(rest.sql, "SET") || sign.kind == LexemeKind::Comma;
    let opens = rest.lexemes.first()?.text(rest.sql) == "[";
    let end = rest.lexemes.iter().position(|lexeme| lexeme.text(rest.sql) == "]")?;
    let is_value = rest.lexemes.get(end + 1).is_some_and(|lexeme| lexeme.text(rest.sql) == "=");
    let is_column = matches!(column.kind, LexemeKind::Word | LexemeKind::Quoted);
    (assigns && opens && is_value && is_column).then_some((end + 1, ""))
}

/// Units of MySQL's intervals that are made of two.
const COMPOUND_UNITS: [&str; 11] = [
    "SECOND_MICROSECOND",
    "MINUTE_MICROSECOND",
    "MINUTE_SECOND",
    "HOUR_MICROSECOND",
    "HOUR_SECOND",
    "HOUR_MINUTE",
    "DAY_MICROSECOND",
    "DAY_SECOND",
    "DAY_MINUTE",
    "DAY_HOUR",
    "YEAR_MONTH",
];

fn in_mysql(rest: &Rest<'_>) -> Option<(usize, &'static str)> {
    if rest.are(&["LOCK", "IN", "SHARE", "MODE"]) {
        return Some((4, "FOR SHARE"));
    }
    // `!a` is NOT, and a sign as good as any.
    let is_sign = |at: usize, sign: &str| rest.lexemes.get(at).is_some_and(|lexeme| lexeme.text(rest.sql) == sign);
    if is_sign(0, "!") && !is_sign(1, "=") {
        return Some((1, "-"));
    }
    // `INTERVAL '1:30' MINUTE_SECOND`; these words are reserved.
    if COMPOUND_UNITS.iter().any(|unit| rest.is(0, unit)) {
        return Some((1, "DAY"));
    }
    // `a MOD b`; `MOD(a, b)` is a call.
    let is_part = rest.before.last().is_none_or(|lexeme| lexeme.text(rest.sql) == ".");
    (rest.is(0, "MOD") && !is_part && !rest.is_kind(1, LexemeKind::Open)).then_some((1, "%"))
}

fn in_sqlite(rest: &Rest<'_>) -> Option<(usize, &'static str)> {
    if rest.are(&["NOT", "INDEXED"]) {
        return Some((2, ""));
    }
    if rest.are(&["INDEXED", "BY"]) && rest.lexemes.len() > 2 {
        return Some((3, ""));
    }
    // `a IN t` and `a IN f(b)` take the values of a table; a comparison is read the same.
    if rest.is(0, "IN") && rest.is_name(1) {
        return Some((1, "="));
    }
    if rest.are(&["NOT", "IN"]) && rest.is_name(2) {
        return Some((2, "<>"));
    }
    if !rest.is(0, "IS") {
        return rest.frame_exclusion();
    }
    // SQLite's `IS` compares any two values.
    let negated = rest.is(1, "NOT");
    let operand = usize::from(negated) + 1;
    let standard = ["NULL", "TRUE", "FALSE", "DISTINCT", "UNKNOWN"].iter().any(|word| rest.is(operand, word));
    (!standard && rest.lexemes.len() > operand).then_some(if negated { (2, "<>") } else { (1, "=") })
}
