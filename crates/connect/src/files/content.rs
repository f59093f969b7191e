//! What was read: bytes, their place in the file, and their text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::{Entry, Read};
use crate::{Error, ErrorKind};

/// What was read of a file.
#[derive(Clone, Debug)]
pub struct Content {
    /// The file.
    pub entry: Entry,
    /// The bytes.
    pub bytes: Bytes,
    /// Place of the first one in the file.
    pub offset: u64,
    /// Size of the whole file, where it is known.
    pub total: Option<u64>,
    pub(super) connection: String,
}

/// Which lines of a text. A line ends with its line break; what follows the last one is a line when it is not empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// So many from the start.
    Head(usize),
    /// So many from the end.
    Tail(usize),
}

impl Content {
    /// Whether the file has more after these bytes.
    pub fn has_more(&self) -> bool {
        self.total.is_some_and(|total| self.offset + (self.bytes.len() as u64) < total)
    }

    /// The text, when the bytes are UTF-8. A part of a file may begin or end within a character; those bytes are left out.
    pub fn text(&self) -> Result<&str, Error> {
        let mut bytes: &[u8] = &self.bytes;
        if self.offset > 0 {
            let inner = bytes.iter().take(3).take_while(|byte| **byte & 0xc0 == 0x80).count();
            bytes = &bytes[inner..];
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text),
            Err(error) if self.has_more() && error.error_len().is_none() => {
                Ok(std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default())
            }
            Err(error) => {
                let at = self.offset + error.valid_up_to() as u64;
                let message = format!("`{}` is not UTF-8 text (byte {at})", self.entry.path);
                let mut error = super::fault(&self.connection, ErrorKind::Value, "read a file as text", message);
                error.hint = Some("read it as base64".to_owned());
                Err(error.with_code("encoding"))
            }
        }
    }

    /// Some lines of the text, each with its line break.
    pub fn lines(&self, lines: Lines) -> Result<&str, Error> {
        let text = self.text()?;
        Ok(match lines {
            Lines::Head(count) => &text[..text.split_inclusive('\n').take(count).map(str::len).sum()],
            Lines::Tail(count) => {
                let size: usize = text.split_inclusive('\n').rev().take(count).map(str::len).sum();
                &text[text.len() - size..]
            }
        })
    }

    /// The bytes in base64.
    pub fn base64(&self) -> String {
        STANDARD.encode(&self.bytes)
    }
}

/// Which bytes to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) offset: u64,
    /// Most bytes.
    pub(super) most: u64,
    /// Whether the rest of the file must not be longer.
    pub(super) whole: bool,
    /// Whether only a part was asked for.
    pub(super) partial: bool,
}

impl Span {
    pub(super) fn new(read: &Read, limit: u64) -> Self {
        Self {
            offset: read.offset.unwrap_or(0),
            most: read.length.unwrap_or(limit).min(limit),
            whole: read.length.is_none(),
            partial: read.offset.is_some() || read.length.is_some(),
        }
    }

    /// The last byte as `Range` counts.
    pub(super) fn last(self) -> u64 {
        self.offset.saturating_add(self.most.max(1) - 1)
    }

    /// Refuses a file that is longer than what may be read at once.
    pub(super) fn check(self, connection: &str, path: &str, total: u64) -> Result<(), Error> {
        if self.whole && total.saturating_sub(self.offset) > self.most {
            let message = format!("`{path}` has {total} bytes, and at most {} are read at once", self.most);
            let mut error = super::fault(connection, ErrorKind::Limit, "read a file", message);
            error.hint = Some("read a part of it: give an offset and a length".to_owned());
            return Err(error.with_code("too_large"));
        }
        Ok(())
    }
}
