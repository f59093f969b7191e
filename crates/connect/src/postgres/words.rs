//! The words of a SQL text, as PostgreSQL's scanner cuts them (`scan.l`): strings, quoted names, nested comments and
//! dollar quotes are seen as what they are.

/// A keyword or name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// In lower case; a quoted name as it is.
    pub(super) text: String,
    /// Written as `U&"…"`: the name itself cannot be told.
    pub(super) escaped: bool,
    /// Written in quotes: no keyword.
    pub(super) quoted: bool,
    /// A parenthesis follows.
    pub(super) called: bool,
    /// Open parentheses around it.
    pub(super) depth: usize,
    /// What stands before it, if that is a sign: `.`, `,`, `(` and so on.
    pub(super) before: Option<char>,
    /// Byte offset in the text.
    pub(super) at: usize,
}

impl Word {
    /// Whether it is this keyword.
    pub(super) fn is(&self, keyword: &str) -> bool {
        !self.quoted && self.text == keyword
    }
}

/// A text cut into words.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    pub(super) all: Vec<Word>,
    /// Where the statement ends: without the semicolons, blanks and comments after it.
    pub(super) end: usize,
}

/// Cuts a text.
pub(super) fn cut(text: &str) -> Words {
    let mut out = Words::default();
    let (mut at, mut depth) = (0, 0usize);
    let mut before = None;
    // Whether the last thing seen was a word, which a parenthesis would make a call.
    let mut word_last = false;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let blank = blank(rest);
        if blank > 0 {
            at += blank;
            continue;
        }
        let length = match first {
            '\'' => string(rest, false),
            'e' | 'E' if rest[1..].starts_with('\'') => 1 + string(&rest[1..], true),
            '$' => dollar(rest),
            '"' => quoted(rest),
            'u' | 'U' if rest[1..].starts_with("&\"") => 2 + quoted(&rest[2..]),
            _ if starts_name(first) => rest.find(|c| !continues_name(c)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let piece = &rest[..length];
        let name = piece.strip_prefix(['u', 'U']).and_then(|piece| piece.strip_prefix('&')).unwrap_or(piece);
        let is_quoted = name.starts_with('"');
        let is_word = is_quoted || (starts_name(first) && !piece.ends_with('\''));
        match first {
            '(' => {
                if let Some(word) = out.all.last_mut().filter(|_| word_last) {
                    word.called = true;
                }
                depth += 1;
            }
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if is_word {
            let text =
                if is_quoted { name.trim_matches('"').replace("\"\"", "\"") } else { piece.to_ascii_lowercase() };
            let escaped = is_quoted && name.len() < piece.len();
            out.all.push(Word { text, escaped, quoted: is_quoted, called: false, depth, before, at });
        }
        word_last = is_word;
        before = (!is_word).then_some(first);
        at += length;
        if first != ';' {
            out.end = at;
        }
    }
    out
}

fn starts_name(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

fn continues_name(c: char) -> bool {
    starts_name(c) || c.is_ascii_digit() || c == '$'
}

/// Length of a blank or a comment; 0 when there is none.
fn blank(text: &str) -> usize {
    if text.starts_with("--") {
        return text.find(['\n', '\r']).unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return comment(text.as_bytes());
    }
    usize::from(text.starts_with([' ', '\t', '\n', '\r', '\u{b}', '\u{c}']))
}

/// Length of a comment; they nest.
fn comment(text: &[u8]) -> usize {
    let (mut at, mut open) = (0, 0usize);
    while at < text.len() {
        match text.get(at..at + 2) {
            Some(b"/*") => (at, open) = (at + 2, open + 1),
            Some(b"*/") => (at, open) = (at + 2, open - 1),
            _ => at += 1,
        }
        if open == 0 {
            break;
        }
    }
    at
}

/// Length of a string with its quotes, and of its continuation on further lines, where the same escapes hold.
fn string(text: &str, escapes: bool) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        at += match bytes[at] {
            b'\\' if escapes => 2,
            b'\'' if bytes.get(at + 1) == Some(&b'\'') => 2,
            b'\'' => {
                let mut next = at + 1;
                while let length @ 1.. = blank(&text[next..]) {
                    next += length;
                }
                if !text[at..next].contains('\n') || bytes.get(next) != Some(&b'\'') {
                    return at + 1;
                }
                next + 1 - at
            }
            _ => 1,
        };
    }
    text.len()
}

/// Length of a quoted name with its quotes.
fn quoted(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        at += match bytes[at] {
            b'"' if bytes.get(at + 1) == Some(&b'"') => 2,
            b'"' => return at + 1,
            _ => 1,
        };
    }
    text.len()
}

/// Length of a dollar quote, or 1 for the dollar of `$1`.
fn dollar(text: &str) -> usize {
    let Some(end) = text[1..].find('$') else { return 1 };
    let tag = &text[..end + 2];
    let name = &text[1..=end];
    if name.starts_with(|c: char| c.is_ascii_digit() || c == '$') || !name.chars().all(continues_name) {
        return 1;
    }
    text[tag.len()..].find(tag).map_or(text.len(), |at| at + 2 * tag.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::cut;

    fn words(text: &str) -> String {
        let words = cut(text).all.into_iter();
        words.map(|word| format!("{}{}", word.text, if word.called { "()" } else { "" })).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn words_are_those_outside_of_strings_and_comments() {
        for (text, wanted) in [
            (
                "SELECT 'a', \"B c\", $$d$$, $x$ e $x$ /* f /* g */ */ -- h\n FROM t WHERE i = $1",
                "select B c from t where i",
            ),
            ("SELECT E'\\'', f (0), 'x'", "select f()"),
            ("SELECT E'a'\n  'b\\' , c(' , d", "select d"),
            ("SELECT 'a\\' , b", "select b"),
            ("SELECT 'it''s' , b", "select b"),
            ("SELECT U&\"a\" (1), \"x\"\"y\"(2)", "select a() x\"y()"),
            ("/* /* */ ' */ SELECT f(0) -- '", "select f()"),
            ("SELECT $a$ $a$, $_$ ' $_$, g(0) -- '", "select g()"),
            ("select a$b$c, d$1", "select a$b$c d$1"),
            ("SELECT/**/x\u{a0}y", "select x\u{a0}y"),
        ] {
            assert_eq!(words(text), wanted, "{text}");
        }
    }

    #[test]
    fn the_end_is_that_of_the_statement() {
        for (text, wanted) in [("SELECT 1 ; -- x\n;", "SELECT 1"), ("SELECT ';' /* */", "SELECT ';'"), (" -- a", "")] {
            assert_eq!(&text[..cut(text).end], wanted);
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "[a-zU&E'\"$/*\\-\\\\;() \\n\u{e9}]{0,60}") {
            let words = cut(&text);
            prop_assert!(text.is_char_boundary(words.end));
            for word in words.all {
                prop_assert!(text.is_char_boundary(word.at));
            }
        }
    }
}
