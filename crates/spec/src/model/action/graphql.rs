//! Operations of GraphQL APIs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::sql::Effects;

/// An operation of the GraphQL API of the tool's connection. A text is short for the operation. Without `parameters` the tool takes the
/// operation's variables; without `returns` its output is what the operation selects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Graphql {
    /// The operation, with its fragments. It is checked against the API's schema when the server is made.
    pub operation: String,
    /// Which operation, where the text holds several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Values of variables, a value template. A variable that is not named here has the argument of its name.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub variables: Map<String, Value>,
    /// The part of the data that is the result: a path (`$.user.orders[*].id`) or a pointer (`/user/orders`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub select: Option<String>,
}

impl Graphql {
    /// What the operation does to the world, by its first word.
    pub fn effects(&self) -> Effects {
        let read_only = self.word() != Some("mutation");
        Effects { read_only, destructive: !read_only, idempotent: read_only }
    }

    /// `query`, `mutation` or `subscription`, as far as it is said.
    pub fn word(&self) -> Option<&str> {
        let mut depth = 0_usize;
        let mut found = None;
        let mut rest = self.operation.as_str();
        while let Some(first) = rest.chars().next() {
            let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let length = match first {
                '#' => rest.find('\n').unwrap_or(rest.len()),
                '"' => quoted(rest),
                _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
                _ => first.len_utf8(),
            };
            let (token, after) = rest.split_at(length);
            match token {
                "{" | "(" => depth += 1,
                "}" | ")" => depth = depth.saturating_sub(1),
                "query" | "mutation" | "subscription" if depth == 0 => {
                    let named = after.trim_start().split(|c| !is_word(c)).next().unwrap_or_default();
                    if self.name.as_deref().is_none_or(|name| name == named) {
                        return Some(token);
                    }
                    found = found.or(Some(token));
                }
                _ => {}
            }
            rest = after;
        }
        found
    }
}

/// The length of a string with its quotes.
fn quoted(text: &str) -> usize {
    if let Some(rest) = text.strip_prefix("\"\"\"") {
        return rest.find("\"\"\"").map_or(text.len(), |end| end + 6);
    }
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' | '\n' if !escaped => return at + 1,
            '\\' if !escaped => escaped = true,
            _ => escaped = false,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::Graphql;

    #[test]
    fn the_word_of_an_operation() {
        for (operation, name, word) in [
            ("{ mutation }", None, None),
            ("query { a }", None, Some("query")),
            ("# mutation\nquery A($b: C = \"mutation\") { mutation }", None, Some("query")),
            ("fragment F on M { a } mutation B { c }", None, Some("mutation")),
            ("query A { a } mutation B { b }", Some("B"), Some("mutation")),
            ("query A { a } mutation B { b }", Some("A"), Some("query")),
            ("query A { a(b: \"\"\"} mutation B { \"\"\") }", None, Some("query")),
            ("subscription { a }", None, Some("subscription")),
            ("", None, None),
            ("\"", None, None),
        ] {
            let action = Graphql {
                operation: operation.to_owned(),
                name: name.map(str::to_owned),
                variables: serde_json::Map::new(),
                select: None,
            };
            assert_eq!(action.word(), word, "{operation}");
        }
    }
}
