//! A problem found in a user's text: what, where, why, and how to mend it.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The document can be used; somebody should look.
    Warning,
    /// The document cannot be used.
    Error,
}

/// A range of a source text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Span {
    /// Byte offset of the first byte.
    pub start: usize,
    /// Byte offset after the last byte.
    pub end: usize,
    /// Line of the first byte, from 1.
    pub line: usize,
    /// Column of the first byte in characters, from 1.
    pub column: usize,
}

/// A named text that spans point into.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// A path as the user wrote it, or `<stdin>`, `<json>`.
    pub name: &'a str,
    /// The whole text.
    pub text: &'a str,
}

/// One problem. Rendered for people by [`Diagnostic::render`]; its serialized form is the
/// machine output of `--output json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Stable code with a help page, such as `MF0203`.
    pub code: String,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong, one sentence without a full stop, lower case first.
    pub message: String,
    /// Where, if the problem has a place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// JSON pointer (RFC 6901) of the place in the document.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub path: String,
    /// Short text under the underlined place.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub label: String,
    /// What is allowed, and how to mend it; one line each.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub help: Vec<String>,
}

impl Diagnostic {
    /// An error with a code and a message.
    pub fn error(code: &str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message)
    }

    /// A warning with a code and a message.
    pub fn warning(code: &str, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    fn new(severity: Severity, code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            severity,
            message: message.into(),
            span: None,
            path: String::new(),
            label: String::new(),
            help: Vec::new(),
        }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// Says where in the document, as a JSON pointer.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Puts a short text under the underlined place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Adds a line of help.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Completes a place of which only the line and the column are known (both offsets are zero) with its offsets in the text.
    pub fn locate(&mut self, text: &str) {
        let Some(span) = self.span.as_mut().filter(|span| span.end == 0 && span.line > 0) else { return };
        let Some(line) = text.split('\n').nth(span.line - 1) else { return };
        let before: usize = text.split_inclusive('\n').take(span.line - 1).map(str::len).sum();
        let mut characters = line.char_indices().skip(span.column.saturating_sub(1));
        let start = characters.next().map_or(line.len(), |(at, _)| at);
        span.start = before + start;
        span.end = before + characters.next().map_or(line.len(), |(at, _)| at);
    }

    /// `true` for an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The text for people: a head line with the code, `--> file:line:column`, the source line
    /// with the place underlined, and the help lines. `color` adds ANSI colours.
    pub fn render(&self, source: Source<'_>, color: bool) -> String {
        let paint = Paint { on: color };
        let mut out = String::new();
        let (tint, word) = match self.severity {
            Severity::Error => ("31;1", "error"),
            Severity::Warning => ("33;1", "warning"),
        };
        let head = paint.wrap(tint, &format!("{word}[{}]", self.code));
        let _ = writeln!(out, "{head}: {}", printable(&self.message));
        match self.span {
            Some(span) => self.render_place(&mut out, source, span, tint, paint),
            None => {
                let _ = writeln!(out, "  {} {}", paint.wrap("34;1", "-->"), source.name);
            }
        }
        for line in &self.help {
            let _ = writeln!(out, "  {} {}", paint.wrap("36", "help:"), printable(line));
        }
        out
    }

    fn render_place(&self, out: &mut String, source: Source<'_>, span: Span, tint: &str, paint: Paint) {
        let number = span.line.to_string();
        let margin = " ".repeat(number.len());
        let bar = paint.wrap("34;1", "|");
        let arrow = paint.wrap("34;1", "-->");
        let _ = writeln!(out, "{margin} {arrow} {}:{}:{}", source.name, span.line, span.column);
        let line = source.text.lines().nth(span.line - 1).unwrap_or_default().trim_start_matches('\u{feff}');
        // A password that somebody wrote into a URL is not told on.
        let line = crate::userinfo::starred(line);
        let view = View::of(&line, span.column.saturating_sub(1));
        let text = source.text.get(span.start..span.end).unwrap_or_default();
        let width = view.marks(text.lines().next().unwrap_or_default());
        let marks = paint.wrap(tint, &format!("{} {}", "^".repeat(width), printable(&self.label)));
        let _ = writeln!(out, "{margin} {bar}");
        let _ = writeln!(out, "{} {bar} {}", paint.wrap("34;1", &number), printable(&view.shown));
        let _ = writeln!(out, "{margin} {bar} {}{}", view.before, marks.trim_end());
    }
}

/// At most this many characters of a source line are shown.
const LINE_WIDTH_MAX: usize = 160;

/// What is shown of a source line.
struct View {
    /// The line, or the part of a long one around the place, with `…` where it was cut.
    shown: String,
    /// What stands before the place on the line of the marks: as wide, tabs as tabs.
    before: String,
    /// The characters from the place on.
    rest: String,
}

impl View {
    /// The view of a line whose place is at a character, from 0.
    fn of(line: &str, column: usize) -> Self {
        let length = line.chars().count();
        let skip = if length <= LINE_WIDTH_MAX { 0 } else { column.min(length).saturating_sub(LINE_WIDTH_MAX / 2) };
        let part: Vec<char> = line.chars().skip(skip).take(LINE_WIDTH_MAX).collect();
        let place = (column - skip.min(column)).min(part.len());
        let (head, tail) = if skip > 0 { ("\u{2026}", " ") } else { ("", "") };
        let mut shown = String::from(head);
        shown.extend(&part);
        if skip + part.len() < length {
            shown.push('\u{2026}');
        }
        let mut before = String::from(tail);
        for character in &part[..place] {
            if *character == '\t' {
                before.push('\t');
            } else {
                before.extend(std::iter::repeat_n(' ', columns(*character)));
            }
        }
        Self { shown, before, rest: part[place..].iter().collect() }
    }

    /// How many marks a place with this text has, at least one, at most to the end of the view.
    fn marks(&self, text: &str) -> usize {
        let length = text.chars().count().min(self.rest.chars().count());
        self.rest.chars().take(length).map(columns).sum::<usize>().max(1)
    }
}

/// The columns that a terminal gives a character: two for East Asian wide ones and most emoji, none
/// for marks that combine with the character before (Unicode Annex 11, the ranges in common use).
fn columns(character: char) -> usize {
    match u32::from(character) {
        0x0300..=0x036f | 0x200d | 0x20d0..=0x20ff | 0xfe00..=0xfe0f | 0xfe20..=0xfe2f => 0,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0x33ff
        | 0x3400..=0x4dbf
        | 0x4e00..=0x9fff
        | 0xa000..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe4f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f680..=0x1f6ff
        | 0x1f900..=0x1f9ff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// Characters of a user's text must not steer the terminal or hide: controls, text directions, and
/// what has no shape.
fn printable(text: &str) -> String {
    let is_unsafe = |c: char| match c {
        '\t' | '\n' => false,
        '\u{200b}'..='\u{200c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}'..='\u{2029}' => true,
        '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}' => true,
        other => other.is_control(),
    };
    text.chars().map(|c| if is_unsafe(c) { '\u{fffd}' } else { c }).collect()
}

#[derive(Clone, Copy)]
struct Paint {
    on: bool,
}

impl Paint {
    fn wrap(self, tint: &str, text: &str) -> String {
        if self.on { format!("\u{1b}[{tint}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Diagnostic, Source, Span};

    #[test]
    fn a_password_in_the_line_is_not_shown() {
        let source = Source { name: "x.yaml", text: "url: http://u:S3CRET@h/x\n" };
        let place = Span { start: 5, end: 24, line: 1, column: 6 };
        let text = Diagnostic::error("MF0604", "the URL holds a password").at(place).render(source, false);
        assert!(text.contains("1 | url: http://********@h/x\n  |      ^^^^^^^^^^^^^^^^^^^\n"), "{text}");
    }

    #[test]
    fn a_place_is_underlined() {
        let source = Source { name: "x.yaml", text: "name: a\ntols: []\n" };
        let text = Diagnostic::error("MF0101", "unknown key `tols`")
            .at(Span { start: 8, end: 12, line: 2, column: 1 })
            .label("did you mean `tools`?")
            .help("rename it to `tools`")
            .render(source, false);
        assert_eq!(
            text,
            "error[MF0101]: unknown key `tols`\n  --> x.yaml:2:1\n  |\n2 | tols: []\n  | ^^^^ did you mean `tools`?\n  help: rename it to `tools`\n"
        );
    }

    /// The last two lines of a rendered place: the source line and its marks.
    fn marked(text: &str, part: &str) -> (String, String) {
        let start = text.find(part).unwrap_or_default();
        let line = text[..start].matches('\n').count() + 1;
        let column = text[..start].rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let span = Span { start, end: start + part.len(), line, column };
        let shown = Diagnostic::error("MF0101", "x").at(span).render(Source { name: "x", text }, false);
        let mut lines = shown.lines().rev();
        let marks = lines.next().unwrap_or_default().to_owned();
        (lines.next().unwrap_or_default().to_owned(), marks)
    }

    #[test]
    fn marks_stand_under_wide_characters_tabs_and_clipped_lines() {
        assert_eq!(marked("a: 数量 bad", "bad"), ("1 | a: 数量 bad".to_owned(), "  |         ^^^".to_owned()));
        assert_eq!(marked("a: 数量", "数量").1, "  |    ^^^^");
        assert_eq!(marked("e\u{301}: bad", "bad").1, "  |    ^^^");
        assert_eq!(marked("\ta:\tbad", "bad").1, "  | \t  \t^^^");
        assert_eq!(marked("one\r\ntwo: bad\r\n", "bad"), ("2 | two: bad".to_owned(), "  |      ^^^".to_owned()));
        let long = format!("{} bad {}", "a".repeat(300), "b".repeat(300));
        let (line, marks) = marked(&long, "bad");
        assert!(line.starts_with("1 | \u{2026}a") && line.ends_with("b\u{2026}"), "{line}");
        let at = line.chars().position(|c| c == 'b').unwrap_or_default();
        assert_eq!(marks.find('^'), Some(at), "{line}\n{marks}");
        assert_eq!(marks.matches('^').count(), 3);
        let whole = format!("a: {}", "x".repeat(500));
        assert!(marked(&whole, &whole[3..]).1.matches('^').count() <= 160);
        assert_eq!(marked("a: b", "").1, "  | ^");
    }
}
