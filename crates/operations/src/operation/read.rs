//! Reading the input of an operation.

use base::Diagnostic;
use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Code, Error, Subject};

/// Most problems of an input that are told.
const PROBLEMS_MAX: usize = 10;

/// Reads inputs of one operation.
pub(super) struct Reader {
    operation: &'static str,
    validator: Validator,
    /// Whether it works on a spec or a server of the catalogue, which people write in other ways.
    takes_subject: bool,
}

impl Reader {
    pub(super) fn new(operation: &'static str, schema: &Value) -> Result<Self, Error> {
        let validator = jsonschema::validator_for(schema)
            .map_err(|error| Error::new(Code::Internal, format!("the schema of `{operation}` is none: {error}")))?;
        let takes_subject = schema["properties"]["subject"]["oneOf"].is_array();
        Ok(Self { operation, validator, takes_subject })
    }

    /// Reads an input. What its schema refuses is refused here, with the places.
    pub(super) fn read<T: DeserializeOwned>(&self, input: Value) -> Result<T, Error> {
        let operation = self.operation;
        let problems: Vec<Diagnostic> = self
            .validator
            .iter_errors(&input)
            .take(PROBLEMS_MAX)
            .map(|problem| {
                let place = problem.instance_path().to_string();
                Diagnostic::error(Code::BadRequest.as_str(), said(&problem)).path(place)
            })
            .collect();
        if let Some(first) = problems.first() {
            let place = if first.path.is_empty() { String::new() } else { format!(" at {}", first.path) };
            let what = format!("the input of `{operation}` cannot be used{place}: {}", first.message);
            let mut error = Error::new(Code::BadRequest, what);
            if self.takes_subject && (first.path.is_empty() || first.path.starts_with("/subject")) {
                error = error.hint(format!("write {}", Subject::FORMS));
            }
            let mut error = error.hint("`/openapi.json` and the tool's input schema say what it takes");
            error.diagnostics = problems;
            return Err(error);
        }
        if let Some(key) = with_nul(&input) {
            let what = format!("the input of `{operation}` cannot be used at /{key}: there is a NUL character in it");
            return Err(Error::new(Code::BadRequest, what).hint("nothing has such a name"));
        }
        serde_json::from_value(input).map_err(|error| {
            Error::new(Code::BadRequest, format!("the input of `{operation}` cannot be read: {error}"))
                .hint("`/openapi.json` and the tool's input schema say what it takes")
        })
    }
}

/// What is wrong. That none of several forms fits is said without the forms, which are a schema.
fn said(problem: &ValidationError<'_>) -> String {
    match problem.kind() {
        ValidationErrorKind::OneOfNotValid { .. } => {
            format!("{} has none of the forms that it may have", problem.instance())
        }
        _ => problem.to_string(),
    }
}

/// The key of a text with a NUL in it, which names nothing, and which not every database takes.
fn with_nul(input: &Value) -> Option<&str> {
    let fields = input.as_object()?.iter();
    fields
        .into_iter()
        .find(|(_, value)| value.as_str().is_some_and(|text| text.contains('\0')))
        .map(|(key, _)| key.as_str())
}
