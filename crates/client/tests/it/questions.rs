//! What servers ask the person behind a call.

use std::time::Duration;

use client::{Answering, Caller, Mode, Person, Protocol};
use connect::ErrorKind;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::world::{caller, object, piped};

/// A person who fills in forms after a while, and what they were asked.
#[derive(Default)]
struct Somebody {
    thinks: Duration,
    asked: Mutex<Vec<Value>>,
    waited: Mutex<Duration>,
    since: Mutex<Option<Instant>>,
}

impl Person for Somebody {
    fn can(&self, mode: Mode) -> bool {
        mode == Mode::Form
    }

    fn ask(&self, question: Value) -> Answering<'_> {
        Box::pin(async move {
            self.asked.lock().push(question);
            *self.since.lock() = Some(Instant::now());
            tokio::time::sleep(self.thinks).await;
            let since = self.since.lock().take().unwrap();
            *self.waited.lock() += since.elapsed();
            Ok(json!({ "action": "accept", "content": { "name": "Ann" } }))
        })
    }

    fn waited(&self) -> Duration {
        *self.waited.lock() + self.since.lock().map_or(Duration::ZERO, |since| since.elapsed())
    }
}

/// A program that opens a session, asks this within the first call, and gives the answer as its result.
fn asking(question: &str) -> Vec<String> {
    let hello = r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"f","version":"1"}}}"#;
    let script = format!(
        r#"read -r hello; echo '{hello}'; read -r opened; read -r call; echo '{question}'; read -r answer
           printf '{{"jsonrpc":"2.0","id":2,"result":{{"content":[],"structuredContent":%s}}}}\n' "$answer"; read -r end"#
    );
    vec!["-c".to_owned(), script]
}

fn question(mode: &str) -> String {
    json!({ "jsonrpc": "2.0", "id": "q", "method": "elicitation/create",
        "params": { "mode": mode, "message": "Who?", "requestedSchema": { "type": "object", "properties": {} } } })
    .to_string()
}

async fn answer_of(script: &[String], caller: Caller<'_>) -> Result<Value, connect::Error> {
    let words: Vec<&str> = script.iter().map(String::as_str).collect();
    let client = piped("sh", &words, Protocol::Initialize);
    client.call("any", &object(json!({})), caller).await.map(|result| result.structured.unwrap())
}

#[tokio::test]
async fn a_question_on_the_streams_of_a_program_reaches_the_person() {
    let cancel = CancellationToken::new();
    let person = Somebody { thinks: Duration::from_millis(1_500), ..Somebody::default() };
    // They take longer than the call may.
    let asked = Caller { person: Some(&person), ..caller(&cancel, 1) };
    let answer = answer_of(&asking(&question("form")), asked).await.unwrap();
    assert_eq!(
        answer,
        json!({ "jsonrpc": "2.0", "id": "q", "result": { "action": "accept", "content": { "name": "Ann" } } })
    );
    assert_eq!(person.asked.lock()[0]["message"], "Who?");
}

#[tokio::test]
async fn without_a_person_a_question_is_refused() {
    let cancel = CancellationToken::new();
    let answer = answer_of(&asking(&question("form")), caller(&cancel, 20)).await.unwrap();
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!("q"), &json!(-32601)));
    // Who fills in forms visits no pages, and nobody writes for a model.
    let person = Somebody::default();
    let sampling = json!({ "jsonrpc": "2.0", "id": "q", "method": "sampling/createMessage", "params": {} }).to_string();
    for question in [question("url"), question("dance"), sampling] {
        let asked = Caller { person: Some(&person), ..caller(&cancel, 20) };
        let answer = answer_of(&asking(&question), asked).await.unwrap();
        assert_eq!(answer["error"]["code"], -32601, "{question}");
    }
    assert!(person.asked.lock().is_empty());
}

#[tokio::test]
async fn a_call_ends_although_its_server_waits_for_a_person() {
    let cancel = CancellationToken::new();
    let person = Somebody { thinks: Duration::from_secs(60), ..Somebody::default() };
    let script = asking(&question("form"));
    let asked = Caller { person: Some(&person), ..caller(&cancel, 20) };
    let stop = async {
        while person.asked.lock().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        cancel.cancel();
    };
    let (outcome, ()) = tokio::join!(answer_of(&script, asked), stop);
    assert_eq!(outcome.unwrap_err().kind, ErrorKind::Cancelled);
}
