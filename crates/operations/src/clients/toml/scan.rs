//! Finds the headers of tables and the keys of a TOML document, with the lines that they take.

use std::ops::Range;

use super::Fault;

/// The header of a table, or a key with its value.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) is_header: bool,
    /// `[[…]]`.
    pub(super) is_list: bool,
    pub(super) path: Vec<String>,
    /// From the beginning of its line to the end of the line on which it ends.
    pub(super) span: Range<usize>,
    /// The value of a key.
    pub(super) value: Range<usize>,
}

/// Everything in a document, in its order.
pub(super) struct Items<'a>(pub(super) Vec<Item>, &'a str);

impl Items<'_> {
    /// Each item with its whole path.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Vec<String>, &Item)> {
        let mut table: &[String] = &[];
        self.0.iter().map(move |item| {
            if item.is_header {
                table = &item.path;
                return (item.path.clone(), item);
            }
            (table.iter().chain(&item.path).cloned().collect(), item)
        })
    }

    /// Whether there are only spaces between two places.
    pub(super) fn is_blank(&self, from: usize, to: usize) -> bool {
        self.1.get(from..to).is_some_and(|between| between.trim().is_empty())
    }
}

/// Reads a document as far as it takes to find its items.
pub(super) fn read(text: &str) -> Result<Items<'_>, Fault> {
    let mut at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut items = Vec::new();
    while at < text.len() {
        let line = at;
        at = skip(text, at, b" \t");
        match text.as_bytes().get(at) {
            None => break,
            Some(b'\r' | b'\n' | b'#') => {
                at = next_line(text, at);
                continue;
            }
            Some(b'[') => {
                let is_list = text[at..].starts_with("[[");
                let open = at;
                let (path, end) = path(text, at + 1 + usize::from(is_list))?;
                let close = if is_list { "]]" } else { "]" };
                if !text[end..].starts_with(close) {
                    return Err(Fault { at: open, why: "the header of a table is not closed".to_owned() });
                }
                at = end_of_line(text, end + close.len())?;
                items.push(Item { is_header: true, is_list, path, span: line..at, value: at..at });
            }
            Some(_) => {
                let (path, end) = path(text, at)?;
                if text.as_bytes().get(end) != Some(&b'=') {
                    return Err(Fault {
                        at,
                        why: "a key with `=`, or the header of a table is expected here".to_owned(),
                    });
                }
                let start = skip(text, end + 1, b" \t");
                let end = value(text, start)?;
                at = end_of_line(text, end)?;
                items.push(Item { is_header: false, is_list: false, path, span: line..at, value: start..end });
            }
        }
    }
    Ok(Items(items, text))
}

fn skip(text: &str, mut at: usize, these: &[u8]) -> usize {
    while text.as_bytes().get(at).is_some_and(|byte| these.contains(byte)) {
        at += 1;
    }
    at
}

fn next_line(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |end| at + end + 1)
}

/// The end of a line on which nothing but a comment follows.
fn end_of_line(text: &str, at: usize) -> Result<usize, Fault> {
    let at = skip(text, at, b" \t");
    match text.as_bytes().get(at) {
        None | Some(b'\r' | b'\n' | b'#') => Ok(next_line(text, at)),
        Some(_) => Err(Fault { at, why: "the end of the line is expected here".to_owned() }),
    }
}

/// A key, with or without dots, and the place behind it and the spaces after it.
fn path(text: &str, mut at: usize) -> Result<(Vec<String>, usize), Fault> {
    let mut parts = Vec::new();
    loop {
        at = skip(text, at, b" \t");
        let rest = &text[at..];
        let part = match rest.as_bytes().first() {
            Some(b'"' | b'\'') => {
                let end = string(text, at)?;
                let inner = &text[at + 1..end - 1];
                let part = match rest.as_bytes()[0] {
                    b'"' => serde_json::from_str(&text[at..end]).unwrap_or_else(|_| inner.to_owned()),
                    _ => inner.to_owned(),
                };
                at = end;
                part
            }
            _ => {
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c))).unwrap_or(rest.len());
                if end == 0 {
                    let line = text[..at].rfind('\n').map_or(0, |line| line + 1);
                    return Err(Fault { at: line, why: "a key is expected here".to_owned() });
                }
                at += end;
                rest[..end].to_owned()
            }
        };
        parts.push(part);
        at = skip(text, at, b" \t");
        match text.as_bytes().get(at) {
            Some(b'.') => at += 1,
            _ => return Ok((parts, at)),
        }
    }
}

/// The place behind a value.
fn value(text: &str, start: usize) -> Result<usize, Fault> {
    let bytes = text.as_bytes();
    let mut open = Vec::new();
    let mut at = start;
    loop {
        match bytes.get(at) {
            Some(b'"' | b'\'') => at = string(text, at)?,
            Some(b'[') => {
                open.push(b']');
                at += 1;
            }
            Some(b'{') => {
                open.push(b'}');
                at += 1;
            }
            Some(byte @ (b']' | b'}')) => {
                if open.pop() != Some(*byte) {
                    return Err(Fault { at, why: "this closes nothing".to_owned() });
                }
                at += 1;
            }
            Some(b'#') if !open.is_empty() => at = next_line(text, at),
            Some(b'\n' | b'#') | None if open.is_empty() => {
                return match text[start..at].trim().is_empty() {
                    true => Err(Fault { at: start, why: "a value is expected here".to_owned() }),
                    false => Ok(start + text[start..at].trim_end().len()),
                };
            }
            None => return Err(Fault { at: start, why: "this value is not closed".to_owned() }),
            Some(_) => at += 1,
        }
    }
}

/// The place behind a text in quotes of any of the four kinds.
fn string(text: &str, start: usize) -> Result<usize, Fault> {
    let rest = &text[start..];
    let fault = || Fault { at: start, why: "this text is not closed".to_owned() };
    let quote = &rest[..1];
    let triple = quote.repeat(3);
    let (begin, close, is_long) = match rest.starts_with(&triple) {
        true => (start + 3, triple.as_str(), true),
        false => (start + 1, quote, false),
    };
    let bytes = text.as_bytes();
    let mut at = begin;
    while at < text.len() {
        match bytes[at] {
            b'\\' if quote == "\"" => at += 2,
            b'\n' if !is_long => return Err(fault()),
            _ if bytes[at..].starts_with(close.as_bytes()) => {
                at += close.len();
                // A long text may end with quotes of its own.
                while is_long && at < text.len() && bytes[at] == quote.as_bytes()[0] {
                    at += 1;
                }
                return Ok(at);
            }
            _ => at += 1,
        }
    }
    Err(fault())
}
