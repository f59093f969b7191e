//! Parameters of requests, in the way of each era.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The stateless revision that is spoken.
pub(crate) const STATELESS: &str = "2026-07-28";
/// The newest revision that is opened by `initialize`.
pub(crate) const NEWEST_SESSION: &str = "2025-11-25";
/// The revisions that are opened by `initialize`, newest first.
pub(crate) const SESSIONS: [&str; 4] = [NEWEST_SESSION, "2025-06-18", "2025-03-26", "2024-11-05"];

/// Who we are.
pub(crate) fn own_name() -> Value {
    json!({ "name": "mcp-factory", "version": env!("CARGO_PKG_VERSION") })
}

/// `_meta` of a request: that of the stateless revision where it is spoken, and the token of its progress.
pub(crate) fn with_meta(mut params: Value, is_stateless: bool, token: Option<u64>, capabilities: Value) -> Value {
    let mut meta = json!({});
    if is_stateless {
        meta["io.modelcontextprotocol/protocolVersion"] = STATELESS.into();
        meta["io.modelcontextprotocol/clientInfo"] = own_name();
        meta["io.modelcontextprotocol/clientCapabilities"] = capabilities;
    }
    if let Some(token) = token {
        meta["progressToken"] = token.into();
    }
    if meta.as_object().is_some_and(|meta| !meta.is_empty()) {
        params["_meta"] = meta;
    }
    params
}

/// A value of a header that repeats a part of the body (2026-07-28): as it is, or as Base64 where a header cannot hold it.
pub(crate) fn header(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let plain = text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) && text.trim() == text;
    let looks_packed = text.starts_with("=?base64?") && text.ends_with("?=");
    Some(if plain && !looks_packed { text } else { format!("=?base64?{}?=", STANDARD.encode(text)) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::header;

    #[test]
    fn values_in_headers() {
        assert_eq!(header(&json!("echo")).as_deref(), Some("echo"));
        assert_eq!(header(&json!("Hello, 世界")).as_deref(), Some("=?base64?SGVsbG8sIOS4lueVjA==?="));
        assert_eq!(header(&json!("=?base64?x?=")).as_deref(), Some("=?base64?PT9iYXNlNjQ/eD89?="));
        assert_eq!(header(&json!(" a")).as_deref(), Some("=?base64?IGE=?="));
        assert_eq!(header(&json!(42)).as_deref(), Some("42"));
        assert_eq!(header(&json!(null)), None);
    }
}
