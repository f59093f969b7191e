//! What a statement may do, by its words.
//!
//! The engine itself is the first lock: statements that read run on sessions whose transactions are
//! `READ ONLY`. This is the second one, for what MySQL lets through there: files written by
//! `SELECT … INTO`, settings, locks, sequences. It errs on the side of refusing.

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

/// The class of a statement, or why no tool may run it.
pub(super) fn classify(text: &str) -> Result<Class, &'static str> {
    let words = words(text)?;
    let first = words.first().map_or("", |word| word.text.as_str());
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
    for (at, word) in words.iter().enumerate() {
        let next = words.get(at + 1).map_or("", |word| word.text.as_str());
        match word.text.as_str() {
            "OUTFILE" | "DUMPFILE" => return Err("no tool may write files on the server"),
            "LOAD_FILE" if word.called => return Err("no tool may read files on the server"),
            "GET_LOCK" | "RELEASE_LOCK" | "RELEASE_ALL_LOCKS" if word.called => {
                return Err("a lock of the session would outlive the statement");
            }
            ":=" | "NEXTVAL" | "SETVAL" if word.called || word.text == ":=" => writes = true,
            "NEXT" if next == "VALUE" => writes = true,
            // A `SELECT` has no other `INTO` than the one into variables.
            "INTO" if class == Class::Read => writes = true,
            "INSERT" | "UPDATE" | "DELETE" | "REPLACE" if first == "WITH" && !word.called => writes = true,
            _ => {}
        }
    }
    Ok(if writes && class == Class::Read { Class::Write } else { class })
}

struct Word {
    /// In upper case.
    text: String,
    /// Followed by a parenthesis.
    called: bool,
}

/// Bare words (and `:=`) outside of texts, quoted names and comments.
fn words(text: &str) -> Result<Vec<Word>, &'static str> {
    let bytes = text.as_bytes();
    let mut out: Vec<Word> = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let rest = &text[at..];
        at += match byte {
            b'#' => line(rest),
            b'-' if rest.starts_with("--") && bytes.get(at + 2).is_none_or(|next| next.is_ascii_whitespace()) => {
                line(rest)
            }
            b'/' if rest.starts_with("/*!") || rest.starts_with("/*M!") => {
                return Err(
                    "a comment that the server runs (`/*! … */`) hides what the statement does; write it plainly",
                );
            }
            b'/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            b'\'' | b'"' | b'`' => quoted(rest.as_bytes(), byte),
            b':' if rest.starts_with(":=") => {
                out.push(Word { text: ":=".to_owned(), called: false });
                2
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'0'..=b'9' | b'$' | 0x80.. => {
                let end =
                    rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len()).max(1);
                let called = rest[end..].trim_start().starts_with('(');
                // A name after a dot or an `@` is no keyword.
                if at == 0 || !matches!(bytes[at - 1], b'.' | b'@') {
                    out.push(Word { text: rest[..end].to_ascii_uppercase(), called });
                }
                end
            }
            _ => 1,
        };
        while !text.is_char_boundary(at) {
            at += 1;
        }
    }
    Ok(out)
}

fn line(rest: &str) -> usize {
    rest.find('\n').map_or(rest.len(), |end| end + 1)
}

/// Length of a quoted text with its quotes. A doubled quote reads as two texts side by side.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while let Some(&byte) = rest.get(at) {
        at += match byte {
            b'\\' if quote != b'`' => 2,
            _ if byte == quote => return at + 1,
            _ => 1,
        };
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::{Class, classify};

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
        ];
        for (text, wanted) in cases {
            assert_eq!(classify(text).ok(), wanted, "{text}");
        }
    }
}
