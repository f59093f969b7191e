//! Where a script's text stands in the file that the user wrote.

use crate::fault::Place;

/// Maps places of a script to places in the user's file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    file: Box<str>,
    /// Line and column in the file of each line's first character; empty when the script is the whole file.
    starts: Box<[(u32, u32)]>,
    /// The script when it has characters of several bytes: the engine counts columns in bytes.
    wide: Option<Box<str>>,
}

impl Origin {
    /// A script that is a file of its own.
    pub fn file(name: impl Into<Box<str>>) -> Self {
        Self { file: name.into(), ..Self::default() }
    }

    /// A script inside another file: for each of its lines the line and the column, from 1, of its first character.
    pub fn within(file: impl Into<Box<str>>, starts: impl Into<Box<[(u32, u32)]>>) -> Self {
        Self { file: file.into(), starts: starts.into(), wide: None }
    }

    /// Says which text it is the origin of.
    pub(crate) fn of(mut self, text: &str) -> Self {
        self.wide = (!text.is_ascii()).then(|| text.into());
        self
    }

    /// Whether the script is a part of another file.
    pub fn is_within(&self) -> bool {
        !self.starts.is_empty()
    }

    /// The name of the file; empty when it is not known.
    pub fn name(&self) -> &str {
        &self.file
    }

    /// The place in the file of a line and a column, in bytes, of the script, both from 1.
    pub fn place(&self, line: u32, column: u32) -> Place {
        let index = line.saturating_sub(1) as usize;
        let column = self.wide.as_ref().and_then(|text| characters(text.lines().nth(index)?, column)).unwrap_or(column);
        match self.starts.get(index).or(self.starts.last()) {
            Some(&(first, start)) => Place { line: first, column: start + column.saturating_sub(1) },
            None => Place { line, column },
        }
    }
}

/// A column in bytes as a column in characters.
fn characters(line: &str, column: u32) -> Option<u32> {
    let before = line.get(..line.floor_char_boundary(column.saturating_sub(1) as usize))?;
    u32::try_from(before.chars().count() + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_file() {
        let origin = Origin::within("x.yaml", [(10, 7), (11, 7)]);
        assert_eq!(origin.place(2, 3), Place { line: 11, column: 9 });
        assert_eq!(origin.place(9, 1), Place { line: 11, column: 7 }, "past the end is the last line");
        let wide = Origin::file("x.js").of("a\n'äö' + €");
        assert_eq!(wide.place(2, 10), Place { line: 2, column: 8 });
        assert_eq!(Origin::file("x.js").place(4, 2), Place { line: 4, column: 2 });
    }
}
