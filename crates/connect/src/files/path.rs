//! Paths of callers: relative, plain, and never out of their root.

/// Longest path, bytes.
pub const PATH_BYTES_MAX: usize = 1024;
/// Longest part of a path, bytes: what file systems take.
const PART_BYTES_MAX: usize = 255;
/// Most parts.
const PARTS_MAX: usize = 64;
/// How often a part is decoded to find what somebody else could find in it.
const DECODINGS_MAX: usize = 4;

/// A checked path below the root of a store: no part is empty, `.` or `..`, or could be taken for one of them by a program
/// that decodes percent signs, folds look-alikes or takes a backslash for a separator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(String);

impl Path {
    /// Checks a path. `hidden` allows parts that begin with a dot. An absolute path is taken when it lies below `root`.
    pub fn parse(text: &str, hidden: bool, root: Option<&str>) -> Result<Self, &'static str> {
        if text.len() > PATH_BYTES_MAX {
            return Err("it is too long");
        }
        let below = root.map(|root| root.trim_end_matches('/')).filter(|root| !root.is_empty());
        let relative = match below.and_then(|root| text.strip_prefix(root)) {
            Some(rest) if rest.is_empty() => rest,
            Some(rest) if rest.starts_with('/') => &rest[1..],
            _ => text,
        };
        if relative.starts_with('/') {
            return Err(ABSOLUTE);
        }
        let relative = relative.strip_suffix('/').unwrap_or(relative);
        let relative = if relative == "." { "" } else { relative.strip_prefix("./").unwrap_or(relative) };
        if relative.is_empty() {
            return Ok(Self(String::new()));
        }
        if relative.split('/').count() > PARTS_MAX {
            return Err("it has too many parts");
        }
        for part in relative.split('/') {
            check_part(part, hidden)?;
        }
        check_whole(relative)?;
        Ok(Self(relative.to_owned()))
    }

    /// The text; empty for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The parts.
    pub(super) fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|part| !part.is_empty())
    }

    /// The parts above, and the last one.
    pub(super) fn split(&self) -> (Vec<&str>, &str) {
        let mut parts: Vec<&str> = self.parts().collect();
        let last = parts.pop().unwrap_or_default();
        (parts, last)
    }
}

const ABSOLUTE: &str = "it is absolute; paths are relative to the root of the connection";

fn check_part(part: &str, hidden: bool) -> Result<(), &'static str> {
    if part.is_empty() {
        return Err("a part of it is empty");
    }
    if part.len() > PART_BYTES_MAX {
        return Err("a part of it is too long");
    }
    if part.chars().any(char::is_control) {
        return Err("it holds a control character");
    }
    let folded = fold(part);
    let bare = folded.trim_start();
    // Windows calls `.git` also `GIT~1`.
    if !hidden && (bare.starts_with('.') || bare.to_ascii_lowercase().starts_with("git~")) {
        return Err("a part of it begins with a dot, and hidden files are not shown");
    }
    Ok(())
}

/// Looks at a path as another program could: decoded again and again, with look-alikes of dots and slashes.
fn check_whole(text: &str) -> Result<(), &'static str> {
    let mut text = text.to_owned();
    for _ in 0..=DECODINGS_MAX {
        if text.chars().any(char::is_control) {
            return Err("it holds a control character");
        }
        let folded = fold(&text);
        if folded.starts_with('/') || folded.starts_with('\\') || folded.starts_with('~') {
            return Err(ABSOLUTE);
        }
        let mut start = folded.chars();
        if start.next().is_some_and(|c| c.is_ascii_alphabetic()) && start.next() == Some(':') {
            return Err("it begins with a drive");
        }
        if folded.split(['/', '\\']).any(dots_only) {
            return Err("a part of it is `.` or `..`, or could be taken for one");
        }
        if text.contains('\\') {
            return Err("it holds a backslash; parts are separated by `/`");
        }
        let next = decoded(&text);
        if next == text {
            return Ok(());
        }
        text = next;
    }
    Err("it is percent-encoded many times over")
}

/// Dots, perhaps with spaces, or with parameters (`..;a=b`) or a stream (`..::$DATA`) that some programs cut off.
fn dots_only(part: &str) -> bool {
    let part = part.split([';', ':']).next().unwrap_or_default().trim();
    part.contains('.') && part.chars().all(|c| c == '.' || c.is_whitespace())
}

/// Look-alikes made plain, invisible characters left out.
fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{ff0e}' | '\u{2024}' | '\u{fe52}' | '\u{3002}' | '\u{ff61}' | '\u{00b7}' => out.push('.'),
            '\u{2025}' => out.push_str(".."),
            '\u{2026}' | '\u{fe19}' => out.push_str("..."),
            '\u{ff0f}' | '\u{2044}' | '\u{2215}' | '\u{29f8}' | '\u{2571}' => out.push('/'),
            '\u{ff3c}' | '\u{2216}' | '\u{fe68}' | '\u{29f5}' => out.push('\\'),
            '\u{ff1a}' | '\u{fe55}' | '\u{a789}' => out.push(':'),
            '\u{ff5e}' => out.push('~'),
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {}
            other => out.push(other),
        }
    }
    out
}

/// Decodes `%41` and `%u0041` once; what is not UTF-8 then is read with its overlong forms made plain, as lax decoders do.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    let hex = |from: usize, to: usize| {
        let digits = bytes.get(from..to).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    while at < bytes.len() {
        let wide = (bytes[at] == b'%' && matches!(bytes.get(at + 1), Some(b'u' | b'U'))).then(|| hex(at + 2, at + 6));
        let wide = wide.flatten().and_then(char::from_u32);
        let byte = (bytes[at] == b'%').then(|| hex(at + 1, at + 3)).flatten().and_then(|code| u8::try_from(code).ok());
        if let Some(c) = wide {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            at += 6;
        } else if let Some(byte) = byte {
            out.push(byte);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(out).unwrap_or_else(|error| lax(error.as_bytes()))
}

/// Overlong forms of ASCII (`C0 AE`, `E0 80 AE`) as what they stand for.
fn lax(bytes: &[u8]) -> String {
    let mut out = String::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let (code, length) = match rest {
            [a @ 0xc0..=0xc1, b, ..] => ((u32::from(a & 0x1f) << 6) | u32::from(b & 0x3f), 2),
            [0xe0, b, c, ..] if *b < 0xa0 => ((u32::from(b & 0x3f) << 6) | u32::from(c & 0x3f), 3),
            [0xf0, 0x80, b, c, ..] => ((u32::from(b & 0x3f) << 6) | u32::from(c & 0x3f), 4),
            [byte, ..] => (u32::from(*byte), 1),
            [] => break,
        };
        out.push(char::from_u32(code).unwrap_or('\u{fffd}'));
        at += length;
    }
    out
}
