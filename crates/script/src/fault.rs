//! Why a script could not be compiled, or a run gave no result.

use std::fmt;

use crate::limits;
use crate::origin::Origin;

/// A line and a column, both from 1, in the user's file when the script's [`Origin`] is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: u32,
    /// The column, in characters.
    pub column: u32,
}

/// What kind of fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// The text is not JavaScript, or imports another module.
    Syntax,
    /// The module cannot be loaded, or its default export is not a function.
    Shape,
    /// The script threw, or what it returned cannot be written as JSON.
    Thrown,
    /// The script failed with words of its own for the caller: `throw fail("…")`.
    Told,
    /// The memory limit.
    Memory,
    /// The stack limit.
    Stack,
    /// The limit of processor time.
    Cpu,
    /// The limit of the result.
    Output,
    /// The script waits for something that cannot happen.
    Stalled,
    /// The deadline of the call.
    Deadline,
    /// The caller took the call back.
    Cancelled,
    /// Earlier runs of this script could not be stopped.
    Refused,
    /// The engine failed.
    Internal,
}

/// A script that could not be compiled, or a run without a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What kind of fault it is.
    pub kind: FaultKind,
    /// What went wrong, one sentence without a full stop.
    pub message: String,
    /// The `code` of the error that was thrown, as a [`crate::HostError`] carries it.
    pub code: Option<String>,
    /// Facts for programs that came with [`FaultKind::Told`], JSON.
    pub detail: Option<String>,
    /// The innermost place in the script.
    pub place: Option<Place>,
    /// The calls that led there, innermost first: function and place.
    pub trace: Vec<(String, Place)>,
    /// The file that the places are in.
    pub file: String,
}

impl Fault {
    /// A fault without a place.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        let mut message = message.into();
        truncate(&mut message, limits::MESSAGE_BYTES_MAX);
        Self { kind, message, code: None, detail: None, place: None, trace: Vec::new(), file: String::new() }
    }

    /// Takes the places from an error's stack.
    pub(crate) fn located(mut self, origin: &Origin, stack: &str) -> Self {
        self.trace = crate::stack::frames(stack)
            .take(limits::FRAMES_MAX)
            .map(|frame| (frame.function.to_owned(), origin.place(frame.line, frame.column)))
            .collect();
        self.place = self.trace.first().map(|(_, place)| *place);
        origin.name().clone_into(&mut self.file);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let Some(Place { line, column }) = self.place else { return Ok(()) };
        match self.file.as_str() {
            "" => write!(f, " (line {line}, column {column} of the script)"),
            file => write!(f, " ({file}:{line}:{column})"),
        }
    }
}

impl std::error::Error for Fault {}

/// Cuts a text at a character's boundary.
pub(crate) fn truncate(text: &mut String, bytes: usize) {
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes));
        text.push('…');
    }
}
