//! The tags of a page, one after the other.

use std::borrow::Cow;

/// Elements without content.
const VOID: [&str; 14] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];
/// Elements whose content is text up to their end tag, whatever it looks like.
const RAW: [&str; 8] = ["script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"];
/// Longest name of an element that is looked at, bytes.
const NAME_BYTES_MAX: usize = 32;

/// A piece of a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tag<'a> {
    /// Text, with its entities.
    Text(&'a str),
    /// An element begins.
    Start {
        /// In lower case.
        name: String,
        /// As they are written.
        attributes: &'a str,
        /// Whether nothing ends it.
        is_void: bool,
    },
    /// An element ends.
    End {
        /// In lower case.
        name: String,
    },
}

/// Reads a page.
pub(super) struct Tags<'a> {
    html: &'a str,
    at: usize,
    last: usize,
    /// The element whose content is text.
    raw: Option<String>,
}

impl<'a> Tags<'a> {
    pub(super) fn new(html: &'a str) -> Self {
        Self { html, at: 0, last: 0, raw: None }
    }

    /// Where the piece that was read last ends.
    pub(super) fn place(&self) -> usize {
        self.at
    }

    /// Where the piece that was read last begins.
    pub(super) fn begin(&self) -> usize {
        self.last
    }

    /// Text up to the end tag of a raw element.
    fn raw(&mut self, name: &str) -> Tag<'a> {
        let rest = &self.html[self.at..];
        let end = memchr::memmem::find_iter(rest.as_bytes(), "</").find(|at| {
            let name_at = &rest.as_bytes()[at + 2..];
            name_at.len() >= name.len() && name_at[..name.len()].eq_ignore_ascii_case(name.as_bytes())
        });
        let end = end.unwrap_or(rest.len());
        self.at += end;
        Tag::Text(&rest[..end])
    }

    /// The tag that starts here; `None` for what is skipped or is no tag.
    fn tag(&mut self) -> Option<Tag<'a>> {
        let rest = &self.html[self.at..];
        let bytes = rest.as_bytes();
        let skip = |end: &str, most: usize| rest.find(end).map_or(most, |at| at + end.len());
        match bytes.get(1) {
            Some(b'!') if rest.starts_with("<!--") => {
                self.at += rest[4..].find("-->").map_or(rest.len(), |at| at + 7);
                None
            }
            Some(b'!' | b'?') => {
                self.at += skip(">", rest.len());
                None
            }
            Some(b'/') if bytes.get(2).is_some_and(u8::is_ascii_alphabetic) => {
                self.at += skip(">", rest.len());
                Some(Tag::End { name: name(&rest[2..]) })
            }
            Some(byte) if byte.is_ascii_alphabetic() => {
                let name = name(&rest[1..]);
                let from = 1 + rest[1..].find(|c: char| !is_name(c)).unwrap_or(rest.len() - 1);
                let length = attributes_end(&rest[from..]);
                let attributes = rest[from..from + length].trim_end_matches('/').trim();
                self.at += (from + length + 1).min(rest.len());
                if RAW.contains(&name.as_str()) {
                    self.raw = Some(name.clone());
                }
                Some(Tag::Start { is_void: VOID.contains(&name.as_str()), name, attributes })
            }
            _ => {
                self.at += 1;
                Some(Tag::Text(&rest[..1]))
            }
        }
    }
}

impl<'a> Iterator for Tags<'a> {
    type Item = Tag<'a>;

    fn next(&mut self) -> Option<Tag<'a>> {
        loop {
            self.last = self.at;
            if self.at >= self.html.len() {
                return None;
            }
            if let Some(name) = self.raw.take() {
                return Some(self.raw(&name));
            }
            let rest = &self.html[self.at..];
            let end = memchr::memchr(b'<', rest.as_bytes()).unwrap_or(rest.len());
            if end > 0 {
                self.at += end;
                return Some(Tag::Text(&rest[..end]));
            }
            if let Some(tag) = self.tag() {
                return Some(tag);
            }
        }
    }
}

fn is_name(c: char) -> bool {
    !c.is_ascii_whitespace() && c != '/' && c != '>'
}

fn name(text: &str) -> String {
    text.chars().take_while(|c| is_name(*c)).take(NAME_BYTES_MAX).collect::<String>().to_ascii_lowercase()
}

/// Where the attributes of a tag end: at a `>` outside quotes.
fn attributes_end(text: &str) -> usize {
    let mut quote = 0;
    let mut before = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'>' if quote == 0 => return at,
            // A quote begins a value only after `=`.
            b'"' | b'\'' if quote == 0 && before == b'=' => quote = byte,
            _ if byte == quote => quote = 0,
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            before = byte;
        }
    }
    // A quote that is never closed: the tag ends at the first `>` then.
    text.find('>').unwrap_or(text.len())
}

/// The value of an attribute, decoded; empty when it has none.
pub(super) fn attribute(attributes: &str, wanted: &str) -> Option<String> {
    let mut rest = attributes.trim_start();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c.is_ascii_whitespace() || c == '=').unwrap_or(rest.len());
        let (name, after) = rest.split_at(end.max(1).min(rest.len()));
        let after = after.trim_start();
        let (value, after) = match after.strip_prefix('=') {
            None => ("", after),
            Some(after) => {
                let after = after.trim_start();
                match after.chars().next() {
                    Some(quote @ ('"' | '\'')) => {
                        let inside = &after[1..];
                        let end = inside.find(quote).unwrap_or(inside.len());
                        (&inside[..end], inside.get(end + 1..).unwrap_or_default())
                    }
                    _ => after.split_at(after.find(|c: char| c.is_ascii_whitespace()).unwrap_or(after.len())),
                }
            }
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(match super::entities::decoded(value) {
                Cow::Borrowed(text) => text.to_owned(),
                Cow::Owned(text) => text,
            });
        }
        rest = after.trim_start();
    }
    None
}

/// Whether an element says that it is not shown.
pub(super) fn is_hidden(attributes: &str) -> bool {
    let lower = attributes.to_ascii_lowercase();
    if !(lower.contains("hidden") || lower.contains("display")) {
        return false;
    }
    let style = attribute(&lower, "style").unwrap_or_default().replace(' ', "");
    attribute(&lower, "hidden").is_some()
        || attribute(&lower, "aria-hidden").is_some_and(|value| value == "true")
        || style.contains("display:none")
        || style.contains("visibility:hidden")
}
