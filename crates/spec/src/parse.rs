//! From text to a spec, with everything that is wrong.

use base::{Diagnostic, Source};
use serde::Deserialize;

use crate::check;
use crate::codes;
use crate::limits::DOCUMENT_BYTES_MAX;
use crate::model::Spec;
use crate::report::Report;
use crate::structure;
use crate::syntax::{self, Format, Lines, Node};

/// How to read.
#[derive(Clone, Copy, Debug, Default)]
pub struct ParseOptions {
    /// Every warning is an error.
    pub strict: bool,
    /// The format; found out from the text when absent.
    pub format: Option<Format>,
}

/// What came out.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The spec, when there was no error.
    pub spec: Option<Spec>,
    /// What is wrong, by position, at most [`crate::limits::DIAGNOSTICS_MAX`].
    pub diagnostics: Vec<Diagnostic>,
    /// How many more problems there were.
    pub omitted: usize,
}

impl Parsed {
    /// Whether an error was found.
    pub fn has_errors(&self) -> bool {
        self.spec.is_none()
    }
}

/// Reads and checks a spec. Never panics, whatever the text; texts over the limits are refused
/// before they are looked at.
pub fn parse(source: Source<'_>, options: &ParseOptions) -> Parsed {
    let mut report = Report::default();
    if source.text.len() > DOCUMENT_BYTES_MAX {
        report.push(syntax::too_large());
        return finish(None, report, options);
    }
    let lines = Lines::new(source.text);
    let Some(tree) = syntax::read(source, options.format, &lines, &mut report) else {
        return finish(None, report, options);
    };
    let spec = read(tree, source, &lines, &mut report);
    let mut parsed = finish(spec, report, options);
    add_paths(&mut parsed.diagnostics, source, &lines, options);
    parsed
}

/// Reads and checks a spec from bytes; text that is not UTF-8 is a problem with a place.
pub fn parse_bytes(name: &str, bytes: &[u8], options: &ParseOptions) -> Parsed {
    let mut report = Report::default();
    if bytes.len() > DOCUMENT_BYTES_MAX {
        report.push(syntax::too_large());
        return finish(None, report, options);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => parse(Source { name, text }, options),
        Err(error) => {
            report.push(not_utf8(bytes, error.valid_up_to()));
            finish(None, report, options)
        }
    }
}

/// Reads YAML or JSON as plain data, with the same limits and the same problems as a spec.
///
/// # Errors
/// The problems of the text.
pub fn read_value(source: Source<'_>, format: Option<Format>) -> Result<serde_json::Value, Vec<Diagnostic>> {
    let mut report = Report::default();
    if source.text.len() > DOCUMENT_BYTES_MAX {
        report.push(syntax::too_large());
        return Err(report.finish(false).0);
    }
    match syntax::read(source, format, &Lines::new(source.text), &mut report) {
        Some(tree) if !report.has_errors() => Ok(tree.to_json()),
        _ => Err(report.finish(false).0),
    }
}

/// Gives problems that were found later, by their JSON pointers, their places in the text of the spec.
pub fn add_places(diagnostics: &mut [Diagnostic], source: Source<'_>, format: Option<Format>) {
    let is_lost = |diagnostic: &Diagnostic| diagnostic.span.is_none() && !diagnostic.path.is_empty();
    if !diagnostics.iter().any(is_lost) || source.text.len() > DOCUMENT_BYTES_MAX {
        return;
    }
    let lines = Lines::new(source.text);
    let Some(tree) = syntax::read(source, format, &lines, &mut Report::default()) else { return };
    for diagnostic in diagnostics.iter_mut().filter(|diagnostic| is_lost(diagnostic)) {
        diagnostic.span = tree.span_at(&diagnostic.path);
    }
}

fn not_utf8(bytes: &[u8], at: usize) -> Diagnostic {
    let good = String::from_utf8_lossy(&bytes[..at]);
    let span = Lines::new(&good).span(at, at);
    let message =
        format!("the file is not UTF-8 text: byte {at} is 0x{:02x}", bytes.get(at).copied().unwrap_or_default());
    let problem = Diagnostic::error(codes::NOT_UTF8, message).at(span);
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => problem.help("this looks like UTF-16: save the file as UTF-8"),
        [0x1f, 0x8b, ..] | [b'P', b'K', ..] => problem.help("this looks like a compressed file: unpack it first"),
        _ => problem.help("save the file as UTF-8"),
    }
}

fn read(tree: Node, source: Source<'_>, lines: &Lines<'_>, report: &mut Report) -> Option<Spec> {
    check::text::hidden_characters(&tree, lines, report);
    check::secrets::literals(&tree, report);
    let names = check::Names::of(&tree);
    let tree = structure::normalise(tree, source.text, report)?;
    let mut spec = match Spec::deserialize(tree.to_json()) {
        Ok(spec) => spec,
        Err(error) => {
            // The walk has checked what the types ask for; this is the net below it.
            if !report.has_errors() {
                report.push(Diagnostic::error(codes::WRONG_TYPE, error.to_string()).at(tree.span));
            }
            return None;
        }
    };
    check::choose_connections(&mut spec);
    check::places(&mut spec, &tree, lines);
    check::all(&spec, &tree, &names, lines, report);
    Some(spec)
}

fn finish(spec: Option<Spec>, report: Report, options: &ParseOptions) -> Parsed {
    let failed = report.has_errors() || options.strict && !report.is_clean();
    let (diagnostics, omitted) = report.finish(options.strict);
    Parsed { spec: spec.filter(|_| !failed), diagnostics, omitted }
}

/// Longest JSON pointer of a problem, bytes. A key may have the length of the document, and stand in
/// the pointer of every problem below it; the place in the text says enough then.
const POINTER_BYTES_MAX: usize = 4_096;

/// JSON pointers are found in the document as it was written, which is read again for them: most
/// documents have no problem, and those that have need not be kept in memory twice.
fn add_paths(diagnostics: &mut [Diagnostic], source: Source<'_>, lines: &Lines<'_>, options: &ParseOptions) {
    if diagnostics.iter().all(|diagnostic| diagnostic.span.is_none()) {
        return;
    }
    let Some(tree) = syntax::read(source, options.format, lines, &mut Report::default()) else { return };
    for diagnostic in diagnostics {
        if let (Some(span), true) = (diagnostic.span, diagnostic.path.is_empty()) {
            let path = tree.pointer_at(span.start);
            if path.len() <= POINTER_BYTES_MAX {
                diagnostic.path = path;
            }
        }
    }
}
