//! Splits JavaScript into words, as far as is needed to tell code from texts, comments and regular expressions.

/// A piece of a script. White space and comments lie between pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub kind: Kind,
    /// Byte offset of its first byte.
    pub start: usize,
    /// Byte offset after its last byte.
    pub end: usize,
}

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A keyword or an identifier.
    Name,
    /// A text in quotes, or a template without `${…}`.
    Text,
    /// A number, a regular expression, or a piece of a template.
    Other,
    /// One sign; `=>`, `...` and `?.` are one each.
    Sign,
}

/// The words of a script, or `None` when one of its texts or comments never ends.
pub(super) fn split(code: &str) -> Option<Vec<Word>> {
    let mut splitter = Splitter { code, at: 0, out: Vec::new(), templates: Vec::new() };
    splitter.run()?;
    Some(splitter.out)
}

struct Splitter<'a> {
    code: &'a str,
    at: usize,
    out: Vec<Word>,
    /// For each template that is open, the depth of braces inside of its `${…}`.
    templates: Vec<usize>,
}

impl Splitter<'_> {
    fn run(&mut self) -> Option<()> {
        while let Some(next) = self.rest().chars().next() {
            let rest = self.rest();
            match next {
                _ if next.is_whitespace() || next == '\u{feff}' => self.at += next.len_utf8(),
                '/' if rest.starts_with("//") => self.at += rest.find('\n').unwrap_or(rest.len()),
                '/' if rest.starts_with("/*") => self.at += rest.find("*/")? + 2,
                '/' if self.expects_value() => {
                    let length = regular_expression(rest)?;
                    self.push(Kind::Other, length);
                }
                '"' | '\'' => {
                    let length = quoted(rest, next)?;
                    self.push(Kind::Text, length);
                }
                '`' => self.template(1)?,
                '}' if self.templates.last() == Some(&0) => {
                    self.templates.pop();
                    self.template(1)?;
                }
                _ if next.is_ascii_digit() => self.push(Kind::Other, run_of(rest)),
                _ if starts_name(next) => self.push(Kind::Name, run_of(rest)),
                _ => self.sign(next),
            }
        }
        self.templates.is_empty().then_some(())
    }

    fn rest(&self) -> &str {
        &self.code[self.at..]
    }

    fn push(&mut self, kind: Kind, length: usize) {
        self.out.push(Word { kind, start: self.at, end: self.at + length });
        self.at += length;
    }

    fn sign(&mut self, next: char) {
        if let Some(depth) = self.templates.last_mut() {
            match next {
                '{' => *depth += 1,
                '}' => *depth -= 1,
                _ => {}
            }
        }
        let long = ["...", "=>", "?."].into_iter().find(|sign| self.rest().starts_with(sign));
        self.push(Kind::Sign, long.map_or(next.len_utf8(), str::len));
    }

    /// A template from the sign that opens it, or that closes one of its `${…}`, to the next.
    fn template(&mut self, from: usize) -> Option<()> {
        let rest = self.rest();
        let is_first = rest.starts_with('`');
        let mut escaped = false;
        for (at, found) in rest.char_indices().skip(from) {
            match found {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '`' => {
                    self.push(if is_first { Kind::Text } else { Kind::Other }, at + 1);
                    return Some(());
                }
                '$' if rest[at + 1..].starts_with('{') => {
                    self.push(Kind::Other, at + 2);
                    self.templates.push(0);
                    return Some(());
                }
                _ => {}
            }
        }
        None
    }

    /// Whether a `/` here starts a regular expression and is no division.
    fn expects_value(&self) -> bool {
        /// Keywords behind which a value comes.
        const BEFORE: [&str; 9] = ["return", "typeof", "case", "in", "of", "delete", "void", "throw", "await"];
        let Some(last) = self.out.last() else { return true };
        let text = &self.code[last.start..last.end];
        match last.kind {
            Kind::Name => BEFORE.contains(&text),
            Kind::Text => false,
            Kind::Other => text.ends_with("${"),
            Kind::Sign => !matches!(text, ")" | "]" | "}"),
        }
    }
}

fn starts_name(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '_' | '$' | '#')
}

fn run_of(rest: &str) -> usize {
    rest.find(|c: char| !(c.is_alphanumeric() || starts_name(c))).unwrap_or(rest.len()).max(1)
}

/// The length of a text in quotes, both included. It ends on its line, unless the line break is escaped.
fn quoted(rest: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, found) in rest.char_indices().skip(1) {
        match found {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' => return None,
            _ if found == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// The length of a regular expression with its flags.
fn regular_expression(rest: &str) -> Option<usize> {
    let (mut escaped, mut in_class) = (false, false);
    for (at, found) in rest.char_indices().skip(1) {
        match found {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' => return None,
            '[' => in_class = true,
            ']' => in_class = false,
            '/' if !in_class => {
                let flags = rest[at + 1..].bytes().take_while(u8::is_ascii_alphabetic).count();
                return Some(at + 1 + flags);
            }
            _ => {}
        }
    }
    None
}
