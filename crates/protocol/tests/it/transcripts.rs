//! Conversations kept as files: what the client sends, and what it must get.
//!
//! Lines begin with `>` (sent), `<` (received, equal as JSON), `<~` (received, has at least these members) or `#`.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, duplex, split};

use crate::sample::Sample;

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn every_transcript_is_followed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut names: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder of transcripts")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    names.sort();
    assert!(names.len() >= 5, "a transcript for every revision");
    for path in names {
        follow(&path).await;
    }
}

async fn follow(path: &Path) {
    let text = std::fs::read_to_string(path).expect("a transcript");
    let (client, server) = duplex(64 * 1024);
    let (input, output) = split(server);
    let serving = tokio::spawn(protocol::stdio::serve(Sample::endpoint(), input, output));
    let (received, mut sent) = split(client);
    let mut received = BufReader::new(received).lines();
    for (number, line) in text.lines().enumerate() {
        let place = || format!("{}:{}", path.display(), number + 1);
        if let Some(message) = line.strip_prefix('>') {
            sent.write_all(message.trim().as_bytes()).await.expect("sending");
            sent.write_all(b"\n").await.expect("sending");
        } else if let Some(expected) = line.strip_prefix('<') {
            let next = tokio::time::timeout(PATIENCE, received.next_line()).await;
            let next = next.unwrap_or_else(|_| panic!("{}: nothing came", place())).expect("receiving");
            let got: Value = serde_json::from_str(&next.unwrap_or_default()).expect("a message in JSON");
            let part = expected.strip_prefix('~');
            let wanted = part.unwrap_or(expected).trim();
            let wanted: Value = serde_json::from_str(wanted).unwrap_or_else(|fault| panic!("{}: {fault}", place()));
            let fits = if part.is_some() { contains(&got, &wanted) } else { got == wanted };
            assert!(fits, "{}\nwanted {wanted}\ngot    {got}", place());
        }
    }
    sent.shutdown().await.expect("closing");
    let rest = tokio::time::timeout(PATIENCE, received.next_line()).await.expect("an end").expect("receiving");
    assert_eq!(rest, None, "{}: more came than expected", path.display());
    serving.await.expect("no panic").expect("serving");
}

/// Whether `got` has every member of `wanted`.
fn contains(got: &Value, wanted: &Value) -> bool {
    match (got, wanted) {
        (Value::Object(got), Value::Object(wanted)) => {
            wanted.iter().all(|(key, wanted)| got.get(key).is_some_and(|got| contains(got, wanted)))
        }
        (Value::Array(got), Value::Array(wanted)) => {
            got.len() == wanted.len() && got.iter().zip(wanted).all(|(got, wanted)| contains(got, wanted))
        }
        _ => got == wanted,
    }
}
