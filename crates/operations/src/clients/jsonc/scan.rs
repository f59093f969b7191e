//! Finds the members of objects in a JSON document with comments and trailing commas.

use std::ops::Range;

use super::Fault;

/// Deepest document that is read.
const DEPTH_MAX: usize = 128;

/// A value, and where it is.
#[derive(Debug)]
pub(super) enum Node {
    Object { span: Range<usize>, members: Vec<Member> },
    Other { span: Range<usize> },
}

/// A member of an object.
#[derive(Debug)]
pub(super) struct Member {
    /// Where its name begins.
    pub(super) start: usize,
    pub(super) name: String,
    pub(super) value: Node,
    /// The comma behind it.
    pub(super) comma: Option<usize>,
}

impl Node {
    pub(super) fn span(&self) -> Range<usize> {
        match self {
            Self::Object { span, .. } | Self::Other { span } => span.clone(),
        }
    }
}

/// Reads a whole document.
pub(super) fn read(text: &str) -> Result<Node, Fault> {
    let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut scan = Scan { text, at };
    scan.space()?;
    let root = scan.value(0)?;
    scan.space()?;
    match scan.peek() {
        None => Ok(root),
        Some(_) => Err(scan.fault("something stands behind the document")),
    }
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn fault(&self, why: &str) -> Fault {
        Fault { at: self.at, why: why.to_owned() }
    }

    /// Passes spaces and comments.
    fn space(&mut self) -> Result<(), Fault> {
        loop {
            let rest = &self.text[self.at..];
            if rest.starts_with("//") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                let end = rest.find("*/").ok_or_else(|| self.fault("a comment is not closed"))?;
                self.at += end + 2;
            } else if rest.starts_with([' ', '\t', '\r', '\n']) {
                self.at += 1;
            } else {
                return Ok(());
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, Fault> {
        if depth > DEPTH_MAX {
            return Err(self.fault("it is nested too deep"));
        }
        let start = self.at;
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => {
                self.string()?;
                Ok(Node::Other { span: start..self.at })
            }
            _ => {
                let rest = &self.text[self.at..];
                let word = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c))).unwrap_or(rest.len());
                if serde_json::from_str::<serde_json::Value>(&rest[..word]).is_err() {
                    return Err(self.fault("a value is expected here"));
                }
                self.at += word;
                Ok(Node::Other { span: start..self.at })
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Node, Fault> {
        let start = self.at;
        let mut members: Vec<Member> = Vec::new();
        self.at += 1;
        loop {
            self.space()?;
            match self.peek() {
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Node::Object { span: start..self.at, members });
                }
                Some(b'"') if members.last().is_none_or(|last| last.comma.is_some()) => {}
                Some(b'"') => return Err(self.fault("a comma is missing before this name")),
                _ => return Err(self.fault("a name in double quotes or `}` is expected here")),
            }
            let begin = self.at;
            let name = self.string()?;
            self.space()?;
            if self.peek() != Some(b':') {
                return Err(self.fault("a colon is expected here"));
            }
            self.at += 1;
            self.space()?;
            let value = self.value(depth + 1)?;
            self.space()?;
            let comma = (self.peek() == Some(b',')).then_some(self.at);
            self.at += usize::from(comma.is_some());
            members.push(Member { start: begin, name, value, comma });
        }
    }

    fn list(&mut self, depth: usize) -> Result<Node, Fault> {
        let start = self.at;
        let mut divided = true;
        self.at += 1;
        loop {
            self.space()?;
            match self.peek() {
                Some(b']') => {
                    self.at += 1;
                    return Ok(Node::Other { span: start..self.at });
                }
                Some(_) if divided => drop(self.value(depth + 1)?),
                _ => return Err(self.fault("a comma or `]` is expected here")),
            }
            self.space()?;
            divided = self.peek() == Some(b',');
            self.at += usize::from(divided);
        }
    }

    fn string(&mut self) -> Result<String, Fault> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut at = start + 1;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'\\' => at += 2,
                b'"' => {
                    let text = &self.text[start..=at];
                    let read = serde_json::from_str(text).map_err(|_| self.fault("this text cannot be read"))?;
                    self.at = at + 1;
                    return Ok(read);
                }
                _ => at += 1,
            }
        }
        Err(self.fault("this text is not closed"))
    }
}
