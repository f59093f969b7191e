//! Tools that run as tasks for clients that know tasks.

use std::time::Duration;

use protocol::{Capability, Context, Error, Reply, ToolCall, ToolResult};
use serde_json::json;

use crate::ToolReply;
use crate::asking::{field, form};
use crate::plain::arguments;

/// Answers the tools of this file.
pub(crate) async fn call(context: &Context, call: &ToolCall<'_>) -> Option<ToolReply> {
    let arguments = arguments(call);
    let reply = match call.name {
        "greet" => match arguments["name"].as_str() {
            Some(name) => ToolResult::text(format!("Hello, {name}!")),
            None => ToolResult::error("Argument \"name\" must be a string"),
        },
        "slow_compute" => {
            let seconds = arguments["seconds"].as_f64().unwrap_or(1.0).clamp(0.0, 600.0);
            let label = arguments["label"].as_str().unwrap_or("compute");
            tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
            ToolResult::text(format!("slow_compute({label}) done after {seconds}s"))
        }
        "failing_job" => {
            tokio::time::sleep(Duration::from_secs(1)).await;
            ToolResult::error("failing_job: intentional tool execution error")
        }
        "protocol_error_job" => {
            tokio::time::sleep(Duration::from_millis(200)).await;
            return Some(Err(Error::internal("protocol_error_job: intentional protocol-level failure")));
        }
        "confirm_delete" => return Some(confirm_delete(context, &arguments)),
        "multi_input" => return Some(multi_input(context)),
        "test_tool_with_task" => return Some(ask_then_task(context)),
        _ => return None,
    };
    Some(Ok(Reply::Done(reply)))
}

fn confirm_delete(context: &Context, arguments: &serde_json::Value) -> ToolReply {
    let filename = arguments["filename"].as_str().unwrap_or("file.txt");
    Ok(match context.input("confirm") {
        Some(answer) => {
            let confirmed = answer.value()["content"]["confirm"] == true;
            Reply::Done(ToolResult::text(format!("confirm_delete({filename}): confirmed = {confirmed}")))
        }
        None => {
            let properties = json!({ "confirm": { "type": "boolean" } });
            Reply::ask("confirm", form(&format!("Delete {filename}?"), properties, json!(["confirm"])))
        }
    })
}

fn multi_input(context: &Context) -> ToolReply {
    let value = |key: &str| field(context, key, "value").unwrap_or_else(|| "nothing".into());
    if context.input("input-a").is_some() && context.input("input-b").is_some() {
        let (a, b) = (value("input-a"), value("input-b"));
        return Ok(Reply::Done(ToolResult::text(format!("multi_input: a = {a}, b = {b}"))));
    }
    let question = |message: &str| form(message, json!({ "value": { "type": "string" } }), json!(["value"]));
    let questions = vec![("input-a".into(), question("Give value A")), ("input-b".into(), question("Give value B"))];
    Ok(Reply::ask_all(questions, None))
}

fn ask_then_task(context: &Context) -> ToolReply {
    if context.is_modern() && !context.supports(Capability::Tasks) {
        return Err(Error::missing_capability(Capability::Tasks));
    }
    let Some(name) = field(context, "user_name", "name") else {
        let properties = json!({ "name": { "type": "string" } });
        return Ok(Reply::ask("user_name", form("What is your name?", properties, json!(["name"]))));
    };
    Ok(Reply::Later(Box::pin(async move {
        tokio::time::sleep(Duration::from_millis(200)).await;
        Ok(Reply::Done(ToolResult::text(format!("Hello, {name}! (async)"))))
    })))
}
