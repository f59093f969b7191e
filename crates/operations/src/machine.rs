//! What a spec names of this machine, and whether its caller may: a spec reads variables, files and secrets with the rights of
//! whoever runs the control plane, so others name what they were allowed and nothing else.

use std::collections::BTreeSet;

use connect::Engine;
use identity::ADMIN;
use serde_json::{Map, Value};
use spec::Spec;
use spec::model::{Connection, Trigger};

use crate::keys::LOCAL_OWNER;
use crate::{Caller, Code, Context, Error};

/// Variable with what specs of callers who do not run the control plane may name, separated by commas: variables, `file:PATH` and
/// `doppler:NAME`; a `*` at the end stands for anything.
pub const ALLOW_REFERENCES: &str = "MCP_FACTORY_ALLOW_REFERENCES";
/// Variables of our own, which hold the keys to everything. No caller from outside names them.
const OURS: &str = "MCP_FACTORY_";
/// Texts for people, in which a reference is none.
const PROSE: [&str; 3] = ["title", "description", "instructions"];
/// Keys of objects that hold names of variables or paths, with what they are.
const KEYS: [(&str, &str); 4] = [("envVar", ""), ("caFile", "file:"), ("folder", "file:"), ("root", "file:")];
/// Keys of secrets, which stand alone in their object or beside facts about a caller.
const SECRETS: [(&str, &str); 3] = [("env", ""), ("file", "file:"), ("doppler", "doppler:")];

/// Checks that a spec which the caller wrote names nothing of this machine but what they may.
///
/// # Errors
/// It does; the first ones are told.
pub(crate) fn check(context: &Context, spec: &Spec) -> Result<(), Error> {
    let Caller::Remote(principal) = &context.caller else { return Ok(()) };
    // Keys of whoever runs the control plane use what is theirs, but for what the control plane keeps for itself.
    let is_own = principal.scopes.allow(ADMIN) || &*principal.owner == LOCAL_OWNER;
    let list = context.environment.get(ALLOW_REFERENCES).unwrap_or_default();
    let is_refused = |one: &String| one.starts_with(OURS) || !(is_own || allowed(&list, one));
    let refused: Vec<String> = named(spec).into_iter().filter(is_refused).collect();
    let Some(first) = refused.first() else { return Ok(()) };
    let more = if refused.len() > 1 { format!(" and {} more", refused.len() - 1) } else { String::new() };
    let what = format!(
        "the spec names {}{more} of the machine that it is to run on, which {} may not",
        told(first),
        context.caller
    );
    let hint = if first.starts_with(OURS) {
        "name a variable that is not one of the control plane's own".to_owned()
    } else {
        format!("whoever runs the control plane allows it: `mcp-factory serve --allow-references '{first}'`")
    };
    Err(Error::new(Code::Reference, what).hint(hint))
}

fn told(reference: &str) -> String {
    match reference.split_once(':') {
        Some(("file", path)) => format!("the file or folder `{path}`"),
        Some(("doppler", name)) => format!("the secret `{name}` of Doppler"),
        _ => format!("the variable `{reference}`"),
    }
}

/// Whether a list has a reference.
fn allowed(list: &str, reference: &str) -> bool {
    let leads_out = reference.strip_prefix("file:").is_some_and(|path| path.split('/').any(|part| part == ".."));
    if reference.starts_with(OURS) || leads_out {
        return false;
    }
    list.split(',').map(str::trim).any(|entry| match entry.strip_suffix('*') {
        // A star among variables is not one among files.
        Some("") => !reference.contains(':'),
        Some(start) => reference.starts_with(start),
        None => entry == reference,
    })
}

/// Everything of the machine that a spec names: `NAME`, `file:PATH`, `doppler:NAME`.
fn named(spec: &Spec) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let Ok(Value::Object(mut spec_json)) = serde_json::from_str::<Value>(&spec.canonical_json()) else { return found };
    // Texts for people stand at these places only; elsewhere, as in headers, the same words are names that the author chose.
    let prose = |fields: &mut Map<String, Value>| fields.retain(|key, _| !PROSE.contains(&key.as_str()));
    prose(&mut spec_json);
    for list in ["tools", "resources", "prompts"] {
        let all = spec_json.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
        all.filter_map(Value::as_object_mut).for_each(prose);
    }
    spec_json.values().for_each(|value| texts(value, &mut found));
    for key in ["connections", "auth", "triggers"] {
        spec_json.get(key).into_iter().for_each(|value| keys(value, &mut found));
    }
    found.extend(host::auth_variable(spec).map(|(name, _)| name));
    for tool in &spec.tools {
        found.extend(tool.parameters().iter().filter_map(|parameter| parameter.env.clone()));
    }
    commands(&Value::Object(spec_json), &mut found);
    found.extend(spec.connections.iter().filter_map(file_of_database));
    found.extend(spec.triggers.iter().filter_map(|trigger| match trigger {
        Trigger::File { path, .. } => Some(format!("file:{path}")),
        _ => None,
    }));
    found
}

/// The file of an embedded database, whatever kind the connection is said to be: the URL alone tells what is opened.
fn file_of_database(connection: &Connection) -> Option<String> {
    let url = connection.url().filter(|url| !is_one_reference(url))?;
    if let Some((before, _)) = url.split_once("${") {
        // What is put in may be anything, unless it is clear by now that the URL names a server.
        let names_server = before.contains("://") && Engine::of_url(before) != Some(Engine::Sqlite);
        return (!names_server).then(|| format!("file:{url}"));
    }
    connect::sqlite_file(url).map(|path| format!("file:{}", path.display()))
}

/// Whether a text is one reference and nothing else, without a value of the author's for when it is not set.
fn is_one_reference(text: &str) -> bool {
    let inside = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    inside.is_some_and(|inside| !inside.contains(['$', '{', '}']) && !inside.contains(":-"))
}

/// `${env:NAME}`, `${file:PATH}` and `${doppler:NAME}` in all texts but those for people.
fn texts(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            for reference in text.split("${").skip(1).filter_map(|rest| Some(rest.split_once('}')?.0)) {
                match reference.split_once(':') {
                    Some(("env", inside)) => drop(found.insert(spec::model::reference_name(inside).to_owned())),
                    Some((kind @ ("file" | "doppler"), name)) => drop(found.insert(format!("{kind}:{}", name.trim()))),
                    _ => {}
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, found)),
        _ => {}
    }
}

/// Names under keys, within connections and what callers show.
fn keys(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
        Value::Object(fields) => {
            KEYS.iter().chain(&SECRETS).for_each(|(key, kind)| word(fields, key, kind, found));
            fields.values().for_each(|field| keys(field, found));
        }
        _ => {}
    }
}

/// What programs are given of the environment, wherever in a spec they are started.
fn commands(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| commands(item, found)),
        Value::Object(fields) => {
            if fields.contains_key("program") {
                word(fields, "folder", "file:", found);
                let passed = fields.get("pass").and_then(Value::as_array).into_iter().flatten();
                found.extend(passed.filter_map(Value::as_str).map(str::to_owned));
            }
            fields.values().for_each(|field| commands(field, found));
        }
        _ => {}
    }
}

/// The text under a key. One that is a reference is what that one names.
fn word(fields: &Map<String, Value>, key: &str, kind: &str, found: &mut BTreeSet<String>) {
    if let Some(Value::String(name)) = fields.get(key)
        && !is_one_reference(name)
    {
        found.insert(format!("{kind}{name}"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{allowed, named};

    fn of(value: Value) -> Vec<String> {
        let text = crate::SpecText { name: "spec.json".to_owned(), text: value.to_string(), format: None };
        named(&text.parse(false).unwrap().spec).into_iter().collect()
    }

    #[test]
    fn everything_of_the_machine_is_found() {
        let spec = json!({"name": "x", "version": "1.0.0", "description": "`${env:PROSE}` is no reference", "connections": [
            {"name": "a", "type": "postgresql", "envVar": "A_URL", "tls": {"mode": "require", "caFile": "/etc/ca.pem"}},
            {"name": "b", "type": "http", "url": "https://${env:B_HOST:-x}/", "headers": {"X": "${file:/run/b}"},
             "credentials": {"type": "bearer", "token": {"env": "B_TOKEN"}}},
            {"name": "c", "type": "sqlite", "url": "sqlite:///srv/c.db?mode=ro"},
            {"name": "d", "type": "sqlite", "url": "sqlite::memory:"},
            {"name": "e", "type": "files", "root": "/etc"},
            {"name": "f", "type": "mcp", "command": {"program": "p", "folder": "/f", "pass": ["F_PASS"], "env": {"K": "${doppler:F}"}}},
        ], "tools": [
            {"name": "t", "description": "t", "parameters": {"k": {"type": "string", "env": "T_KEY"}},
             "reply": {"json": {"env": "production", "file": "a.txt"}}},
        ], "triggers": [{"type": "file", "path": "/srv/in", "tool": "t"}]});
        let wanted = [
            "A_URL",
            "B_HOST",
            "B_TOKEN",
            "F_PASS",
            "T_KEY",
            "doppler:F",
            "file:/etc",
            "file:/etc/ca.pem",
            "file:/f",
            "file:/run/b",
            "file:/srv/c.db",
            "file:/srv/in",
        ];
        assert_eq!(of(spec), wanted);
    }

    #[test]
    fn no_other_spelling_hides_what_is_named() {
        let connection = |more: Value| {
            let mut fields = json!({"name": "c", "type": "sqlite"});
            fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!({"name": "x", "version": "1.0.0", "connections": [fields], "tools": [
                {"name": "t", "description": "t", "parameters": {}, "reply": {"text": "t"}}]})
        };
        let url = |url: &str| of(connection(json!({ "url": url })));
        for (given, named) in [
            ("SQLITE:/srv/x.db", "file:/srv/x.db"),
            ("sqlite:///srv/x.db?mode=ro", "file:/srv/x.db"),
            ("sqlite:/srv/a/%2e%2e/x.db#y", "file:/srv/a/../x.db"),
            ("sqlite:rel.db", "file:rel.db"),
        ] {
            assert_eq!(url(given), [named], "{given}");
        }
        assert_eq!(url("${env:R:-sqlite:/srv/x.db}"), ["R", "file:${env:R:-sqlite:/srv/x.db}"]);
        assert_eq!(url("${env:R}/x.db"), ["R", "file:${env:R}/x.db"]);
        assert_eq!(url("${env:R}"), ["R"]);
        let server = of(connection(json!({"type": "postgresql", "url": "postgresql://u:${env:P}@db/x"})));
        assert_eq!(server, ["P"]);
        let header = json!({"type": "http", "url": "https://a.example", "headers": {"title": "${env:SECRET}"}});
        assert_eq!(of(connection(header)), ["SECRET"]);
        let root = of(connection(json!({"type": "files", "root": "${env:R:-/etc}"})));
        assert_eq!(root, ["R", "file:${env:R:-/etc}"]);
        assert!(!allowed("file:*", "file:../x") && !allowed("file:/srv/a/*", "file:/srv/a/../x.db"));
    }

    #[test]
    fn lists_allow_by_name_and_by_beginning() {
        let list = "ALICE_*, SHOP_DB,file:/srv/alice/*,doppler:ALICE_*";
        for good in ["ALICE_KEY", "SHOP_DB", "file:/srv/alice/ca.pem", "doppler:ALICE_X"] {
            assert!(allowed(list, good), "{good}");
        }
        for bad in ["BOB", "SHOP_DB2", "file:/srv/bob", "file:/srv/alice/../bob", "doppler:X", "MCP_FACTORY_STORE"] {
            assert!(!allowed(list, bad), "{bad}");
        }
        assert!(allowed("*", "ANY") && !allowed("*", "file:/etc/passwd") && !allowed("*", "MCP_FACTORY_STORE"));
        assert!(!allowed("", "ANY"));
    }
}
