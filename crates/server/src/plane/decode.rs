//! From a request to the input of an operation.

use base::Strict;
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use operations::operation::Method;
use operations::{Code, Error};
use serde_json::{Map, Value, json};

use super::routes::Route;

/// Stands for the name of a spec that is the body itself.
const BODY: &str = "<body>";
/// The query parameter that asks for a job.
pub(super) const ASYNC: &str = "async";

/// Joins path, query and body to the input. What the path says wins.
pub(super) fn input(
    route: &Route,
    path: Map<String, Value>,
    query: Option<&str>,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Value, Error> {
    let declared = route.operation.declared();
    let mut input = match declared.method {
        Method::Post => from_body(route, headers, body)?,
        Method::Get | Method::Delete => Map::new(),
    };
    for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        if declared.job && name == ASYNC {
            continue;
        }
        let value = match route.property(&name) {
            Some(schema) => typed(schema, &value),
            None => Value::from(value.as_ref()),
        };
        if input.insert(name.to_string(), value).is_some() {
            return Err(Error::new(Code::BadRequest, format!("`{name}` is given twice")).hint("give it once"));
        }
    }
    input.extend(path);
    Ok(Value::Object(input))
}

fn from_body(route: &Route, headers: &HeaderMap, body: &Bytes) -> Result<Map<String, Value>, Error> {
    let takes_spec = route.property("spec").is_some();
    let kind = headers.get(CONTENT_TYPE).map(|kind| kind.to_str().unwrap_or("?").to_ascii_lowercase());
    let kind = kind.as_deref().map(|kind| kind.split(';').next().unwrap_or_default().trim());
    match kind {
        None if body.is_empty() => Ok(Map::new()),
        Some(kind) if kind == "application/json" || kind.ends_with("+json") => from_json(body, takes_spec),
        Some("application/yaml" | "application/x-yaml" | "text/yaml" | "text/x-yaml") if takes_spec => {
            Ok(spec(body, "yaml")?)
        }
        kind => {
            let told = kind.map_or_else(|| "of no type".to_owned(), |kind| format!("`{kind}`"));
            let taken = if takes_spec { "`application/json` or `application/yaml`" } else { "`application/json`" };
            Err(Error::new(Code::MediaType, format!("the body is {told}, and {taken} is taken here"))
                .hint(format!("say what the body is: `Content-Type:` with {taken}")))
        }
    }
}

fn from_json(body: &Bytes, takes_spec: bool) -> Result<Map<String, Value>, Error> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    let unreadable = |error: serde_json::Error| {
        Error::new(Code::BadRequest, format!("the body is not JSON: {error}"))
            .hint("send one JSON object, UTF-8, and check it with a JSON parser")
    };
    match serde_json::from_slice(body).map_err(unreadable)? {
        // A spec that stands alone: its own text is kept, so that problems are told with their lines.
        Value::Object(keys) if takes_spec && !keys.contains_key("spec") && !keys.is_empty() => spec(body, "json"),
        // Which of two members of one name is meant is anybody's guess.
        Value::Object(_) => match serde_json::from_slice(body) {
            Ok(Strict(Value::Object(keys))) => Ok(keys),
            Ok(_) => Ok(Map::new()),
            Err(error) => Err(Error::new(Code::BadRequest, format!("in the body {error}")).hint("name it once")),
        },
        _ => Err(Error::new(Code::BadRequest, "the body is JSON, and not an object").hint("send one JSON object")),
    }
}

fn spec(body: &Bytes, format: &str) -> Result<Map<String, Value>, Error> {
    let text = std::str::from_utf8(body).map_err(|error| {
        Error::new(Code::BadRequest, format!("the spec is not UTF-8 text: {error}"))
            .hint("save the spec as UTF-8 and send it again")
    })?;
    let spec = json!({ "name": BODY, "text": text, "format": format });
    Ok(Map::from_iter([("spec".to_owned(), spec)]))
}

/// A text as the type that the schema names; what cannot be one stays a text, which the schema then refuses.
pub(super) fn typed(schema: &Value, text: &str) -> Value {
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let parsed = serde_json::from_str::<Value>(text).ok();
    match parsed {
        Some(value @ Value::Number(_)) if types.contains(&"integer") || types.contains(&"number") => value,
        Some(value @ Value::Bool(_)) if types.contains(&"boolean") => value,
        Some(value @ Value::Array(_)) if types.contains(&"array") => value,
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::typed;

    #[test]
    fn texts_become_what_the_schema_asks_for() {
        let cases = [
            (json!({"type": "integer"}), "5", json!(5)),
            (json!({"type": ["integer", "null"]}), "5", json!(5)),
            (json!({"type": "integer"}), "x", json!("x")),
            (json!({"type": "boolean"}), "true", json!(true)),
            (json!({"type": "string"}), "5", json!("5")),
            (json!({"type": ["string", "null"]}), "null", json!("null")),
            (json!(true), "5", json!("5")),
        ];
        for (schema, text, wanted) in cases {
            assert_eq!(typed(&schema, text), wanted, "{schema} {text}");
        }
    }
}
