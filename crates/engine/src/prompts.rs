//! Prompts: texts with `{{name}}` replaced by arguments, and answers of tools.

use ahash::HashMap;

use base::nearest;
use plan::Plan;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use spec::model::{PromptArgument, PromptMessage, Role};

use crate::context::CallContext;
use crate::outcome::Failure;
use crate::toolset::{Toolset, given, shown};

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
    messages: Vec<(Role, Said)>,
}

#[derive(Clone, Debug)]
enum Said {
    Text(Vec<Piece>),
    /// A tool by index, with the arguments that it takes and their types.
    Tool(usize, Vec<(Box<str>, Vec<Box<str>>)>),
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
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BadPrompt {
    /// There is no such prompt, or its arguments do not fit.
    #[error("{0}")]
    Asked(String),
    /// The tool behind a message gave no answer.
    #[error("{}", .0.text)]
    Failed(Box<Failure>),
}

impl Prompt {
    pub(crate) fn compile(
        prompt: &spec::model::Prompt,
        plan: &Plan,
        tools: &HashMap<Box<str>, usize>,
    ) -> Result<Self, String> {
        let said = |message: &PromptMessage| {
            let Some(name) = &message.tool else { return Ok((message.role, Said::Text(pieces(&message.text)))) };
            let index = tools.get(name.as_str()).ok_or_else(|| {
                format!("prompt `{}` is written by tool `{name}`, which this spec does not have", prompt.name)
            })?;
            let planned = plan.tools.iter().find(|tool| tool.tool == *name);
            let parameters = planned.map(|tool| tool.parameters.as_slice()).unwrap_or_default();
            let takes = parameters.iter().filter(|parameter| {
                !parameter.is_hidden() && prompt.arguments.iter().any(|argument| argument.name == parameter.name)
            });
            let takes = takes.map(|parameter| (parameter.name.as_str().into(), given::types(parameter)));
            Ok((message.role, Said::Tool(*index, takes.collect())))
        };
        Ok(Self {
            name: prompt.name.clone(),
            title: prompt.title.clone(),
            description: prompt.description.clone(),
            arguments: prompt.arguments.clone(),
            messages: prompt.messages.iter().map(said).collect::<Result<_, String>>()?,
        })
    }

    /// The tools behind its messages, by index.
    pub(crate) fn tools(&self) -> impl Iterator<Item = usize> {
        self.messages.iter().filter_map(|(_, said)| if let Said::Tool(index, _) = said { Some(*index) } else { None })
    }

    /// Whether the arguments are those of the prompt.
    fn check(&self, given: &Map<String, Value>) -> Result<(), BadPrompt> {
        let known = || self.arguments.iter().map(|argument| argument.name.as_str());
        for name in given.keys() {
            if !known().any(|known| known == name) {
                let near = nearest(name, known()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                return Err(BadPrompt::Asked(format!(
                    "prompt `{}` has no argument `{}`{near}",
                    self.name,
                    shown(name)
                )));
            }
        }
        let missing: Vec<String> = self
            .arguments
            .iter()
            .filter(|argument| argument.required && !given.contains_key(&argument.name))
            .map(|argument| format!("`{}`", argument.name))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(BadPrompt::Asked(format!("prompt `{}` needs the argument {}", self.name, missing.join(", "))))
    }
}

fn rendered(pieces: &[Piece], given: &Map<String, Value>) -> String {
    let value = |name: &str| given.get(name).and_then(Value::as_str).unwrap_or_default();
    let each = pieces.iter().map(|piece| match piece {
        Piece::Text(text) => text.as_str(),
        Piece::Argument(name) => value(name),
    });
    each.collect()
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

    /// Renders a prompt. Its arguments are an object of strings; tools behind it are called under the same limits as any call.
    ///
    /// # Errors
    /// There is no such prompt, the arguments do not fit it, or a tool behind it failed.
    pub async fn prompt(
        &self,
        context: &CallContext<'_>,
        name: &str,
        arguments: Option<&RawValue>,
    ) -> Result<Rendered, BadPrompt> {
        let Some(prompt) = self.prompts.iter().find(|prompt| prompt.name == name) else {
            let near = nearest(name, self.prompts.iter().map(|prompt| prompt.name.as_str()));
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return Err(BadPrompt::Asked(format!("Unknown prompt: `{}`{near}", shown(name))));
        };
        let text = arguments.map_or("{}", RawValue::get);
        if text.len() as u64 > self.limits.argument_bytes {
            let most = self.limits.argument_bytes;
            return Err(BadPrompt::Asked(format!("the arguments are larger than {most} bytes")));
        }
        let given: Map<String, Value> = serde_json::from_str(text)
            .map_err(|_| BadPrompt::Asked("the arguments of a prompt must be an object of strings".to_owned()))?;
        if let Some((name, _)) = given.iter().find(|(_, value)| !value.is_string()) {
            return Err(BadPrompt::Asked(format!("the argument `{}` must be a string", shown(name))));
        }
        prompt.check(&given)?;
        let mut messages = Vec::with_capacity(prompt.messages.len());
        for (role, said) in &prompt.messages {
            let text = match said {
                Said::Text(pieces) => rendered(pieces, &given),
                Said::Tool(index, takes) => self.message_of(context, *index, takes, &given).await?,
            };
            messages.push((*role, text));
        }
        Ok(Rendered { description: prompt.description.clone(), messages })
    }

    /// The answer of a tool as a text.
    async fn message_of(
        &self,
        context: &CallContext<'_>,
        index: usize,
        takes: &[(Box<str>, Vec<Box<str>>)],
        given: &Map<String, Value>,
    ) -> Result<String, BadPrompt> {
        let gone = || BadPrompt::Asked("the tool behind the prompt is not there".to_owned());
        let arguments = takes.iter().filter_map(|(name, types)| {
            let text = given.get(&**name)?.as_str()?.to_owned();
            Some((name.to_string(), given::read(text, types)))
        });
        let arguments = Value::Object(arguments.collect()).to_string();
        let raw = RawValue::from_string(arguments).map_err(|_| gone())?;
        let tool = self.tools.get(index).ok_or_else(gone)?;
        let outcome = self.call(context, &tool.info.name, Some(&raw)).await.map_err(|_| gone())?;
        if let Some(failure) = outcome.failure {
            return Err(BadPrompt::Failed(Box::new(failure)));
        }
        Ok(match &outcome.structured {
            Some(json) if outcome.echo => crate::resources::text_of(json, "text/plain").to_string(),
            _ => outcome.text(),
        })
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
