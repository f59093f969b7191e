//! What a statement may do, by its words.
//!
//! The server itself is the first lock: what reads runs in a transaction that is `READ ONLY` and rolled back. This is the
//! second one, for what such a transaction does not hold: statements that end it, functions that write to files or
//! through other connections, SQL hidden in texts. And it tells what a statement may leave behind in its session.

mod names;

use super::words::{Word, Words, cut};

/// What has to happen to a session after a statement, before the next caller gets it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum After {
    /// Nothing: it is as it was.
    #[default]
    Keep,
    /// Settings, locks, temporary tables and the like may have changed: they are put back.
    Reset,
    /// It is closed.
    Close,
}

/// Why a statement may not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Bar {
    /// There is none.
    Empty,
    /// It begins or ends transactions, which only the tool itself does.
    Transaction(String),
    /// It copies from or to the client.
    Stream,
    /// Its kind does not only read.
    Verb(String),
    /// It calls a function that changes things, or runs SQL that is not seen here.
    Function(String),
    /// It calls a function by a name with escapes.
    Escaped,
}

/// What a statement's text tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Traits {
    /// Why no tool may run it.
    pub(super) never: Option<Bar>,
    /// Why no tool that reads may run it.
    pub(super) reading: Option<Bar>,
    pub(super) after: After,
    /// It is a query that can stand in parentheses, and so be limited.
    pub(super) query: bool,
    /// It is a query or a change that can stand in a `WITH`.
    pub(super) nests: bool,
    /// It changes rows: the count that the server reports is of those.
    pub(super) changes: bool,
    /// Where its main part begins: behind `WITH … AS (…)`, if there is such.
    pub(super) main: Option<usize>,
    /// Where it ends.
    pub(super) end: usize,
}

/// Looks at the words of a statement.
pub(super) fn look(text: &str) -> Traits {
    let words = cut(text);
    let Some(first) = words.all.first() else {
        return Traits { never: Some(Bar::Empty), ..Traits::default() };
    };
    let main = main(&words, first);
    let verb = main.map_or(first.text.as_str(), |word| word.text.as_str());
    let mut traits = Traits { end: words.end, ..Traits::default() };
    traits.never = never(&words, verb);
    traits.reading = traits.never.clone().or_else(|| reading(text, &words, &first.text, verb));
    traits.after = after(&words, verb);
    traits.changes = matches!(verb, "insert" | "update" | "delete" | "merge");
    let selects = matches!(verb, "select" | "values" | "table");
    traits.nests = selects || traits.changes;
    let inner = words.all.iter().any(|word| writes_inside(word) || locks(word, &words)) || selects_into(&words, first);
    traits.query = selects && !inner;
    traits.main = main.filter(|word| word.at != first.at).map(|word| word.at);
    traits
}

/// The word that says what the statement does: the first, or behind `WITH` the one after the common table expressions.
fn main<'w>(words: &'w Words, first: &'w Word) -> Option<&'w Word> {
    if !first.is("with") {
        return Some(first);
    }
    let mut named = true;
    words.all.iter().skip(1).filter(|word| word.depth == first.depth).find(|word| {
        // The name of an expression may look like a verb.
        let name = std::mem::replace(&mut named, false) || word.before == Some(',');
        named = word.is("recursive");
        !name && ["select", "values", "table", "insert", "update", "delete", "merge"].iter().any(|verb| word.is(verb))
    })
}

/// Whether the word begins a change inside of a common table expression.
fn writes_inside(word: &Word) -> bool {
    word.before == Some('(') && ["insert", "update", "delete", "merge"].iter().any(|verb| word.is(verb))
}

/// `FOR UPDATE` and its kin.
fn locks(word: &Word, words: &Words) -> bool {
    let next = words.all.iter().find(|next| next.at > word.at);
    word.is("for") && next.is_some_and(|next| ["update", "share", "no", "key"].iter().any(|kind| next.is(kind)))
}

/// `SELECT … INTO table`; the `INTO` of an insert is no such thing.
fn selects_into(words: &Words, first: &Word) -> bool {
    let into = |word: &Word| word.is("into") && word.depth == first.depth;
    words.all.iter().any(into) && !words.all.iter().any(|word| word.is("insert") || word.is("merge"))
}

fn never(words: &Words, verb: &str) -> Option<Bar> {
    let has = |keyword: &str| words.all.iter().any(|word| word.is(keyword));
    match verb {
        "begin" | "start" | "commit" | "end" | "abort" | "rollback" | "savepoint" | "release" => {
            Some(Bar::Transaction(verb.to_ascii_uppercase()))
        }
        "prepare" if words.all.get(1).is_some_and(|word| word.is("transaction")) => {
            Some(Bar::Transaction("PREPARE TRANSACTION".to_owned()))
        }
        "copy" if has("stdin") || has("stdout") => Some(Bar::Stream),
        _ => None,
    }
}

fn reading(text: &str, words: &Words, first: &str, verb: &str) -> Option<Bar> {
    if first == "explain" && words.all.iter().any(|word| word.is("analyze") || word.is("analyse")) {
        // It runs what it explains.
        let said =
            |word: &&Word| word.depth == 0 && !["explain", "analyze", "analyse", "verbose"].contains(&&*word.text);
        return match words.all.iter().find(said) {
            Some(inner) => look(&text[inner.at..]).reading,
            None => Some(Bar::Verb("EXPLAIN ANALYZE".to_owned())),
        };
    }
    let reads = matches!(first, "select" | "values" | "table" | "with" | "show" | "explain");
    if !reads || matches!(verb, "insert" | "update" | "delete" | "merge") {
        return Some(Bar::Verb(verb.to_ascii_uppercase()));
    }
    let called = words.all.iter().filter(|word| word.called);
    called.filter_map(|word| (word.escaped).then_some(Bar::Escaped).or_else(|| function(&word.text))).next()
}

fn function(name: &str) -> Option<Bar> {
    let name = name.to_ascii_lowercase();
    names::writes(&name).then_some(Bar::Function(name))
}

/// Verbs of statements that end with their transaction, or change what is no session's own.
const PLAIN: [&str; 10] =
    ["select", "values", "table", "insert", "update", "delete", "merge", "explain", "show", "notify"];
/// Verbs of statements that do not say what they leave behind; all of it can be put back.
const ANYTHING: [&str; 18] = [
    "alter", "analyze", "call", "cluster", "comment", "copy", "create", "do", "drop", "grant", "import", "lock",
    "reassign", "refresh", "reindex", "revoke", "truncate", "vacuum",
];

fn after(words: &Words, verb: &str) -> After {
    if words.all.iter().any(|word| word.called && word.text == "setseed") {
        // The state of the random numbers cannot be put back.
        return After::Close;
    }
    if PLAIN.contains(&verb) || (verb == "set" && scoped(words)) {
        let unknown = words.all.iter().enumerate().any(|(at, word)| calls_unknown(&words.all, at, word));
        let into = words.all.first().is_some_and(|first| selects_into(words, first));
        return if unknown || into { After::Reset } else { After::Keep };
    }
    if ANYTHING.contains(&verb) { After::Reset } else { After::Close }
}

/// `SET LOCAL`, `SET TRANSACTION`, `SET CONSTRAINTS`: over with the transaction.
fn scoped(words: &Words) -> bool {
    let next = words.all.get(1);
    next.is_some_and(|word| ["local", "transaction", "constraints"].iter().any(|scope| word.is(scope)))
}

/// Whether the word calls a function that is not known to leave everything as it was.
fn calls_unknown(words: &[Word], at: usize, word: &Word) -> bool {
    if !word.called || (!word.quoted && names::pure(&word.text)) {
        return false;
    }
    // `INSERT INTO schema.table (columns)` calls nothing.
    let qualified = words[..at].iter().rposition(|one| one.is("into")).map(|into| &words[into + 2..=at]);
    let table = qualified.is_some_and(|rest| rest.iter().all(|one| one.before == Some('.')));
    !table || word.before == Some('(')
}

#[cfg(test)]
mod tests {
    use super::{After, Bar, look};

    #[test]
    fn what_reads_is_told_from_what_does_not() {
        for text in [
            "SELECT 'lo_create(0)', \"set_config\", $$dblink()$$ /* update */ -- lo_put(\n FROM t WHERE a = $1",
            " (SELECT 1) UNION (SELECT 2)",
            "WITH update AS (SELECT 1), delete AS (SELECT 2) SELECT * FROM update, delete",
            "TABLE t",
            "EXPLAIN SELECT 1",
            "EXPLAIN (ANALYZE) SELECT 1",
            "EXPLAIN INSERT INTO t VALUES (1)",
            "SHOW ALL",
        ] {
            let traits = look(text);
            assert_eq!((traits.reading, traits.after), (None, After::Keep), "{text}");
        }
        let function = |name: &str| Some(Bar::Function(name.to_owned()));
        let verb = |name: &str| Some(Bar::Verb(name.to_owned()));
        for (text, wanted) in [
            ("SELECT lo_create (0)", function("lo_create")),
            ("SELECT \"lo_create\"(0)", function("lo_create")),
            ("SELECT U&\"lo\\005fcreate\"(0)", Some(Bar::Escaped)),
            ("SELECT dblink_send_query('', '')", function("dblink_send_query")),
            ("WITH w AS (SELECT 1) UPDATE t SET x = 3", verb("UPDATE")),
            ("WITH RECURSIVE insert AS (SELECT 1) INSERT INTO t SELECT * FROM insert", verb("INSERT")),
            ("DO $$ BEGIN COMMIT; END $$", verb("DO")),
            ("CALL p()", verb("CALL")),
            ("SET x = 1", verb("SET")),
            ("EXPLAIN ANALYZE CREATE TABLE u AS SELECT 1", verb("CREATE")),
            ("EXPLAIN (ANALYZE, COSTS off) WITH w AS (SELECT 1) DELETE FROM t", verb("DELETE")),
            ("EXPLAIN (ANALYZE) SELECT dblink('')", function("dblink")),
            ("/**/ commit", Some(Bar::Transaction("COMMIT".to_owned()))),
            ("COPY t TO STDOUT", Some(Bar::Stream)),
            ("-- nothing", Some(Bar::Empty)),
        ] {
            let traits = look(text);
            assert_eq!(traits.reading.or(traits.never), wanted, "{text}");
        }
    }

    #[test]
    fn what_stays_in_a_session_is_told() {
        for (text, wanted) in [
            ("INSERT INTO t (a, b) VALUES (lower($1), now()) RETURNING a", After::Keep),
            ("INSERT INTO public.t (a) SELECT count(*) FROM u WHERE a IN (1, 2)", After::Keep),
            ("INSERT INTO t (a) SELECT f(1)", After::Reset),
            ("SELECT pg_catalog.set_config('a', 'b', false)", After::Reset),
            ("SELECT pg_advisory_lock(1)", After::Reset),
            ("SELECT 1 AS x INTO TEMP u", After::Reset),
            ("CREATE TEMP TABLE u (x int)", After::Reset),
            ("SET LOCAL lock_timeout = 1", After::Keep),
            ("SET search_path = x", After::Close),
            ("LISTEN x", After::Close),
            ("SELECT setseed(0.5)", After::Close),
        ] {
            assert_eq!(look(text).after, wanted, "{text}");
        }
    }

    #[test]
    fn what_can_be_limited_is_told() {
        for (text, query, main) in [
            ("SELECT 1; -- x", true, None),
            ("SELECT * FROM t FOR UPDATE", false, None),
            ("SELECT * FROM t FOR NO KEY UPDATE", false, None),
            ("WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d", false, Some("SELECT * FROM d")),
            ("WITH d AS (SELECT 1) SELECT substring('a' FOR 2)", true, Some("SELECT substring('a' FOR 2)")),
            ("INSERT INTO t VALUES (1) RETURNING id;", false, None),
        ] {
            let traits = look(text);
            assert_eq!((traits.query, traits.main.map(|at| &text[at..traits.end])), (query, main), "{text}");
        }
    }
}
