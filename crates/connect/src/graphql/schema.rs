//! What an API offers.

use apollo_compiler::parser::Parser;
use apollo_compiler::schema::Schema as Inner;
use apollo_compiler::validation::Valid;
use serde_json::Value;

use super::{SCHEMA_BYTES_MAX, sdl};

/// Deepest nesting of a schema's text.
const RECURSION_MAX: usize = 200;
/// Most tokens of a schema's text.
const TOKENS_MAX: usize = 8_000_000;
/// Most faults of a schema that are told.
const FAULTS_MAX: usize = 3;

/// What makes an input object one of several.
const ONE_OF: &str = "directive @oneOf on INPUT_OBJECT";

/// The schema of an API, checked.
pub struct Schema {
    pub(super) inner: Valid<Inner>,
}

impl std::fmt::Debug for Schema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Schema of {} types", self.inner.types.len())
    }
}

impl Schema {
    /// Reads a schema in its own language (SDL); the error says what is wrong and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > SCHEMA_BYTES_MAX {
            return Err(format!("the schema is larger than {SCHEMA_BYTES_MAX} bytes"));
        }
        // The directive belongs to the language, but is newer than the parser.
        let adds_one_of = text.contains("@oneOf") && !text.contains("directive @oneOf");
        let text = if adds_one_of { format!("{text}\n{ONE_OF}\n") } else { text.to_owned() };
        let parsed = Parser::new()
            .recursion_limit(RECURSION_MAX)
            .token_limit(TOKENS_MAX)
            .parse_schema(text, "schema.graphql")
            .map_err(|faults| faults.errors)
            .and_then(|schema| schema.validate().map_err(|faults| faults.errors));
        match parsed {
            Ok(inner) => Ok(Self { inner }),
            Err(faults) => {
                let told = faults.iter().take(FAULTS_MAX).map(|fault| match fault.line_column_range() {
                    Some(range) => format!("line {}: {}", range.start.line, fault.error),
                    None => fault.error.to_string(),
                });
                Err(format!("the schema is not valid: {}", told.collect::<Vec<_>>().join("; ")))
            }
        }
    }

    /// Makes a schema from the answer to [`super::Client::introspect`]'s question: the value of `__schema`.
    pub fn from_introspection(answer: &Value) -> Result<Self, String> {
        Self::parse(&sdl::write(answer)?)
    }

    /// The schema in its own language, in the order in which it was read.
    pub fn text(&self) -> String {
        self.inner.to_string()
    }
}
