//! JSON trees whose texts are templates.

use serde_json::{Map, Value};

use super::{Fault, Scope, Template};

/// A JSON value whose texts are templates. Keys are taken as they are.
#[derive(Debug)]
pub struct Tree(Node);

#[derive(Debug)]
enum Node {
    /// Holds no template anywhere.
    Fixed(Value),
    Text(Template),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Tree {
    /// Reads a value template.
    ///
    /// # Errors
    /// Each template that cannot be read, with its JSON pointer.
    pub fn parse(value: &Value) -> Result<Self, Vec<(String, Fault)>> {
        let mut faults = Vec::new();
        let node = Node::parse(value, "", &mut faults);
        if faults.is_empty() { Ok(Self(node)) } else { Err(faults) }
    }

    /// The names that its templates look up, dotted, each with the JSON pointer of its text.
    pub fn names(&self) -> Vec<(String, String)> {
        let mut names = Vec::new();
        self.0.names("", &mut names);
        names
    }

    /// Whether it is the same whatever the names stand for.
    pub fn is_fixed(&self) -> bool {
        matches!(self.0, Node::Fixed(_))
    }

    /// The value; nothing when all of it is absent.
    ///
    /// # Errors
    /// The first template that cannot be evaluated, with its JSON pointer.
    pub fn value(&self, scope: &Scope) -> Result<Option<Value>, (String, Fault)> {
        self.0.value(scope).map_err(|(mut path, fault)| {
            path.reverse();
            (path.iter().map(|key| format!("/{key}")).collect(), fault)
        })
    }
}

impl Node {
    fn parse(value: &Value, path: &str, faults: &mut Vec<(String, Fault)>) -> Self {
        match value {
            Value::String(text) => match Template::parse(text) {
                Ok(template) if template.is_literal() => Self::Fixed(value.clone()),
                Ok(template) => Self::Text(template),
                Err(fault) => {
                    faults.push((path.to_owned(), fault));
                    Self::Fixed(Value::Null)
                }
            },
            Value::Array(items) => {
                let nodes: Vec<Self> = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| Self::parse(item, &format!("{path}/{index}"), faults))
                    .collect();
                if nodes.iter().all(Self::is_fixed) { Self::Fixed(value.clone()) } else { Self::List(nodes) }
            }
            Value::Object(fields) => {
                let nodes: Vec<(String, Self)> = fields
                    .iter()
                    .map(|(key, field)| (key.clone(), Self::parse(field, &format!("{path}/{}", escaped(key)), faults)))
                    .collect();
                if nodes.iter().all(|(_, node)| node.is_fixed()) {
                    Self::Fixed(value.clone())
                } else {
                    Self::Map(nodes)
                }
            }
            other => Self::Fixed(other.clone()),
        }
    }

    fn is_fixed(&self) -> bool {
        matches!(self, Self::Fixed(_))
    }

    fn names(&self, path: &str, out: &mut Vec<(String, String)>) {
        match self {
            Self::Fixed(_) => {}
            Self::Text(template) => out.extend(template.names().into_iter().map(|name| (name, path.to_owned()))),
            Self::List(items) => {
                items.iter().enumerate().for_each(|(index, item)| item.names(&format!("{path}/{index}"), out));
            }
            Self::Map(fields) => {
                fields.iter().for_each(|(key, field)| field.names(&format!("{path}/{}", escaped(key)), out));
            }
        }
    }

    /// The path of a fault is from the inside out.
    fn value(&self, scope: &Scope) -> Result<Option<Value>, (Vec<String>, Fault)> {
        match self {
            Self::Fixed(value) => Ok(Some(value.clone())),
            Self::Text(template) => template.value(scope).map_err(|fault| (Vec::new(), fault)),
            Self::List(items) => {
                let mut out = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    out.extend(item.value(scope).map_err(|at| within(at, index.to_string()))?);
                }
                Ok(Some(Value::Array(out)))
            }
            Self::Map(fields) => {
                let mut out = Map::with_capacity(fields.len());
                for (key, field) in fields {
                    if let Some(value) = field.value(scope).map_err(|at| within(at, escaped(key)))? {
                        out.insert(key.clone(), value);
                    }
                }
                Ok(Some(Value::Object(out)))
            }
        }
    }
}

fn within((mut path, fault): (Vec<String>, Fault), key: String) -> (Vec<String>, Fault) {
    path.push(key);
    (path, fault)
}

/// A key in a JSON pointer (RFC 6901).
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
