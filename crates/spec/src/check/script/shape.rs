//! What the text of a script says of its function: the names that it takes, and the SQL that it calls connections with.
//! A script is only read as far as this goes; what is written in another way is not reported.

use super::words::{Kind, Word, split};

/// A name that a script takes from what it is given.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Taken<'a> {
    /// The name in what is given, such as `db` of `{ db: shop }`.
    pub key: &'a str,
    /// What the script calls it.
    pub local: &'a str,
    /// Byte offset of the name.
    pub start: usize,
}

/// A SQL text that a script calls a connection with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Call<'a> {
    /// The connection's key in what the host gives.
    pub connection: &'a str,
    pub sql: &'a str,
    /// Byte offset of the SQL.
    pub start: usize,
}

/// What was found in a script.
#[derive(Debug, Default)]
pub(super) struct Shape<'a> {
    /// Names of arguments.
    pub arguments: Vec<Taken<'a>>,
    /// Names of what the host gives.
    pub host: Vec<Taken<'a>>,
    pub calls: Vec<Call<'a>>,
    /// Names of other hosts (`fetch`, `require`) that it uses without declaring or looking for them.
    pub foreign: Vec<(&'a str, usize)>,
}

/// Reads a script. What cannot be read gives nothing: whether it is JavaScript is for the engine.
pub(super) fn read(code: &str) -> Shape<'_> {
    let mut shape = Shape::default();
    let Some(words) = split(code) else { return shape };
    let text = Text { code, words: &words };
    shape.foreign = text.foreign();
    let [arguments, host] = text.parameters();
    if let Some((from, to)) = arguments {
        shape.arguments = text.taken(from, to);
    }
    let Some((from, to)) = host else { return shape };
    shape.host = text.taken(from, to);
    if let (1, Some(name)) = (to - from, text.name(from)) {
        shape.host = text.properties(name, to);
    }
    shape.calls = text.calls(&shape.host);
    shape
}

struct Text<'a, 'w> {
    code: &'a str,
    words: &'w [Word],
}

/// The words from one index to before another.
type Range = (usize, usize);

impl<'a> Text<'a, '_> {
    fn is(&self, at: usize, text: &str) -> bool {
        self.words.get(at).is_some_and(|word| word.kind != Kind::Text && &self.code[word.start..word.end] == text)
    }

    fn name(&self, at: usize) -> Option<&'a str> {
        let word = self.words.get(at).filter(|word| word.kind == Kind::Name)?;
        Some(&self.code[word.start..word.end])
    }

    /// A text without escapes, and the offset behind its quote.
    fn text(&self, at: usize) -> Option<(&'a str, usize)> {
        let word = self.words.get(at).filter(|word| word.kind == Kind::Text)?;
        let inner = &self.code[word.start + 1..word.end - 1];
        (!inner.contains('\\')).then_some((inner, word.start + 1))
    }

    /// The index of what closes the bracket at an index.
    fn close(&self, open: usize) -> Option<usize> {
        let mut depth = 0_usize;
        (open..self.words.len()).find(|at| {
            if ["(", "[", "{"].iter().any(|sign| self.is(*at, sign)) {
                depth += 1;
            } else if [")", "]", "}"].iter().any(|sign| self.is(*at, sign)) {
                depth = depth.saturating_sub(1);
            }
            depth == 0
        })
    }

    /// The items between commas, not those of inner brackets.
    fn items(&self, from: usize, to: usize) -> Vec<Range> {
        let (mut out, mut start, mut at) = (Vec::new(), from, from);
        while at < to {
            if ["(", "[", "{"].iter().any(|sign| self.is(at, sign)) {
                at = self.close(at).unwrap_or(to);
            } else if self.is(at, ",") {
                out.push((start, at));
                start = at + 1;
            }
            at += 1;
        }
        if start < to {
            out.push((start, to));
        }
        out
    }

    /// The first two parameters of the function that is exported as the default.
    fn parameters(&self) -> [Option<Range>; 2] {
        let find = || {
            let at = (0..self.words.len()).find(|at| self.is(*at, "export") && self.is(at + 1, "default"))? + 2;
            let named = self.name(at).filter(|_| self.is(at + 1, ";") || at + 1 == self.words.len());
            let open = match named {
                None => self.opening(at)?,
                Some(name) => (0..self.words.len()).find_map(|at| self.declared(at, name))?,
            };
            Some(self.items(open + 1, self.close(open)?))
        };
        let items = find().unwrap_or_default();
        [items.first().copied(), items.get(1).copied()]
    }

    /// Where the parameters of the function open that starts at an index.
    fn opening(&self, mut at: usize) -> Option<usize> {
        at += usize::from(self.is(at, "async"));
        if self.is(at, "function") {
            at += 1 + usize::from(self.is(at + 1, "*"));
            at += usize::from(self.name(at).is_some());
            return self.is(at, "(").then_some(at);
        }
        let close = self.is(at, "(").then(|| self.close(at)).flatten()?;
        self.is(close + 1, "=>").then_some(at)
    }

    /// The same for a function that is declared at an index under a name.
    fn declared(&self, at: usize, name: &str) -> Option<usize> {
        if self.is(at, "function") {
            let named = at + 1 + usize::from(self.is(at + 1, "*"));
            return (self.is(named, name) && self.is(named + 1, "(")).then_some(named + 1);
        }
        let assigns = ["const", "let", "var"].iter().any(|word| self.is(at, word));
        (assigns && self.is(at + 1, name) && self.is(at + 2, "=")).then(|| self.opening(at + 3)).flatten()
    }

    /// The names of a pattern `{ a, b: c, d = 1, "e-f": g, ...rest }`.
    fn taken(&self, from: usize, to: usize) -> Vec<Taken<'a>> {
        let Some(close) = self.is(from, "{").then(|| self.close(from)).flatten().filter(|close| *close < to) else {
            return Vec::new();
        };
        let item = |(at, end): Range| {
            let (key, start) = match self.text(at) {
                Some(found) => found,
                None => (self.name(at)?, self.words[at].start),
            };
            let renamed = (at + 2 < end && self.is(at + 1, ":")).then(|| self.name(at + 2)).flatten();
            Some(Taken { key, local: renamed.unwrap_or(key), start })
        };
        self.items(from + 1, close).into_iter().filter_map(item).collect()
    }

    /// What is taken of an object by its name: `host.db`, `host["my-db"]`, `const { db } = host`.
    fn properties(&self, object: &str, from: usize) -> Vec<Taken<'a>> {
        let mut out = Vec::new();
        for at in from..self.words.len() {
            if !self.is(at, object) || at > 0 && (self.is(at - 1, ".") || self.is(at - 1, "?.")) {
                continue;
            }
            if self.is(at + 1, ".") || self.is(at + 1, "?.") {
                out.extend(self.name(at + 2).map(|key| Taken { key, local: "", start: self.words[at + 2].start }));
            } else if self.is(at + 1, "[") && self.is(at + 3, "]") {
                out.extend(self.text(at + 2).map(|(key, start)| Taken { key, local: "", start }));
            } else if self.is(at.saturating_sub(1), "=") && self.is(at.saturating_sub(2), "}") {
                let open = (from..at).rev().find(|open| self.is(*open, "{") && self.close(*open) == Some(at - 2));
                out.extend(open.map(|open| self.taken(open, at - 1)).unwrap_or_default());
            }
        }
        out
    }

    /// `db.query("…")` and `host.db.execute("…")` with the whole SQL as one text.
    fn calls(&self, host: &[Taken<'a>]) -> Vec<Call<'a>> {
        let call = |at: usize| {
            let is_call = self.is(at, ".") && (self.is(at + 1, "query") || self.is(at + 1, "execute"));
            let (sql, start) = (is_call && self.is(at + 2, "(")).then(|| self.text(at + 3)).flatten()?;
            let ends = self.is(at + 4, ",") || self.is(at + 4, ")");
            let before = at.checked_sub(1)?;
            let place = self.words[before].start;
            let own = |taken: &&Taken<'a>| {
                let is_local = self.name(before) == Some(taken.local) && !self.is(before.saturating_sub(1), ".");
                is_local || taken.start == place && taken.local.is_empty()
            };
            let connection = host.iter().find(own)?.key;
            ends.then_some(Call { connection, sql, start })
        };
        (0..self.words.len()).filter_map(call).collect()
    }

    /// Names of browsers and of Node that a script calls and does not declare itself.
    fn foreign(&self) -> Vec<(&'a str, usize)> {
        const NAMES: [&str; 9] = [
            "fetch",
            "XMLHttpRequest",
            "WebSocket",
            "require",
            "process",
            "Buffer",
            "localStorage",
            "setTimeout",
            "setInterval",
        ];
        let at_hand = |name: &str| {
            (1..self.words.len()).any(|at| {
                let declares = ["const", "let", "var", "function", "class", "typeof"];
                let as_parameter = ["(", ",", "{"].iter().any(|sign| self.is(at - 1, sign))
                    && [")", ",", "}", "=", ":", "=>"].iter().any(|sign| self.is(at + 1, sign));
                self.is(at, name) && (declares.iter().any(|word| self.is(at - 1, word)) || as_parameter)
            })
        };
        let uses = |at: &usize| {
            let is_member = at.checked_sub(1).is_some_and(|before| self.is(before, ".") || self.is(before, "?."));
            !is_member && (self.is(at + 1, "(") || self.is(at + 1, "."))
        };
        let mut out: Vec<(&str, usize)> = Vec::new();
        for at in (0..self.words.len()).filter(uses) {
            let Some(name) = self.name(at).filter(|name| NAMES.contains(name)) else { continue };
            if !out.iter().any(|(other, _)| *other == name) && !at_hand(name) {
                out.push((name, self.words[at].start));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    fn keys(code: &str) -> (Vec<&str>, Vec<&str>, Vec<(&str, &str)>) {
        let shape = read(code);
        let names = |taken: &[super::Taken<'_>]| taken.iter().map(|one| one.start).collect::<Vec<_>>();
        let spelt = |at: Vec<usize>| {
            at.into_iter()
                .map(|at| {
                    let rest = &code[at..];
                    &rest[..rest.find(|c: char| !(c.is_alphanumeric() || "_-".contains(c))).unwrap_or(rest.len())]
                })
                .collect()
        };
        let calls = shape.calls.iter().map(|call| (call.connection, call.sql)).collect();
        (spelt(names(&shape.arguments)), spelt(names(&shape.host)), calls)
    }

    #[test]
    fn the_names_that_a_script_takes_are_found_in_every_form() {
        for (code, arguments, host) in [
            (
                "export default function run({ a, b: c, d = 1, ...e }, { db, log }) {}",
                &["a", "b", "d"][..],
                &["db", "log"][..],
            ),
            ("export default async ({ a }, { 'my-db': db }) => 1", &["a"], &["my-db"]),
            (
                "const run = async (args, host) => host.db?.x + host['my-db']; export default run;",
                &[],
                &["db", "my-db"],
            ),
            (
                "async function run(args, h) { const { db, log } = h; return `${h.other}`; }\nexport default run",
                &[],
                &["db", "log", "other"],
            ),
            ("export default ({ n }) => n / 2 / 1 + /a\"{/.test('x')", &["n"], &[]),
            ("export default x => x", &[], &[]),
            ("export default ({ a } = {}, { b: { query } }) => a", &["a"], &["b"]),
            ("export default ({ 'unterminated }", &[], &[]),
        ] {
            let found = keys(code);
            assert_eq!((found.0.as_slice(), found.1.as_slice()), (arguments, host), "{code}");
        }
    }

    #[test]
    fn sql_is_found_where_it_is_one_text() {
        let code = "export default async (args, { db: shop, log }) => {
            await shop.query('SELECT 1', {}); await shop.execute(`DELETE FROM t`); await shop.query(`SELECT ${1}`);
            await shop.query('SELECT ' + 1); other.query('SELECT 2'); log('x'); this.shop.query('SELECT 3');
        }";
        assert_eq!(keys(code).2, [("db", "SELECT 1"), ("db", "DELETE FROM t")]);
        let code = "export default (args, host) => [host.db.query('SELECT 1'), host.query('SELECT 2')]";
        assert_eq!(keys(code).2, [("db", "SELECT 1")]);
    }

    #[test]
    fn names_of_other_hosts_are_found_unless_they_are_declared_or_looked_for() {
        let names = |code| read(code).foreign.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names("export default () => fetch('x').then(() => process.env.A)"), ["fetch", "process"]);
        for code in [
            "export default (a, { fetch }) => fetch('x')",
            "const require = (x) => x; export default () => require(1)",
            "export default () => typeof fetch === 'function' ? fetch('x') : null",
            "export default (a, host) => host.process.env + 'fetch(x)' // fetch(x)",
        ] {
            assert!(names(code).is_empty(), "{code}");
        }
    }
}
