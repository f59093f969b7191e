//! What a read-only session cannot stop by itself, and what leaves a session changed.

/// Functions that write although the transaction may only read: large objects (until PostgreSQL 16), files of the server,
/// other connections.
const WRITERS: [&str; 21] = [
    "lo_create",
    "lo_creat",
    "lo_import",
    "lo_export",
    "lo_from_bytea",
    "lo_put",
    "lo_unlink",
    "lo_truncate",
    "lo_truncate64",
    "lowrite",
    "dblink",
    "dblink_exec",
    "dblink_send_query",
    "pg_file_write",
    "pg_file_rename",
    "pg_file_unlink",
    "pg_logical_emit_message",
    "pg_notify",
    "pg_switch_wal",
    "pg_terminate_backend",
    "pg_reload_conf",
];

/// Functions that leave something behind in the session: settings, locks, random seeds.
const CHANGERS: [&str; 8] = [
    "set_config",
    "setseed",
    "pg_advisory_lock",
    "pg_advisory_lock_shared",
    "pg_try_advisory_lock",
    "pg_try_advisory_lock_shared",
    "pg_advisory_unlock_all",
    "pg_cancel_backend",
];

/// Verbs after which a session is as it was.
const PLAIN: [&str; 10] =
    ["select", "with", "values", "table", "insert", "update", "delete", "merge", "explain", "show"];

/// What a statement's text tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Traits {
    /// It calls a function that writes behind the transaction's back.
    pub(super) writer: Option<&'static str>,
    /// The session must not be used again after it.
    pub(super) leaves_traces: bool,
    /// It is a query that can stand in parentheses.
    pub(super) query: bool,
    /// It changes rows and gives some back.
    pub(super) returning: bool,
    /// It changes rows: the count that the server reports is of those.
    pub(super) changes: bool,
}

/// Looks at the words of a statement outside of strings, quoted names and comments.
pub(super) fn look(text: &str) -> Traits {
    let mut traits = Traits::default();
    let mut first = None;
    let mut into = false;
    for word in Words(text) {
        let word = word.to_ascii_lowercase();
        if first.is_none() {
            traits.query = matches!(word.as_str(), "select" | "with" | "values" | "table");
            traits.leaves_traces = !PLAIN.contains(&word.as_str());
            first = Some(());
        }
        traits.changes |= matches!(word.as_str(), "insert" | "update" | "delete" | "merge");
        into |= word == "into";
        traits.returning |= word == "returning";
        traits.leaves_traces |= CHANGERS.contains(&word.as_str());
        if let Some(known) = WRITERS.iter().find(|known| **known == word) {
            traits.writer = Some(known);
        }
    }
    // `FOR UPDATE`, `INTO` and data-changing CTEs cannot stand in a subquery.
    traits.query &= !traits.changes && !into;
    traits
}

/// The bare words of a SQL text.
struct Words<'a>(&'a str);

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            let first = self.0.chars().next()?;
            if first.is_alphabetic() || first == '_' {
                let end =
                    self.0.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$'))).unwrap_or(self.0.len());
                let (word, rest) = self.0.split_at(end);
                // `E'…'`, `U&"…"` and the like begin with a letter; their quotes are seen next.
                self.0 = rest;
                return Some(word);
            }
            let length = skip(self.0, first);
            self.0 = &self.0[length..];
        }
    }
}

/// How long the thing at the start of a text is: a string, a quoted name, a comment, a dollar quote, or one character.
fn skip(text: &str, first: char) -> usize {
    let after = |from: usize, end: &str| text[from..].find(end).map_or(text.len(), |at| from + at + end.len());
    match first {
        '\'' => after(1, "'"),
        '"' => after(1, "\""),
        '-' if text.starts_with("--") => after(2, "\n"),
        '/' if text.starts_with("/*") => after(2, "*/"),
        '$' => match text[1..].find('$') {
            Some(end)
                if text[1..=end].chars().all(|c| c.is_alphanumeric() || c == '_') && !starts_with_digit(&text[1..]) =>
            {
                let tag = &text[..end + 2];
                after(tag.len(), tag)
            }
            _ => 1,
        },
        other => other.len_utf8(),
    }
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::look;

    #[test]
    fn words_in_strings_and_comments_do_not_count() {
        let traits = look(
            "SELECT 'lo_create', \"set_config\", $$dblink$$, $a$ insert $a$ /* update */ -- lo_put\n FROM t WHERE a = $1",
        );
        assert!(traits.writer.is_none() && !traits.leaves_traces && traits.query, "{traits:?}");
    }

    #[test]
    fn what_writes_and_what_stays_is_seen() {
        assert_eq!(look("SELECT lo_create(0)").writer, Some("lo_create"));
        assert!(look("SELECT pg_catalog.set_config('a', 'b', false)").leaves_traces);
        assert!(look("SET search_path = x").leaves_traces);
        assert!(look("LISTEN x").leaves_traces);
        assert!(!look("SELECT * FROM t FOR UPDATE").query);
        assert!(!look("WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d").query);
        assert!(look("INSERT INTO t VALUES (1) RETURNING id").returning);
    }
}
