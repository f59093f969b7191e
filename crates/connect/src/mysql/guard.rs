//! What a statement may do, by its words.
//!
//! The engine itself is the first lock: statements that read run on sessions whose transactions are
//! `READ ONLY`. This is the second one, for what MySQL lets through there: files written by
//! `SELECT … INTO`, settings, locks, sequences. It errs on the side of refusing.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

/// Texts whose verdicts are remembered.
const VERDICTS_KEPT: usize = 1024;

/// What kind of statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Reads.
    Read,
    /// Changes rows, within a transaction.
    Write,
    /// Changes the schema, which commits whatever came before.
    Ddl,
}

/// What a statement's text tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) class: Class,
    /// It leaves something in its session: variables, temporary tables, what a procedure does.
    pub(super) traces: bool,
    /// It gives back the rows that it changed.
    pub(super) returning: bool,
    /// Every name in it, in lower case: tables, functions, columns and keywords alike.
    pub(super) names: Vec<String>,
}

/// What is known of texts that ran before: looking takes longer than remembering.
#[derive(Debug, Default)]
pub(super) struct Verdicts(Mutex<HashMap<Arc<str>, Arc<Verdict>>>);

impl Verdicts {
    /// The verdict on a statement, or why no tool may run it.
    pub(super) fn get(&self, text: &Arc<str>) -> Result<Arc<Verdict>, &'static str> {
        if let Some(known) = self.0.lock().get(text) {
            return Ok(Arc::clone(known));
        }
        let verdict = Arc::new(judge(text)?);
        let mut known = self.0.lock();
        if known.len() >= VERDICTS_KEPT {
            known.clear();
        }
        known.insert(Arc::clone(text), Arc::clone(&verdict));
        Ok(verdict)
    }
}

/// Judges a statement by its words, or says why no tool may run it.
pub(super) fn judge(text: &str) -> Result<Verdict, &'static str> {
    let words = words(text)?;
    let plain: Vec<&Word> = words.iter().filter(|word| word.plain).collect();
    let first = plain.first().map_or("", |word| word.text.as_str());
    let class = match first {
        "SELECT" | "WITH" | "VALUES" | "TABLE" | "SHOW" | "DESCRIBE" | "DESC" | "EXPLAIN" => Class::Read,
        "INSERT" | "UPDATE" | "DELETE" | "REPLACE" | "CALL" | "DO" => Class::Write,
        "CREATE" | "ALTER" | "DROP" | "TRUNCATE" | "RENAME" => Class::Ddl,
        "" => return Err("the text holds no statement"),
        _ => {
            return Err(
                "this kind of statement changes settings, transactions, locks or the server, which no tool may",
            );
        }
    };
    let mut writes = false;
    let mut traces = matches!(first, "CALL" | "DO") || class == Class::Ddl;
    for (at, word) in plain.iter().enumerate() {
        let next = plain.get(at + 1).map_or("", |word| word.text.as_str());
        match word.text.as_str() {
            "OUTFILE" | "DUMPFILE" => return Err("no tool may write files on the server"),
            "LOAD_FILE" if word.called => return Err("no tool may read files on the server"),
            "GET_LOCK" | "RELEASE_LOCK" | "RELEASE_ALL_LOCKS" if word.called => {
                return Err("a lock of the session would outlive the statement");
            }
            ":=" => (writes, traces) = (true, true),
            "NEXTVAL" | "SETVAL" if word.called => writes = true,
            "NEXT" if next == "VALUE" => writes = true,
            // A `SELECT` has no other `INTO` than the one into variables.
            "INTO" if class == Class::Read => (writes, traces) = (true, true),
            "INSERT" | "UPDATE" | "DELETE" | "REPLACE" if first == "WITH" && !word.called => writes = true,
            _ => {}
        }
    }
    Ok(Verdict {
        class: if writes && class == Class::Read { Class::Write } else { class },
        traces,
        returning: plain.iter().any(|word| word.text == "RETURNING"),
        names: words.iter().map(|word| word.text.to_lowercase()).collect(),
    })
}

struct Word {
    /// In upper case, apart from quoted names.
    text: String,
    /// Followed by a parenthesis.
    called: bool,
    /// It may be a keyword: neither quoted nor behind a dot or an `@`.
    plain: bool,
}

/// Words (and `:=`) outside of texts and comments, and quoted names.
fn words(text: &str) -> Result<Vec<Word>, &'static str> {
    let bytes = text.as_bytes();
    let mut out: Vec<Word> = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        // `at` is only ever moved over whole characters.
        let rest = &text[at..];
        at += match byte {
            b'#' => line(rest),
            b'-' if rest.starts_with("--") && bytes.get(at + 2).is_none_or(|next| *next <= b' ') => line(rest),
            b'/' if rest.starts_with("/*!") || rest.starts_with("/*M!") => {
                return Err(
                    "a comment that the server runs (`/*! … */`) hides what the statement does; write it plainly",
                );
            }
            b'/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            b'\'' | b'"' => quoted(rest, byte),
            b'`' => {
                let end = quoted(rest, byte);
                let name = rest[1..end].strip_suffix('`').unwrap_or(&rest[1..end]).replace("``", "`");
                out.push(Word { text: name, called: false, plain: false });
                end
            }
            b':' if rest.starts_with(":=") => {
                out.push(Word { text: ":=".to_owned(), called: false, plain: true });
                2
            }
            _ if names(char::from(byte)) || !byte.is_ascii() => {
                let end = rest.find(|c: char| c.is_ascii() && !names(c)).unwrap_or(rest.len());
                let called = rest[end..].trim_start().starts_with('(');
                // A name after a dot or an `@` is no keyword.
                let plain = at == 0 || !matches!(bytes[at - 1], b'.' | b'@');
                out.push(Word { text: rest[..end].to_ascii_uppercase(), called, plain });
                end
            }
            _ => 1,
        };
    }
    Ok(out)
}

/// Whether an ASCII character can be in a name without quotes. All others can.
fn names(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$')
}

fn line(rest: &str) -> usize {
    rest.find('\n').map_or(rest.len(), |end| end + 1)
}

/// Length of a quoted text with its quotes. A doubled quote of a text reads as two side by side. Sessions
/// have neither `ANSI_QUOTES` nor `NO_BACKSLASH_ESCAPES`.
fn quoted(text: &str, quote: u8) -> usize {
    let rest = text.as_bytes();
    let mut at = 1;
    while let Some(&byte) = rest.get(at) {
        at += match byte {
            b'\\' if quote != b'`' => 2,
            b'`' if quote == b'`' && rest.get(at + 1) == Some(&b'`') => 2,
            _ if byte == quote => return at + 1,
            _ => 1,
        };
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::{Class, judge};

    #[test]
    fn statements_have_classes() {
        let cases = [
            ("SELECT 1", Some(Class::Read)),
            ("  (select 'INTO OUTFILE', `into` from t)", Some(Class::Read)),
            ("-- INSERT\n# DELETE\n/* UPDATE */ WITH a AS (SELECT 1) SELECT * FROM a", Some(Class::Read)),
            ("SELECT replace(a, 'x', 'y'), t.into FROM t", Some(Class::Read)),
            ("SHOW TABLES", Some(Class::Read)),
            ("SELECT 1 INTO @x", Some(Class::Write)),
            ("SELECT @x := 1", Some(Class::Write)),
            ("SELECT NEXT VALUE FOR s", Some(Class::Write)),
            ("SELECT nextval(s)", Some(Class::Write)),
            ("WITH a AS (SELECT 1) DELETE FROM t", Some(Class::Write)),
            ("insert into t values (1)", Some(Class::Write)),
            ("DROP TABLE t", Some(Class::Ddl)),
            ("SELECT 1 INTO OUTFILE '/tmp/x'", None),
            ("SELECT 1 INTO/**/DUMPFILE '/tmp/x'", None),
            ("SELECT load_file ('/etc/passwd')", None),
            ("SELECT GET_LOCK('a', 1)", None),
            ("/*! DROP TABLE t */", None),
            ("SELECT 1 /*M!100000 INTO OUTFILE 'x' */", None),
            ("SET SESSION TRANSACTION READ WRITE", None),
            ("COMMIT", None),
            ("LOCK TABLES t WRITE", None),
            ("LOAD DATA INFILE 'x' INTO TABLE t", None),
            ("", None),
            ("-- only this", None),
            ("'unended", None),
            ("é€ SELECT", None),
            ("SELECT '€\\'€' AS ü€, \"\\€\" FROM `€``€` -- €", Some(Class::Read)),
            ("SELECT 'a\\", Some(Class::Read)),
            ("SELECT 1 --\u{1}INTO @x", Some(Class::Read)),
            ("SELECT 5--INTO", Some(Class::Write)),
            ("SELECT\u{a0}1", None),
        ];
        for (text, wanted) in cases {
            assert_eq!(judge(text).ok().map(|verdict| verdict.class), wanted, "{text}");
        }
    }

    #[test]
    fn names_and_traces_are_found() {
        let verdict = judge("SELECT Shop.F(`a``b`), x.`Y` FROM t WHERE 'hidden' = \"hidden\"").unwrap();
        assert_eq!(verdict.names, ["select", "shop", "f", "a`b", "x", "y", "from", "t", "where"]);
        for (text, traces) in [
            ("SELECT @a", false),
            ("SELECT @a := 1", true),
            ("CALL p()", true),
            ("CREATE TEMPORARY TABLE t (x INT)", true),
        ] {
            assert_eq!(judge(text).unwrap().traces, traces, "{text}");
        }
        assert!(judge("DELETE FROM t RETURNING x").unwrap().returning);
        assert!(!judge("DELETE FROM t WHERE x = 'RETURNING'").unwrap().returning);
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_it(text in "[a-z'\"`\\\\#*/@.:=€é \n-]{0,40}") {
            let _ = judge(&text);
        }
    }
}
