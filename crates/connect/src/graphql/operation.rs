//! Operations: read, bounded, and checked against a schema.

use apollo_compiler::ExecutableDocument;
use apollo_compiler::ast::{Definition, Document, OperationDefinition, OperationType};
use apollo_compiler::executable::{Operation as Typed, Selection, SelectionSet};
use apollo_compiler::parser::Parser;
use apollo_compiler::validation::DiagnosticList;
use serde_json::{Map, Value, json};

use super::types::literal;
use super::{Limits, Schema, TEXT_BYTES_MAX, input, output, size};

/// Deepest nesting of an operation's text.
const RECURSION_MAX: usize = 100;
/// Most tokens of an operation's text.
const TOKENS_MAX: usize = 20_000;
/// Most faults that are told.
const FAULTS_MAX: usize = 10;

/// An operation that can be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// The text, with its fragments.
    pub text: String,
    /// Its name; none for an operation without one.
    pub name: Option<String>,
    /// Whether it reads or writes.
    pub kind: Kind,
    /// Its variables, in order; their schemas are empty without a schema of the API.
    pub variables: Vec<Variable>,
    /// JSON Schema of its data, when the schema of the API is known.
    pub output: Option<Value>,
}

/// Whether an operation reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It reads.
    Query,
    /// It may write.
    Mutation,
}

/// A variable of an operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Its name, without `$`.
    pub name: String,
    /// Whether a call has to give it.
    pub required: bool,
    /// JSON Schema of its values.
    pub schema: Value,
}

/// What is wrong with an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// In words.
    pub message: String,
    /// Line in the text, from 1.
    pub line: Option<usize>,
    /// Column in the line, from 1.
    pub column: Option<usize>,
}

impl Operation {
    /// Reads an operation without a schema: its syntax and its size are checked.
    pub fn parse(text: &str, name: Option<&str>, limits: Limits) -> Result<Self, Vec<Fault>> {
        let document = read(text)?;
        let found = choose(&document, name)?;
        size::check(&document, found, limits).map_err(|why| vec![fault(why)])?;
        let kind = match found.operation_type {
            OperationType::Query => Kind::Query,
            OperationType::Mutation => Kind::Mutation,
            OperationType::Subscription => {
                return Err(vec![fault("a subscription has no end; a tool runs a query or a mutation".to_owned())]);
            }
        };
        let variables = found.variables.iter().map(|variable| Variable {
            name: variable.name.to_string(),
            required: variable.ty.is_non_null() && variable.default_value.is_none(),
            schema: with_default(json!({}), variable.default_value.as_ref().and_then(|value| literal(value))),
        });
        Ok(Self {
            text: text.to_owned(),
            name: found.name.as_ref().map(ToString::to_string),
            kind,
            variables: variables.collect(),
            output: None,
        })
    }

    /// Reads an operation and checks it against a schema: fields, arguments, types of variables, fragments.
    pub fn check(schema: &Schema, text: &str, name: Option<&str>, limits: Limits) -> Result<Self, Vec<Fault>> {
        let mut operation = Self::parse(text, name, limits)?;
        let document = Parser::new()
            .recursion_limit(RECURSION_MAX)
            .token_limit(TOKENS_MAX)
            .parse_executable(&schema.inner, text, "operation.graphql")
            .map_err(|faults| told(&faults.errors))?
            .validate(&schema.inner)
            .map_err(|faults| told(&faults.errors))?;
        let found = document
            .operations
            .get(operation.name.as_deref())
            .map_err(|error| vec![fault(error.message().to_string())])?;
        for (variable, declared) in operation.variables.iter_mut().zip(&found.variables) {
            let mut of_variable = input::schema(&schema.inner, &declared.ty);
            if let Some(description) = described(&document, found, &variable.name) {
                of_variable["description"] = description.into();
            }
            let default = variable.schema.get_mut("default").map(Value::take);
            variable.schema = with_default(of_variable, default);
        }
        operation.output = Some(output::schema(&schema.inner, &document, &found.selection_set));
        Ok(operation)
    }

    /// JSON Schema of the variables as the arguments of a tool.
    pub fn parameters(&self) -> Value {
        let properties: Map<_, _> =
            self.variables.iter().map(|variable| (variable.name.clone(), variable.schema.clone())).collect();
        let required: Vec<_> =
            self.variables.iter().filter(|variable| variable.required).map(|variable| variable.name.clone()).collect();
        json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
    }
}

fn read(text: &str) -> Result<Document, Vec<Fault>> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(vec![fault(format!("the text is larger than {TEXT_BYTES_MAX} bytes"))]);
    }
    let mut parser = Parser::new().recursion_limit(RECURSION_MAX).token_limit(TOKENS_MAX);
    parser.parse_ast(text, "operation.graphql").map_err(|faults| told(&faults.errors))
}

fn choose<'a>(document: &'a Document, name: Option<&str>) -> Result<&'a OperationDefinition, Vec<Fault>> {
    let mut operations = Vec::new();
    for definition in &document.definitions {
        match definition {
            Definition::OperationDefinition(operation) => operations.push(&**operation),
            Definition::FragmentDefinition(_) => {}
            _ => return Err(vec![fault("it defines types; only operations and fragments can be sent".to_owned())]),
        }
    }
    let names = || {
        let names = operations.iter().filter_map(|operation| operation.name.as_ref());
        names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    };
    match (name, operations.as_slice()) {
        (_, []) => Err(vec![fault("it holds no operation".to_owned())]),
        (None, [only]) => Ok(only),
        (None, _) => Err(vec![fault(format!("it holds several operations, {}; say which one", names()))]),
        (Some(name), _) => {
            let found = operations.iter().find(|operation| operation.name.as_ref().is_some_and(|own| own == name));
            found.copied().ok_or_else(|| vec![fault(format!("it holds no operation `{name}`, but {}", names()))])
        }
    }
}

/// The description of the first argument that a variable is given to.
fn described(document: &ExecutableDocument, operation: &Typed, variable: &str) -> Option<String> {
    let within = |set: &SelectionSet| in_set(set, variable);
    within(&operation.selection_set)
        .or_else(|| document.fragments.values().find_map(|fragment| within(&fragment.selection_set)))
}

fn in_set(set: &SelectionSet, variable: &str) -> Option<String> {
    set.selections.iter().find_map(|selection| match selection {
        Selection::Field(field) => {
            let given = field
                .arguments
                .iter()
                .find(|argument| argument.value.as_variable().is_some_and(|name| name.as_str() == variable));
            let described = given.and_then(|given| field.definition.argument_by_name(&given.name)?.description.clone());
            described.map(|text| text.to_string()).or_else(|| in_set(&field.selection_set, variable))
        }
        Selection::InlineFragment(fragment) => in_set(&fragment.selection_set, variable),
        Selection::FragmentSpread(_) => None,
    })
}

fn with_default(mut schema: Value, default: Option<Value>) -> Value {
    if let Some(default) = default {
        schema["default"] = default;
    }
    schema
}

fn fault(message: String) -> Fault {
    Fault { message, line: None, column: None }
}

fn told(faults: &DiagnosticList) -> Vec<Fault> {
    let told = faults.iter().take(FAULTS_MAX).map(|found| {
        let at = found.line_column_range().map(|range| range.start);
        Fault {
            message: found.error.to_string().replace('\n', " "),
            line: at.map(|at| at.line),
            column: at.map(|at| at.column),
        }
    });
    told.collect()
}
