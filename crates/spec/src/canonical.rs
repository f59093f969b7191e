//! The canonical form of a spec and its digest.

use base::Digest;
use serde_json::Value;

use crate::model::Spec;

impl Spec {
    /// The canonical form: the JSON of the model with sorted keys and without white space, in the
    /// manner of RFC 8785. Documents that mean the same have the same canonical form, whatever
    /// their format, dialect, key order and comments. It is itself a spec.
    pub fn canonical_json(&self) -> String {
        let mut out = String::new();
        // A model without maps of other keys than text always serializes.
        let mut value = serde_json::to_value(self).unwrap_or_default();
        sort_sets(&mut value);
        write(&value, &mut out);
        out
    }

    /// The digest of the canonical form.
    pub fn digest(&self) -> Digest {
        Digest::of(self.canonical_json().as_bytes())
    }
}

/// Lists whose order means nothing: the parameters of a tool (a map in the other dialect) and the
/// `required` names of schemas.
fn sort_sets(value: &mut Value) {
    for tool in value.get_mut("tools").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(parameters) = tool.get_mut("parameters").and_then(Value::as_array_mut) {
            parameters.sort_by(|a, b| a["name"].as_str().cmp(&b["name"].as_str()));
            parameters.iter_mut().filter_map(|parameter| parameter.get_mut("schema")).for_each(sort_required);
        }
        if let Some(returns) = tool.get_mut("returns") {
            sort_required(returns);
        }
    }
}

fn sort_required(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                match value {
                    // Values that are data, not schemas.
                    _ if matches!(key.as_str(), "default" | "enum" | "const" | "examples") => {}
                    Value::Array(names) if key == "required" => names.sort_by(|a, b| a.as_str().cmp(&b.as_str())),
                    value => sort_required(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(sort_required),
        _ => {}
    }
}

/// One text for equal values: keys sorted, `1.0` as `1`.
pub(crate) fn text(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_unstable_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (index, key) in keys.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&Value::String(key.clone()).to_string());
                out.push(':');
                write(&map[key], out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Number(number) => number_text(number, out),
        other => out.push_str(&other.to_string()),
    }
}

/// A number that is whole is written without a fraction, so that `1` and `1.0` are the same.
fn number_text(number: &serde_json::Number, out: &mut String) {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < EXACT => {
            // Adding zero makes zero of minus zero.
            out.push_str(&format!("{:.0}", float + 0.0));
        }
        _ => out.push_str(&number.to_string()),
    }
}
