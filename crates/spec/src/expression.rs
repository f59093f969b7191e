//! The one expression language of a spec: the expressions and templates of Jinja, strict and bounded.
//!
//! Texts hold `{{ … }}`. A text that is one `{{ … }}` and nothing else stands for the value itself, with its type; any other
//! text is put together from its parts. A value template is a JSON tree whose texts are such templates. An argument that the
//! caller left out is *absent*: its key or its item is left out of a tree, and to write it into a text is an error, unless
//! `default(…)` says what stands for it. Names are looked up in a [`Scope`]; a name that is not there is an error, found before
//! anything runs where that is possible ([`Template::names`]).
//!
//! Besides the filters of Jinja there are `b64encode` and `b64decode`, between texts and their Base64.
//!
//! What an argument holds is never read as a template.

mod bounded;
mod scope;
mod tree;
mod words;

use std::fmt;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, Value as Jinja};
use serde_json::Value;

pub use scope::Scope;
pub use tree::Tree;

use crate::limits::{TEMPLATE_BYTES_MAX, TEMPLATE_FUEL, TEMPLATE_OUTPUT_BYTES_MAX};

/// Why an expression or a template cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What is wrong.
    pub message: String,
    /// Offset in the text of the expression or template, bytes.
    pub offset: Option<usize>,
}

impl Fault {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), offset: None }
    }
}

/// What every evaluation has in common. Nothing in it reaches outside.
static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_fuel(Some(TEMPLATE_FUEL));
    environment.set_debug(true);
    if let Ok(syntax) = SyntaxConfig::builder().keep_trailing_newline(true).build() {
        environment.set_syntax(syntax);
    }
    environment.remove_global("debug");
    environment.add_filter("b64encode", |text: &str| STANDARD.encode(text));
    environment.add_filter("b64decode", decoded);
    environment.add_filter("join", bounded::join);
    environment.add_filter("replace", bounded::replace);
    environment.add_filter("indent", bounded::indent);
    environment
});

/// The text that stands in Base64.
fn decoded(text: &str) -> Result<String, minijinja::Error> {
    let bytes = STANDARD.decode(text.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    bytes.ok_or_else(|| minijinja::Error::new(ErrorKind::InvalidOperation, "it is no Base64 of a text"))
}

/// An expression without braces: `args.limit > 3`.
pub struct Expression(minijinja::Expression<'static, 'static>);

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Expression")
    }
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// It is too long or is no expression.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        within_bounds(text)?;
        let parsed = ENVIRONMENT.compile_expression_owned(text.to_owned()).map_err(|error| fault(&error, text, 0))?;
        words::in_expression(text)?;
        Ok(Self(parsed))
    }

    /// Reads an expression that may stand in braces: `{{ args.limit > 3 }}`.
    ///
    /// # Errors
    /// As [`Expression::parse`].
    pub fn bare(text: &str) -> Result<Self, Fault> {
        Self::parse(alone(text).unwrap_or(text))
    }

    /// The names that it looks up, dotted: `args.limit`.
    pub fn names(&self) -> Vec<String> {
        sorted(self.0.undeclared_variables(true))
    }

    /// The value; nothing when it is absent.
    ///
    /// # Errors
    /// It cannot be evaluated with these names, or takes too many steps.
    pub fn value(&self, scope: &Scope) -> Result<Option<Value>, Fault> {
        let found = self.0.eval(scope.root()).map_err(|error| fault(&error, "", 0))?;
        json(&found)
    }

    /// Whether the value counts as true. What is absent does not.
    ///
    /// # Errors
    /// As [`Expression::value`].
    pub fn is_true(&self, scope: &Scope) -> Result<bool, Fault> {
        Ok(self.0.eval(scope.root()).map_err(|error| fault(&error, "", 0))?.is_true())
    }
}

/// A text with `{{ … }}`.
#[derive(Debug)]
pub struct Template(Kind);

enum Kind {
    Literal(Box<str>),
    Value(Expression),
    Text(Box<Environment<'static>>),
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(text) => f.debug_tuple("Literal").field(text).finish(),
            Self::Value(_) => f.write_str("Value"),
            Self::Text(_) => f.write_str("Text"),
        }
    }
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// It is too long, or an expression in it cannot be read.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        if !is_template(text) {
            return Ok(Self(Kind::Literal(text.into())));
        }
        within_bounds(text)?;
        if let Some(inside) = alone(text)
            && let Ok(expression) = ENVIRONMENT.compile_expression_owned(inside.to_owned())
        {
            words::in_template(text)?;
            return Ok(Self(Kind::Value(Expression(expression))));
        }
        let mut environment = ENVIRONMENT.clone();
        environment.add_template_owned(TEMPLATE, text.to_owned()).map_err(|error| fault(&error, text, 0))?;
        words::in_template(text)?;
        Ok(Self(Kind::Text(Box::new(environment))))
    }

    /// Whether it is the same text whatever the names stand for.
    pub fn is_literal(&self) -> bool {
        matches!(self.0, Kind::Literal(_))
    }

    /// The names that it looks up, dotted: `args.limit`.
    pub fn names(&self) -> Vec<String> {
        match &self.0 {
            Kind::Literal(_) => Vec::new(),
            Kind::Value(expression) => expression.names(),
            Kind::Text(environment) => {
                environment.get_template(TEMPLATE).map(|it| sorted(it.undeclared_variables(true))).unwrap_or_default()
            }
        }
    }

    /// The value; nothing when it is absent.
    ///
    /// # Errors
    /// It cannot be evaluated with these names, takes too many steps, or makes too long a text.
    pub fn value(&self, scope: &Scope) -> Result<Option<Value>, Fault> {
        match &self.0 {
            Kind::Literal(text) => Ok(Some(Value::from(&**text))),
            Kind::Value(expression) => expression.value(scope),
            Kind::Text(environment) => render(environment, scope).map(|text| Some(Value::String(text))),
        }
    }

    /// The value as text: a text as it is, anything else as JSON. Nothing when it is absent or null.
    ///
    /// # Errors
    /// As [`Template::value`].
    pub fn text(&self, scope: &Scope) -> Result<Option<String>, Fault> {
        Ok(self.value(scope)?.and_then(plain))
    }
}

/// A value as text: a text as it is, anything else as JSON; nothing for null.
pub fn plain(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

/// Whether a text has anything that is evaluated.
pub fn is_template(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark))
}

const TEMPLATE: &str = "text";

fn within_bounds(text: &str) -> Result<(), Fault> {
    if text.len() > TEMPLATE_BYTES_MAX {
        return Err(Fault::new(format!("it is longer than {TEMPLATE_BYTES_MAX} bytes")));
    }
    Ok(())
}

/// The inside of a text that may be one `{{ … }}` and nothing else: it is, when it can be read as an expression.
fn alone(text: &str) -> Option<&str> {
    text.trim().strip_prefix("{{")?.strip_suffix("}}")
}

fn render(environment: &Environment<'static>, scope: &Scope) -> Result<String, Fault> {
    let template = environment.get_template(TEMPLATE).map_err(|error| fault(&error, "", 0))?;
    let mut out = Bounded(Vec::new());
    match template.render_captured_to(scope.root(), &mut out) {
        Ok(_) => String::from_utf8(out.0).map_err(|_| Fault::new("it makes bytes that are not text")),
        Err(_) if out.0.len() >= TEMPLATE_OUTPUT_BYTES_MAX => {
            Err(Fault::new(format!("it makes a text of more than {TEMPLATE_OUTPUT_BYTES_MAX} bytes")))
        }
        Err(error) => Err(fault(&error, template.source(), 0)),
    }
}

/// A buffer with an end.
struct Bounded(Vec<u8>);

impl std::io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let left = TEMPLATE_OUTPUT_BYTES_MAX - self.0.len();
        self.0.extend_from_slice(&bytes[..bytes.len().min(left)]);
        if bytes.len() > left {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What is absent stays absent; everything else is JSON.
fn json(value: &Jinja) -> Result<Option<Value>, Fault> {
    if value.is_undefined() {
        return Ok(None);
    }
    let value = serde_json::to_value(value).map_err(|error| Fault::new(format!("its value is no JSON: {error}")))?;
    Ok(Some(value))
}

fn sorted(names: std::collections::HashSet<String>) -> Vec<String> {
    let mut names: Vec<String> = names.into_iter().collect();
    names.sort();
    names
}

fn fault(error: &minijinja::Error, text: &str, offset: usize) -> Fault {
    let place = error.range().map(|range| range.start + offset).filter(|at| *at <= text.len());
    let detail = error.detail().unwrap_or_default();
    let message = match error.kind() {
        ErrorKind::UndefinedError if detail.is_empty() => {
            "a name has no value; `default(…)` can stand for it".to_owned()
        }
        ErrorKind::UndefinedError => format!("{detail}; `default(…)` can stand for what is absent"),
        ErrorKind::OutOfFuel => format!("it takes more than {TEMPLATE_FUEL} steps"),
        kind if detail.is_empty() => kind.to_string(),
        ErrorKind::SyntaxError => detail.to_owned(),
        kind => format!("{kind}: {detail}"),
    };
    Fault { message, offset: place }
}

#[cfg(test)]
mod tests;
