//! Parts of an operation whose texts are templates. Where MongoDB reads a text as an expression, `$name` is a field and an
//! object may be an operator: what comes out of a template there is wrapped in `$literal`, which makes it a value.

use serde_json::{Map, Value, json};
use spec::expression::{Scope, Template};

use crate::actions::{Fault, fixed_text};
use crate::errors;
use crate::outcome::Failure;
use crate::toolset::Tool;

/// How MongoDB reads a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    /// As it is: values of filters and documents.
    Value,
    /// As an expression.
    Expression,
    /// As a list of stages.
    Pipeline,
    /// As one stage: its key says how the rest is read.
    Stage,
    /// As pipelines by name.
    Pipelines,
    /// As the parts of a stage that may hold a pipeline or a filter.
    Joined,
    /// As an update: an object of operators with values, or a list of stages.
    Update,
}

impl Read {
    /// How the value of a key is read.
    fn under(self, key: &str) -> Self {
        match (self, key) {
            (Self::Value, "$expr") => Self::Expression,
            (Self::Value | Self::Update, _) => Self::Value,
            (Self::Stage, "$match" | "$limit" | "$skip" | "$sort" | "$count" | "$sample" | "$documents") => Self::Value,
            (Self::Stage, "$facet") => Self::Pipelines,
            (Self::Stage, "$lookup" | "$graphLookup" | "$unionWith" | "$geoNear" | "$search" | "$vectorSearch") => {
                Self::Joined
            }
            (Self::Pipelines, _) | (Self::Joined, "pipeline") => Self::Pipeline,
            (Self::Joined, "let" | "startWith") => Self::Expression,
            (Self::Joined, _) => Self::Value,
            // The value of a literal is one already.
            (Self::Expression, "$literal") => Self::Value,
            _ => Self::Expression,
        }
    }

    /// How the items of a list are read.
    fn item(self) -> Self {
        match self {
            Self::Pipeline | Self::Update => Self::Stage,
            other => other,
        }
    }
}

/// A part of an operation.
#[derive(Debug)]
pub(super) struct Part(Node);

#[derive(Debug)]
enum Node {
    Fixed(Value),
    Text(Template, Read),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Part {
    /// Compiles a part by its name.
    pub(super) fn compile(name: &str, value: &Value) -> Result<Self, Fault> {
        let read = match name {
            "pipeline" => Read::Pipeline,
            "update" => Read::Update,
            "projection" | "let" => Read::Expression,
            _ => Read::Value,
        };
        Node::compile(value, read).map(Self)
    }

    /// The value in a call; nothing when all of it is absent.
    pub(super) fn value(&self, tool: &Tool, what: &str, scope: &Scope) -> Result<Option<Value>, Box<Failure>> {
        self.0.value(tool, what, scope)
    }
}

impl Node {
    fn compile(value: &Value, read: Read) -> Result<Self, Fault> {
        Ok(match value {
            Value::String(text) => {
                let template = fixed_text(text)?;
                if template.is_literal() { Self::Fixed(value.clone()) } else { Self::Text(template, read) }
            }
            Value::Array(items) => {
                Self::List(items.iter().map(|item| Self::compile(item, read.item())).collect::<Result<_, _>>()?)
            }
            Value::Object(fields) => {
                let field = |(key, value): (&String, &Value)| {
                    Ok::<_, Fault>((key.clone(), Self::compile(value, read.under(key))?))
                };
                Self::Map(fields.iter().map(field).collect::<Result<_, _>>()?)
            }
            other => Self::Fixed(other.clone()),
        })
    }

    fn value(&self, tool: &Tool, what: &str, scope: &Scope) -> Result<Option<Value>, Box<Failure>> {
        match self {
            Self::Fixed(value) => Ok(Some(value.clone())),
            Self::Text(template, read) => {
                let value = template.value(scope).map_err(|fault| errors::template(tool, what, &fault))?;
                let Some(value) = value else { return Ok(None) };
                if let Some(operator) = spec::mongo::operator(&value) {
                    let why = format!("a value holds the key `{}`, an operator", operator.escape_debug());
                    return Err(errors::value(tool, &why));
                }
                match read {
                    Read::Value => Ok(Some(value)),
                    Read::Expression if value.is_object() || value.is_array() || value.is_string() => {
                        Ok(Some(json!({ "$literal": value })))
                    }
                    Read::Expression => Ok(Some(value)),
                    _ => {
                        Err(errors::value(tool, "stages and whole updates are written by the author, not by a caller"))
                    }
                }
            }
            Self::List(items) => {
                let values = items.iter().filter_map(|item| item.value(tool, what, scope).transpose());
                Ok(Some(Value::Array(values.collect::<Result<_, _>>()?)))
            }
            Self::Map(fields) => {
                let mut out = Map::with_capacity(fields.len());
                for (key, field) in fields {
                    if let Some(value) = field.value(tool, what, scope)? {
                        out.insert(key.clone(), value);
                    }
                }
                // Without its only value, a comparison such as `{$gte: …}` would match nothing: it is left out too.
                let gone = out.is_empty() && !fields.is_empty() && fields.iter().all(|(key, _)| key.starts_with('$'));
                Ok((!gone).then_some(Value::Object(out)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Node, Read};

    /// How the text of the only template in a value is read.
    fn read(node: &Node) -> Option<Read> {
        match node {
            Node::Fixed(_) => None,
            Node::Text(_, read) => Some(*read),
            Node::List(items) => items.iter().find_map(read_of),
            Node::Map(fields) => fields.iter().find_map(|(_, field)| read_of(field)),
        }
    }

    fn read_of(node: &Node) -> Option<Read> {
        read(node)
    }

    #[test]
    fn texts_are_read_as_mongodb_reads_them() {
        let x = "{{ args.x }}";
        let cases: [(Read, Value, Read); 17] = [
            (Read::Value, json!({"a": x}), Read::Value),
            (Read::Value, json!({"a": {"$gt": x}}), Read::Value),
            (Read::Value, json!({"$or": [{"a": x}]}), Read::Value),
            (Read::Value, json!({"$expr": {"$eq": ["$a", x]}}), Read::Expression),
            (Read::Pipeline, json!([{"$match": {"a": x}}]), Read::Value),
            (Read::Pipeline, json!([{"$match": {"$expr": {"$eq": ["$a", x]}}}]), Read::Expression),
            (Read::Pipeline, json!([{"$project": {"a": x}}]), Read::Expression),
            (Read::Pipeline, json!([{"$addFields": {"a": {"$concat": ["$b", x]}}}]), Read::Expression),
            (Read::Pipeline, json!([{"$group": {"_id": x}}]), Read::Expression),
            (Read::Pipeline, json!([{"$limit": x}]), Read::Value),
            (Read::Pipeline, json!([{"$facet": {"f": [{"$match": {"a": x}}]}}]), Read::Value),
            (Read::Pipeline, json!([{"$facet": {"f": [{"$set": {"a": x}}]}}]), Read::Expression),
            (Read::Pipeline, json!([{"$lookup": {"pipeline": [{"$set": {"a": x}}]}}]), Read::Expression),
            (Read::Pipeline, json!([{"$lookup": {"let": {"a": x}}}]), Read::Expression),
            (Read::Pipeline, json!([x]), Read::Stage),
            (Read::Update, json!({"$set": {"a": x}}), Read::Value),
            (Read::Update, json!([{"$set": {"a": x}}]), Read::Expression),
        ];
        for (start, value, expected) in cases {
            let node = Node::compile(&value, start).expect("templates");
            assert_eq!(read(&node), Some(expected), "{value}");
        }
    }
}
