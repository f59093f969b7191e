//! Cases: what to ask a server, and what must be seen.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::repo;

/// One file of `tests/clients/cases`.
#[derive(Debug)]
pub struct Case {
    pub name: String,
    pub file: PathBuf,
    pub subject: Subject,
    pub steps: Vec<Step>,
}

/// What a case is played on.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// The protocol crate's example.
    Everything,
    /// The product, running this file of `tests/clients/specs`.
    Spec(String),
}

/// One request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Method of MCP.
    #[serde(rename = "do")]
    pub method: String,
    /// Name of the tool or prompt.
    #[serde(default)]
    pub name: Option<String>,
    /// URI of the resource.
    #[serde(default)]
    pub uri: Option<String>,
    #[serde(default)]
    pub arguments: Option<Value>,
    /// What the person behind the client answers when the server asks, one after the other: results of elicitations.
    #[serde(default)]
    pub answers: Vec<Value>,
    /// What the answer must contain; an answer with `error` stands for a JSON-RPC error.
    expect: Value,
    /// What it must contain besides, by the revision of MCP that was agreed on.
    #[serde(default)]
    by_revision: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// For people.
    #[serde(rename = "about")]
    _about: String,
    program: Subject,
    steps: Vec<Step>,
}

impl Case {
    /// Every case, by name.
    pub fn all() -> Result<Vec<Self>> {
        let folder = repo::root()?.join("tests/clients/cases");
        let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
            .with_context(|| format!("cannot read {}", folder.display()))?
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<_>>()?;
        files.sort();
        files.into_iter().map(Self::read).collect()
    }

    fn read(file: PathBuf) -> Result<Self> {
        let text = std::fs::read_to_string(&file)?;
        let content: File = serde_json::from_str(&text).with_context(|| format!("in {}", file.display()))?;
        let name = file.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Self { name, file, subject: content.program, steps: content.steps })
    }

    /// Compares the answers with what is expected; all differences are reported.
    pub fn compare(&self, revision: &str, answers: &[Value]) -> Result<()> {
        if answers.len() != self.steps.len() {
            bail!("{} answers to {} steps", answers.len(), self.steps.len());
        }
        let mut differences = Vec::new();
        for (number, (step, answer)) in self.steps.iter().zip(answers).enumerate() {
            if let Err(difference) = step.compare(revision, answer) {
                differences.push(format!("step {} ({}): {difference}", number + 1, step.method));
            }
        }
        if differences.is_empty() { Ok(()) } else { bail!(differences.join("\n    ")) }
    }
}

impl Step {
    /// Compares an answer with what is expected; the error says where they differ.
    pub fn compare(&self, revision: &str, answer: &Value) -> Result<(), String> {
        compare(&self.expect, answer, &mut String::new())?;
        self.by_revision.get(revision).map_or(Ok(()), |wanted| compare(wanted, answer, &mut String::new()))
    }
}

/// Whether `seen` contains what is `wanted`. An object may have more keys; an array must have as many
/// elements. `{"$contains": […]}` asks for elements anywhere in an array, `{"$text": "…"}` for a part
/// of a string. The error says where they differ.
fn compare(wanted: &Value, seen: &Value, place: &mut String) -> Result<(), String> {
    match (wanted, seen) {
        (Value::Object(map), _) if map.contains_key("$text") => {
            let part = map["$text"].as_str().unwrap_or_default();
            let found = seen.as_str().is_some_and(|text| text.contains(part));
            if found { Ok(()) } else { Err(format!("`{place}` lacks the text {part:?}: {seen}")) }
        }
        (Value::Object(map), Value::Array(elements)) if map.contains_key("$contains") => {
            for element in map["$contains"].as_array().into_iter().flatten() {
                if !elements.iter().any(|candidate| compare(element, candidate, &mut String::new()).is_ok()) {
                    return Err(format!("`{place}` lacks {element}: {seen}"));
                }
            }
            Ok(())
        }
        (Value::Object(wanted), Value::Object(seen)) => {
            for (key, value) in wanted {
                within(place, key, |place| compare(value, seen.get(key).unwrap_or(&Value::Null), place))?;
            }
            Ok(())
        }
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
            for (number, (value, candidate)) in wanted.iter().zip(found).enumerate() {
                within(place, &number.to_string(), |place| compare(value, candidate, place))?;
            }
            Ok(())
        }
        _ if wanted == seen => Ok(()),
        _ => Err(format!("`{place}` is {seen}, not {wanted}")),
    }
}

fn within(place: &mut String, step: &str, check: impl FnOnce(&mut String) -> Result<(), String>) -> Result<(), String> {
    let length = place.len();
    place.push('/');
    place.push_str(step);
    let result = check(place);
    place.truncate(length);
    result
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    fn difference(wanted: &Value, seen: &Value) -> Option<String> {
        super::compare(wanted, seen, &mut String::new()).err()
    }

    #[test]
    fn objects_may_have_more_and_arrays_may_not() {
        assert_eq!(difference(&json!({"a": 1}), &json!({"a": 1, "b": 2})), None);
        assert!(difference(&json!([1]), &json!([1, 2])).is_some());
        assert_eq!(
            difference(&json!({"a": [{"b": 1}]}), &json!({"a": [{"b": 2}]})),
            Some("`/a/0/b` is 2, not 1".to_owned())
        );
    }

    #[test]
    fn patterns() {
        assert_eq!(difference(&json!({"$text": "ell"}), &json!("hello")), None);
        assert!(difference(&json!({"$text": "x"}), &json!("hello")).is_some());
        assert!(difference(&json!({"$text": "x"}), &Value::Null).is_some());
        assert_eq!(difference(&json!({"$contains": [{"n": 2}]}), &json!([{"n": 1}, {"n": 2, "m": 0}])), None);
        assert!(difference(&json!({"$contains": [{"n": 3}]}), &json!([{"n": 1}])).is_some());
    }
}
