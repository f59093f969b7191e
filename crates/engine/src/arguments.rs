//! The arguments of a call: read once, checked, defaults filled in. Never coerced.

mod example;
mod explain;
mod integers;

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use spec::model::Limits;

use crate::context::CallContext;
use crate::limits::ARGUMENT_DEPTH_MAX;
use crate::outcome::{Failure, FailureKind};
use crate::schema::Schema;
use crate::toolset::Tool;

/// Reads and checks the arguments of a call of `tool`.
pub(crate) fn read(
    tool: &Tool,
    limits: &Limits,
    context: &CallContext<'_>,
    raw: Option<&RawValue>,
) -> Result<Map<String, Value>, Box<Failure>> {
    let text = raw.map_or("{}", RawValue::get);
    if tool.takes_nothing && text == "{}" && context.bindings.is_none() {
        return Ok(filled(tool, Map::new()));
    }
    if text.len() as u64 > limits.argument_bytes {
        return Err(refuse(
            tool,
            &format!("they are {} bytes; at most {} are taken", text.len(), limits.argument_bytes),
        ));
    }
    let base::Strict(mut value) = serde_json::from_str(text).map_err(|error| refuse(tool, &unreadable(&error)))?;
    if let (Some(bindings), Value::Object(arguments)) = (context.bindings, &mut value) {
        tool.bind(bindings, arguments).map_err(|why| refuse(tool, &why))?;
    }
    if depth_over(&value, ARGUMENT_DEPTH_MAX) {
        return Err(refuse(tool, &format!("they are nested deeper than {ARGUMENT_DEPTH_MAX} levels")));
    }
    let validator = tool.input.validator().map_err(|error| {
        let text = format!("The tool `{}` cannot be called: its parameters are no valid schema ({error}). Tell the author of the server.", tool.info.name);
        Box::new(Failure::new(FailureKind::Internal, text))
    })?;
    if !validator.is_valid(&value) {
        return Err(explain::failure(tool, validator, &value));
    }
    if integers::written_as_reals(&value) {
        integers::normalise(&tool.input.value(), &mut value, "").map_err(|why| refuse(tool, &why))?;
    }
    match value {
        Value::Object(arguments) => Ok(filled(tool, arguments)),
        _ => Err(refuse(tool, "they must be an object")),
    }
}

/// Checks arguments again that a person added to, by the schema of all of them. Those that callers do not give are not looked at.
pub(crate) fn again(
    tool: &Tool,
    whole: &Schema,
    mut arguments: Map<String, Value>,
) -> Result<Map<String, Value>, Box<Failure>> {
    let (hidden, shown): (Map<_, _>, Map<_, _>) =
        arguments.into_iter().partition(|(name, _)| tool.given.iter().flatten().any(|given| given.is_hidden(name)));
    let mut shown = Value::Object(shown);
    let validator =
        whole.validator().map_err(|error| refuse(tool, &format!("its parameters are no schema ({error})")))?;
    if !validator.is_valid(&shown) {
        return Err(explain::failure(tool, validator, &shown));
    }
    if integers::written_as_reals(&shown) {
        integers::normalise(&whole.value(), &mut shown, "").map_err(|why| refuse(tool, &why))?;
    }
    arguments = hidden;
    arguments.extend(shown.as_object_mut().map(std::mem::take).unwrap_or_default());
    Ok(arguments)
}

fn filled(tool: &Tool, mut arguments: Map<String, Value>) -> Map<String, Value> {
    for (name, default) in &tool.defaults {
        if !arguments.contains_key(&**name) {
            arguments.insert(name.to_string(), default.clone());
        }
    }
    arguments
}

fn refuse(tool: &Tool, why: &str) -> Box<Failure> {
    let text = format!("The arguments of `{}` were refused and nothing was run: {why}.", tool.info.name);
    Box::new(Failure::new(FailureKind::Arguments, text))
}

/// Why JSON that the envelope's parser let pass cannot be read: it looks at no number and no escape.
fn unreadable(error: &serde_json::Error) -> String {
    let what = error.to_string();
    if let Some((name, _)) = what.split_once(base::strict::TWICE) {
        return format!("{name}stands twice in the same object, and which one is meant is not clear");
    }
    if what.contains("hex escape") || what.contains("surrogate") {
        let help = "a text holds one half of a surrogate pair: write the character itself, or both halves";
        return format!("they cannot be read: {help} ({what})");
    }
    if what.contains("number out of range") {
        return format!("they cannot be read: a number is larger than any that can be kept ({what})");
    }
    format!("they cannot be read: {what}")
}

fn depth_over(value: &Value, limit: usize) -> bool {
    match value {
        Value::Array(items) => limit == 0 || items.iter().any(|item| depth_over(item, limit - 1)),
        Value::Object(fields) => limit == 0 || fields.values().any(|field| depth_over(field, limit - 1)),
        _ => false,
    }
}
