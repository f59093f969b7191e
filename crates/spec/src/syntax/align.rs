//! From a position in a text's value back to its place in the source.

use base::Span;

use super::{Lines, Node, Style, Value};

/// The place of `len` bytes from `offset` of the text of `node`; the node's own place when the
/// source cannot be followed (a text that was put together by a normalisation).
pub(crate) fn place(lines: &Lines<'_>, node: &Node, offset: usize, len: usize) -> Span {
    let Value::String(text, style) = &node.value else { return node.span };
    let raw = lines.text().get(node.span.start..node.span.end).unwrap_or_default();
    let start = follow(raw, *style, text, offset);
    let end = follow(raw, *style, text, offset.saturating_add(len.max(1)).min(text.len()));
    match (start, end) {
        (Some(start), Some(end)) if start <= end => {
            lines.span(node.span.start + start, node.span.start + end.max(start))
        }
        _ => node.span,
    }
}

/// Walks source and value together until the value's byte `offset`. Line breaks, indentation and
/// folding may differ between the two; characters that are not white space may not.
fn follow(raw: &str, style: Style, value: &str, offset: usize) -> Option<usize> {
    let mut at = header(raw, style);
    let mut done = 0;
    for character in value.chars() {
        if done >= offset {
            break;
        }
        at = step(raw, style, at, character)?;
        done += character.len_utf8();
    }
    // What is pointed at is never the white space that the source has before it.
    if let Some(next) = value.get(done..).and_then(|rest| rest.chars().next())
        && !next.is_whitespace()
    {
        let rest = raw.get(at..)?;
        // Nor is it the backslash that joins two lines.
        let joined = rest.strip_prefix('\\').filter(|more| style == Style::Double && more.starts_with(['\n', '\r']));
        at += rest.len() - joined.unwrap_or(rest).trim_start().len();
    }
    Some(at)
}

/// Where the text starts: after the quote. The span of a block scalar starts at its first character that is not white
/// space, and not at its header.
fn header(raw: &str, style: Style) -> usize {
    match style {
        Style::Plain | Style::Block => 0,
        Style::Single | Style::Double => 1.min(raw.len()),
    }
}

/// The offset in the source after the source of one character of the value.
fn step(raw: &str, style: Style, mut at: usize, character: char) -> Option<usize> {
    loop {
        let rest = raw.get(at..)?;
        let Some(next) = rest.chars().next() else {
            return character.is_whitespace().then_some(at);
        };
        if style == Style::Double && next == '\\' {
            let length = escape(rest);
            if rest[1..].starts_with(['\n', '\r']) {
                at += 1;
                continue;
            }
            return Some(at + length);
        }
        if next == character {
            let doubled = style == Style::Single && character == '\'' && rest[1..].starts_with('\'');
            return Some(at + character.len_utf8() + usize::from(doubled));
        }
        if next.is_whitespace() {
            if character.is_whitespace() && rest.trim_start().is_empty() {
                return Some(at);
            }
            if character == ' ' && next == '\n' || character == '\n' && next == ' ' {
                // Folded: the line break is the space.
                return Some(at + rest.len() - rest.trim_start().len());
            }
            at += next.len_utf8();
            continue;
        }
        return character.is_whitespace().then_some(at);
    }
}

/// The length of an escape sequence, backslash included.
fn escape(rest: &str) -> usize {
    let length = match rest.as_bytes().get(1) {
        Some(b'x') => 4,
        Some(b'u') => {
            let high = rest.get(2..6).and_then(|hex| u32::from_str_radix(hex, 16).ok());
            let pair = high.is_some_and(|unit| (0xd800..0xdc00).contains(&unit))
                && rest.get(6..).is_some_and(|more| more.starts_with("\\u"));
            if pair { 12 } else { 6 }
        }
        Some(b'U') => 10,
        Some(_) => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
        None => 1,
    };
    length.min(rest.len())
}

#[cfg(test)]
mod tests {
    use base::Source;

    #[test]
    fn a_place_in_a_text_of_several_lines_is_found_in_every_style() {
        for (sql, place) in [
            ("|\n      SELECT id\n      FROM t\n      WHERE a = :x\n", (9, 17)),
            (">-\n      SELECT id\n\n      FROM t\n        WHERE a = :x\n", (10, 19)),
            ("|\n\n      -- é\n      SELECT :x\n", (9, 14)),
            ("|2\n        SELECT id\n      , :x\n", (8, 9)),
            ("\"SELECT id\n      FROM t WHERE a = \\\n      :x\"\n", (8, 7)),
            ("'SELECT id, ''a''\n\n      FROM t WHERE a = :x'\n", (8, 24)),
            ("SELECT id\n      FROM t\n      WHERE a = :x\n", (8, 17)),
        ] {
            let text = format!(
                "name: demo\nconnections:\n  - {{name: db, type: sqlite, envVar: DB}}\ntools:\n  - name: t\n    sql: {sql}"
            );
            let source = Source { name: "demo.yaml", text: &text };
            let parsed = crate::parse(source, &crate::ParseOptions::default());
            let places: Vec<_> =
                parsed.diagnostics.iter().map(|d| (d.code.as_str(), d.span.map(|s| (s.line, s.column)))).collect();
            assert_eq!(places, [("MF0507", Some(place))], "{text}");
        }
    }
}
