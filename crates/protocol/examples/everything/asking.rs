//! Tools that ask the client. Each is written once: for stateless clients the call ends with a question and is repeated
//! with the answer, for the others the question goes over their stream.

use bytes::Bytes;
use protocol::{Capability, Context, InputRequest, Json, Reply, ToolCall, ToolResult};
use serde_json::{Value, json};

use crate::ToolReply;
use crate::plain::arguments;

/// A form.
pub(crate) fn form(message: &str, properties: Value, required: Value) -> InputRequest {
    let schema = json!({ "type": "object", "properties": properties, "required": required });
    InputRequest::Elicit { message: message.into(), schema: Json::from(schema) }
}

fn sample(prompt: &str) -> InputRequest {
    let messages = json!([{ "role": "user", "content": { "type": "text", "text": prompt } }]);
    InputRequest::Sample(Json::from(json!({ "messages": messages, "maxTokens": 100 })))
}

/// A field of a form that the user filled in.
pub(crate) fn field(context: &Context, key: &str, name: &str) -> Option<String> {
    let content = context.input(key)?.value()["content"].take();
    content[name].as_str().map(str::to_owned)
}

fn done(text: impl Into<String>) -> ToolReply {
    Ok(Reply::Done(ToolResult::text(text.into())))
}

fn ask(key: &str, request: InputRequest) -> ToolReply {
    Ok(Reply::ask(key, request))
}

fn ask_name() -> InputRequest {
    form("What is your name?", json!({ "name": { "type": "string" } }), json!(["name"]))
}

/// Answers the tools of this file.
pub(crate) fn call(context: &Context, call: &ToolCall<'_>) -> Option<ToolReply> {
    if let Some(kind) = call.name.strip_prefix("test_input_required_result_") {
        return Some(input_required(context, kind));
    }
    Some(match call.name {
        "test_sampling" => sampling(context, call),
        "test_elicitation" => {
            let message = arguments(call)["message"].as_str().unwrap_or("Who are you?").to_owned();
            let text = |description: &str| json!({ "type": "string", "description": description });
            let properties = json!({ "username": text("Your name"), "email": text("Your address") });
            elicited(context, "User response", form(&message, properties, json!(["username", "email"])))
        }
        "test_elicitation_sep1034_defaults" => elicited(context, "Elicitation completed", with_defaults()),
        "test_elicitation_sep1330_enums" => elicited(context, "Enum elicitation completed", with_choices()),
        "test_streaming_elicitation" => match field(context, "value", "value") {
            Some(value) => done(format!("Value: {value}")),
            None => ask("value", form("Give a value", json!({ "value": { "type": "string" } }), json!(["value"]))),
        },
        _ => return None,
    })
}

fn sampling(context: &Context, call: &ToolCall<'_>) -> ToolReply {
    match context.input("reply") {
        Some(input) => {
            let reply = input.value();
            done(format!("LLM response: {}", reply["content"]["text"].as_str().unwrap_or("no text")))
        }
        None => ask("reply", sample(arguments(call)["prompt"].as_str().unwrap_or("Hello"))),
    }
}

fn elicited(context: &Context, label: &str, request: InputRequest) -> ToolReply {
    match context.input("form") {
        Some(input) => {
            let action = input.action().unwrap_or_default();
            let content = input.content().map_or("{}", |content| content.get());
            done(format!("{label}: action={action}, content={content}"))
        }
        None => ask("form", request),
    }
}

fn with_defaults() -> InputRequest {
    let properties = json!({
        "name": { "type": "string", "description": "Name", "default": "John Doe" },
        "age": { "type": "integer", "description": "Age", "default": 30 },
        "score": { "type": "number", "description": "Score", "default": 95.5 },
        "status": {
            "type": "string",
            "description": "Status",
            "enum": ["active", "inactive", "pending"],
            "default": "active",
        },
        "verified": { "type": "boolean", "description": "Verified", "default": true },
    });
    form("Please check these values", properties, json!([]))
}

fn with_choices() -> InputRequest {
    let titled = |words: [&str; 3]| {
        json!([
            { "const": "value1", "title": format!("First {}", words[0]) },
            { "const": "value2", "title": format!("Second {}", words[1]) },
            { "const": "value3", "title": format!("Third {}", words[2]) },
        ])
    };
    let plain = json!(["option1", "option2", "option3"]);
    let properties = json!({
        "untitledSingle": { "type": "string", "enum": plain },
        "titledSingle": { "type": "string", "oneOf": titled(["option"; 3]) },
        "legacyEnum": {
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option one", "Option two", "Option three"],
        },
        "untitledMulti": { "type": "array", "items": { "type": "string", "enum": plain } },
        "titledMulti": { "type": "array", "items": { "anyOf": titled(["choice"; 3]) } },
    });
    form("Please choose", properties, json!([]))
}

fn input_required(context: &Context, kind: &str) -> ToolReply {
    match kind {
        "elicitation" => match context.input("user_name") {
            Some(_) => {
                let name = field(context, "user_name", "name");
                done(format!("Hello, {}!", name.as_deref().unwrap_or("friend")))
            }
            None => ask("user_name", ask_name()),
        },
        "sampling" => match context.input("capital_question") {
            Some(answer) => {
                let answer = answer.value();
                done(format!("Sampling response: {}", answer["content"]["text"].as_str().unwrap_or("no text")))
            }
            None => ask("capital_question", sample("What is the capital of France?")),
        },
        "list_roots" => match context.input("client_roots") {
            Some(answer) => {
                let roots = answer.value()["roots"].take();
                let uris = roots.as_array().into_iter().flatten().filter_map(|root| root["uri"].as_str());
                done(format!("Client roots: [{}]", uris.collect::<Vec<_>>().join(", ")))
            }
            None => ask("client_roots", InputRequest::Roots),
        },
        "request_state" | "tampered_state" => match context.state() {
            Some(_) => done("Confirmed: state-ok"),
            None => {
                let confirm = form("Please confirm", json!({ "ok": { "type": "boolean" } }), json!(["ok"]));
                Ok(Reply::ask_all(vec![("confirm".into(), confirm)], Some(Bytes::from_static(b"confirm"))))
            }
        },
        "multiple_inputs" => multiple_inputs(context),
        "multi_round" => multi_round(context),
        _ => capabilities(context),
    }
}

fn multiple_inputs(context: &Context) -> ToolReply {
    let answered = ["user_name", "greeting", "client_roots"].iter().all(|key| context.input(key).is_some());
    if answered && context.state().is_some() {
        return done("All inputs received");
    }
    let questions = vec![
        ("user_name".into(), ask_name()),
        ("greeting".into(), sample("Write a greeting")),
        ("client_roots".into(), InputRequest::Roots),
    ];
    Ok(Reply::ask_all(questions, Some(Bytes::from_static(b"gather"))))
}

fn multi_round(context: &Context) -> ToolReply {
    let (key, question, field, next) = match context.state() {
        None => ("step1", "Step 1: what is your name?", "name", "1"),
        Some(b"1") => ("step2", "Step 2: what is your favourite colour?", "color", "2"),
        Some(_) => return done("Multi-round flow complete"),
    };
    let request = form(question, json!({ field: { "type": "string" } }), json!([field]));
    Ok(Reply::ask_all(vec![(key.into(), request)], Some(Bytes::from_static(next.as_bytes()))))
}

fn capabilities(context: &Context) -> ToolReply {
    if context.has_inputs() {
        return done("Capability-aware flow complete");
    }
    let mut questions = Vec::new();
    if context.supports(Capability::Elicitation) {
        questions.push(("user_name".into(), ask_name()));
    }
    if context.supports(Capability::Sampling) {
        questions.push(("greeting".into(), sample("Write a greeting")));
    }
    if context.supports(Capability::Roots) {
        questions.push(("client_roots".into(), InputRequest::Roots));
    }
    if questions.is_empty() {
        return done("The client can answer nothing");
    }
    Ok(Reply::ask_all(questions, None))
}
