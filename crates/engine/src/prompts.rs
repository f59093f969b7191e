//! Prompts: texts with `{{name}}` replaced by arguments.

use base::nearest;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use spec::model::{PromptArgument, Role};

use crate::toolset::{Toolset, shown};

/// A prompt, ready to be rendered.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// Name for programs.
    pub name: String,
    /// Name for people.
    pub title: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// What it takes.
    pub arguments: Vec<PromptArgument>,
    messages: Vec<(Role, Vec<Piece>)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Argument(String),
}

/// A rendered prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// What it is for.
    pub description: Option<String>,
    /// The messages.
    pub messages: Vec<(Role, String)>,
}

/// Why a prompt was not rendered; the message is for the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadPrompt(pub String);

impl Prompt {
    pub(crate) fn compile(prompt: &spec::model::Prompt) -> Self {
        Self {
            name: prompt.name.clone(),
            title: prompt.title.clone(),
            description: prompt.description.clone(),
            arguments: prompt.arguments.clone(),
            messages: prompt.messages.iter().map(|message| (message.role, pieces(&message.text))).collect(),
        }
    }

    fn render(&self, given: &Map<String, Value>) -> Result<Rendered, BadPrompt> {
        let known = || self.arguments.iter().map(|argument| argument.name.as_str());
        for name in given.keys() {
            if !known().any(|known| known == name) {
                let near = nearest(name, known()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                return Err(BadPrompt(format!("prompt `{}` has no argument `{}`{near}", self.name, shown(name))));
            }
        }
        let missing: Vec<String> = self
            .arguments
            .iter()
            .filter(|argument| argument.required && !given.contains_key(&argument.name))
            .map(|argument| format!("`{}`", argument.name))
            .collect();
        if !missing.is_empty() {
            return Err(BadPrompt(format!("prompt `{}` needs the argument {}", self.name, missing.join(", "))));
        }
        let text = |pieces: &[Piece]| -> String {
            let value = |name: &str| given.get(name).and_then(Value::as_str).unwrap_or_default();
            pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Text(text) => text.as_str(),
                    Piece::Argument(name) => value(name),
                })
                .collect()
        };
        let messages = self.messages.iter().map(|(role, pieces)| (*role, text(pieces))).collect();
        Ok(Rendered { description: self.description.clone(), messages })
    }
}

/// Cuts a text at its `{{name}}`. What an argument holds is never looked at again.
fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, after)) = after.split_once("}}") else { break };
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        pieces.push(Piece::Argument(name.trim().to_owned()));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    pieces
}

impl Toolset {
    /// The prompts, in the order of the spec.
    pub fn prompts(&self) -> &[Prompt] {
        &self.prompts
    }

    /// Renders a prompt. Its arguments are an object of strings.
    ///
    /// # Errors
    /// There is no such prompt, or the arguments do not fit it.
    pub fn prompt(&self, name: &str, arguments: Option<&RawValue>) -> Result<Rendered, BadPrompt> {
        let Some(prompt) = self.prompts.iter().find(|prompt| prompt.name == name) else {
            let near = nearest(name, self.prompts.iter().map(|prompt| prompt.name.as_str()));
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return Err(BadPrompt(format!("Unknown prompt: `{}`{near}", shown(name))));
        };
        let text = arguments.map_or("{}", RawValue::get);
        if text.len() as u64 > self.limits.argument_bytes {
            return Err(BadPrompt(format!("the arguments are larger than {} bytes", self.limits.argument_bytes)));
        }
        let given: Map<String, Value> = serde_json::from_str(text)
            .map_err(|_| BadPrompt("the arguments of a prompt must be an object of strings".to_owned()))?;
        if let Some((name, _)) = given.iter().find(|(_, value)| !value.is_string()) {
            return Err(BadPrompt(format!("the argument `{}` must be a string", shown(name))));
        }
        prompt.render(&given)
    }
}

#[cfg(test)]
mod tests {
    use super::{Piece, pieces};

    #[test]
    fn a_text_is_cut_once() {
        let (text, argument) = (|t: &str| Piece::Text(t.into()), |t: &str| Piece::Argument(t.into()));
        assert_eq!(pieces("a {{ x }}{{y}} b"), [text("a "), argument("x"), argument("y"), text(" b")]);
        assert_eq!(pieces("open {{ only"), [text("open {{ only")]);
    }
}
