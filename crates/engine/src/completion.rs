//! Completion of what a person types: values of a prompt's argument or of a URI template's variable.

use serde_json::Value;

use crate::limits::COMPLETIONS_MAX;
use crate::toolset::Toolset;

/// Suggested values, best first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completions {
    /// At most [`COMPLETIONS_MAX`] values.
    pub values: Vec<String>,
    /// How many there are altogether.
    pub total: usize,
}

impl Toolset {
    /// Values for an argument of a prompt, from its `enum`. `None`: there is no such prompt.
    pub fn complete_prompt(&self, prompt: &str, argument: &str, typed: &str) -> Option<Completions> {
        let prompt = self.prompts.iter().find(|known| known.name == prompt)?;
        let argument = prompt.arguments.iter().find(|known| known.name == argument);
        Some(ranked(argument.map(|argument| argument.choices.clone()).unwrap_or_default(), typed))
    }

    /// Values for a variable of a URI template, from the `enum` or the `examples` of its tool's parameter. `None`: there is no such
    /// template.
    pub fn complete_resource(&self, template: &str, variable: &str, typed: &str) -> Option<Completions> {
        let resource = self.resources.iter().find(|known| known.uri == template)?;
        let schema = resource.tool().and_then(|index| self.tools.get(index)).map(|tool| tool.input.value());
        let parameter = schema.as_ref().and_then(|schema| schema.get("properties")?.get(variable));
        let all: Vec<String> = match parameter.and_then(|parameter| parameter.get("enum")) {
            Some(Value::Array(choices)) => choices.iter().filter_map(plain).collect(),
            _ => match parameter.and_then(|parameter| parameter.get("type")).and_then(Value::as_str) {
                Some("boolean") => vec!["true".to_owned(), "false".to_owned()],
                _ => {
                    let examples = parameter.and_then(|parameter| parameter.get("examples")).and_then(Value::as_array);
                    examples.into_iter().flatten().filter_map(plain).collect()
                }
            },
        };
        Some(ranked(all, typed))
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// Values that begin with what was typed, then those that hold it; case does not count.
fn ranked(all: Vec<String>, typed: &str) -> Completions {
    let typed = typed.to_lowercase();
    let place = |value: &String| value.to_lowercase().find(&typed);
    let mut found: Vec<(bool, String)> =
        all.into_iter().filter_map(|value| Some((place(&value)? > 0, value))).collect();
    // Stable, so the order of the spec is kept within both groups.
    found.sort_by_key(|(inside, _)| *inside);
    let total = found.len();
    let values = found.into_iter().map(|(_, value)| value).take(COMPLETIONS_MAX).collect();
    Completions { values, total }
}

#[cfg(test)]
mod tests {
    use super::ranked;

    #[test]
    fn beginnings_come_first() {
        let all = ["Berlin", "Hamburg", "Bern", "Albers"].map(str::to_owned).to_vec();
        assert_eq!(ranked(all.clone(), "BER").values, ["Berlin", "Bern", "Albers"]);
        assert_eq!(ranked(all, "").total, 4);
    }
}
