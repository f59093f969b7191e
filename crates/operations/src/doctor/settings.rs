//! The settings of one server: which variables its connections read, and whether the upstreams accept them.

use std::time::Instant;

use serde_json::Value;
use spec::Spec;
use spec::model::Connection;

use super::Finding;
use super::checks::{failed, passed};
use crate::test::{CallInput, call};
use crate::{Context, Error, Subject, first_party, pipeline};

/// Checks each setting of a server, and asks its upstreams where it says which tools do that.
pub(super) async fn of_server(
    context: &Context,
    name: &str,
    offline: bool,
) -> Result<Vec<(String, Instant, Finding)>, Error> {
    let subject = Subject::server(name);
    let loaded = pipeline::load(context, &subject, false).await?;
    let spec = &loaded.spec;
    let mut findings = Vec::new();
    for variable in variables(spec) {
        let start = Instant::now();
        let finding = setting(context, spec, &variable);
        findings.push((format!("server {} setting {variable}", spec.name), start, finding));
    }
    let probes = first_party::find(&spec.name).map(|one| one.probes).unwrap_or_default();
    for (variable, schema) in choices(spec) {
        let Some(value) = value_of(context, &variable) else { continue };
        let finding = match misfit(&value, &schema) {
            None => passed("it is set"),
            // The value is the operator's, and may be a secret in the wrong place.
            Some(why) => {
                failed(format!("it is set, and {why}"), format!("set {variable} to such a value, or leave it out"))
            }
        };
        findings.push((format!("server {} setting {variable}", spec.name), Instant::now(), finding));
    }
    let is_needed = |probe: &&first_party::Probe| probe.needs.is_none_or(|switch| is_set(context, switch));
    for probe in probes.iter().filter(|_| !offline).filter(is_needed) {
        let start = Instant::now();
        let input = CallInput {
            subject: subject.clone(),
            tool: probe.tool.to_owned(),
            arguments: Some(probe.arguments.to_owned()),
            dev: false,
        };
        let finding = match Box::pin(call(context, &input)).await {
            Ok(said) if said.is_error => failed(said.text, "correct the setting that it names"),
            Ok(said) => passed(first_line(&said.text)),
            Err(error) => failed(error.message, error.hints.first().cloned().unwrap_or_default()),
        };
        findings.push((format!("server {} call {}", spec.name, probe.tool), start, finding));
    }
    if findings.is_empty() {
        findings.push((format!("server {} settings", spec.name), Instant::now(), passed("it has none")));
    }
    Ok(findings)
}

/// The variables that the connections read, in the order of the spec.
fn variables(spec: &Spec) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in spec.connections.iter().flat_map(Connection::variables) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The variables that parameters read, with what their values have to be.
fn choices(spec: &Spec) -> Vec<(String, Value)> {
    let mut found: Vec<(String, Value)> = Vec::new();
    for parameter in spec.tools.iter().flat_map(|tool| tool.parameters()) {
        let Some(name) = &parameter.env else { continue };
        if !found.iter().any(|(known, _)| known == name) {
            found.push((name.clone(), parameter.schema.to_value()));
        }
    }
    found
}

/// What a variable holds, or the file that it names.
fn value_of(context: &Context, name: &str) -> Option<String> {
    let file = || std::fs::read_to_string(context.environment.get(&format!("{name}_FILE"))?).ok();
    context.environment.get(name).or_else(file).map(|value| value.trim().to_owned())
}

/// What is wrong with a value, as far as its choices and bounds say.
fn misfit(value: &str, schema: &Value) -> Option<String> {
    if let Some(choices) = schema["enum"].as_array() {
        let words: Vec<&str> = choices.iter().filter_map(Value::as_str).collect();
        let shown: Vec<&str> = words.iter().copied().filter(|word| !word.is_empty()).collect();
        return (!words.contains(&value)).then(|| format!("it is none of {}", shown.join(", ")));
    }
    let kind = schema["type"].as_str().filter(|kind| matches!(*kind, "integer" | "number"))?;
    let number = value.parse::<f64>().ok().filter(|number| kind == "number" || number.fract() == 0.0);
    match (number, schema["minimum"].as_f64()) {
        (None, _) => Some(format!("it is no {kind}")),
        (Some(number), Some(least)) if number < least => Some(format!("it is below {least}")),
        _ => None,
    }
}

fn setting(context: &Context, spec: &Spec, name: &str) -> Finding {
    if context.environment.get(name).is_some() {
        return passed("it is set");
    }
    let file = format!("{name}_FILE");
    if let Some(path) = context.environment.get(&file) {
        return match std::fs::metadata(&path) {
            Ok(data) if data.is_file() => passed(format!("it is in the file {path}")),
            Ok(_) => failed(format!("{file} names {path}, which is no file"), "name the file that holds the value"),
            Err(error) => {
                failed(format!("the file {path} of {file} cannot be read: {error}"), "make it readable for this user")
            }
        };
    }
    let users: Vec<&Connection> =
        spec.connections.iter().filter(|one| one.variables().iter().any(|known| known == name)).collect();
    let has_default = |one: &&Connection| one.url().is_some_and(|url| url.contains(&format!("${{env:{name}:-")));
    if let Some(one) = users.iter().find(|one| has_default(one)) {
        let shown = one.url().and_then(|url| url.split_once(":-")).map_or("", |(_, rest)| rest.trim_end_matches('}'));
        return passed(format!("it is not set, and {shown} is used"));
    }
    let is_absent = |one: &&Connection| one.optional().is_some_and(|switch| !is_set(context, switch));
    if users.iter().all(is_absent) {
        let what = users.iter().map(|one| format!("`{}`", one.name())).collect::<Vec<_>>().join(", ");
        return passed(match users.iter().find_map(|one| one.optional()).filter(|switch| *switch != name) {
            Some(switch) => format!("it is not set, and not needed: {switch} is not set, so {what} is not used"),
            None => format!("it is not set, so {what} is not used"),
        });
    }
    let users: Vec<String> = users.iter().map(|one| format!("`{}`", one.name())).collect();
    failed(
        format!("it is not set, and {} cannot be used without it", users.join(", ")),
        format!("set {name}, or {file} to a file that holds it"),
    )
}

/// Whether a variable, or the one that names its file, has a value.
fn is_set(context: &Context, name: &str) -> bool {
    [name.to_owned(), format!("{name}_FILE")].iter().any(|name| context.environment.get(name).is_some())
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::misfit;

    #[test]
    fn values_of_settings_are_looked_at() {
        let most = json!({ "type": "integer", "minimum": 0 });
        assert_eq!(misfit("12", &most), None);
        for bad in ["abc", "1.5", "-1", ""] {
            assert!(misfit(bad, &most).is_some(), "{bad}");
        }
        let auto = json!({ "type": "string", "enum": ["", "high", "off"] });
        assert_eq!(misfit("low", &auto).as_deref(), Some("it is none of high, off"));
        assert_eq!((misfit("high", &auto), misfit("1.5", &json!({ "type": "number" }))), (None, None));
    }
}
