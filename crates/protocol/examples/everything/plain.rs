//! Tools that ask nobody anything.

use std::time::Duration;

use protocol::{Capability, Content, Context, Error, Json, LogLevel, Reply, ResourceContents, ToolCall, ToolResult};
use serde_json::{Value, json};

use crate::{Everything, ToolReply};

/// A red picture of one pixel.
pub(crate) const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7wAAAABJRU5ErkJggg==";
/// Silence.
const WAV: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=";

pub(crate) fn arguments(call: &ToolCall<'_>) -> Value {
    call.arguments.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_else(|| json!({}))
}

/// An argument that must be a string, or the result that tells the model so.
fn string(arguments: &Value, name: &str) -> Result<String, ToolResult> {
    arguments[name]
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| ToolResult::error(format!("Argument {name:?} must be a string")))
}

fn content(blocks: Vec<Content>) -> ToolResult {
    ToolResult { content: blocks, ..ToolResult::default() }
}

pub(crate) async fn call(server: &Everything, context: &Context, call: &ToolCall<'_>) -> ToolReply {
    let image = Content::Image { data: PNG.into(), mime_type: "image/png".into() };
    let result = match call.name {
        "test_simple_text" => ToolResult::text("This is a simple text response for testing."),
        "test_image_content" => content(vec![image]),
        "test_audio_content" => content(vec![Content::Audio { data: WAV.into(), mime_type: "audio/wav".into() }]),
        "test_embedded_resource" => content(vec![Content::Embedded(ResourceContents::text(
            "test://embedded-resource",
            "text/plain",
            "This is an embedded resource content.",
        ))]),
        "test_multiple_content_types" => {
            let json = r#"{"test":"data","value":123}"#;
            let mixed = ResourceContents::text("test://mixed-content-resource", "application/json", json);
            content(vec![Content::text("Multiple content types test:"), image, Content::Embedded(mixed)])
        }
        "test_structured_content" => ToolResult::structured(Json::from(json!({ "tool": call.name, "answer": 42 }))),
        "test_error_handling" => ToolResult::error("This tool intentionally returns an error for testing"),
        "test_tool_with_logging" => with_logging(context).await,
        "test_tool_with_progress" => with_progress(context).await,
        "test_logging_tool" => {
            context.log(LogLevel::Emergency, Some("everything"), "The tool was called");
            ToolResult::text("Logging tool completed")
        }
        "test_reconnection" => {
            context.disconnect(500);
            tokio::time::sleep(Duration::from_millis(100)).await;
            ToolResult::text("Reconnection test completed")
        }
        "test_custom_header" => string(&arguments(call), "value").map_or_else(|error| error, ToolResult::text),
        "json_schema_2020_12_tool" => greet(&arguments(call)),
        "test_missing_capability" if context.supports(Capability::Sampling) => {
            ToolResult::text("The client can sample")
        }
        "test_missing_capability" => return Err(Error::missing_capability(Capability::Sampling)),
        _ => return trigger(server, call),
    };
    Ok(Reply::Done(result))
}

fn greet(arguments: &Value) -> ToolResult {
    let name = match &arguments["name"] {
        Value::String(name) => name,
        Value::Null if arguments["address"].is_object() => "world",
        Value::Null => return ToolResult::error("Give \"name\" (a string) or \"address\" (an object)"),
        _ => return ToolResult::error("Argument \"name\" must be a string"),
    };
    ToolResult::text(format!("Hello, {name}!"))
}

fn trigger(server: &Everything, call: &ToolCall<'_>) -> ToolReply {
    match call.name {
        "test_trigger_tool_change" => server.changes.tools_changed(),
        "test_trigger_prompt_change" => server.changes.prompts_changed(),
        "test_trigger_resource_update" => match string(&arguments(call), "uri") {
            Ok(uri) => server.changes.resource_updated(&uri),
            Err(error) => return Ok(Reply::Done(error)),
        },
        name => return Err(Error::invalid_params(format!("Unknown tool: {name}"))),
    }
    Ok(Reply::Done(ToolResult::text("The change was announced")))
}

async fn with_logging(context: &Context) -> ToolResult {
    for message in ["Tool execution started", "Tool processing data", "Tool execution completed"] {
        context.log(LogLevel::Info, Some("everything"), message);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    ToolResult::text("Logging test completed")
}

async fn with_progress(context: &Context) -> ToolResult {
    for (done, message) in [(0.0, "Started"), (50.0, "Half done"), (100.0, "Done")] {
        context.progress(done, Some(100.0), Some(message));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    ToolResult::text("Progress test completed")
}
