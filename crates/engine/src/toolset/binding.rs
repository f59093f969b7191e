//! Which value goes to which placeholder.

use serde_json::{Map, Value};

use crate::cursor::Position;

/// Where a bound value comes from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Slot {
    /// The argument of this name; absent is NULL.
    Argument(Box<str>),
    /// A field of the batch element, with its default.
    Field(Box<str>, Value),
    /// The batch element itself.
    Item,
    /// Rows of a page, and one more.
    PageLimit,
    /// Rows before the page.
    PageOffset,
    /// A key value of the row before the page, by number from 0.
    PageKey(usize),
}

impl Slot {
    /// The value for a call without a batch. Arguments are moved out: each has one slot.
    pub(crate) fn take(&self, arguments: &mut Map<String, Value>, at: &Position, size: usize) -> Value {
        match self {
            Self::Argument(name) => arguments.remove(&**name).unwrap_or_default(),
            Self::Field(..) | Self::Item => Value::Null,
            Self::PageLimit => (size + 1).into(),
            Self::PageOffset => at.offset().into(),
            Self::PageKey(number) => at.key(*number),
        }
    }

    /// About how many bytes each element of a batch needs a copy of: an argument beside the batch.
    pub(crate) fn shared_bytes(&self, arguments: &Map<String, Value>) -> usize {
        match self {
            Self::Argument(name) => match arguments.get(&**name) {
                Some(Value::String(text)) => text.len(),
                Some(value @ (Value::Array(_) | Value::Object(_))) => value.to_string().len(),
                _ => 0,
            },
            _ => 0,
        }
    }

    /// The value for one element of a batch.
    pub(crate) fn take_element(&self, arguments: &Map<String, Value>, element: &mut Value) -> Value {
        match self {
            Self::Argument(name) => arguments.get(&**name).cloned().unwrap_or_default(),
            Self::Field(name, default) => {
                let given = element.as_object_mut().and_then(|fields| fields.remove(&**name));
                given.unwrap_or_else(|| default.clone())
            }
            Self::Item => std::mem::take(element),
            Self::PageLimit | Self::PageOffset | Self::PageKey(_) => Value::Null,
        }
    }
}
