//! Playing a case: its requests in order, and what they are answered.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::case::{Case, Step};
use crate::client::Session;
use crate::place::{Missing, Place};

/// Plays the case of a folder; the error says what differs.
pub(crate) async fn play(name: &str, folder: &Path) -> Result<(), String> {
    let case = Case::read(folder)?;
    let mut place = Place::default();
    let played = answers(&case, &mut place, folder).await;
    place.clear().await?;
    let answers = match played {
        Ok(answers) => answers,
        Err(Missing::Fault(fault)) => return Err(fault),
        Err(Missing::Service(reason)) => {
            skipped(&format!("golden {name}"), &reason);
            return Ok(());
        }
    };
    if std::env::var_os("UPDATE_CASES").is_some() {
        let text = format!("{}=== calls\n{answers}", case.head);
        return std::fs::write(folder.join("calls.case"), text).map_err(|error| error.to_string());
    }
    difference(&case.expected, &answers).map_or(Ok(()), Err)
}

async fn answers(case: &Case, place: &mut Place, source: &Path) -> Result<String, Missing> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    copy(source, folder.path())?;
    let mut variables = Vec::new();
    for (name, value) in &case.variables {
        variables.push((name.clone(), place.fill(value, folder.path()).await?));
    }
    let mut options = Vec::new();
    for option in &case.options {
        options.push(place.fill(option, folder.path()).await?);
    }
    // Calls may name what no variable does.
    for (_, step) in &case.steps {
        if let Step::Call { arguments: text, .. } | Step::Ask { params: text, .. } = step
            && text.contains("$unique")
        {
            place.fill("$unique", folder.path()).await?;
        }
    }
    let mut session = Session::open(folder.path(), &options, &variables).await?;
    let mut out = String::new();
    let mut last = Value::Null;
    for (line, step) in &case.steps {
        let read = |text: &str, place: &Place| {
            serde_json::from_str::<Value>(&place.known(text)).map_err(|error| format!("{line}: {error}"))
        };
        let _ = writeln!(out, "\n{line}");
        match step {
            Step::Call { tool, arguments } => {
                last = session.call(tool, &read(arguments, place)?).await?;
                out.push_str(&stable(&result(&last), case, place));
            }
            Step::Ask { method, params } => {
                last = session.ask(method, &read(params, place)?).await?;
                out.push_str(&stable(&format!("{last}\n"), case, place));
            }
            Step::Keep { name, pointer } => {
                let part = last.pointer(pointer).ok_or_else(|| format!("{line}: there is no such part in {last}"))?;
                place.keep(name, part.as_str().map_or_else(|| part.to_string(), str::to_owned));
            }
        }
    }
    let errors = session.close().await;
    if errors.contains("panicked") {
        return Err(Missing::Fault(errors));
    }
    Ok(out)
}

/// Copies the files of a case, and of the folders in it.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let told = |error: std::io::Error| format!("{}: {error}", from.display());
    for entry in std::fs::read_dir(from).map_err(told)? {
        let entry = entry.map_err(told)?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir(&target).map_err(told)?;
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target).map_err(told)?;
        }
    }
    Ok(())
}

/// A result as a case has it: `error:`, the structured content, then what is in the content besides it.
pub(crate) fn result(result: &Value) -> String {
    if let Some(error) = result.get("error") {
        return format!("refused {}: {}\n", error["code"], error["message"].as_str().unwrap_or_default());
    }
    let mut out = String::new();
    let failed = result["isError"] == true;
    let structured = result.get("structuredContent");
    if let Some(value) = structured.filter(|_| !failed) {
        let _ = writeln!(out, "{value}");
    }
    for content in result["content"].as_array().into_iter().flatten() {
        let text = content["text"].as_str().unwrap_or_default();
        // Revisions whose structured content is an object wrap what is none.
        let plain = structured.map(|value| {
            value.get("result").filter(|_| value.as_object().is_some_and(|map| map.len() == 1)).unwrap_or(value)
        });
        let same = || {
            plain.is_some_and(|plain| {
                plain.as_str() == Some(text)
                    || serde_json::from_str::<Value>(text)
                        .is_ok_and(|value| value == *plain || Some(&value) == structured)
            })
        };
        let _ = match content["type"].as_str().unwrap_or_default() {
            "text" if failed => writeln!(out, "error: {text}"),
            "text" if same() => Ok(()),
            "text" => writeln!(out, "text: {text}"),
            _ => writeln!(out, "content: {content}"),
        };
    }
    out
}

/// A text with what varies replaced.
fn stable(text: &str, case: &Case, place: &Place) -> String {
    let text = place.hide(text);
    case.varies.iter().fold(text, |text, (pattern, stands)| pattern.replace_all(&text, stands.as_str()).into_owned())
}

/// The first lines that differ.
fn difference(expected: &str, found: &str) -> Option<String> {
    if expected == found {
        return None;
    }
    let (mut wanted, mut seen) = (expected.lines(), found.lines());
    let mut request = String::new();
    loop {
        match (wanted.next(), seen.next()) {
            (None, None) => return Some("only the line ends differ".to_owned()),
            (left, right) if left == right => {
                if let Some(line) = left.filter(|line| line.starts_with(['>', '#'])) {
                    line.clone_into(&mut request);
                }
            }
            (left, right) => {
                let (left, right) = (left.unwrap_or("(the end)"), right.unwrap_or("(the end)"));
                return Some(format!("{request}\n- {left}\n+ {right}"));
            }
        }
    }
}

/// Tells that a test was left out; the test runner decides whether that may be.
pub(crate) fn skipped(test: &str, reason: &str) {
    let line = format!("{test}: {reason}\n");
    match std::env::var_os("MCP_FACTORY_SKIPS") {
        Some(path) => {
            let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
            file.and_then(|mut file| file.write_all(line.as_bytes())).expect("the list of skips can be written");
        }
        None => eprint!("SKIPPED {line}"),
    }
}
