//! A toolset as a service of the protocol.

use std::sync::Arc;

use host::Hosted;
use protocol::{Completing, Context, Reference, Reply, Revision, Service as _, ToolCall};
use serde_json::value::RawValue;

use crate::world::{Place, Variables, World};

const SPEC: &str = "
name: demo-server
title: Demo
version: 2.1.0
instructions: Ask for greetings.
connections: [{name: db, type: sqlite, envVar: DATABASE_URL}]
tools:
  - name: greet
    description: Greets somebody.
    parameters: {tone: {type: string, enum: [warm, cold, cool], default: warm}}
    reply: {text: hello}
  - name: numbers
    description: Gives numbers.
    connection: db
    parameters: {least: {type: integer, required: true}}
    returns: {type: array, items: {type: object, properties: {n: {type: integer}}}}
    sql: SELECT 5 AS n WHERE :least <= 5
resources:
  - {uri: 'demo://about', name: about, text: A demo.}
  - {uri: 'demo://numbers/{least}', name: numbers, tool: numbers}
  - {uri: 'demo://greeting/{tone}', name: greeting, tool: greet}
prompts:
  - name: ask
    arguments: [{name: who, required: true, enum: [Ann, Bob, Bert]}]
    messages: [{role: user, text: 'Greet {{who}}.'}]
";

async fn world() -> World {
    World::new(Place::sqlite(), SPEC, &[], Variables::new()).await
}

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

#[tokio::test]
async fn everything_a_client_asks_for() {
    let world = world().await;
    let hosted = Hosted::new(world.toolset.clone());
    let context = Context::for_tests(Revision::V2025_11_25);
    assert_eq!((hosted.about().name.as_str(), hosted.about().version.as_str()), ("demo-server", "2.1.0"));
    let names: Vec<String> = hosted.listing(None).tools().iter().map(|tool| tool.name.clone()).collect();
    assert_eq!(names, ["greet", "numbers"]);

    let arguments = raw(r#"{"least":3}"#);
    let call = ToolCall { name: "numbers", arguments: Some(&arguments), meta: None };
    let Ok(Reply::Done(result)) = hosted.call_tool(&context, call).await else { panic!("an answer") };
    assert_eq!(result.structured.unwrap().as_str(), r#"[{"n":5}]"#);
    assert!(!result.is_error && result.text_from_structured);

    let read = |uri: &'static str| {
        let (hosted, context) = (&hosted, &context);
        async move {
            match hosted.read_resource(context, uri).await {
                Ok(Reply::Done(read)) => Ok(read.contents[0].body.to_string()),
                Ok(_) => panic!("an answer"),
                Err(error) => Err((error.code(Revision::V2025_11_25), error.message().to_owned())),
            }
        }
    };
    assert_eq!(read("demo://about").await.unwrap(), "A demo.");
    assert_eq!(read("demo://numbers/3").await.unwrap(), r#"[{"n":5}]"#);
    assert_eq!(read("demo://greeting/cold").await.unwrap(), "hello");
    assert_eq!(read("demo://nothing").await.unwrap_err().0, -32002);
    let (code, message) = read("demo://numbers/many").await.unwrap_err();
    assert_eq!(code, -32602);
    assert!(message.contains("`least`: \"many\" was sent; an integer is expected"), "{message}");

    let given = raw(r#"{"who":"Ann {{who}}"}"#);
    let prompt = protocol::PromptCall { name: "ask", arguments: Some(&given) };
    let Ok(Reply::Done(prompt)) = hosted.get_prompt(&context, prompt).await else { panic!("a prompt") };
    assert!(matches!(&prompt.messages[0].content, protocol::Content::Text(text) if text == "Greet Ann {{who}}."));
    let prompt = protocol::PromptCall { name: "ask", arguments: None };
    let error = hosted.get_prompt(&context, prompt).await.err().unwrap();
    assert_eq!(error.message(), "prompt `ask` needs the argument `who`");

    let ask = |reference, argument, value| Completing { reference, argument, value, context: None };
    let found = hosted.complete(&context, ask(Reference::Prompt("ask"), "who", "b")).await.unwrap();
    assert_eq!(found.values, ["Bob", "Bert"]);
    let found =
        hosted.complete(&context, ask(Reference::Resource("demo://greeting/{tone}"), "tone", "co")).await.unwrap();
    assert_eq!(found.values, ["cold", "cool"]);
}

#[tokio::test]
async fn a_replaced_toolset_is_announced() {
    let first = world().await;
    let hosted = Hosted::reloadable(first.toolset.clone());
    let before = hosted.listing(None);
    let text =
        "name: demo-server\ntools: [{name: other, description: Other., parameters: {}, reply: {json: {a: 1}}}]\n";
    let second = World::new(Place::sqlite(), text, &[], Variables::new()).await;
    hosted.replace(second.toolset.clone());
    let after = hosted.listing(None);
    assert!(!Arc::ptr_eq(&before, &after));
    assert_eq!(after.tools()[0].name, "other");
    let context = Context::for_tests(Revision::V2026_07_28);
    let call = ToolCall { name: "other", arguments: None, meta: None };
    let Ok(Reply::Done(result)) = hosted.call_tool(&context, call).await else { panic!("an answer") };
    assert_eq!(result.structured.unwrap().as_str(), r#"{"a":1}"#);
    let call = ToolCall { name: "othr", arguments: None, meta: None };
    let error = hosted.call_tool(&context, call).await.err().unwrap();
    assert_eq!(error.message(), "Unknown tool: `othr`; did you mean `other`?");
}
