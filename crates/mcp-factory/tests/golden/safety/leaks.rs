//! Secrets of every kind, with an API that says back all that it was told: none is in a result, an error, a log message or
//! on standard error, in whatever spelling.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::{Value, json};

use super::serve;
use crate::all;

/// Secrets with what has to be written in another way in JSON, in URLs, in HTML and in forms.
const SECRETS: [(&str, &str); 7] = [
    ("SECRET_A", "pa55\"wo\\rd/<a>&b=c+d%41"),
    ("SECRET_B", "b34r3r.t0k3n-_~+/=="),
    ("SECRET_C", "k3y with spaces & 'quotes'"),
    ("SECRET_D", "qu3ry=key&more?x#y z/\"+"),
    ("SECRET_E", "t3nant;with,commas:and\\backslashes"),
    ("SECRET_F", "p4th-s3cr3t-0123456789"),
    ("SECRET_H", "hm4c-s1gn1ng-k3y-0123456789"),
];
/// The one in a file.
const IN_FILE: &str = "f1le-s3cr3t-0123456789";

/// The spellings of a secret: as it is, in JSON once and twice, in URLs, in Base64 (with a user in front too).
fn spellings(secret: &str) -> Vec<String> {
    let quoted = |text: &str| Value::from(text).to_string().trim_matches('"').to_owned();
    let coded = |plus: bool| -> String {
        let each = secret.bytes().map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            b' ' if plus => "+".to_owned(),
            _ => format!("%{byte:02X}"),
        });
        each.collect()
    };
    let mut all = vec![
        secret.to_owned(),
        quoted(secret),
        quoted(&quoted(secret)),
        coded(false),
        coded(true),
        coded(false).to_lowercase(),
        STANDARD.encode(secret),
        URL_SAFE.encode(secret),
        STANDARD.encode(format!("ann:{secret}")),
        secret.bytes().map(|byte| format!("{byte:02x}")).collect(),
    ];
    all.dedup();
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_said_back() {
    let folder = tempfile::tempdir().unwrap();
    let fakes = all::start("127.0.0.1:0").await.unwrap();
    let file = folder.path().join("secret.txt");
    std::fs::write(&file, format!("{IN_FILE}\n")).unwrap();
    let spec = std::fs::read_to_string(crate::file("tests/safety/leaks.yaml")).unwrap();
    let spec = spec.replace("$folder", &folder.path().display().to_string());
    let mut variables: Vec<(&str, String)> = SECRETS.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    variables.push(("ECHO_URL", format!("{fakes}/echo")));
    variables.push(("ECHO_PLACE", format!("{fakes}/echo")));
    let mut session = serve(folder.path(), &spec, &["--allow-network", "127.0.0.1"], &variables).await;
    session.ask("logging/setLevel", &json!({ "level": "debug" })).await.unwrap();
    let listed = session.ask("tools/list", &json!({})).await.unwrap();
    let names: Vec<String> =
        listed["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect();
    let mut said = vec![("tools/list".to_owned(), listed.to_string())];
    for name in &names {
        let result = session.call(name, &json!({})).await.unwrap();
        // The API was reached, or nothing would be tested.
        assert!(!result.to_string().contains("not available"), "{name}: {result}");
        said.push((name.clone(), result.to_string()));
    }
    said.extend(session.notes().iter().map(|note| ("a notification".to_owned(), note.clone())));
    said.push(("standard error".to_owned(), session.close().await));
    let secrets = SECRETS.iter().map(|(_, value)| *value).chain([IN_FILE]);
    let spelled: Vec<String> = secrets.flat_map(spellings).collect();
    let mut leaks = Vec::new();
    for (name, text) in &said {
        // A blob is looked into.
        let blob = serde_json::from_str::<Value>(text).ok().and_then(|value| {
            let coded = value.pointer("/content/0/resource/blob")?.as_str()?.to_owned();
            String::from_utf8(STANDARD.decode(coded).ok()?).ok()
        });
        for spelling in &spelled {
            if text.contains(spelling.as_str()) || blob.as_ref().is_some_and(|blob| blob.contains(spelling.as_str())) {
                leaks.push(format!("{name} holds {spelling}: {text}"));
            }
        }
    }
    assert!(leaks.is_empty(), "{} leaks\n{}", leaks.len(), leaks.join("\n"));
}
