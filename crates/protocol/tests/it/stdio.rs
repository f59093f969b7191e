//! What is special about a pair of streams.

use std::time::Duration;

use protocol::{EndpointOptions, RuntimeOptions};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex, split};

use crate::sample::Sample;
use crate::wire::modern_body;

/// Everything that is written until the output ends, when this is sent and then the input ends.
async fn converse(runtime: RuntimeOptions, input: &[u8]) -> Vec<Value> {
    let endpoint = Sample::endpoint_with(runtime, EndpointOptions::default());
    let (client, server) = duplex(1 << 20);
    let (read, write) = split(server);
    let serving = tokio::spawn(protocol::stdio::serve(endpoint, read, write));
    let (mut received, mut sent) = split(client);
    sent.write_all(input).await.unwrap();
    sent.shutdown().await.unwrap();
    let mut output = String::new();
    tokio::time::timeout(Duration::from_secs(20), received.read_to_string(&mut output)).await.expect("an end").unwrap();
    serving.await.unwrap().unwrap();
    output.lines().map(|line| serde_json::from_str(line).expect("only messages are written")).collect()
}

#[tokio::test]
async fn requests_run_side_by_side_and_end_before_the_output_does() {
    let slow = modern_body(1, "tools/call", r#""name":"slow""#);
    let fast = modern_body(2, "tools/call", r#""name":"rows""#);
    let answers = converse(RuntimeOptions::default(), format!("{slow}\n{fast}\n").as_bytes()).await;
    assert_eq!((&answers[0]["id"], &answers[1]["id"]), (&2.into(), &1.into()));
}

#[tokio::test]
async fn a_thousand_piped_requests_are_all_answered() {
    const SENT: usize = 1_000;
    let lines = |id: usize| modern_body(id.try_into().unwrap(), "tools/call", r#""name":"slow""#) + "\n";
    let answers = converse(RuntimeOptions::default(), (0..SENT).map(lines).collect::<String>().as_bytes()).await;
    let good = answers.iter().filter(|answer| answer.get("result").is_some()).count();
    assert_eq!((answers.len(), good), (SENT, SENT));
}

#[tokio::test]
async fn long_lines_are_skipped_and_the_next_is_read() {
    let runtime = RuntimeOptions { max_line: 1_000, ..RuntimeOptions::default() };
    let line = modern_body(3, "tools/list", "");
    let answers = converse(runtime, format!("{}\n\r\n{line}\r\n", "x".repeat(200_000)).as_bytes()).await;
    assert_eq!((&answers[0]["error"]["code"], &answers[1]["id"]), (&(-32600).into(), &3.into()));
    assert_eq!(answers.len(), 2);
}

#[tokio::test]
async fn a_last_line_without_its_end_is_read() {
    let line = modern_body(4, "server/discover", "");
    assert_eq!(converse(RuntimeOptions::default(), line.as_bytes()).await[0]["id"], 4);
}

#[tokio::test]
async fn blanks_at_the_end_are_no_message() {
    let line = modern_body(4, "server/discover", "");
    let answers = converse(RuntimeOptions::default(), format!("{line}\n \t ").as_bytes()).await;
    assert_eq!((answers.len(), &answers[0]["id"]), (1, &4.into()));
}

#[tokio::test]
async fn who_forgot_to_initialize_is_told_in_words_that_fit_a_pipe() {
    let line = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let answers = converse(RuntimeOptions::default(), format!("{line}\n").as_bytes()).await;
    let told = answers[0]["error"]["message"].as_str().unwrap();
    assert!(told.contains("initialize") && !told.contains("Mcp-Session-Id"), "{told}");
}

#[tokio::test]
async fn line_breaks_inside_messages_are_not_written() {
    let pretty = modern_body(5, "tools/call", "\"name\":\"echo\",\"arguments\":{ \r \"a\": 1 }");
    let answers = converse(RuntimeOptions::default(), format!("{pretty}\n").as_bytes()).await;
    assert_eq!(answers[0]["result"]["structuredContent"]["a"], 1);
}
