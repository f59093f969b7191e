//! Regular expressions. A pattern is read by two kinds of engines: ours, and the JavaScript ones of
//! clients and editors, for which JSON Schema defines `pattern` (ECMA-262). What only one of them
//! has, or what they read differently, is refused.

use base::Span;
use regex::RegexBuilder;

use super::Check;
use crate::codes;
use crate::limits::PATTERN_BYTES_MAX;
use crate::structure::clip;
use crate::syntax::{Node, align};

/// What is wrong at a place of a pattern: byte offset, length, what it is, what to do.
type Fault = (usize, usize, &'static str, &'static str);

/// Checks a pattern; `key` is its place when it is the key of a map.
pub(super) fn all(check: &mut Check<'_, '_>, text: &str, node: &Node, key: Option<Span>) {
    if let Some((offset, length, what, help)) = difference(text) {
        let span = key.unwrap_or_else(|| align::place(check.lines, node, offset, length));
        return check.error(codes::PATTERN, span, format!("the pattern `{}` has {what}", clip(text)), help);
    }
    // An engine that runs in linear time: no look-around, no back-reference.
    let Err(error) = RegexBuilder::new(text).size_limit(PATTERN_BYTES_MAX).build() else { return };
    let shown = error.to_string();
    let reason = shown.lines().last().unwrap_or_default().trim_start_matches("error: ");
    let help = if matches!(error, regex::Error::CompiledTooBig(_)) {
        "write a smaller pattern; repeat counts multiply"
    } else {
        "mend the pattern; put it in single quotes so that YAML leaves its backslashes alone"
    };
    let span = key.unwrap_or(node.span);
    check.error(codes::PATTERN, span, format!("`{}` is not a regular expression: {}", clip(text), clip(reason)), help);
}

/// The first thing that the engines do not have in common.
fn difference(text: &str) -> Option<Fault> {
    let bytes = text.as_bytes();
    let (mut at, mut in_class, mut after_quantifier) = (0, false, false);
    while let Some(&byte) = bytes.get(at) {
        let rest = &text[at..];
        let mut length = rest.chars().next().map_or(1, char::len_utf8);
        let mut is_quantifier = false;
        match byte {
            b'\\' => {
                if let Some(fault) = escape(rest, at) {
                    return Some(fault);
                }
                length = escaped(rest);
            }
            b'[' if in_class && rest.starts_with("[:") && rest.contains(":]") => {
                return Some((at, 2, "a POSIX class", "write the characters, such as `[A-Za-z]`"));
            }
            b'[' => in_class = true,
            b']' => in_class = false,
            _ if in_class => {}
            b'(' => {
                if let Some(fault) = group(rest, at) {
                    return Some(fault);
                }
                // Whatever follows `(?` is not a quantifier.
                length = if rest.starts_with("(?") { 2 } else { 1 };
            }
            b'*' | b'+' | b'?' => {
                if after_quantifier {
                    return Some((
                        at,
                        1,
                        "a quantifier behind a quantifier",
                        "keep one, or put the first part in `(?:…)`",
                    ));
                }
                // `a+?` is lazy.
                length = if bytes.get(at + 1) == Some(&b'?') { 2 } else { 1 };
                is_quantifier = true;
            }
            b'}' => {
                length = if bytes.get(at + 1) == Some(&b'?') { 2 } else { 1 };
                is_quantifier = true;
            }
            _ => {}
        }
        after_quantifier = is_quantifier;
        at += length;
    }
    None
}

/// Bytes of an escape, `\\p{L}` and the like whole.
fn escaped(rest: &str) -> usize {
    let braced = rest.get(1..3).is_some_and(|start| matches!(start, "p{" | "P{" | "u{" | "x{"));
    match rest.find('}').filter(|_| braced) {
        Some(end) => end + 1,
        None => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
    }
}

/// What follows a `(` that the engines read differently.
fn group(rest: &str, at: usize) -> Option<Fault> {
    let inside = rest.strip_prefix("(?")?;
    if inside.starts_with("<=") || inside.starts_with("<!") || inside.starts_with(['=', '!']) {
        let length = if inside.starts_with('<') { 4 } else { 3 };
        let help = "look-around is not supported, since it can take exponential time; say it with several patterns \
                    under `allOf`";
        return Some((at, length, "a look-around", help));
    }
    if inside.starts_with([':', '<']) {
        return None;
    }
    let help = if inside.starts_with("P<") {
        "write `(?<name>…)`"
    } else {
        "use `(?:…)`; for letters in any case write `[Aa]`"
    };
    Some((at, 3, "a group that JSON Schema's patterns do not have", help))
}

/// Escapes that only some engines know.
fn escape(rest: &str, at: usize) -> Option<Fault> {
    match rest.as_bytes().get(1)? {
        b'A' => Some((at, 2, "`\\A`, which JSON Schema's patterns do not have", "write `^`")),
        b'z' | b'Z' => Some((at, 2, "an escape that JSON Schema's patterns do not have", "write `$`")),
        b'1'..=b'9' | b'k' => {
            Some((at, 2, "a back-reference", "it cannot be matched in linear time; write the text out"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn differences_between_the_engines() {
        for good in [
            r"^\d{4}-\d{2}$",
            "a+?b*?c??",
            "[^\\]]+",
            "(?:a|b)+?",
            "(?<y>a)",
            r"^\{[a-z]+\}$",
            "[+*?]",
            "",
            "a{2,}?",
            "ä+",
            r"^\p{L}+$",
        ] {
            assert_eq!(difference(good), None, "{good}");
        }
        for (bad, offset) in [
            ("(?i)a", 0),
            ("a++", 2),
            (r"\Aa", 0),
            ("x[[:alpha:]]", 2),
            ("(?P<n>a)", 0),
            ("(?>a)", 0),
            ("b(?=a)", 1),
            (r"(a)\1", 3),
        ] {
            assert_eq!(difference(bad).map(|fault| fault.0), Some(offset), "{bad}");
        }
    }
}
