//! Places in a text: byte offsets to lines and columns, and characters to bytes.

use base::Span;

/// A checkpoint is kept for every so many characters of a text that is not ASCII.
const STRIDE: usize = 64;

/// A text with an index of its lines.
pub(crate) struct Lines<'a> {
    text: &'a str,
    /// Byte offset of the first byte after a byte order mark.
    start: usize,
    /// Byte offset of the start of each line.
    lines: Vec<usize>,
    /// Byte offset of every `STRIDE`th character after `start`; empty for ASCII.
    characters: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let mut lines = vec![start];
        lines.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1));
        let characters = if text.is_ascii() {
            Vec::new()
        } else {
            text[start..].char_indices().step_by(STRIDE).map(|(at, _)| start + at).collect()
        };
        Self { text, start, lines, characters }
    }

    /// The whole text.
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// The text without a byte order mark.
    pub(crate) fn body(&self) -> &'a str {
        &self.text[self.start..]
    }

    /// Where the body starts.
    pub(crate) fn start(&self) -> usize {
        self.start
    }

    /// The byte offset of a character of the body.
    pub(crate) fn byte_of(&self, character: usize) -> usize {
        if self.characters.is_empty() {
            return (self.start + character).min(self.text.len());
        }
        let Some(&near) = self.characters.get(character / STRIDE) else { return self.text.len() };
        let rest = &self.text[near..];
        rest.char_indices().nth(character % STRIDE).map_or(self.text.len(), |(at, _)| near + at)
    }

    /// The span of a byte range; ends are moved to character boundaries.
    pub(crate) fn span(&self, start: usize, end: usize) -> Span {
        let start = self.floor(start);
        let end = self.floor(end).max(start);
        let line = self.lines.partition_point(|at| *at <= start).max(1);
        let first = self.lines[line - 1].min(start);
        let column = self.characters_before(start) - self.characters_before(first) + 1;
        Span { start, end, line, column }
    }

    /// Characters of the body before a byte offset, without walking through long lines.
    fn characters_before(&self, offset: usize) -> usize {
        if self.characters.is_empty() {
            return offset.saturating_sub(self.start);
        }
        let near = self.characters.partition_point(|at| *at <= offset).saturating_sub(1);
        let from = self.characters[near].min(offset);
        near * STRIDE + self.text[from..offset].chars().count()
    }

    fn floor(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }
}
