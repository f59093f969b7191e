//! Patterns of file names.

use regex::{Regex, RegexBuilder};

/// Longest pattern, bytes.
const PATTERN_BYTES_MAX: usize = 1024;
/// Most alternatives within each other.
const NESTING_MAX: usize = 4;
/// Largest compiled pattern, bytes.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// A pattern: `*` stands for anything within a part of a path, `**` for any parts, `?` for one character, `[a-z]` and
/// `[!a-z]` for one of a set, `{a,b}` for one of some texts, `\` for the next character itself. A pattern without `/` is
/// held against the name alone.
#[derive(Clone, Debug)]
pub struct Glob {
    regex: Regex,
    whole: bool,
}

impl Glob {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::parse_with(text, false)
    }

    /// Reads a pattern, perhaps one for which capitals do not matter.
    pub fn parse_with(text: &str, any_case: bool) -> Result<Self, String> {
        if text.is_empty() || text.len() > PATTERN_BYTES_MAX {
            return Err(format!("a pattern has from 1 to {PATTERN_BYTES_MAX} bytes"));
        }
        let mut out = String::from("(?s)\\A");
        let mut depth = 0;
        let mut chars = text.strip_prefix("./").unwrap_or(text).chars().peekable();
        let mut start = true;
        while let Some(c) = chars.next() {
            match c {
                '*' if chars.peek() == Some(&'*') => {
                    chars.next();
                    // `**/` also stands for no part at all.
                    if start && chars.peek() == Some(&'/') {
                        chars.next();
                        out.push_str("(?:.*/)?");
                        continue;
                    }
                    out.push_str(".*");
                }
                '*' => out.push_str("[^/]*"),
                '?' => out.push_str("[^/]"),
                '[' => {
                    set(&mut chars, &mut out).ok_or_else(|| format!("a `[` is not closed in the pattern `{text}`"))?
                }
                '{' if depth == NESTING_MAX => {
                    return Err(format!("the pattern `{text}` has too many `{{` in another"));
                }
                '{' => {
                    depth += 1;
                    out.push_str("(?:");
                }
                '}' if depth > 0 => {
                    depth -= 1;
                    out.push(')');
                }
                ',' if depth > 0 => out.push('|'),
                '\\' => literal(chars.next().ok_or_else(|| format!("the pattern `{text}` ends with `\\`"))?, &mut out),
                other => literal(other, &mut out),
            }
            start = matches!(c, '/' | '{' | ',');
        }
        if depth > 0 {
            return Err(format!("a `{{` is not closed in the pattern `{text}`"));
        }
        out.push_str("\\z");
        let regex = RegexBuilder::new(&out)
            .case_insensitive(any_case)
            .size_limit(COMPILED_BYTES_MAX)
            .build()
            .map_err(|_| format!("the pattern `{text}` cannot be used"))?;
        Ok(Self { regex, whole: text.contains('/') || text.contains("**") })
    }

    /// Whether a path fits.
    pub fn fits(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or_default();
        self.regex.is_match(if self.whole { path } else { name })
    }
}

fn literal(c: char, out: &mut String) {
    out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
}

/// `[…]`: copied with its own special characters made plain.
fn set(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) -> Option<()> {
    out.push('[');
    if chars.next_if(|c| matches!(c, '!' | '^')).is_some() {
        out.push_str("^/");
    }
    let mut first = true;
    loop {
        match chars.next()? {
            ']' if !first => break,
            '-' if !first && chars.peek().is_some_and(|c| *c != ']') => out.push('-'),
            c => {
                if c.is_ascii_punctuation() {
                    out.push('\\');
                }
                out.push(c);
            }
        }
        first = false;
    }
    out.push(']');
    Some(())
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn patterns() {
        let cases = [
            ("*.md", "a/b/read.md", true),
            ("*.md", "read.mdx", false),
            ("docs/*.md", "docs/a.md", true),
            ("docs/*.md", "docs/a/b.md", false),
            ("**/*.rs", "a.rs", true),
            ("**/*.rs", "a/b/c.rs", true),
            ("a/**", "a/b/c", true),
            ("a/**/z", "a/z", true),
            ("a/**/z", "a/b/c/z", true),
            ("*.{png,jp?g}", "x.jpeg", true),
            ("*.{png,jp?g}", "x.gif", false),
            ("[a-c]?", "bx", true),
            ("[!a-c]?", "bx", false),
            ("[]x]", "]", true),
            ("a+b(c).txt", "a+b(c).txt", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("[a-z&&b]", "z", true),
        ];
        for (pattern, path, fits) in cases {
            assert_eq!(Glob::parse(pattern).expect(pattern).fits(path), fits, "{pattern} {path}");
        }
        for bad in ["", "{a", "[a", "a\\", "{{{{{a}}}}}"] {
            assert!(Glob::parse(bad).is_err(), "{bad}");
        }
        assert!(Glob::parse_with("*.MD", true).expect("a pattern").fits("x.md"));
    }
}
