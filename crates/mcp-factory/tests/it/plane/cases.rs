//! The REST table: a case is a file of `rest/`, a list of requests with what must come back.
//!
//! `headers` and `body` name the part that matters. A text that begins with `~` is looked for in the answer's text; `*`
//! is anything. `keep` puts a part of an answer into a variable, which `{NAME}` stands for from then on.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Plane;
use crate::world::World;

#[test]
fn every_request_is_answered_as_its_case_says() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/rest");
    let mut files: Vec<_> = std::fs::read_dir(folder).expect("the cases").map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 8, "only {} cases", files.len());
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a case");
        let steps: Vec<Value> = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {file:?}"));
        let world = World::with_shop();
        let plane = Plane::start(&world);
        let mut known = BTreeMap::new();
        for (number, step) in steps.iter().enumerate() {
            play(&plane, step, &mut known, &format!("{} step {}", file.display(), number + 1));
        }
    }
}

fn play(plane: &Plane, step: &Value, known: &mut BTreeMap<String, String>, place: &str) {
    let filled = |text: &str| {
        known.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    };
    let (method, path) = step["send"].as_str().expect("a request").split_once(' ').expect("method and path");
    let mut headers: Vec<(String, String)> = step["with"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), filled(value.as_str().expect("a header"))))
        .collect();
    let body = match &step["body"] {
        Value::Null => String::new(),
        Value::String(text) => filled(text),
        json => filled(&json.to_string()),
    };
    if step["body"].is_object() && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let answer = plane.send(method, &filled(path), &headers, &body);
    assert_eq!(Some(u64::from(answer.status)), step["status"].as_u64(), "{place}: {}", answer.body);
    for (name, wanted) in step["headers"].as_object().into_iter().flatten() {
        let found = answer.header(name).map_or(Value::Null, Value::from);
        same(&found, wanted, known, &format!("{place}: header {name}"));
    }
    match &step["answer"] {
        Value::Null => {}
        Value::String(wanted) => same(&Value::from(answer.body.as_str()), &Value::from(wanted.as_str()), known, place),
        wanted => same(&answer.json(), wanted, known, place),
    }
    for (name, pointer) in step["keep"].as_object().into_iter().flatten() {
        let pointer = pointer.as_str().expect("a pointer");
        let value = match pointer.strip_prefix("header ") {
            Some(header) => answer.header(header).map(str::to_owned),
            None => answer.json().pointer(pointer).and_then(Value::as_str).map(str::to_owned),
        };
        known.insert(name.clone(), value.unwrap_or_else(|| panic!("{place}: there is no {pointer}")));
    }
}

/// Whether what was found has everything that is wanted.
fn same(found: &Value, wanted: &Value, known: &BTreeMap<String, String>, place: &str) {
    match wanted {
        Value::String(text) if text == "*" => assert!(!found.is_null(), "{place}: nothing is there"),
        Value::String(text) if text.starts_with('~') => {
            let found = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
            assert!(found.contains(&text[1..]), "{place}: no {:?} in {found}", &text[1..]);
        }
        Value::String(text) => {
            let wanted =
                known.iter().fold(text.clone(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value));
            assert_eq!(found.as_str(), Some(wanted.as_str()), "{place}: {found}");
        }
        Value::Object(keys) => {
            for (name, wanted) in keys {
                same(&found[name], wanted, known, &format!("{place}/{name}"));
            }
        }
        Value::Array(items) => {
            assert_eq!(found.as_array().map(Vec::len), Some(items.len()), "{place}: {found}");
            for (index, wanted) in items.iter().enumerate() {
                same(&found[index], wanted, known, &format!("{place}/{index}"));
            }
        }
        other => assert_eq!(found, other, "{place}"),
    }
}
