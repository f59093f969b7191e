//! Request headers that repeat parts of the body (2026-07-28, Streamable HTTP).

use std::borrow::Cow;

use ::http::{HeaderMap, HeaderName};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::error::Error;

pub(crate) const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
pub(crate) const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
pub(crate) const METHOD: HeaderName = HeaderName::from_static("mcp-method");
pub(crate) const NAME: HeaderName = HeaderName::from_static("mcp-name");
pub(crate) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// An argument that a tool wants repeated in a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeaderRule {
    header: HeaderName,
    /// Names of the properties that lead to the argument.
    path: Box<[String]>,
}

impl HeaderRule {
    /// Finds the properties annotated with `x-mcp-header`, reachable through `properties` alone.
    pub(crate) fn collect(schema: &Value) -> Vec<Self> {
        let mut rules = Vec::new();
        descend(schema, &mut Vec::new(), &mut rules);
        rules
    }

    /// Compares the header with the argument.
    fn check(&self, headers: &HeaderMap, arguments: &Value) -> Result<(), Error> {
        let mut value = arguments;
        for name in &self.path {
            value = value.get(name).unwrap_or(&Value::Null);
        }
        let header = self.header.as_str();
        let Some(found) = single(headers, &self.header)? else {
            if value.is_null() {
                return Ok(());
            }
            let path = self.path.join(".");
            return Err(Error::header_mismatch(format!("Header {header} is missing; it must repeat argument {path}")));
        };
        let found = decode(found).ok_or_else(|| Error::header_mismatch(format!("Header {header} is not decodable")))?;
        let same = match value {
            Value::String(text) => *text == found,
            Value::Bool(flag) => found == if *flag { "true" } else { "false" },
            Value::Number(number) => same_number(number, &found),
            _ => false,
        };
        if same { Ok(()) } else { Err(Error::header_mismatch(format!("Header {header} does not match the body"))) }
    }
}

fn descend(schema: &Value, path: &mut Vec<String>, rules: &mut Vec<HeaderRule>) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    for (name, property) in properties {
        path.push(name.clone());
        if let Some(suffix) = property.get("x-mcp-header").and_then(Value::as_str)
            && let Ok(header) = HeaderName::try_from(format!("mcp-param-{suffix}"))
        {
            rules.push(HeaderRule { header, path: path.as_slice().into() });
        }
        descend(property, path, rules);
        path.pop();
    }
}

/// Checks every `Mcp-Param-*` header of a tool.
pub(crate) fn check_arguments(rules: &[HeaderRule], headers: &HeaderMap, arguments: Option<&str>) -> Result<(), Error> {
    if rules.is_empty() {
        return Ok(());
    }
    let arguments: Value = arguments.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    rules.iter().try_for_each(|rule| rule.check(headers, &arguments))
}

/// Checks `Mcp-Method`.
pub(crate) fn check_method(headers: &HeaderMap, method: &str) -> Result<(), Error> {
    match single(headers, &METHOD)? {
        Some(found) if found == method => Ok(()),
        Some(_) => Err(Error::header_mismatch("Header Mcp-Method does not match the method of the body")),
        None => Err(Error::header_mismatch("Header Mcp-Method is missing")),
    }
}

/// Checks `Mcp-Name`, the name or URI or task id of the body.
pub(crate) fn check_name(headers: &HeaderMap, name: &str) -> Result<(), Error> {
    let Some(found) = single(headers, &NAME)? else { return Err(Error::header_mismatch("Header Mcp-Name is missing")) };
    if found == name && !is_encoded(found) {
        return Ok(());
    }
    match decode(found) {
        Some(decoded) if decoded == name => Ok(()),
        Some(_) => Err(Error::header_mismatch("Header Mcp-Name does not match the body")),
        None => Err(Error::header_mismatch("Header Mcp-Name is not decodable")),
    }
}

/// The only value of a header. Two values, or characters outside visible ASCII, are refused: whoever routes by the header
/// and whoever reads the body must see the same.
pub(crate) fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Error> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    let twice = values.next().is_some();
    match first.to_str() {
        Ok(text) if !twice => Ok(Some(text.trim_matches([' ', '\t']))),
        _ => Err(Error::header_mismatch(format!("Header {name} has several values or invalid characters"))),
    }
}

const OPEN: &str = "=?base64?";
const CLOSE: &str = "?=";

fn is_encoded(text: &str) -> bool {
    text.starts_with(OPEN) && text.ends_with(CLOSE) && text.len() >= OPEN.len() + CLOSE.len()
}

fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !is_encoded(text) {
        return Some(text.into());
    }
    let bytes = STANDARD.decode(&text[OPEN.len()..text.len() - CLOSE.len()]).ok()?;
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// `42` and `42.0` are one number; beyond 2^53 the digits decide.
fn same_number(number: &serde_json::Number, text: &str) -> bool {
    if let (Some(left), Ok(right)) = (number.as_i128(), text.parse::<i128>()) {
        return left == right;
    }
    match (number.as_f64(), text.parse::<f64>()) {
        (Some(left), Ok(right)) => left.is_finite() && left == right,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use ::http::{HeaderMap, HeaderValue};
    use serde_json::json;

    use super::{HeaderRule, check_arguments, check_name};

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| ((*name).parse().unwrap(), HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn names_compare_after_decoding() {
        assert!(check_name(&headers(&[("mcp-name", "tool")]), "tool").is_ok());
        assert!(check_name(&headers(&[("mcp-name", "=?base64?SGVsbG8sIOS4lueVjA==?=")]), "Hello, 世界").is_ok());
        assert!(check_name(&headers(&[("mcp-name", "=?base64?!!?=")]), "x").is_err());
        assert!(check_name(&headers(&[("mcp-name", "other")]), "tool").is_err());
        assert!(check_name(&headers(&[]), "tool").is_err());
    }

    #[test]
    fn annotated_arguments_must_be_repeated() {
        let rules = HeaderRule::collect(&json!({ "properties": {
            "region": { "type": "string", "x-mcp-header": "Region" },
            "deep": { "type": "object", "properties": { "count": { "type": "integer", "x-mcp-header": "Count" } } },
        } }));
        assert_eq!(rules.len(), 2);
        let arguments = Some(r#"{"region":"us","deep":{"count":42}}"#);
        assert!(
            check_arguments(&rules, &headers(&[("mcp-param-region", "us"), ("mcp-param-count", "42.0")]), arguments)
                .is_ok()
        );
        assert!(check_arguments(&rules, &headers(&[("mcp-param-region", "us")]), arguments).is_err());
        assert!(
            check_arguments(&rules, &headers(&[("mcp-param-region", "eu"), ("mcp-param-count", "42")]), arguments)
                .is_err()
        );
        assert!(check_arguments(&rules, &headers(&[]), Some("{}")).is_ok());
    }
}
