//! From the input of an operation to a request.

use connect::http::{Body, Call, Method};
use operations::operation::{self, Declared};
use serde_json::{Map, Value};

/// The request of an operation: placeholders from the input, the rest as query or body.
pub(super) fn of(declared: &Declared, input: &Value) -> Call {
    let mut fields: Map<String, Value> = input.as_object().cloned().unwrap_or_default();
    let parts: Vec<String> = declared
        .path
        .split('/')
        .map(|part| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) => encoded(&text(&fields.shift_remove(name).unwrap_or_default())),
            None => part.to_owned(),
        })
        .collect();
    let method = match declared.method {
        operation::Method::Get => Method::GET,
        operation::Method::Post => Method::POST,
        operation::Method::Delete => Method::DELETE,
    };
    let mut call = Call::new(method, parts.join("/"));
    call.headers.push(("accept".to_owned(), "application/json".to_owned()));
    if declared.method == operation::Method::Post {
        call.body = Body::Json(Value::Object(fields).to_string().into());
    } else {
        call.query = fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, text(&value)))
            .collect();
    }
    call
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A part of a path (RFC 3986, section 3.3).
fn encoded(part: &str) -> String {
    let mut out = String::with_capacity(part.len());
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use operations::Operation as _;
    use operations::all::{CallTool, List, Status};
    use serde_json::json;

    #[test]
    fn fields_go_into_path_query_and_body() {
        let call = super::of(&Status::DECLARED, &json!({"name": "a/b", "version": "1.0.0"}));
        assert_eq!((call.path.as_str(), call.query), ("/mcp/servers/a%2Fb", vec![("version".into(), "1.0.0".into())]));
        let call = super::of(&List::DECLARED, &json!({"limit": 5, "cursor": null}));
        assert_eq!((call.path.as_str(), call.query), ("/mcp/servers", vec![("limit".into(), "5".into())]));
        let call = super::of(&CallTool::DECLARED, &json!({"server": "a", "tool": "b", "arguments": {}}));
        assert_eq!(call.path, "/mcp/servers/a/tools/b");
        assert_eq!(call.body, connect::http::Body::Json("{\"arguments\":{}}".into()));
    }
}
