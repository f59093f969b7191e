//! Values of parameters that callers do not give: claims of the caller, variables of the environment, and what the URL of
//! the connection says.

use std::collections::HashMap;

use base::nearest;
use serde_json::{Map, Value, json};
use spec::model::{Bind, Parameter};

use super::{Tool, Toolset, shown};
use crate::context::CallContext;
use crate::outcome::{Failure, FailureKind};
use crate::schema::Schema;

/// A parameter whose value comes from elsewhere.
#[derive(Debug)]
pub(crate) struct Given {
    name: Box<str>,
    from: From,
    types: Vec<Box<str>>,
    /// Whether there is a value when the variable is not set.
    has_default: bool,
    schema: Schema,
}

#[derive(Debug)]
enum From {
    Claim(Box<str>),
    /// The variable, and its value where it is set.
    Variable(Box<str>, Option<String>),
    Url,
}

/// What the URL of a connection says of parameters, by name.
pub type Bindings = Map<String, Value>;

impl Given {
    /// The parameters among these whose values come from elsewhere; `None` when there are none.
    pub(super) fn compile(parameters: &[Parameter], variables: &HashMap<String, String>) -> Option<Box<[Self]>> {
        let given = parameters.iter().filter_map(|parameter| {
            let from = match parameter {
                Parameter { claim: Some(path), .. } => From::Claim(path.as_str().into()),
                Parameter { env: Some(name), .. } => From::Variable(name.as_str().into(), variables.get(name).cloned()),
                Parameter { bind: Some(Bind::Url), .. } => From::Url,
                _ => return None,
            };
            Some(Self {
                name: parameter.name.as_str().into(),
                from,
                types: types(parameter),
                has_default: parameter.schema.default().is_some(),
                schema: Schema::new(&parameter.schema.to_value()),
            })
        });
        let given: Box<[Self]> = given.collect();
        (!given.is_empty()).then_some(given)
    }

    /// Whether it is the parameter of this name, and callers neither see nor give it.
    pub(crate) fn is_hidden(&self, name: &str) -> bool {
        *self.name == *name && !matches!(self.from, From::Url)
    }

    /// Whether a value is one that the parameter takes; what is wrong, if not.
    fn check(&self, value: &Value) -> Result<(), String> {
        let validator = self.schema.validator().map_err(|error| format!("its schema is none: {error}"))?;
        validator.validate(value).map_err(|error| error.masked_with("the value").to_string())
    }
}

impl Tool {
    /// Puts what the URL says into the arguments of a call.
    ///
    /// # Errors
    /// The caller gives such a parameter too: says which.
    pub(crate) fn bind(&self, bindings: &Bindings, arguments: &mut Map<String, Value>) -> Result<(), String> {
        for one in self.given.iter().flatten().filter(|one| matches!(one.from, From::Url)) {
            let Some(value) = bindings.get(&*one.name) else { continue };
            if arguments.insert(one.name.to_string(), value.clone()).is_some() {
                return Err(format!("`{}` is set by the URL of this connection; leave it out", one.name));
            }
        }
        Ok(())
    }

    /// Fills in claims and variables.
    ///
    /// # Errors
    /// The caller has no such claim, a variable is not set, or a value is none that the parameter takes.
    pub(crate) fn fill(
        &self,
        context: &CallContext<'_>,
        arguments: &mut Map<String, Value>,
    ) -> Result<(), Box<Failure>> {
        for one in self.given.iter().flatten() {
            let value = match &one.from {
                From::Url => continue,
                From::Claim(path) => {
                    let found = context.claim(path).filter(|value| !value.is_null()).cloned();
                    found.ok_or_else(|| no_claim(self, path, context))?
                }
                From::Variable(name, Some(text)) => {
                    let value = read(text.clone(), &one.types);
                    // What the variable holds is the operator's and is not repeated.
                    one.check(&value).map_err(|_| misfit(self, one, &format!("environment variable {name}")))?;
                    value
                }
                From::Variable(_, None) if one.has_default => continue,
                From::Variable(name, None) => {
                    let text = format!(
                        "`{}` cannot run: environment variable {name} is not set. The operator of the server has to set it; other arguments will not help.",
                        self.info.name
                    );
                    return Err(Box::new(Failure::new(FailureKind::Unavailable, text)));
                }
            };
            if let From::Claim(path) = &one.from {
                one.check(&value).map_err(|_| misfit(self, one, &format!("claim `{path}` of the caller")))?;
            }
            arguments.insert(one.name.to_string(), value);
        }
        Ok(())
    }

    /// The parameters that a URL may set.
    pub(crate) fn url_parameters(&self) -> impl Iterator<Item = &str> {
        self.given.iter().flatten().filter(|one| matches!(one.from, From::Url)).map(|one| &*one.name)
    }

    /// The schema of the arguments as it is listed where the URL sets some of them.
    pub fn schema_without(&self, bindings: &Bindings) -> Option<Value> {
        let gone: Vec<&str> = self.url_parameters().filter(|name| bindings.contains_key(*name)).collect();
        if gone.is_empty() {
            return None;
        }
        let mut schema = self.input.parsed();
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            properties.retain(|name, _| !gone.contains(&name.as_str()));
        }
        if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
            required.retain(|name| !name.as_str().is_some_and(|name| gone.contains(&name)));
        }
        if schema["required"].as_array().is_some_and(Vec::is_empty) {
            schema.as_object_mut().map(|schema| schema.remove("required"));
        }
        Some(schema)
    }
}

impl Toolset {
    /// Reads what the query of a URL says of parameters, as pairs that are decoded.
    ///
    /// # Errors
    /// A key is no parameter that a URL may set, stands there twice, or its value is none that the parameter takes.
    pub fn bindings(&self, pairs: &[(String, String)]) -> Result<Bindings, String> {
        let mut bindings = Bindings::new();
        for (key, text) in pairs {
            let all = || self.tools.iter().flat_map(|tool| tool.given.iter().flatten());
            let named: Vec<&Given> = all().filter(|one| matches!(one.from, From::Url) && *one.name == **key).collect();
            let Some(first) = named.first() else {
                let mut known: Vec<&str> = self.tools.iter().flat_map(Tool::url_parameters).collect();
                known.sort_unstable();
                known.dedup();
                return Err(unknown(key, &known));
            };
            let value = read(text.clone(), &first.types);
            for one in &named {
                one.check(&value).map_err(|why| format!("`{key}` in the URL is not usable: {why}"))?;
            }
            if bindings.insert(key.clone(), value).is_some() {
                return Err(format!("`{}` stands twice in the URL", shown(key)));
            }
        }
        Ok(bindings)
    }
}

fn unknown(key: &str, known: &[&str]) -> String {
    let near = nearest(key, known.iter().copied()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    let list = match known {
        [] => "this server takes none".to_owned(),
        some => format!("it takes {}", some.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    };
    format!("The URL has the parameter `{}`, which this server does not take{near} ({list})", shown(key))
}

fn no_claim(tool: &Tool, path: &str, context: &CallContext<'_>) -> Box<Failure> {
    let why = match context.caller {
        None => "callers are not known here: a key or a token tells who calls, over HTTP".to_owned(),
        Some(_) => format!("what is known of you has no claim `{path}`"),
    };
    let text = format!(
        "`{}` was not run: it acts for its caller, and {why}. The operator of the server has to give your key this claim; other arguments will not help.",
        tool.info.name
    );
    Box::new(Failure::new(FailureKind::Denied, text).with(json!({ "claim": path })))
}

fn misfit(tool: &Tool, one: &Given, what: &str) -> Box<Failure> {
    let text = format!(
        "`{}` was not run: the {what} does not fit its parameter `{}`. The operator of the server has to mend this; other arguments will not help.",
        tool.info.name, one.name
    );
    Box::new(Failure::new(FailureKind::Denied, text))
}

/// The type words of a parameter.
pub(crate) fn types(parameter: &Parameter) -> Vec<Box<str>> {
    match parameter.schema.0.get("type") {
        Some(Value::String(kind)) => vec![kind.as_str().into()],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).map(Into::into).collect(),
        _ => Vec::new(),
    }
}

/// A text as a value of one of these types. URIs, URLs and variables have nothing but texts, so this is reading, not coercion;
/// what cannot be read stays text, and the schema refuses it.
pub(crate) fn read(text: String, types: &[Box<str>]) -> Value {
    let is = |kind: &str| types.iter().any(|known| &**known == kind);
    let number = is("integer") || is("number");
    match text.as_str() {
        "true" | "false" if is("boolean") => Value::Bool(text == "true"),
        _ if number => match serde_json::from_str::<Value>(&text) {
            Ok(value) if value.is_number() => value,
            _ => text.into(),
        },
        _ => text.into(),
    }
}
