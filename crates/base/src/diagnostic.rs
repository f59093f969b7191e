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
        let line = source.text.lines().nth(span.line - 1).unwrap_or_default();
        let (shown, skipped) = window(line, span.column - 1);
        let before: String = shown
            .chars()
            .take((span.column - 1).saturating_sub(skipped))
            .map(|c| if c == '\t' { '\t' } else { ' ' })
            .collect();
        let text = source.text.get(span.start..span.end).unwrap_or_default();
        let first = text.lines().next().unwrap_or_default();
        let room = shown.chars().count().saturating_sub(before.chars().count());
        let width = first.chars().count().clamp(1, room.max(1));
        let marks = paint.wrap(tint, &format!("{} {}", "^".repeat(width), printable(&self.label)));
        let _ = writeln!(out, "{margin} {bar}");
        let _ = writeln!(out, "{} {bar} {}", paint.wrap("34;1", &number), printable(&shown));
        let _ = writeln!(out, "{margin} {bar} {before}{}", marks.trim_end());
    }
}

/// At most this many characters of a source line are shown.
const LINE_WIDTH_MAX: usize = 160;

/// The part of a long line around `column` (from 0), and how many characters were skipped before it.
fn window(line: &str, column: usize) -> (String, usize) {
    if line.chars().count() <= LINE_WIDTH_MAX {
        return (line.to_owned(), 0);
    }
    let skip = column.saturating_sub(LINE_WIDTH_MAX / 2);
    (line.chars().skip(skip).take(LINE_WIDTH_MAX).collect(), skip)
}

/// Control characters of a user's text must not steer the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\t' && c != '\n' { '\u{fffd}' } else { c }).collect()
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
}
