//! What there is: definitions of all tools, resources, templates and prompts.

use protocol::{
    Json, Listing, Prompt, PromptArgument, Resource, ResourceTemplate, TaskSupport, Tool, ToolCall, ToolResult,
};
use serde_json::{Value, json};

use crate::plain::arguments;

pub(crate) fn listing() -> Listing {
    Listing::builder()
        .tools(tools())
        .resources(vec![
            resource("test://static-text", "static-text", "A fixed text", "text/plain"),
            resource("test://static-binary", "static-binary", "A fixed picture", "image/png"),
            resource("test://watched-resource", "watched-resource", "A text that can be watched", "text/plain"),
        ])
        .templates(vec![ResourceTemplate {
            uri_template: "test://template/{id}/data".into(),
            name: "template".into(),
            description: Some("Data for any id".into()),
            mime_type: Some("application/json".into()),
            ..ResourceTemplate::default()
        }])
        .prompts(prompts())
        .build()
}

fn resource(uri: &str, name: &str, description: &str, mime_type: &str) -> Resource {
    Resource {
        uri: uri.into(),
        name: name.into(),
        description: Some(description.into()),
        mime_type: Some(mime_type.into()),
        ..Resource::default()
    }
}

fn empty() -> Value {
    json!({ "type": "object", "properties": {} })
}

fn text_argument(name: &str, description: &str) -> Value {
    json!({
        "type": "object",
        "properties": { name: { "type": "string", "description": description } },
        "required": [name],
    })
}

fn tools() -> Vec<Tool> {
    let mut tools = Vec::new();
    let mut add = |name: &str, description: &str, schema: Value| {
        tools.push(Tool::new(name, Json::from(schema)).describe(description));
    };
    add("test_simple_text", "Answers with text", empty());
    add("test_image_content", "Answers with a picture", empty());
    add("test_audio_content", "Answers with sound", empty());
    add("test_embedded_resource", "Answers with a resource in place", empty());
    add("test_multiple_content_types", "Answers with text, a picture and a resource", empty());
    add("test_structured_content", "Answers with structured data", empty());
    add("test_tool_with_logging", "Logs three messages while it runs", empty());
    add("test_error_handling", "Always fails", empty());
    add("test_tool_with_progress", "Reports progress three times while it runs", empty());
    add("test_sampling", "Lets the client's model answer a prompt", text_argument("prompt", "The prompt"));
    add("test_elicitation", "Asks the user for name and address", text_argument("message", "What to tell the user"));
    add("test_elicitation_sep1034_defaults", "Asks the user with a form that has defaults", empty());
    add("test_elicitation_sep1330_enums", "Asks the user with a form that has every kind of choice", empty());
    add("json_schema_2020_12_tool", "Takes arguments described with many words of JSON Schema", schema_2020_12());
    add("test_reconnection", "Lets the client go and come back for the answer", empty());
    let mut header = text_argument("value", "A value that the client repeats in a header");
    header["properties"]["value"]["x-mcp-header"] = "Value".into();
    add("test_custom_header", "Wants its argument repeated in the header Mcp-Param-Value", header);
    add("test_trigger_tool_change", "Announces a change of the tools", empty());
    add("test_trigger_prompt_change", "Announces a change of the prompts", empty());
    add("test_trigger_resource_update", "Announces a change of a resource", text_argument("uri", "The resource"));
    add("test_missing_capability", "Cannot run without the client's model", empty());
    add("test_streaming_elicitation", "Asks the user for a value", empty());
    add("test_logging_tool", "Logs one message", empty());
    for (suffix, description) in [
        ("elicitation", "Asks the user for a name"),
        ("sampling", "Asks the client's model a question"),
        ("list_roots", "Asks for the client's root folders"),
        ("request_state", "Keeps state between two calls"),
        ("multiple_inputs", "Asks three things at once"),
        ("multi_round", "Asks in two rounds"),
        ("tampered_state", "Refuses state that was changed"),
        ("capabilities", "Asks only what the client can answer"),
    ] {
        add(&format!("test_input_required_result_{suffix}"), description, empty());
    }
    tools.extend(task_tools());
    for tool in &mut tools {
        tool.output_schema = Some(Json::from(json!({
            "type": "object",
            "properties": { "tool": { "type": "string", "description": "The tool that answered" } },
            "required": ["tool"],
        })));
    }
    tools
}

/// What every tool answers besides its content.
pub(crate) fn add_structured(tool: &str, result: &mut ToolResult) {
    if result.structured.is_none() {
        result.structured = Some(Json::from(json!({ "tool": tool })));
        result.text_from_structured = false;
    }
}

/// A server must check arguments. Types and required members are enough for the schemas here.
pub(crate) fn wrong_arguments(listing: &Listing, call: &ToolCall<'_>) -> Option<ToolResult> {
    let tool = listing.tools().iter().find(|tool| tool.name == call.name)?;
    let schema: Value = serde_json::from_slice(tool.input_schema.as_bytes()).ok()?;
    let arguments = arguments(call);
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if arguments.get(name).is_none() {
            return Some(ToolResult::error(format!("Argument {name:?} is missing")));
        }
    }
    for (name, property) in schema["properties"].as_object()? {
        let fits = match (arguments.get(name), property["type"].as_str()) {
            (None, _) | (_, None) => true,
            (Some(value), Some("string")) => value.is_string(),
            (Some(value), Some("number")) => value.is_number(),
            (Some(value), Some(_)) => value.is_object(),
        };
        if !fits {
            let wanted = &property["type"];
            return Some(ToolResult::error(format!("Argument {name:?} must be of type {wanted}")));
        }
    }
    None
}

fn schema_2020_12() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "address",
                "type": "object",
                "properties": { "street": { "type": "string" }, "city": { "type": "string" } },
            },
        },
        "properties": { "name": { "type": "string" }, "address": { "$ref": "#/$defs/address" } },
        "allOf": [{ "anyOf": [{ "required": ["name"] }, { "required": ["address"] }] }],
        "if": { "required": ["address"] },
        "then": { "properties": { "address": { "required": ["street"] } } },
        "else": { "required": ["name"] },
        "additionalProperties": false,
    })
}

fn task_tools() -> Vec<Tool> {
    let seconds = json!({
        "type": "object",
        "properties": { "seconds": { "type": "number" }, "label": { "type": "string" } },
    });
    let filename = json!({ "type": "object", "properties": { "filename": { "type": "string" } } });
    let tool = |name: &str, description: &str, schema: Value, task: TaskSupport| {
        let mut tool = Tool::new(name, schema).describe(description);
        tool.task = task;
        tool
    };
    vec![
        tool("greet", "Greets at once, never as a task", text_argument("name", "Whom"), TaskSupport::Forbidden),
        tool("slow_compute", "Sleeps, then answers", seconds, TaskSupport::Optional),
        tool("failing_job", "Fails as a tool", empty(), TaskSupport::Required),
        tool("protocol_error_job", "Fails as a request", empty(), TaskSupport::Optional),
        tool("confirm_delete", "Asks the user before it answers", filename, TaskSupport::Required),
        tool("multi_input", "Asks the user two things at once", empty(), TaskSupport::Required),
        // Asks within the request, and only then becomes a task: it decides itself.
        tool("test_tool_with_task", "Asks for a name, then greets as a task", empty(), TaskSupport::Forbidden),
    ]
}

fn prompts() -> Vec<Prompt> {
    let prompt = |name: &str, description: &str, arguments: Vec<PromptArgument>| Prompt {
        name: name.into(),
        description: Some(description.into()),
        arguments,
        ..Prompt::default()
    };
    let argument = |name: &str, description: &str, required: bool| PromptArgument {
        name: name.into(),
        title: None,
        description: Some(description.into()),
        required,
    };
    vec![
        prompt("test_simple_prompt", "A fixed message", vec![]),
        prompt(
            "test_prompt_with_arguments",
            "A message with two arguments in it",
            vec![argument("arg1", "The first", true), argument("arg2", "The second", true)],
        ),
        prompt(
            "test_prompt_with_embedded_resource",
            "A message with a resource in place",
            vec![argument("resourceUri", "Its URI", true)],
        ),
        prompt("test_prompt_with_image", "A message with a picture", vec![]),
        prompt("test_input_required_result_prompt", "A message for which the user is asked first", vec![]),
    ]
}
