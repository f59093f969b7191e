//! Source text to a tree in which every key and value knows its place.
//!
//! Two readers make the same tree: YAML 1.2 (core schema) from `saphyr-parser`'s events, and JSON
//! by RFC 8259. Both work under the limits of [`crate::limits`] and never recurse deeper than
//! [`crate::limits::DEPTH_MAX`].

pub(crate) mod align;
pub(crate) mod json;
pub(crate) mod lines;
pub(crate) mod scalar;
pub(crate) mod tree;
pub(crate) mod yaml;

pub(crate) use lines::Lines;
pub(crate) use tree::{Entry, Key, Node, Style, Value};

use base::Source;

use crate::codes;
use crate::limits;
use crate::report::Report;

/// How a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// YAML 1.2, of which JSON is a part.
    Yaml,
    /// JSON by RFC 8259.
    Json,
}

/// The format of a text whose format nobody told: JSON when it starts with `{` or `[`.
pub(crate) fn detect(text: &str) -> Format {
    match text.trim_start_matches('\u{feff}').trim_start().as_bytes().first() {
        Some(b'{' | b'[') => Format::Json,
        _ => Format::Yaml,
    }
}

/// Reads a document. Without a tree the report has the reason.
pub(crate) fn read(source: Source<'_>, format: Option<Format>, lines: &Lines<'_>, report: &mut Report) -> Option<Node> {
    if source.text.len() > limits::DOCUMENT_BYTES_MAX {
        report.push(too_large());
        return None;
    }
    match format {
        Some(Format::Yaml) => yaml::read(lines, report),
        Some(Format::Json) => json::read(lines, report),
        None if detect(source.text) == Format::Yaml => yaml::read(lines, report),
        None => read_braced(source, lines, report),
    }
}

/// A text that starts with a brace is JSON; one that is not quite JSON but is good YAML is taken
/// as YAML, unless its name says JSON: then the JSON error is the helpful one.
fn read_braced(source: Source<'_>, lines: &Lines<'_>, report: &mut Report) -> Option<Node> {
    let mut as_json = Report::default();
    let tree = json::read(lines, &mut as_json);
    if as_json.is_clean() {
        return tree;
    }
    if !says_json(source.name) {
        let mut as_yaml = Report::default();
        let tree = yaml::read(lines, &mut as_yaml);
        if as_yaml.is_clean() || says_yaml(source.name) {
            report.append(as_yaml);
            return tree;
        }
    }
    report.append(as_json);
    tree
}

fn says_json(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with(".json") || name == "<json>" || name == "--json"
}

fn says_yaml(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with(".yaml") || name.ends_with(".yml")
}

/// How large it is nobody knows: files are read up to the limit.
pub(crate) fn too_large() -> base::Diagnostic {
    let most = limits::DOCUMENT_BYTES_MAX;
    base::Diagnostic::error(codes::DOCUMENT_TOO_LARGE, format!("the document has more than {most} bytes"))
        .help("split it into several servers, or move large texts into files that they read")
}
