//! The OpenAPI 3.1 document, made from the declarations of the operations.

use operations::operation::{Answers, Declared, Erased, Method};
use serde_json::{Map, Value, json};

/// The document.
pub fn document() -> Value {
    let mut paths = Map::new();
    for operation in operations::all::all() {
        let declared = operation.declared();
        let path = paths.entry(declared.path).or_insert_with(|| json!({}));
        path[declared.method.as_str().to_ascii_lowercase()] = entry(*operation);
    }
    for (path, about, kind) in PAGES {
        paths.insert((*path).to_owned(), page(path, about, kind));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "MCP Factory",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Makes and runs MCP servers from specifications.",
            "description": "The REST face of the control plane. Failures are problem documents (RFC 9457). A POST with an `Idempotency-Key` is done once. `ETag`, `If-Match` and `If-None-Match` work as in RFC 9110; servers alone have tags, and a change of something else is refused with them. MCP clients use `/mcp`.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "This control plane" }],
        "security": [{}, { "key": [] }],
        "tags": [
            { "name": "server", "description": "Servers and their versions." },
            { "name": "deployment", "description": "Running servers, and what they answered." },
            { "name": "spec", "description": "Specs." },
            { "name": "tool", "description": "Tools of servers." },
            { "name": "capability", "description": "What all servers can do." },
            { "name": "usage", "description": "How much is called." },
            { "name": "audit", "description": "Who did what." },
            { "name": "archive", "description": "Servers as archives." },
            { "name": "template", "description": "Specs to start from." },
            { "name": "job", "description": "Work that goes on after its request was answered." },
            { "name": "code", "description": "Codes of failures." },
            { "name": "key", "description": "API keys, and programs that were let in." },
            { "name": "account", "description": "People." },
            { "name": "policy", "description": "Who may use what." },
            { "name": "quota", "description": "How much owners may use." },
            { "name": "platform", "description": "The control plane itself." },
        ],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": { "type": "http", "scheme": "bearer", "description": "A key of this control plane." },
            },
            "schemas": { "Problem": problem(), "Job": job_schema() },
        },
    })
}

/// Pages that are no operations: path, what it is, type.
const PAGES: &[(&str, &str, &str)] = &[
    ("/livez", "Whether the process lives", "application/json"),
    ("/startupz", "The same as /readyz", "application/json"),
    ("/readyz", "Whether requests are wanted; with `?verbose` what that rests on", "application/json"),
    ("/healthz", "The same as /readyz", "application/json"),
    ("/metrics", "What was measured, for Prometheus", "text/plain"),
    ("/openapi.json", "This document", "application/json"),
    ("/docs", "This document as a page", "text/html"),
];

fn page(path: &str, about: &str, kind: &str) -> Value {
    let mut responses = json!({ "200": { "description": "The page", "content": { kind: { "schema": {} } } } });
    responses["4XX"] = failure("The host that was asked for is not served");
    if matches!(path, "/readyz" | "/startupz" | "/healthz") {
        responses["503"] = json!({ "description": "The process drains", "content": { kind: { "schema": {} } } });
    }
    let mut security = json!([{}]);
    if path == "/metrics" {
        // Where callers are known, one more is needed.
        let problem = json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
        for (status, about) in
            [("401", "Nobody is known by what was shown"), ("403", "The scope `metrics:read` is missing")]
        {
            responses[status] = json!({ "description": about, "content": problem });
        }
        security = json!([{ "key": [] }, {}]);
    }
    let id = path.trim_start_matches('/').replace('.', "-");
    json!({ "get": {
        "operationId": format!("page.{id}"),
        "summary": about,
        "description": format!("{about}."),
        "tags": ["platform"],
        "security": security,
        "responses": responses,
    }})
}

fn entry(operation: &dyn Erased) -> Value {
    let declared = operation.declared();
    let input = operation.input_schema();
    let group = declared.name.split('.').next().unwrap_or_default();
    let mut entry = json!({
        "operationId": declared.name,
        "summary": declared.title,
        "description": declared.description,
        "tags": [group],
        "x-scope": declared.scope.as_str(),
    });
    if let Some(tool) = declared.tool {
        entry["x-mcp-tool"] = tool.into();
    }
    let parameters = parameters(declared, &input);
    if !parameters.is_empty() {
        entry["parameters"] = parameters.into();
    }
    if declared.method == Method::Post {
        entry["requestBody"] = body(declared, input);
    }
    entry["responses"] = responses(declared, &operation.output_schema());
    if declared.name == super::events::OPERATION {
        let stream = json!({ "schema": { "type": "string", "description": "Events, each with an `id`" } });
        entry["responses"]["200"]["content"]["text/event-stream"] = stream;
        entry["responses"]["204"] = json!({ "description": "The job has ended, and everything was told" });
    }
    entry
}

fn parameters(declared: &Declared, input: &Value) -> Vec<Value> {
    let in_path: Vec<&str> = declared.placeholders().collect();
    let mut found = Vec::new();
    let properties = input["properties"].as_object().into_iter().flatten();
    for (name, schema) in properties {
        let path = in_path.contains(&name.as_str());
        if !path && declared.method == Method::Post {
            continue;
        }
        let mut schema = schema.clone();
        let about = schema.as_object_mut().and_then(|keys| keys.shift_remove("description")).unwrap_or_default();
        not_null(&mut schema);
        if path {
            schema["minLength"] = 1.into();
        }
        let place = if path { "path" } else { "query" };
        found.push(json!({ "name": name, "in": place, "required": path, "description": about, "schema": schema }));
    }
    let header = |name: &str, about: &str| {
        json!({ "name": name, "in": "header", "required": false, "description": about,
                "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" } })
    };
    if declared.job {
        found.push(json!({ "name": "async", "in": "query", "required": false,
            "description": "Answer at once with a job", "schema": { "type": "boolean" } }));
    }
    if declared.tries {
        found.push(json!({ "name": "Dry-Run", "in": "header", "required": false,
            "description": "Answer what it would do, and change nothing", "schema": { "type": "boolean" } }));
    }
    if declared.tagged {
        found.push(header("If-Match", "Do it only if the server has one of these tags, or `*`: if it exists"));
        found.push(header(
            "If-None-Match",
            "Do it only if the server has none of these tags, or `*`: if it does not exist",
        ));
    }
    if declared.method == Method::Post && !declared.secret {
        found.push(header("Idempotency-Key", "Makes the request safe to send again for a day"));
    }
    found
}

/// A query has no `null`: a parameter that may be left out simply is.
fn not_null(schema: &mut Value) {
    let Some(kinds) = schema.get_mut("type") else { return };
    let Some(all) = kinds.as_array_mut() else { return };
    all.retain(|kind| kind != "null");
    if let [one] = all.as_slice() {
        *kinds = one.clone();
    }
}

fn body(declared: &Declared, mut input: Value) -> Value {
    for name in declared.placeholders() {
        if let Some(properties) = input["properties"].as_object_mut() {
            properties.shift_remove(name);
        }
        if let Some(required) = input.get_mut("required").and_then(Value::as_array_mut) {
            required.retain(|required| required != name);
        }
    }
    let takes_spec = input["properties"].get("spec").is_some();
    let required = input["required"].as_array().is_some_and(|required| !required.is_empty());
    let mut content = json!({ "application/json": { "schema": input } });
    if takes_spec {
        content["application/json"]["examples"] = json!({
            "with options": { "value": { "spec": { "name": "hello", "tools": [{ "name": "greet", "parameters": {}, "reply": { "text": "Hello." } }] } } },
        });
        content["application/yaml"] = json!({ "schema": { "type": "string", "description": "The spec alone" } });
    }
    json!({ "required": required, "content": content })
}

fn failure(description: &str) -> Value {
    let problem = json!({ "schema": { "$ref": "#/components/schemas/Problem" } });
    json!({ "description": description, "content": { "application/problem+json": problem } })
}

fn responses(declared: &Declared, output: &Value) -> Value {
    let json = |schema: &Value| json!({ "application/json": { "schema": schema } });
    let mut tagged = json!({});
    if declared.method == Method::Get {
        tagged = json!({ "ETag": { "description": "Tag of the state that is shown", "schema": { "type": "string" } } });
    }
    let mut responses = json!({
        "200": { "description": "Done", "headers": tagged, "content": json(output) },
        "4XX": failure("It was refused"),
        "default": failure("A failure"),
    });
    if declared.answers == Answers::Made {
        responses["201"] = json!({ "description": "Made", "content": json(output),
            "headers": { "Location": { "description": "Where it is", "schema": { "type": "string" } } } });
    }
    if declared.method == Method::Get {
        responses["304"] = json!({ "description": "The caller has this state already" });
    }
    if declared.job {
        responses["202"] = json!({ "description": "A job was begun",
            "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Job" } } },
            "headers": { "Location": { "description": "The job", "schema": { "type": "string" } } } });
    }
    responses
}

fn job_schema() -> Value {
    operations::all::find("job.get").map(|job| job.output_schema()).unwrap_or_default()
}

fn problem() -> Value {
    json!({
        "type": "object",
        "required": ["type", "title", "status", "detail", "code", "kind", "requestId"],
        "properties": {
            "type": { "type": "string", "description": "Page of the code" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string", "description": "What was attempted and went wrong" },
            "code": { "type": "string", "pattern": "^MF[0-9]{4}$" },
            "kind": { "type": "string" },
            "exitCode": { "type": "integer", "description": "Exit code of the command line for the same failure" },
            "hints": { "type": "array", "items": { "type": "string" }, "description": "What to do" },
            "errors": { "type": "array", "description": "Problems in the caller's text", "items": {
                "type": "object",
                "required": ["code", "severity", "detail", "pointer"],
                "properties": {
                    "code": { "type": "string" },
                    "severity": { "enum": ["error", "warning"] },
                    "detail": { "type": "string" },
                    "pointer": { "type": "string", "description": "JSON pointer of the place" },
                    "line": { "type": "integer" },
                    "column": { "type": "integer" },
                    "help": { "type": "array", "items": { "type": "string" } },
                },
            } },
            "diagnostics": { "type": "array", "items": { "type": "object" } },
            "source": { "type": "object" },
            "requestId": { "type": "string" },
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    #[test]
    fn paths_differ_by_more_than_names_and_every_operation_tells_how_it_refuses() {
        let document = super::document();
        let mut known = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            // OpenAPI 3.1, section 4.8.8: templates that differ by the names of their parameters alone are the same path.
            let part = |part: &str| if part.starts_with('{') { "{}".to_owned() } else { part.to_owned() };
            let shape = path.split('/').map(part).collect::<Vec<_>>().join("/");
            assert!(known.insert(shape), "{path} is there twice");
            for (method, operation) in item.as_object().unwrap().iter().filter(|(_, operation)| operation.is_object()) {
                let refuses = |responses: &Value| responses.get("4XX").is_some();
                assert!(refuses(&operation["responses"]), "{method} {path}");
            }
        }
    }
}
