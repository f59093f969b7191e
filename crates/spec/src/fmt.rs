//! Formatting: the same document, laid out evenly.
//!
//! JSON is printed with two spaces per level. YAML keeps its comments, quotes, key order and block
//! texts; only indentation, trailing space and blank lines change. The result is read again and
//! compared with the original, so that a layout that would change a value is never given.

use base::{Diagnostic, Source};

use crate::report::Report;
use crate::syntax::{self, Format, Lines, Node, Value};

mod layout;

/// Lays a spec out evenly. Comments and values stay; formatting twice is formatting once.
///
/// # Errors
/// The problems of a text that cannot be read. Whether it is a good spec does not matter.
pub fn fmt(text: &str) -> Result<String, Vec<Diagnostic>> {
    if text.len() > crate::limits::DOCUMENT_BYTES_MAX {
        return Err(vec![syntax::too_large()]);
    }
    let tree = read(text, None)?;
    if syntax::detect(text) == Format::Json && read(text, Some(Format::Json)).is_ok() {
        let pretty = serde_json::to_string_pretty(&tree.to_json()).unwrap_or_default();
        return Ok(pretty + "\n");
    }
    let plain = text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n");
    if !is_same(&plain, &tree) {
        return Ok(text.to_owned());
    }
    let mut laid_out = pass(&plain, &tree);
    // One pass settles all but odd layouts, whose lines move relative to lines that move.
    for _ in 0..PASSES_MAX {
        let again = pass(&laid_out, &tree);
        if again == laid_out {
            break;
        }
        laid_out = again;
    }
    Ok(laid_out)
}

/// Most passes over one text.
const PASSES_MAX: usize = 4;

/// One pass; `tree` has the values that must come out.
fn pass(text: &str, tree: &Node) -> String {
    // YAML in braces is only tidied: comments may stand anywhere in it.
    if syntax::detect(text) == Format::Json {
        return tidied(text, tree);
    }
    let even = read(text, None).ok().and_then(|own| layout::even(text, &own));
    even.filter(|new| is_same(new, tree)).unwrap_or_else(|| tidied(text, tree))
}

fn read(text: &str, format: Option<Format>) -> Result<Node, Vec<Diagnostic>> {
    let mut report = Report::default();
    let lines = Lines::new(text);
    let tree = syntax::read(Source { name: "", text }, format, &lines, &mut report);
    match tree {
        Some(tree) if !report.has_errors() => Ok(tree),
        _ => Err(report.finish(false).0),
    }
}

/// Trailing space and the end of the file put right, if that changes no value; else the text.
fn tidied(text: &str, tree: &Node) -> String {
    let mut new: String = text.lines().flat_map(|line| [line.trim_end(), "\n"]).collect();
    new.truncate(new.trim_end().len());
    new.push('\n');
    if is_same(&new, tree) { new } else { text.to_owned() }
}

fn is_same(text: &str, tree: &Node) -> bool {
    read(text, None).is_ok_and(|other| equal(&other, tree))
}

/// Whether two trees hold the same values, wherever they stand.
fn equal(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (Value::String(a, _), Value::String(b, _)) => a == b,
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.key.text == b.key.text && equal(&a.value, &b.value))
        }
        (a, b) => a == b,
    }
}
