//! Sets values in a template.

use serde_json::Value;

use crate::source::Format;
use crate::{Code, Error, SpecText};

/// The template with values set. Each is written `PATH=VALUE`; a path is words with dots between them, and an element of a list
/// is its name or its number: `connections.db.envVar=SHOP_DB`. A value is JSON, or else a text.
///
/// # Errors
/// A path leads nowhere.
pub fn fill(template: &str, text: &str, sets: &[String]) -> Result<SpecText, Error> {
    let name = format!("<template {template}>");
    let source = SpecText { name: name.clone(), text: text.to_owned(), format: Some(Format::Yaml) };
    if sets.is_empty() {
        return Ok(source);
    }
    let spec = source.parse(false)?.spec;
    let mut value: Value = serde_json::from_str(&spec.canonical_json())
        .map_err(|error| Error::new(Code::Internal, format!("the template cannot be read: {error}")))?;
    for set in sets {
        let Some((path, given)) = set.split_once('=') else {
            return Err(Error::new(Code::Usage, format!("`{set}` is not `PATH=VALUE`"))
                .hint("for example `--set name=my-shop` or `--set connections.db.envVar=SHOP_DB`"));
        };
        let given = serde_json::from_str(given).unwrap_or_else(|_| Value::from(given));
        put(&mut value, path, given).map_err(|why| {
            Error::new(Code::Usage, format!("`--set {path}=…` leads nowhere: {why}"))
                .hint(format!("`mcp-factory templates {template}` prints the template"))
        })?;
    }
    let text = serde_json::to_string_pretty(&value)
        .map_err(|error| Error::new(Code::Internal, format!("the template cannot be written: {error}")))?;
    Ok(SpecText { name, text, format: Some(Format::Json) })
}

fn put(value: &mut Value, path: &str, given: Value) -> Result<(), String> {
    let (first, rest) = match path.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    };
    let next = match value {
        Value::Object(keys) if rest.is_none() => {
            keys.insert(first.to_owned(), given);
            return Ok(());
        }
        Value::Object(keys) => {
            let known: Vec<String> = keys.keys().cloned().collect();
            keys.get_mut(first).ok_or_else(|| unknown(first, &known))?
        }
        Value::Array(all) => {
            let names: Vec<String> =
                all.iter().filter_map(|one| one.get("name")?.as_str().map(str::to_owned)).collect();
            let named = all.iter().position(|one| one.get("name").and_then(Value::as_str) == Some(first));
            let nth = named.or_else(|| first.parse().ok()).filter(|nth| *nth < all.len());
            let nth = nth.ok_or_else(|| unknown(first, &names))?;
            &mut all[nth]
        }
        _ => return Err(format!("there is nothing below a value, and `{first}` is asked for")),
    };
    match rest {
        Some(rest) => put(next, rest, given),
        None => {
            *next = given;
            Ok(())
        }
    }
}

fn unknown(word: &str, known: &[String]) -> String {
    match base::nearest(word, known.iter().map(String::as_str)) {
        Some(near) => format!("there is no `{word}`; did you mean `{near}`?"),
        None => format!("there is no `{word}` among {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::fill;

    const SPEC: &str = "name: a\nconnections: [{name: db, type: sqlite, envVar: OLD}]\ntools: [{name: t, description: T, parameters: {}, reply: {text: x}}]\n";

    #[test]
    fn values_are_set_by_name_and_by_number() {
        let sets = ["name=shop", "connections.db.envVar=NEW", "tools.0.reply.text=hello", "limits={\"rows\": 5}"];
        let filled = fill("t", SPEC, &sets.map(str::to_owned)).unwrap();
        let spec = filled.parse(false).unwrap().spec;
        assert_eq!((spec.name.as_str(), filled.text.contains("NEW")), ("shop", true));
        assert!(filled.text.contains("\"hello\"") && filled.text.contains("\"rows\": 5"), "{}", filled.text);
        assert_eq!(fill("t", SPEC, &[]).unwrap().text, SPEC);
    }

    #[test]
    fn a_path_that_leads_nowhere_is_told_of() {
        for (set, part) in [
            ("name", "PATH=VALUE"),
            ("conections.db.envVar=x", "did you mean `connections`"),
            ("connections.dc.envVar=x", "`db`"),
            ("tools.7.name=x", "there is no `7`"),
            ("name.x=1", "nothing below"),
        ] {
            let error = fill("t", SPEC, &[set.to_owned()]).unwrap_err();
            assert!(error.message.contains(part), "{set}: {}", error.message);
        }
    }
}
