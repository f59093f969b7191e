//! Cursors: where the next page begins.
//!
//! A cursor is base64url of a check, a context and a position. The check finds damage, and the context ties it to its
//! tool and the call's other arguments, so that a cursor of another call is refused rather than answered with wrong
//! rows. Both are keyed by the spec's digest, so cursors survive restarts and several processes. That guards against
//! mistakes; it hides nothing and keeps nobody out: a position can only ever name rows that the same call may see.

use base::Digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::limits::CURSOR_BYTES_MAX;
use crate::outcome::{Failure, FailureKind};

/// Name of the argument that carries a cursor.
pub(crate) const ARGUMENT: &str = "cursor";
/// Hex digits of the check and of the context.
const MARK: usize = 12;

/// Where a page begins.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Position {
    /// The first page.
    #[default]
    Start,
    /// After this many rows.
    Offset(u64),
    /// After the row with these key values.
    Key(Vec<Value>),
}

impl Position {
    pub(crate) fn is_start(&self) -> bool {
        *self == Self::Start
    }

    pub(crate) fn offset(&self) -> u64 {
        match self {
            Self::Offset(rows) => *rows,
            Self::Start | Self::Key(_) => 0,
        }
    }

    pub(crate) fn key(&self, number: usize) -> Value {
        match self {
            Self::Key(values) => values.get(number).cloned().unwrap_or_default(),
            Self::Start | Self::Offset(_) => Value::Null,
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Self::Start => Value::Null,
            Self::Offset(rows) => (*rows).into(),
            Self::Key(values) => Value::Array(values.clone()),
        }
    }

    fn from_json(value: Value) -> Option<Self> {
        match value {
            Value::Array(values) => Some(Self::Key(values)),
            value => value.as_u64().map(Self::Offset),
        }
    }
}

/// What a cursor is tied to: the spec, the tool, and the call's other arguments.
#[derive(Debug)]
pub(crate) struct Scope<'a> {
    spec: &'a Digest,
    mark: String,
}

impl<'a> Scope<'a> {
    /// `arguments` with defaults filled in and without the cursor; their order does not matter.
    pub(crate) fn new(spec: &'a Digest, tool: &str, arguments: &Map<String, Value>) -> Self {
        let mut text = format!("{spec}\n{tool}\n");
        write_sorted(arguments, &mut text);
        Self { spec, mark: Digest::of(text.as_bytes()).short().to_owned() }
    }

    /// The cursor of a position.
    pub(crate) fn write(&self, position: &Position) -> String {
        let body = format!("{}{}", self.mark, position.to_json());
        URL_SAFE_NO_PAD.encode(format!("{}{body}", self.check(&body)))
    }

    /// The position of a cursor.
    pub(crate) fn read(&self, cursor: &str) -> Result<Position, Box<Failure>> {
        let decoded = if cursor.len() > CURSOR_BYTES_MAX { None } else { URL_SAFE_NO_PAD.decode(cursor).ok() };
        let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        let parts = text.as_deref().and_then(|text| text.split_at_checked(MARK));
        let Some((_, body)) = parts.filter(|(check, body)| self.check(body) == *check) else {
            return Err(refuse(
                "it is not a `nextCursor` that this server gave, or the server has changed since. \
                 Send a `nextCursor` exactly as it was given",
            ));
        };
        let (mark, position) = body.split_at_checked(MARK).unwrap_or_default();
        if mark != self.mark {
            return Err(refuse(
                "it belongs to a call of another tool or with other arguments. \
                 Repeat the other arguments of the call that gave it",
            ));
        }
        let position = serde_json::from_str(position).ok().and_then(Position::from_json);
        position.ok_or_else(|| refuse("it holds no position"))
    }

    fn check(&self, body: &str) -> String {
        Digest::of(format!("{}\n{body}", self.spec).as_bytes()).short().to_owned()
    }
}

fn refuse(why: &str) -> Box<Failure> {
    let text = format!("`cursor` was refused: {why}, or leave `cursor` out to begin with the first page.");
    Box::new(Failure::new(FailureKind::Cursor, text))
}

/// Appends JSON whose objects have their names in order.
fn write_sorted(object: &Map<String, Value>, out: &mut String) {
    let mut names: Vec<(&String, &Value)> = object.iter().collect();
    names.sort_unstable_by_key(|(name, _)| name.as_str());
    out.push('{');
    for (name, value) in names {
        out.push_str(&Value::from(name.as_str()).to_string());
        out.push(':');
        write_value(value, out);
        out.push(',');
    }
    out.push('}');
}

fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::Object(object) => write_sorted(object, out),
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write_value(item, out);
                out.push(',');
            }
            out.push(']');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use base::Digest;
    use serde_json::{Map, Value, json};

    use super::{Position, Scope};

    fn arguments(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn a_cursor_leads_back_to_its_position_only_in_its_own_call() {
        let spec = Digest::of(b"spec");
        let scope = Scope::new(&spec, "list", &arguments(json!({"a": 1, "b": {"c": [1], "d": 2}})));
        let same = Scope::new(&spec, "list", &arguments(json!({"b": {"d": 2, "c": [1]}, "a": 1})));
        for position in [Position::Offset(50), Position::Key(vec![json!("x"), json!(7), Value::Null])] {
            assert_eq!(same.read(&scope.write(&position)).unwrap(), position);
        }
        let cursor = scope.write(&Position::Offset(50));
        for other in [
            Scope::new(&spec, "other", &arguments(json!({"a": 1, "b": {"c": [1], "d": 2}}))),
            Scope::new(&spec, "list", &arguments(json!({"a": 2, "b": {"c": [1], "d": 2}}))),
        ] {
            assert!(other.read(&cursor).unwrap_err().text.contains("belongs to a call"));
        }
        let elsewhere = Digest::of(b"changed");
        assert!(Scope::new(&elsewhere, "list", &Map::new()).read(&cursor).unwrap_err().text.contains("has changed"));
        let mut damaged = cursor.clone();
        damaged.replace_range(20..21, if &cursor[20..21] == "A" { "B" } else { "A" });
        for bad in [damaged.as_str(), "", "x", "%%%", &"A".repeat(100_000)] {
            assert!(scope.read(bad).unwrap_err().text.contains("not a `nextCursor`"), "{bad:.40}");
        }
    }
}
