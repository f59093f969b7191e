//! Says what is wrong with arguments and what to send instead, for the model that has to call again.

use std::collections::HashSet;
use std::fmt::Write as _;

use base::nearest;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::paths::LocationSegment;
use jsonschema::{JsonType, ValidationError, Validator};
use serde_json::{Value, json};

use super::example;
use crate::limits::{CHOICES_SHOWN_MAX, POINTER_CHARS_MAX, PROBLEMS_MAX};
use crate::outcome::{Failure, FailureKind};
use crate::toolset::{Tool, shown};

/// One thing that is wrong with the arguments.
struct Problem {
    /// JSON pointer into the arguments.
    place: String,
    /// The JSON Schema keyword that refused it.
    keyword: String,
    /// For the caller.
    message: String,
}

/// What is wrong with `sent`: the first [`PROBLEMS_MAX`] problems, and how many more there are. Only those are written
/// out, so that a caller gains nothing by sending thousands of faults.
pub(super) fn failure(tool: &Tool, validator: &Validator, sent: &Value) -> Box<Failure> {
    let schema = tool.input.value();
    let mut problems: Vec<Problem> = Vec::new();
    let mut omitted = 0;
    let mut bad = HashSet::new();
    let mut of_wrong_type = HashSet::new();
    for error in validator.iter_errors(sent) {
        if let Some(LocationSegment::Property(name)) = error.instance_path().segments().next() {
            bad.insert(name.into_owned());
        }
        // What is of the wrong type also breaks other rules, which say nothing new.
        let place = error.instance_path().as_str();
        if of_wrong_type.contains(place) {
            continue;
        }
        if matches!(error.kind(), ValidationErrorKind::Type { .. }) {
            of_wrong_type.insert(place.to_owned());
        }
        let room = PROBLEMS_MAX - problems.len();
        omitted += count(&error).saturating_sub(room);
        if room > 0 {
            problems.extend(explain(&error, &schema).into_iter().take(room));
        }
    }
    let name = &tool.info.name;
    let mut text = format!("The arguments of `{name}` were refused and nothing was run:");
    for problem in &problems {
        let _ = write!(text, "\n- {}", problem.message);
    }
    if omitted > 0 {
        let _ = write!(text, "\n- and {omitted} more");
    }
    let example = example::corrected(&schema, validator, sent, &bad);
    if let Some(example) = &example {
        let _ = write!(text, "\nAn example of a correct call: {example}");
    }
    let listed: Vec<Value> = problems
        .iter()
        .map(|problem| json!({"argument": problem.place, "keyword": problem.keyword, "message": problem.message}))
        .collect();
    let mut detail = json!({ "problems": listed });
    if let Some(example) = example {
        detail["example"] = serde_json::from_str(&example).unwrap_or_default();
    }
    Box::new(Failure::new(FailureKind::Arguments, text).with(detail))
}

/// How many problems an error is.
fn count(error: &ValidationError<'_>) -> usize {
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => unexpected.len(),
        _ => 1,
    }
}

/// Its problems, at most [`PROBLEMS_MAX`].
fn explain(error: &ValidationError<'_>, schema: &Value) -> Vec<Problem> {
    let place = pointer(error.instance_path().as_str());
    let keyword = error.kind().keyword().to_owned();
    let name = written(error);
    let sent: &Value = error.instance();
    let problem = |place: String, message: String| Problem { place, keyword: keyword.clone(), message };
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            let known = known(schema, error);
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let of = |key: &String| problem(pointer(&format!("{place}/{key}")), unknown(key, &name, &known));
            unexpected.iter().take(PROBLEMS_MAX).map(of).collect()
        }
        ValidationErrorKind::Required { property } => {
            let key = property.as_str().unwrap_or_default();
            let whole = if name.is_empty() { format!("`{key}`") } else { format!("`{name}.{key}`") };
            let wanted = subschema(schema, error).and_then(|inner| inner.get("properties")?.get(key));
            let wanted = wanted.map(described).filter(|text| !text.is_empty());
            let wanted = wanted.map(|text| format!(": {text}")).unwrap_or_default();
            vec![problem(format!("{place}/{key}"), format!("{whole} is missing and required{wanted}"))]
        }
        kind => {
            let what = if name.is_empty() { "the arguments".to_owned() } else { format!("`{name}`") };
            let wanted = wanted(kind, sent, error, schema);
            vec![problem(place, format!("{what}: {} was sent; {wanted}", piece(sent)))]
        }
    }
}

/// What a refused value should be.
fn wanted(kind: &ValidationErrorKind, sent: &Value, error: &ValidationError<'_>, schema: &Value) -> String {
    match kind {
        ValidationErrorKind::Type { kind } => type_wanted(kind, sent, error, schema),
        ValidationErrorKind::Enum { options } => choices(options, sent),
        ValidationErrorKind::Constant { expected_value } => format!("only {expected_value} is allowed"),
        ValidationErrorKind::Minimum { limit } => format!("it must be at least {limit}"),
        ValidationErrorKind::Maximum { limit } => format!("it must be at most {limit}"),
        ValidationErrorKind::ExclusiveMinimum { limit } => format!("it must be more than {limit}"),
        ValidationErrorKind::ExclusiveMaximum { limit } => format!("it must be less than {limit}"),
        ValidationErrorKind::MultipleOf { multiple_of } => format!("it must be a multiple of {multiple_of}"),
        ValidationErrorKind::MinLength { limit } => {
            format!("its length is {}; at least {limit} characters are needed", characters(sent))
        }
        ValidationErrorKind::MaxLength { limit } => {
            format!("its length is {}; at most {limit} characters are allowed", characters(sent))
        }
        ValidationErrorKind::MinItems { limit } => format!("at least {limit} items are needed"),
        ValidationErrorKind::MaxItems { limit } => format!("at most {limit} items are allowed"),
        ValidationErrorKind::MinProperties { limit } => format!("it must have at least {limit} fields"),
        ValidationErrorKind::MaxProperties { limit } => format!("it may have at most {limit} fields"),
        ValidationErrorKind::UniqueItems => "its items must all differ".to_owned(),
        ValidationErrorKind::Pattern { pattern } => format!("it must match the regular expression {pattern}"),
        ValidationErrorKind::Format { format } => format_wanted(format),
        ValidationErrorKind::AnyOf { .. } | ValidationErrorKind::OneOfNotValid { .. } => {
            "it fits none of the allowed forms".to_owned()
        }
        ValidationErrorKind::OneOfMultipleValid { .. } => {
            "it fits several forms of which only one is allowed".to_owned()
        }
        ValidationErrorKind::FalseSchema => "nothing is allowed there".to_owned(),
        ValidationErrorKind::Contains => "its items lack one that is needed, or hold too many of that kind".to_owned(),
        ValidationErrorKind::Not { schema } => format!("what fits {} is not allowed", piece(schema)),
        ValidationErrorKind::PropertyNames { error } => {
            format!("the name of a field is not allowed: {}", shown(&error.masked_with("the name").to_string()))
        }
        ValidationErrorKind::BacktrackLimitExceeded { .. } | ValidationErrorKind::RegexEngineFailure { .. } => {
            "it is too costly to match; send a shorter value".to_owned()
        }
        _ => shown(&error.masked_with("the value").to_string()).into_owned(),
    }
}

fn type_wanted(kind: &TypeKind, sent: &Value, error: &ValidationError<'_>, schema: &Value) -> String {
    let types: Vec<JsonType> = match kind {
        TypeKind::Single(kind) => vec![*kind],
        TypeKind::Multiple(kinds) => kinds.iter().collect(),
    };
    let names: Vec<String> = types.iter().map(|kind| article(&kind.to_string())).collect();
    let mut text = format!("{} is expected", names.join(" or "));
    let numeric = types.iter().any(|kind| matches!(kind, JsonType::Integer | JsonType::Number));
    match sent {
        Value::Null if optional(error, schema) => text.push_str(", or leave it out"),
        Value::String(sent) if numeric && sent.trim().parse::<f64>().is_ok() => {
            let _ = write!(text, ": write {} without quotes", shown(sent.trim()));
        }
        Value::String(sent) if types.contains(&JsonType::Boolean) && matches!(sent.as_str(), "true" | "false") => {
            let _ = write!(text, ": write {sent} without quotes");
        }
        Value::Number(_) | Value::Bool(_) if types.contains(&JsonType::String) => text.push_str(": write it in quotes"),
        Value::String(sent) if types.contains(&JsonType::Object) && sent.trim_start().starts_with('{') => {
            text.push_str(": write the object itself, not a text of it");
        }
        _ => {}
    }
    text
}

fn format_wanted(format: &str) -> String {
    let like = match format {
        "date-time" => "2026-01-31T12:00:00Z",
        "date" => "2026-01-31",
        "time" => "12:00:00Z",
        "duration" => "P1DT2H",
        "email" => "name@example.com",
        "uuid" => "3f2b8c1e-6d4a-4e0f-9a57-1c2d3e4f5a6b",
        "uri" => "https://example.com/path",
        "ipv4" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        "hostname" => "example.com",
        _ => return format!("it must be a valid `{format}`"),
    };
    format!("it must be a valid `{format}`, such as {like}")
}

fn choices(options: &Value, sent: &Value) -> String {
    let all: &[Value] = options.as_array().map(Vec::as_slice).unwrap_or_default();
    let listed: Vec<String> = all.iter().take(CHOICES_SHOWN_MAX).map(Value::to_string).collect();
    let more = if all.len() > CHOICES_SHOWN_MAX {
        format!(" and {} more", all.len() - CHOICES_SHOWN_MAX)
    } else {
        String::new()
    };
    let near = sent.as_str().and_then(|sent| nearest(sent, all.iter().filter_map(Value::as_str)));
    let near = near.map(|near| format!("; did you mean {}?", Value::from(near))).unwrap_or_default();
    format!("allowed are {}{more}{near}", listed.join(", "))
}

fn unknown(key: &str, inside: &str, known: &[&str]) -> String {
    let of = if inside.is_empty() { "an argument of this tool".to_owned() } else { format!("a field of `{inside}`") };
    let mut text = format!("`{}` is not {of}", shown(key));
    if let Some(near) = nearest(key, known.iter().copied()) {
        let _ = write!(text, "; did you mean `{near}`?");
    } else if known.is_empty() {
        text.push_str("; it takes none");
    } else {
        let listed: Vec<String> = known.iter().take(CHOICES_SHOWN_MAX).map(|name| format!("`{name}`")).collect();
        let _ = write!(text, "; there are {}", listed.join(", "));
    }
    text
}

/// A JSON pointer, cut where a caller made it long.
fn pointer(place: &str) -> String {
    match place.char_indices().nth(POINTER_CHARS_MAX) {
        None => place.to_owned(),
        Some((end, _)) => format!("{}…", &place[..end]),
    }
}

/// The place of an error as a caller would write it: `items[2].price`.
fn written(error: &ValidationError<'_>) -> String {
    let mut out = String::new();
    for segment in error.instance_path().segments() {
        match segment {
            LocationSegment::Property(name) => {
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(&shown(&name));
            }
            LocationSegment::Index(index) => {
                let _ = write!(out, "[{index}]");
            }
        }
    }
    out
}

/// The schema of the object that an error is about: along `properties` and `items`.
fn subschema<'a>(schema: &'a Value, error: &ValidationError<'_>) -> Option<&'a Value> {
    let mut at = schema;
    for segment in error.instance_path().segments() {
        at = match segment {
            LocationSegment::Property(name) => at.get("properties")?.get(name.as_ref())?,
            LocationSegment::Index(_) => at.get("items")?,
        };
    }
    Some(at)
}

fn known(schema: &Value, error: &ValidationError<'_>) -> Vec<String> {
    let properties = subschema(schema, error).and_then(|inner| inner.get("properties")?.as_object());
    properties.map(|properties| properties.keys().cloned().collect()).unwrap_or_default()
}

/// Whether the refused value could be left out.
fn optional(error: &ValidationError<'_>, schema: &Value) -> bool {
    let mut segments = error.instance_path().segments();
    let (Some(LocationSegment::Property(name)), None) = (segments.next(), segments.next()) else { return false };
    let required = schema.get("required").and_then(Value::as_array);
    !required.is_some_and(|required| required.iter().any(|key| key == name.as_ref()))
}

/// A schema in a few words: its type and description.
fn described(schema: &Value) -> String {
    let kind = match schema.get("type") {
        Some(Value::String(kind)) => article(kind),
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).map(article).collect::<Vec<_>>().join(" or ")
        }
        _ => String::new(),
    };
    match schema.get("description").and_then(Value::as_str) {
        Some(description) if kind.is_empty() => shown(description).into_owned(),
        Some(description) => format!("{kind} ({})", shown(description)),
        None => kind,
    }
}

fn article(kind: &str) -> String {
    match kind {
        "null" => "null".to_owned(),
        "integer" | "array" | "object" => format!("an {kind}"),
        _ => format!("a {kind}"),
    }
}

fn piece(sent: &Value) -> String {
    shown(&sent.to_string()).into_owned()
}

fn characters(sent: &Value) -> usize {
    sent.as_str().map_or(0, |text| text.chars().count())
}
