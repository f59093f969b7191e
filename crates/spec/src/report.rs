//! Where problems are gathered.

use base::{Diagnostic, Severity};

use crate::limits::DIAGNOSTICS_MAX;

/// Problems are kept up to this many and sorted, then cut to [`DIAGNOSTICS_MAX`]; beyond it they
/// are only counted, so that a hopeless document costs neither time nor memory.
const KEPT_MAX: usize = 5 * DIAGNOSTICS_MAX;

/// Longest message, label or line of help, bytes: a user's text in it may have any length.
const TEXT_BYTES_MAX: usize = 1_000;

fn shorten(text: &mut String) {
    if text.len() > TEXT_BYTES_MAX {
        text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
        text.push('…');
        text.shrink_to_fit();
    }
}

/// The problems found so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    diagnostics: Vec<Diagnostic>,
    errors: usize,
    dropped: usize,
}

impl Report {
    /// Adds a problem.
    pub(crate) fn push(&mut self, mut diagnostic: Diagnostic) {
        shorten(&mut diagnostic.message);
        shorten(&mut diagnostic.label);
        diagnostic.help.iter_mut().for_each(shorten);
        self.errors += usize::from(diagnostic.is_error());
        if self.is_full() {
            self.dropped += 1;
        } else {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Whether problems are only counted from here on.
    pub(crate) fn is_full(&self) -> bool {
        self.diagnostics.len() >= KEPT_MAX
    }

    /// Counts an error without describing it, for a report that is full.
    pub(crate) fn count_error(&mut self) {
        self.errors += 1;
        self.dropped += 1;
    }

    /// Adds the problems of another report.
    pub(crate) fn append(&mut self, other: Self) {
        self.dropped += other.dropped;
        for diagnostic in other.diagnostics {
            self.push(diagnostic);
        }
    }

    /// Whether nothing was found.
    pub(crate) fn is_clean(&self) -> bool {
        self.diagnostics.is_empty()
    }

    /// Whether an error was found.
    pub(crate) fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Whether an error lies within a byte range.
    pub(crate) fn has_error_within(&self, span: base::Span) -> bool {
        self.diagnostics
            .iter()
            .filter(|d| d.is_error())
            .any(|d| d.span.is_some_and(|at| span.start <= at.start && at.start < span.end.max(span.start + 1)))
    }

    /// The problems by position, at most [`DIAGNOSTICS_MAX`], and how many more there were.
    /// With `strict` every warning is an error.
    pub(crate) fn finish(mut self, strict: bool) -> (Vec<Diagnostic>, usize) {
        if strict {
            for diagnostic in &mut self.diagnostics {
                diagnostic.severity = Severity::Error;
            }
        }
        self.diagnostics.sort_by(|a, b| {
            let key = |d: &Diagnostic| (d.span.map_or(0, |span| span.start), std::cmp::Reverse(d.severity));
            key(a).cmp(&key(b)).then_with(|| a.code.cmp(&b.code)).then_with(|| a.message.cmp(&b.message))
        });
        self.diagnostics.dedup();
        let omitted = self.dropped + self.diagnostics.len().saturating_sub(DIAGNOSTICS_MAX);
        self.diagnostics.truncate(DIAGNOSTICS_MAX);
        (self.diagnostics, omitted)
    }
}
