//! What another server answers.

use serde_json::{Map, Value};

/// What a tool of another server answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolResult {
    /// The content blocks, as they came.
    pub content: Vec<Value>,
    /// The structured result.
    pub structured: Option<Value>,
    /// Whether the tool says that it failed.
    pub is_error: bool,
}

/// A tool of another server, as it is listed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: Option<String>,
    /// JSON Schema of its arguments.
    pub input: Value,
    /// JSON Schema of its structured result.
    pub output: Option<Value>,
    /// Whether it says of itself that it changes nothing.
    pub is_read_only: bool,
}

impl ToolResult {
    /// Reads a result; nothing when it is none of a tool.
    pub(crate) fn read(mut result: Value) -> Option<Self> {
        let fields = result.as_object_mut()?;
        let content = match fields.remove("content") {
            Some(Value::Array(items)) => items,
            // 2024-10-07 and before; some servers still send it.
            None if fields.contains_key("toolResult") || fields.contains_key("structuredContent") => Vec::new(),
            _ => return None,
        };
        let structured = fields.remove("structuredContent").or_else(|| fields.remove("toolResult"));
        let is_error = fields.get("isError").and_then(Value::as_bool).unwrap_or_default();
        Some(Self { content, structured: structured.filter(|value| !value.is_null()), is_error })
    }
}

impl Tool {
    pub(crate) fn read(tool: &Value) -> Option<Self> {
        let text = |key: &str| tool.get(key).and_then(Value::as_str).map(str::to_owned);
        let hints = tool.get("annotations");
        Some(Self {
            name: text("name")?,
            description: text("description"),
            input: tool.get("inputSchema").cloned().unwrap_or_else(|| Value::Object(Map::new())),
            output: tool.get("outputSchema").filter(|schema| schema.is_object()).cloned(),
            is_read_only: hints.and_then(|hints| hints.get("readOnlyHint")?.as_bool()).unwrap_or_default(),
        })
    }

    /// The arguments that Streamable HTTP repeats in headers (2026-07-28): the header, and the names that lead to the argument.
    pub(crate) fn headers(&self) -> Vec<(String, Vec<String>)> {
        let mut found = Vec::new();
        descend(&self.input, &mut Vec::new(), &mut found);
        found
    }
}

fn descend(schema: &Value, path: &mut Vec<String>, found: &mut Vec<(String, Vec<String>)>) {
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        path.push(name.clone());
        if let Some(suffix) = property.get("x-mcp-header").and_then(Value::as_str) {
            found.push((format!("mcp-param-{suffix}"), path.clone()));
        }
        descend(property, path, found);
        path.pop();
    }
}
