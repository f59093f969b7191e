//! The settings of one server: which variables its connections read, and whether the upstreams accept them.

use std::time::Instant;

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
    for probe in probes.iter().filter(|_| !offline) {
        let start = Instant::now();
        let input = CallInput { subject: subject.clone(), tool: (*probe).to_owned(), arguments: None, dev: false };
        let finding = match Box::pin(call(context, &input)).await {
            Ok(said) if said.is_error => failed(said.text, "correct the setting that it names"),
            Ok(said) => passed(first_line(&said.text)),
            Err(error) => failed(error.message, error.hints.first().cloned().unwrap_or_default()),
        };
        findings.push((format!("server {} call {probe}", spec.name), start, finding));
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
