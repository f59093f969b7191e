//! Tools.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Action, Ask, Icon, Parameter, Schema, Shape};

/// One tool. It says what it does with one action key at most (`sql`, `reply`, …); without one the
/// action is inferred from what its connection really offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tool {
    /// Name, up to 64 of `[A-Za-z0-9_-]`.
    pub name: String,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it does, for the model that chooses it. Derived when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What a call takes: a map from name to schema (with `required`), or a list with `name`.
    /// When the key is absent the planner may derive parameters; `{}` means none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Vec<Parameter>>,
    /// What it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returns: Option<Schema>,
    /// What of the result is given, and under which names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<Shape>,
    /// Groups that it belongs to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Connection that it uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// What the tool may do to the world. What is absent is derived from the action.
    #[serde(default, skip_serializing_if = "Annotations::is_empty")]
    pub annotations: Annotations,
    /// Pictures a client may show.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub icons: Vec<Icon>,
    /// Questions to the person behind the caller, before anything is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<Ask>,
    /// Longest call, milliseconds; the server's limit when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Whether a call may go on as a task of a client that knows tasks, after the request that started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskUse>,
    /// What it does.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
}

impl Tool {
    /// The parameters, none when the key is absent.
    pub fn parameters(&self) -> &[Parameter] {
        self.parameters.as_deref().unwrap_or_default()
    }

    /// The parameter of this name.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters().iter().find(|parameter| parameter.name == name)
    }

    /// The connections that it names, those of its steps too.
    pub fn connections(&self) -> impl Iterator<Item = &str> {
        let steps = match &self.action {
            Some(Action::Steps(steps)) => steps.list.as_slice(),
            _ => &[],
        };
        let of_steps = steps.iter().filter_map(|step| step.connection.as_deref());
        self.connection.as_deref().into_iter().chain(of_steps)
    }

    /// Whether a call without this parameter is refused: it is required, and nobody is asked for it.
    pub fn demands(&self, parameter: &Parameter) -> bool {
        parameter.required && !self.ask.as_ref().is_some_and(|ask| ask.asks_for(&parameter.name))
    }

    /// What the action itself answers, where the spec says it: not when fields of the answer get a shape of their own.
    pub fn own_returns(&self) -> Option<&Schema> {
        self.returns.as_ref().filter(|_| !self.reshapes())
    }

    /// Whether fields of the result are left out or renamed.
    pub fn reshapes(&self) -> bool {
        self.shape.as_ref().is_some_and(|shape| !shape.pick.is_empty() || !shape.rename.is_empty())
    }

    /// The JSON Schema (2020-12) of a call's arguments.
    pub fn input_schema(&self) -> Value {
        input_schema(self.parameters())
    }
}

/// The JSON Schema (2020-12) of an arguments object with these parameters; other keys are refused. Hidden parameters are not
/// in it. Definitions of parameters become definitions of the whole.
pub fn input_schema(parameters: &[Parameter]) -> Value {
    let mut definitions = Map::new();
    let mut properties = Map::new();
    for parameter in parameters.iter().filter(|parameter| !parameter.is_hidden()) {
        let mut schema = parameter.schema.0.clone();
        if let Some(Value::Object(own)) = schema.remove("$defs") {
            definitions.extend(own);
        }
        properties.insert(parameter.name.clone(), Value::Object(schema));
    }
    let required = parameters.iter().filter(|parameter| parameter.required && !parameter.is_hidden());
    let required: Vec<&str> = required.map(|parameter| parameter.name.as_str()).collect();
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    if !definitions.is_empty() {
        schema["$defs"] = Value::Object(definitions);
    }
    schema
}

/// Calls that go on as tasks (MCP extension `io.modelcontextprotocol/tasks`). Clients that do not know tasks wait for the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TaskUse {
    /// A task fails when the process that runs it ends.
    Allowed,
    /// A task is called anew after a restart, with the same arguments. A script gets its id from `await task()` and goes on where
    /// it was: it keeps what it did in `state`. Any other action has to be one that may be done twice.
    Resumed,
}

/// Hints about a tool (MCP `ToolAnnotations`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Annotations {
    /// It changes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only_hint: Option<bool>,
    /// It may destroy or overwrite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destructive_hint: Option<bool>,
    /// Calling it twice is the same as calling it once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotent_hint: Option<bool>,
    /// It reaches things outside of its own data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_world_hint: Option<bool>,
}

impl Annotations {
    /// `true` when nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
