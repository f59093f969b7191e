//! Path templates: `/users/{id}/files/{+path}`.

use percent_encode::{MANY, ONE, encode};

/// Longest value of one part, bytes.
pub const PART_BYTES_MAX: usize = 4096;
/// How often a value is decoded to find what an upstream could find in it.
const DECODINGS_MAX: usize = 5;

/// A path with parts to fill in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathTemplate(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// `{name}`: one segment; a `/` in it is encoded.
    One(String),
    /// `{+name}`: several segments; `/` stays.
    Many(String),
}

/// Why a template or a value cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The template cannot be read.
    #[error("the path `{0}` is not usable: {1}")]
    Template(String, &'static str),
    /// A part has no value.
    #[error("the part `{0}` of the path has no value")]
    Missing(String),
    /// A value would change where the request goes.
    #[error("the value of `{0}` cannot be a part of a path: {1}")]
    Value(String, &'static str),
}

impl PathTemplate {
    /// Reads a template. It starts with `/` and holds no query.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let fault = |why| Err(PathError::Template(text.to_owned(), why));
        if !text.starts_with('/') {
            return fault("it does not start with `/`");
        }
        if text.contains(['?', '#', '\\']) || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return fault("it holds `?`, `#`, a backslash or a space; a query is declared on its own");
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else {
                return fault("a `{` is not closed");
            };
            let (many, name) = name.strip_prefix('+').map_or((false, name), |name| (true, name));
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c)) {
                return fault("a part between `{` and `}` is no name");
            }
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(if many { Piece::Many(name.to_owned()) } else { Piece::One(name.to_owned()) });
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        let fixed = pieces.iter().map(|piece| if let Piece::Text(text) = piece { text.as_str() } else { "x" });
        let fixed = fixed.collect::<String>();
        if fixed.contains('}') || fixed.split('/').any(|segment| dots_only(&plain(segment).unwrap_or_default())) {
            return fault("it holds a `}` or a segment of dots alone");
        }
        Ok(Self(pieces))
    }

    /// The names of the parts, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::One(name) | Piece::Many(name) => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// Fills the parts in. A value can neither leave its place in the path nor be read by an upstream as if it did.
    pub fn fill<'a>(&self, value: impl Fn(&str) -> Option<&'a str>) -> Result<String, PathError> {
        let mut out = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::One(name) | Piece::Many(name) => {
                    let value = value(name).ok_or_else(|| PathError::Missing(name.clone()))?;
                    check(value).map_err(|why| PathError::Value(name.clone(), why))?;
                    encode(value, if matches!(piece, Piece::Many(_)) { MANY } else { ONE }, &mut out);
                }
            }
        }
        // Pieces are checked one by one; together they could still form dots: `/.{x}` with `.`.
        if out.split('/').skip(1).any(|segment| !segment.is_empty() && dots_only(segment)) {
            let name = self.names().next().unwrap_or_default().to_owned();
            return Err(PathError::Value(name, "with its surroundings it is a segment of dots alone"));
        }
        Ok(out)
    }
}

/// Looks at a value as an upstream could: decoded again and again, with look-alikes of dots and slashes.
fn check(value: &str) -> Result<(), &'static str> {
    if value.is_empty() {
        return Err("it is empty");
    }
    if value.len() > PART_BYTES_MAX {
        return Err("it is too long");
    }
    let mut text = value.to_owned();
    for _ in 0..=DECODINGS_MAX {
        check_decoded(&text)?;
        let next = plain(&text).ok_or("it holds percent-encoded bytes that are not text")?;
        if next == text {
            return Ok(());
        }
        text = next;
    }
    Err("it is percent-encoded many times over")
}

fn check_decoded(text: &str) -> Result<(), &'static str> {
    if text.chars().any(char::is_control) {
        return Err("it holds a control character");
    }
    let text: String = text.chars().map(look_alike).collect();
    if text.contains("\u{2025}") || text.contains("\u{2026}") {
        return Err("it holds a character that stands for several dots");
    }
    if text.contains('\\') {
        return Err("it holds a backslash");
    }
    if text.starts_with('/') || text.contains("//") {
        return Err("it holds an empty segment");
    }
    let mut bytes = text.bytes();
    if bytes.next().is_some_and(|b| b.is_ascii_alphabetic()) && bytes.next() == Some(b':') && bytes.next() == Some(b'/')
    {
        return Err("it is a path of a drive");
    }
    if text.split('/').any(dots_only) {
        return Err("it holds a segment of dots alone");
    }
    Ok(())
}

/// Whether an upstream could take a segment for `.` or `..`: dots and spaces, perhaps with parameters (`..;a=b`).
fn dots_only(segment: &str) -> bool {
    let segment = segment.split(';').next().unwrap_or_default().trim();
    !segment.is_empty() && segment.chars().all(|c| c == '.' || c == ' ')
}

fn look_alike(c: char) -> char {
    match c {
        '\u{ff0e}' | '\u{2024}' | '\u{fe52}' | '\u{3002}' | '\u{ff61}' => '.',
        '\u{ff0f}' | '\u{2044}' | '\u{2215}' | '\u{29f8}' | '\u{2571}' => '/',
        '\u{ff3c}' | '\u{2216}' | '\u{fe68}' | '\u{29f5}' => '\\',
        '\u{fe19}' => '\u{2026}',
        other => other,
    }
}

/// Decodes `%41` and `%u0041` once; nothing when the bytes are not UTF-8.
fn plain(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    let hex = |from: usize, to: usize| {
        let digits = bytes.get(from..to).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    while at < bytes.len() {
        let wide = (bytes[at] == b'%' && matches!(bytes.get(at + 1), Some(b'u' | b'U'))).then(|| hex(at + 2, at + 6));
        let byte = (bytes[at] == b'%').then(|| hex(at + 1, at + 3));
        if let Some(Some(code)) = wide {
            let mut buffer = [0; 4];
            out.extend_from_slice(char::from_u32(code)?.encode_utf8(&mut buffer).as_bytes());
            at += 6;
        } else if let Some(Some(code)) = byte {
            out.push(u8::try_from(code).ok()?);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(out).ok()
}

mod percent_encode {
    //! Percent-encoding of path parts (RFC 3986, section 2.1).

    /// Kept in one segment.
    pub(super) const ONE: &[u8] = b"-._~";
    /// Kept in several segments.
    pub(super) const MANY: &[u8] = b"-._~/";

    pub(super) fn encode(text: &str, kept: &[u8], out: &mut String) {
        const HEX: &[u8; 16] = b"0123456789ABCDEF";
        for byte in text.bytes() {
            if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
                out.push(char::from(byte));
            } else {
                out.push('%');
                out.push(char::from(HEX[usize::from(byte >> 4)]));
                out.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
    }
}
