//! The labelled corpus. A case is a file: those of `valid` must be accepted, those of
//! `invalid` must be refused with exactly the codes of their name, `<CODE>[+<CODE>…]-slug.ext`. A code that
//! is a warning must be given as one, and be an error when strict. A file of `valid` may have
//! warnings: the codes of its name, in the same way.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use base::{Severity, Source};
use spec::{ParseOptions, Parsed};

/// The files of a folder of the corpus, sorted.
pub(crate) fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(folder);
    let mut files: Vec<PathBuf> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}

/// The codes in a file's name.
pub(crate) fn expected(path: &Path) -> BTreeSet<String> {
    let name = path.file_name().unwrap().to_string_lossy();
    let label = name.split('-').next().unwrap_or_default();
    label.split('+').filter(|code| code.len() == 6 && code.starts_with("MF")).map(str::to_owned).collect()
}

pub(crate) fn read(path: &Path, strict: bool) -> (Vec<u8>, Parsed) {
    let bytes = fs::read(path).unwrap();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let parsed = spec::parse_bytes(&name, &bytes, &ParseOptions { strict, format: None });
    (bytes, parsed)
}

fn found(parsed: &Parsed) -> BTreeSet<String> {
    parsed.diagnostics.iter().map(|d| d.code.clone()).collect()
}

fn rendered(bytes: &[u8], path: &Path, parsed: &Parsed) -> String {
    let text = String::from_utf8_lossy(bytes);
    let name = path.file_name().unwrap().to_string_lossy();
    let source = Source { name: &name, text: &text };
    parsed.diagnostics.iter().map(|d| d.render(source, false)).collect()
}

#[test]
fn valid_specs_are_accepted() {
    let mut wrong = Vec::new();
    let files = files("valid");
    for path in &files {
        let (bytes, parsed) = read(path, false);
        if parsed.spec.is_none() || found(&parsed) != expected(path) {
            wrong.push(format!("{}: {:?}\n{}", path.display(), found(&parsed), rendered(&bytes, path, &parsed)));
        }
    }
    println!("valid specs accepted: {} of {}", files.len() - wrong.len(), files.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The share of faults that must be caught before the first call, percent (S3-63). The codes of every
/// file are asserted as well, so in practice it is 100.
const CAUGHT_LEAST: usize = 95;

#[test]
fn invalid_specs_are_refused_with_their_codes() {
    let mut wrong = Vec::new();
    let mut caught = 0;
    let files = files("invalid");
    for path in &files {
        let (bytes, parsed) = read(path, false);
        let (_, strict) = read(path, true);
        let warnings_only = parsed.diagnostics.iter().all(|d| d.severity == Severity::Warning);
        let refused = strict.spec.is_none() && parsed.spec.is_some() == warnings_only;
        let (found, expected) = (found(&parsed), expected(path));
        caught += usize::from(refused && !found.is_disjoint(&expected));
        if !refused || found != expected {
            wrong.push(format!("{}: {found:?}\n{}", path.display(), rendered(&bytes, path, &parsed)));
        }
    }
    println!("faults caught: {caught} of {} ({:.1} %)", files.len(), percent(caught, files.len()));
    println!("with exactly the right codes: {} of {}", files.len() - wrong.len(), files.len());
    assert!(caught * 100 >= files.len() * CAUGHT_LEAST, "{caught} of {} caught", files.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[expect(clippy::cast_precision_loss, reason = "numbers of files")]
fn percent(part: usize, whole: usize) -> f64 {
    part as f64 * 100.0 / whole as f64
}

/// S3-19: the document of the requirements as it is printed there. Its two triggers call tools
/// that it does not declare: two warnings, and two errors when strict.
#[test]
fn the_source_document_has_two_warnings() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/valid/MF0705-source-document.yaml");
    let (_, parsed) = read(&path, false);
    let places: Vec<_> = parsed
        .diagnostics
        .iter()
        .map(|d| (d.code.as_str(), d.severity, d.span.map(|s| s.line), d.path.as_str()))
        .collect();
    let expected = [
        ("MF0705", Severity::Warning, Some(40), "/triggers/0/tool"),
        ("MF0705", Severity::Warning, Some(44), "/triggers/1/tool"),
    ];
    assert_eq!(places, expected);
    assert!(parsed.spec.is_some());
    let (_, strict) = read(&path, true);
    assert!(strict.spec.is_none());
    assert_eq!(strict.diagnostics.iter().filter(|d| d.is_error()).count(), 2);
}
