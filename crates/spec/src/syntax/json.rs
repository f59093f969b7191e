//! JSON (RFC 8259) to the tree. What people write by habit from other languages (comments,
//! trailing commas, single quotes, `NaN`) is named, and reading goes on where it can.

use std::collections::HashMap;

use base::{Diagnostic, Span};

use super::Lines;
use super::scalar;
use super::tree::{Entry, Key, Node, Style, Value};
use super::yaml::{duplicate_key, empty_document, no_number, too_deep};
use crate::codes;
use crate::limits::{DEPTH_MAX, NODES_MAX};
use crate::report::Report;

/// Reads one JSON document. Without a tree the report has the reason.
pub(crate) fn read(lines: &Lines<'_>, report: &mut Report) -> Option<Node> {
    let mut reader = Reader { lines, text: lines.text(), at: lines.start(), report, nodes: 0 };
    match reader.document() {
        Ok(tree) => Some(tree),
        Err(stop) => {
            reader.report.push(*stop);
            None
        }
    }
}

/// A problem after which reading cannot go on.
type Stop = Box<Diagnostic>;

struct Reader<'a, 'r> {
    lines: &'a Lines<'a>,
    text: &'a str,
    at: usize,
    report: &'r mut Report,
    nodes: usize,
}

impl Reader<'_, '_> {
    fn document(&mut self) -> Result<Node, Stop> {
        self.skip_space();
        if self.at == self.text.len() {
            return Err(Box::new(empty_document()));
        }
        let tree = self.value(0)?;
        self.skip_space();
        if self.at < self.text.len() {
            return Err(self.stop("more text follows the document", "remove it; a file holds one JSON value"));
        }
        Ok(tree)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn span(&self, start: usize) -> Span {
        self.lines.span(start, self.at)
    }

    /// The error at the next character.
    fn stop(&self, message: impl Into<String>, help: &str) -> Stop {
        let length = self.rest().chars().next().map_or(0, char::len_utf8);
        Box::new(self.problem(self.at, self.at + length, message, help))
    }

    fn problem(&self, start: usize, end: usize, message: impl Into<String>, help: &str) -> Diagnostic {
        let message = format!("this is not JSON: {}", message.into());
        Diagnostic::error(codes::BAD_JSON, message).at(self.lines.span(start, end)).help(help)
    }

    /// White space, and comments with an error.
    fn skip_space(&mut self) {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
            let rest = self.rest();
            let length = if rest.starts_with("//") || rest.starts_with('#') {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                rest.find("*/").map_or(rest.len(), |at| at + 2)
            } else {
                return;
            };
            if self.report.is_full() {
                self.report.count_error();
                self.at += length;
                continue;
            }
            let shown = rest[..length].lines().next().map_or(0, str::len);
            let problem = self.problem(
                self.at,
                self.at + shown,
                "JSON has no comments",
                "remove the comment, or write the spec as YAML",
            );
            self.report.push(problem);
            self.at += length;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, Stop> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            let problem = Diagnostic::error(codes::TOO_MANY_NODES, "the document holds too many values")
                .at(self.span(self.at))
                .help(format!("up to {NODES_MAX} values are read"));
            return Err(Box::new(problem));
        }
        let start = self.at;
        match self.peek() {
            Some(b'{') => self.map(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => {
                let text = self.string()?;
                Ok(Node::new(self.span(start), Value::String(text, Style::Double)))
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'\'') => Err(self.stop("a text in single quotes", "use double quotes")),
            Some(_) => self.word(),
            None => Err(self.stop("the text ends where a value is expected", "close every brace, bracket and quote")),
        }
    }

    fn enter(&mut self, depth: usize) -> Result<(), Stop> {
        if depth >= DEPTH_MAX {
            return Err(Box::new(too_deep(self.lines.span(self.at, self.at + 1))));
        }
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    fn map(&mut self, depth: usize) -> Result<Node, Stop> {
        let start = self.at;
        self.enter(depth)?;
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen = Seen::default();
        while self.peek() != Some(b'}') {
            let key = self.key()?;
            self.skip_space();
            if self.peek() != Some(b':') {
                return Err(self.stop(
                    format!("`:` is expected after the key `{}`", crate::structure::clip(&key.text)),
                    "write `\"key\": value`",
                ));
            }
            self.at += 1;
            self.skip_space();
            let value = self.value(depth + 1)?;
            match seen.first(&entries, &key.text) {
                Some(_) if self.report.is_full() => self.report.count_error(),
                Some(first) => self.report.push(duplicate_key(&key, Some(first))),
                None => {
                    seen.add(&key);
                    entries.push(Entry { key, value });
                }
            }
            self.separator(b'}', start)?;
        }
        self.at += 1;
        Ok(Node::new(self.span(start), Value::Map(entries)))
    }

    fn key(&mut self) -> Result<Key, Stop> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => {
                let text = self.string()?;
                Ok(Key { span: self.span(start), text })
            }
            None => Err(self.stop("the text ends inside of an object", "close it with `}`")),
            Some(_) => Err(self.stop("a key in double quotes is expected", "write `\"key\": value`")),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Node, Stop> {
        let start = self.at;
        self.enter(depth)?;
        let mut items = Vec::new();
        while self.peek() != Some(b']') {
            items.push(self.value(depth + 1)?);
            self.separator(b']', start)?;
        }
        self.at += 1;
        Ok(Node::new(self.span(start), Value::List(items)))
    }

    /// A comma, or the end of the collection before its bracket. `start` is where it opened.
    fn separator(&mut self, close: u8, start: usize) -> Result<(), Stop> {
        self.skip_space();
        match self.peek() {
            Some(b',') => {
                let comma = self.at;
                self.at += 1;
                self.skip_space();
                if self.peek() == Some(close) {
                    let problem = self.problem(comma, comma + 1, "a comma before the end", "remove the comma");
                    self.report.push(problem);
                }
                Ok(())
            }
            Some(byte) if byte == close => Ok(()),
            None => {
                let line = self.lines.span(start, start).line;
                let message = format!("the text ends, and what opened on line {line} is not closed");
                Err(self.stop(message, &format!("close it with `{}`", char::from(close))))
            }
            Some(_) => {
                Err(self
                    .stop(format!("`,` or `{}` is expected", char::from(close)), "a comma may be missing before this"))
            }
        }
    }

    fn word(&mut self) -> Result<Node, Stop> {
        let start = self.at;
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let word = &rest[..length];
        let value = match word {
            "null" => Value::Null,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "" => {
                return Err(self.stop(
                    "a value is expected",
                    "write text in double quotes, a number, `true`, `false`, `null`, `{` or `[`",
                ));
            }
            "NaN" | "Infinity" => {
                let problem = self.problem(
                    start,
                    start + length,
                    format!("JSON has no `{word}`"),
                    "write a finite number or `null`",
                );
                return Err(Box::new(problem));
            }
            _ => {
                let shown: String = word.chars().take(40).collect();
                let message = format!("`{shown}` is not a JSON value");
                let help = match word.to_ascii_lowercase().as_str() {
                    "true" | "false" | "null" => "write it in lower case",
                    "none" | "nil" | "undefined" => "write `null`",
                    _ => "put text in double quotes",
                };
                return Err(Box::new(self.problem(start, start + length, message, help)));
            }
        };
        self.at += length;
        Ok(Node::new(self.span(start), value))
    }

    fn number(&mut self) -> Result<Node, Stop> {
        let start = self.at;
        let rest = self.rest();
        let length = rest.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')).unwrap_or(rest.len());
        let text = &self.text[start..start + length];
        let is_integer = match grammar(text) {
            Some(is_integer) => is_integer,
            None => {
                let shown: String = text.chars().take(40).collect();
                let help = "no leading zeros, no `+`, and digits on both sides of the point";
                return Err(Box::new(self.problem(
                    start,
                    start + length,
                    format!("`{shown}` is not a JSON number"),
                    help,
                )));
            }
        };
        self.at += length;
        let number = if is_integer { scalar::integer(text) } else { scalar::float(text) };
        let span = self.span(start);
        Ok(match number {
            Ok(number) => Node::new(span, Value::Number(number)),
            Err(problem) => {
                self.report.push(no_number(&problem, text, span));
                Node::new(span, Value::Number(0.into()))
            }
        })
    }

    fn string(&mut self) -> Result<String, Stop> {
        let start = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = self.rest();
            let plain = rest.bytes().position(|b| b == b'"' || b == b'\\' || b < 0x20).unwrap_or(rest.len());
            out.push_str(&rest[..plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(b'\n' | b'\r') | None => {
                    let problem = self.problem(
                        start,
                        self.at,
                        "a text is not closed",
                        "close it with `\"`; write a line break as `\\n`",
                    );
                    return Err(Box::new(problem));
                }
                Some(_) => {
                    return Err(self.stop("a control character in a text", "write it as `\\u00XX`, a tab as `\\t`"));
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, Stop> {
        let start = self.at;
        let plain = match self.text.as_bytes().get(start + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.stop("an unknown escape", "escapes are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX")),
        };
        self.at += 2;
        Ok(plain)
    }

    /// `\uXXXX`, or two of them for a character beyond the basic plane.
    fn unicode(&mut self) -> Result<char, Stop> {
        let start = self.at;
        let Some(first) = self.unit(start) else {
            return Err(self.stop("`\\u` needs four hex digits", "write `\\u00e9`"));
        };
        self.at += 6;
        if let Some(character) = char::from_u32(first) {
            return Ok(character);
        }
        let second = self.unit(self.at).filter(|unit| (0xdc00..0xe000).contains(unit));
        match second {
            Some(second) if first < 0xdc00 => {
                self.at += 6;
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
            }
            _ => {
                let help = "write both halves of the pair, or the character itself";
                Err(Box::new(self.problem(start, self.at, "half of a surrogate pair", help)))
            }
        }
    }

    fn unit(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at + 6)?.strip_prefix("\\u")?;
        digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
    }
}

/// Whether a text is a number of RFC 8259, and then whether it is an integer.
fn grammar(text: &str) -> Option<bool> {
    let bare = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match bare.find(['e', 'E']) {
        Some(at) => (&bare[..at], Some(&bare[at + 1..])),
        None => (bare, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let good = digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|e| digits(e.strip_prefix(['+', '-']).unwrap_or(e)));
    good.then_some(fraction.is_none() && exponent.is_none())
}

/// The keys of an object that were read, with their places. Most objects are short: their entries are looked through.
#[derive(Default)]
struct Seen {
    many: HashMap<String, Span>,
}

impl Seen {
    /// So many entries are looked through, one after the other.
    const FEW: usize = 16;

    /// Where the key stood before, if it did.
    fn first(&mut self, entries: &[Entry], key: &str) -> Option<Span> {
        if entries.len() <= Self::FEW {
            return entries.iter().find(|entry| entry.key.text == key).map(|entry| entry.key.span);
        }
        if self.many.is_empty() {
            self.many = entries.iter().map(|entry| (entry.key.text.clone(), entry.key.span)).collect();
        }
        self.many.get(key).copied()
    }

    fn add(&mut self, key: &Key) {
        if !self.many.is_empty() {
            self.many.insert(key.text.clone(), key.span);
        }
    }
}
