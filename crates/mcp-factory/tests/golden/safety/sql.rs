//! Texts that try to be SQL, in every text that a tool of the examples takes.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{entries, serve};
use crate::file;
use crate::place::{Missing, Place, execute_on};
use crate::play::skipped;

/// The examples with SQL: the word of their database, and the variable of its URL.
const EXAMPLES: [(&str, &str, &str); 6] = [
    ("hr", "postgres", "HR_URL"),
    ("inventory-full", "postgres", "DATABASE_URL"),
    ("inventory-mcp", "postgres", "DATABASE_URL"),
    ("library", "mysql", "LIBRARY_URL"),
    ("notes", "sqlite", "NOTES_DB"),
    ("stock-report", "sqlite", "STOCK_URL"),
];

/// What must not be seen.
const SECRET: &str = "c4n4ry-s3cr3t";
/// No call may take so long: some texts ask the database to sleep for five seconds.
const PATIENCE: Duration = Duration::from_secs(4);

/// A value that a schema accepts.
fn example(schema: &Value) -> Value {
    if let Some(first) = schema["examples"].get(0).or_else(|| schema["enum"].get(0)).or_else(|| schema.get("default")) {
        return first.clone();
    }
    match schema["type"].as_str() {
        Some("integer" | "number") => schema["minimum"].as_i64().unwrap_or(1).into(),
        Some("boolean") => true.into(),
        Some("array") => json!([example(&schema["items"])]),
        Some("object") => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            properties.map(|(name, schema)| (name.clone(), example(schema))).collect()
        }
        _ => "text".into(),
    }
}

/// The places of texts in a schema, as pointers.
fn texts(schema: &Value, at: &str, found: &mut Vec<String>) {
    match schema["type"].as_str() {
        Some("string") if schema.get("enum").is_none() => found.push(at.to_owned()),
        Some("array") => texts(&schema["items"], &format!("{at}/0"), found),
        Some("object") => {
            for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
                texts(schema, &format!("{at}/{name}"), found);
            }
        }
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_stay_values_in_the_sql_of_every_example() {
    for (name, word, variable) in EXAMPLES {
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(file(&format!("tests/safety/examples/{name}.sql")), folder.path().join("seed.sql")).unwrap();
        let mut place = Place::default();
        let url = match place.fill(&format!("${word}"), folder.path()).await {
            Ok(url) => url,
            Err(Missing::Service(reason)) => {
                skipped(&format!("injection into {name}"), &reason);
                continue;
            }
            Err(Missing::Fault(fault)) => panic!("{fault}"),
        };
        let spec = std::fs::read_to_string(file(&format!("examples/{name}.yaml"))).unwrap();
        let tried = attack(folder.path(), &spec, variable, &url).await;
        assert!(tried > 0, "{name} has no text");
        let count = format!("INSERT INTO proof SELECT count(*) FROM canary WHERE secret = '{SECRET}'");
        execute_on(&url, &count).await.unwrap_or_else(|error| panic!("{name}: the canary is gone: {error}"));
        place.clear().await.unwrap();
    }
}

/// Calls every tool with every text in every place; gives how many places there are.
async fn attack(folder: &std::path::Path, spec: &str, variable: &str, url: &str) -> usize {
    let mut session = serve(folder, spec, &["--transport", "stdio"], &[(variable, url.to_owned())]).await;
    let listed = session.ask("tools/list", &json!({})).await.unwrap();
    let mut tried = 0;
    for tool in listed["tools"].as_array().unwrap() {
        let (name, schema) = (tool["name"].as_str().unwrap(), &tool["inputSchema"]);
        let mut places = Vec::new();
        texts(schema, "", &mut places);
        places.retain(|place| place != "/cursor");
        tried += places.len();
        for (place, text) in
            places.iter().flat_map(|place| entries("sql.txt").into_iter().map(move |text| (place, text)))
        {
            let mut arguments = example(schema);
            arguments.as_object_mut().unwrap().remove("cursor");
            *arguments.pointer_mut(place).unwrap() = text.as_str().into();
            let began = Instant::now();
            let result = session.call(name, &arguments).await.unwrap();
            let said = result.to_string();
            assert!(began.elapsed() < PATIENCE, "{name} {arguments} took {:?}", began.elapsed());
            assert!(!said.contains(SECRET), "{name} {arguments}: {said}");
            let lower = said.to_lowercase();
            let syntax = ["syntax error", "sql syntax", "unterminated", "unrecognized token", "unclosed"];
            assert!(!syntax.iter().any(|word| lower.contains(word)), "{name} {arguments} reached the parser: {said}");
        }
        // What is no text takes none.
        for (key, schema) in schema["properties"].as_object().into_iter().flatten() {
            if schema["type"] == "integer" {
                let mut arguments = example(&tool["inputSchema"]);
                arguments[key] = "1 OR 1=1".into();
                let result = session.call(name, &arguments).await.unwrap();
                assert_eq!(result["isError"], true, "{name} {arguments}: {result}");
            }
        }
    }
    session.close().await;
    tried
}
