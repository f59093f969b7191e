//! Templates of actions: compiling them, and what is told when one cannot be evaluated.

use serde_json::Value;
use spec::expression::{self, Scope, Template, Tree};

use crate::errors;
use crate::outcome::Failure;
use crate::toolset::Tool;

/// Why a part of an action cannot be compiled: the message, for the author.
pub(crate) type Fault = String;

/// A value template.
pub(crate) fn tree(value: &Value) -> Result<Tree, Fault> {
    Tree::parse(value).map_err(|faults| {
        faults
            .first()
            .map(|(path, fault)| format!("its template at `{path}` cannot be read: {fault}"))
            .unwrap_or_default()
    })
}

/// A text template.
pub(crate) fn fixed_text(text: &str) -> Result<Template, Fault> {
    Template::parse(text).map_err(|fault| format!("its template cannot be read: {fault}"))
}

/// The value of a tree in a call; nothing when it is absent.
pub(crate) fn value(tool: &Tool, what: &str, tree: &Tree, scope: &Scope) -> Result<Option<Value>, Box<Failure>> {
    tree.value(scope).map_err(|(path, fault)| errors::template(tool, &format!("{what}{path}"), &fault))
}

/// The text of a template in a call; nothing when it is absent or null.
pub(crate) fn text(
    tool: &Tool,
    what: &str,
    template: &Template,
    scope: &Scope,
) -> Result<Option<String>, Box<Failure>> {
    template.text(scope).map_err(|fault| errors::template(tool, what, &fault))
}

/// The texts of a value: one, or one for each item of a list. What is null is left out.
pub(crate) fn texts(value: Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.into_iter().filter_map(expression::plain).collect(),
        other => expression::plain(other).into_iter().collect(),
    }
}

/// The most items of an answer: a number or a template, within the server's own limit.
pub(crate) fn limit(
    tool: &Tool,
    what: &str,
    tree: Option<&Tree>,
    scope: &Scope,
    most: usize,
) -> Result<usize, Box<Failure>> {
    let Some(value) = tree.map(|tree| value(tool, what, tree, scope)).transpose()?.flatten() else { return Ok(most) };
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok()).filter(|number| *number > 0);
    let number = number.ok_or_else(|| errors::value(tool, &format!("the limit `{value}` is no number above 0")))?;
    Ok(usize::try_from(number).unwrap_or(usize::MAX).min(most))
}
