//! The tree.

use base::Span;
use serde_json::{Map, Number};

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    /// The place. Of an aliased value, the place of its anchor.
    pub(crate) span: Span,
    /// The value.
    pub(crate) value: Value,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    String(String, Style),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order written, keys unique.
    Map(Vec<Entry>),
}

/// How a text was written: what its escapes and line breaks mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Without quotes, or made by a normalisation.
    Plain,
    /// In single quotes.
    Single,
    /// In double quotes, JSON included.
    Double,
    /// A block scalar, `|` or `>`.
    Block,
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// The key.
    pub(crate) key: Key,
    /// Its value.
    pub(crate) value: Node,
}

/// A key and its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key {
    /// The place.
    pub(crate) span: Span,
    /// The text.
    pub(crate) text: String,
}

impl Node {
    pub(crate) fn new(span: Span, value: Value) -> Self {
        Self { span, value }
    }

    /// A text that a normalisation makes.
    pub(crate) fn text(span: Span, text: impl Into<String>) -> Self {
        Self::new(span, Value::String(text.into(), Style::Plain))
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text, _) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn as_number(&self) -> Option<&Number> {
        match &self.value {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    pub(crate) fn as_map(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }

    pub(crate) fn as_list(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// The entries of a map, none for anything else.
    pub(crate) fn entries(&self) -> &[Entry] {
        self.as_map().unwrap_or_default()
    }

    /// The items of a list, none for anything else.
    pub(crate) fn items(&self) -> &[Node] {
        self.as_list().unwrap_or_default()
    }

    /// The entry of a map.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key.text == key)
    }

    /// The value of a key of a map.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The value of a key when it is a text.
    pub(crate) fn str_of(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// The place of a key's value, else the node's own.
    pub(crate) fn span_of(&self, key: &str) -> Span {
        self.get(key).map_or(self.span, |node| node.span)
    }

    /// What it is, for messages: `text`, `a number`, ….
    pub(crate) fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing (null)",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::String(..) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// The tree without places.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Number(number) => Json::Number(number.clone()),
            Value::String(text, _) => Json::String(text.clone()),
            Value::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Value::Map(entries) => {
                let map: Map<_, _> = entries.iter().map(|e| (e.key.text.clone(), e.value.to_json())).collect();
                Json::Object(map)
            }
        }
    }

    /// The place of what a JSON pointer (RFC 6901) names, or of the innermost part of it that was written. Where a list
    /// was written in place of a map, its items are found by their `name`.
    pub(crate) fn span_at(&self, pointer: &str) -> Option<Span> {
        let mut node = self;
        let mut span = None;
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            let (found, next) = match &node.value {
                Value::Map(_) => {
                    let Some(entry) = node.entry(&step) else { break };
                    (entry.value.short_span().unwrap_or(entry.key.span), &entry.value)
                }
                Value::List(items) => {
                    let index = step.parse::<usize>().ok().and_then(|index| items.get(index));
                    let Some(item) = index.or_else(|| items.iter().find(|i| i.str_of("name") == Some(&step))) else {
                        break;
                    };
                    let first = item.entries().first().map_or(item.span, |entry| entry.key.span);
                    (item.entry("name").map_or(first, |entry| entry.value.span), item)
                }
                _ => break,
            };
            span = Some(found);
            node = next;
        }
        span
    }

    /// The place of a value that stands on one line.
    fn short_span(&self) -> Option<Span> {
        let is_short = match &self.value {
            Value::String(text, _) => !text.contains('\n'),
            Value::List(_) | Value::Map(_) => false,
            _ => true,
        };
        is_short.then_some(self.span)
    }

    /// The JSON pointer of the innermost value or key at a byte offset.
    pub(crate) fn pointer_at(&self, offset: usize) -> String {
        let mut pointer = String::new();
        let mut node = self;
        loop {
            let next = match &node.value {
                Value::List(items) => items
                    .iter()
                    .enumerate()
                    .find(|(_, item)| covers(item.span, offset))
                    .map(|(index, item)| (index.to_string(), item)),
                Value::Map(entries) => entries
                    .iter()
                    .find(|e| covers(e.key.span, offset) || covers(e.value.span, offset))
                    .map(|e| (e.key.text.replace('~', "~0").replace('/', "~1"), &e.value)),
                _ => None,
            };
            let Some((step, child)) = next else { return pointer };
            pointer.push('/');
            pointer.push_str(&step);
            node = child;
        }
    }
}

fn covers(span: Span, offset: usize) -> bool {
    span.start <= offset && (offset < span.end || span.start == span.end && offset == span.start)
}
